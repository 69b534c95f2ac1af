"""A small, plausible workspace written through the real store: photographs that pan, decoders that half know.

`make_workspace(folder)` takes a few seconds; nothing in it was computed by a pipeline.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from brainviz.results import ResultStore
from brainviz.storage import write_array, write_table
from brainviz.workspace import Workspace, create_workspace
from support.fake_ambiguity import write_ambiguity
from support.fake_encoding import bold_arrays, ceiling_map, write_encoding
from support.fake_regions import leave_out_result

FPS, SIZE, GRID = 15, 224, 32
FRAMES = 2 * FPS
STEP_S = np.array([10, 10, 9]) / FPS
SUBJECTS = ["1", "2", "3"]
SEGMENTS = {"seg1": 4, "seg2": 4, "test1": 12, "test2": 12}
CAPTIONS = ["an astronaut before the flag", "a cat looks up", "a cup of coffee", "a rocket on its pad"]
CASES = ["", "", "bird", "", "shuttle", "", "tower", ""]
# share of the truth that a system knows, noise in grid px
SKILL = {
    "brain": (0.62, 0.10),
    "brain-reference": (0.48, 0.14),
    "image-only": (0.22, 0.06),
    "shuffled": (0.21, 0.07),
    "ridge": (0.52, 0.12),
    "mean": (0.0, 0.02),
    "zero": (0.0, 0.0),
    "persistence": (0.3, 0.3),
    "prior": (0.2, 0.45),
}
SAMPLES = {"prior": 4}


def seed_of(*words: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def clip_names(segment: str) -> list[str]:
    return [f"{segment}-{i:04d}" for i in range(SEGMENTS[segment])]


def photographs() -> list[np.ndarray]:
    import cv2
    from skimage import data

    pictures = (data.astronaut(), data.chelsea(), data.coffee(), data.rocket())
    return [cv2.resize(picture, (640, 512), interpolation=cv2.INTER_AREA) for picture in pictures]


def motion_of(segment: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Camera and object velocity in frame widths per second."""
    rng = seed_of(segment, index // 2)
    angles = rng.uniform(0, 2 * np.pi, 2)
    speeds = rng.uniform([0.02, 0.04], [0.14, 0.3])
    camera, thing = (s * np.array([np.cos(a), np.sin(a)]) for a, s in zip(angles, speeds, strict=True))
    return camera, thing


def object_centre(segment: str, index: int, time_s: float) -> np.ndarray:
    camera, thing = motion_of(segment, index)
    return 0.5 - (camera + thing) * 1.0 + (camera + thing) * time_s


def film_frames(segment: str, index: int, photos: list[np.ndarray], count: int = FRAMES) -> np.ndarray:
    camera, _ = motion_of(segment, index)
    picture, patch = photos[index // 2 % 4], photos[(index // 2 + 1) % 4]
    y, x = np.mgrid[:SIZE, :SIZE]
    frames = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for frame in range(count):
        shift = (-camera * SIZE * (frame / FPS - 1)).round().astype(int)
        top, left = 144 + shift[1], 208 + shift[0]
        frames[frame] = picture[top : top + SIZE, left : left + SIZE]
        cx, cy = object_centre(segment, index, frame / FPS) * SIZE
        inside = (x - cx) ** 2 + (y - cy) ** 2 < 36**2
        source = patch[100 : 100 + SIZE, 200 : 200 + SIZE]
        frames[frame][inside] = np.roll(source, (round(cy) - 112, round(cx) - 112), (0, 1))[inside]
    return frames


def true_flow(segment: str, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    camera, thing = motion_of(segment, index)
    flow = np.empty((3, GRID, GRID, 2), np.float32)
    moving = np.zeros((3, GRID, GRID), bool)
    valid = np.ones((3, GRID, GRID), bool)
    y, x = (np.mgrid[:GRID, :GRID] + 0.5) / GRID
    for step, start in enumerate(np.r_[0, np.cumsum(STEP_S)[:2]]):
        cx, cy = object_centre(segment, index, start)
        moving[step] = (x - cx) ** 2 + (y - cy) ** 2 < (36 / SIZE) ** 2
        flow[step] = camera * GRID * STEP_S[step]
        flow[step][moving[step]] = (camera + thing) * GRID * STEP_S[step]
    valid[:, 0, :] = False
    if index % 6 == 5:
        valid[2] = False
    return flow, valid, moving


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.standard_normal(shape), (0, 0, 4, 4, 0))
    return (scale * noise / max(noise.std(), 1e-9)).astype(np.float32)


def predicted(truth: np.ndarray, subject: str, system: str) -> np.ndarray:
    """(clip, sample, 3, GRID, GRID, 2): a blurred share of the truth with smooth noise."""
    from scipy.ndimage import gaussian_filter

    share, noise = SKILL[system]
    share = share * (1 - 0.06 * (int(subject) - 1))
    rng = seed_of(subject, system)
    blurred = gaussian_filter(truth, (0, 0, 2.5, 2.5, 0))
    know = np.clip(rng.normal(share, 0.22 if share else 0, len(truth)), -0.2, 0.95)
    samples = [
        know[:, None, None, None, None] * blurred + smooth_noise(rng, truth.shape, noise)
        for _ in range(SAMPLES.get(system, 1))
    ]
    return np.stack(samples, 1).astype(np.float32)


def publish(store: ResultStore, stage: str, unit: str, facts: dict, tables: dict, arrays: dict) -> None:
    with store.writing(stage, unit, "fake") as (folder, manifest):
        manifest["facts"] = facts
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table)
        for name, values in arrays.items():
            write_array(folder / "arrays.zarr", name, values)
    store.point(stage, unit, "fake")


def clip_table() -> pd.DataFrame:
    rows = []
    for segment in SEGMENTS:
        for i, clip in enumerate(clip_names(segment)):
            rows.append(
                {
                    "clip": clip,
                    "segment": segment,
                    "index": i,
                    "onset_s": 2.0 * i,
                    "duration_s": 2.0,
                    "split": "test" if segment.startswith("test") else "train",
                    "shot": f"{segment}-shot{i // 2:03d}",
                    "caption": CAPTIONS[i // 2 % 4],
                    "shot_onset": i % 2 == 0,
                    "case": CASES[i // 2 % 8],
                    "continuation": segment if CASES[i // 2 % 8] else "",
                    "simulated": True,
                }
            )
    return pd.DataFrame(rows)


def error_rows(subject: str, system: str, clips: list[str], flow: np.ndarray, truth: dict) -> list[dict]:
    rows = []
    for mask in ("none", "moving"):
        for sample in range(flow.shape[1]):
            for i, clip in enumerate(clips):
                actual, valid, moving = truth[clip]
                keep = valid & moving if mask == "moving" else valid
                wrong = np.linalg.norm(flow[i, sample] - actual, axis=-1)[keep]
                speed = np.linalg.norm(actual, axis=-1)[keep]
                rows.append(
                    {
                        "subject": subject,
                        "clip": clip,
                        "system": system,
                        "sample": sample,
                        "mask": mask,
                        "part": "full",
                        "runs": "all",
                        "grid": GRID,
                        "step_s": float(STEP_S.mean()),
                        "labeller": "dis",
                        "epe": float(wrong.mean()),
                        "angular_error": 30.0,
                        "correlation": 0.5,
                        "epe_zero": float(speed.mean()),
                        "skill": float(1 - wrong.mean() / speed.mean()),
                        "simulated": True,
                    }
                )
    return rows


def summary_rows(motion: pd.DataFrame) -> pd.DataFrame:
    keys = ["subject", "system", "mask", "part", "runs"]
    grouped = motion.groupby(keys)
    table = grouped.agg(value=("epe", "mean"), epe_zero=("epe_zero", "mean"), n_clips=("clip", "nunique")).reset_index()
    spread = grouped["epe"].sem().to_numpy()
    table["low"], table["high"] = table["value"] - 2 * spread, table["value"] + 2 * spread
    table["skill"] = 1 - table["value"] / table["epe_zero"]
    return table.assign(n_blocks=8, subset="all", measure="epe", simulated=True)


def test_rows(summary: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (subject, mask), part in summary.groupby(["subject", "mask"]):
        epe = part.set_index("system")["value"]
        for other in ("image-only", "ridge", "brain-reference", "shuffled"):
            difference = epe["brain"] - epe[other]
            rows.append(
                {
                    "subject": subject,
                    "a": "brain",
                    "b": other,
                    "mask": mask,
                    "part": "full",
                    "runs": "all",
                    "measure": "epe",
                    "subset": "all",
                    "mean_a": epe["brain"],
                    "mean_b": epe[other],
                    "ratio": epe["brain"] / epe[other],
                    "difference": difference,
                    "low": difference - 0.05,
                    "high": difference + 0.05,
                    "p": 0.0005,
                    "p_holm": 0.002,
                    "n_blocks": 8,
                    "simulated": True,
                }
            )
    return pd.DataFrame(rows)


def gain_rows(motion: pd.DataFrame) -> pd.DataFrame:
    plain = motion[motion["mask"] == "none"]
    brain, image = (plain[plain["system"] == s].set_index(["subject", "clip"])["epe"] for s in ("brain", "image-only"))
    gain = image - brain
    noise = seed_of("gain").normal(0, 0.05, (2, len(gain)))
    table = pd.DataFrame({"gain_odd": gain + noise[0], "gain_even": gain + noise[1]}).reset_index()
    return table.assign(rank=table["gain_odd"].rank(ascending=False, method="first").astype(int), simulated=True)


def timing_rows(subject: str) -> pd.DataFrame:
    rows = []
    for segment in SEGMENTS:
        for run in range(1, 5 if segment.startswith("test") else 3):
            late = segment == "test2"
            n_film = SEGMENTS[segment]
            rows.append(
                {
                    "subject": subject,
                    "segment": segment,
                    "run": run,
                    "n_volumes": n_film + (6 if late else 5),
                    "kind": "start at film start" if late else "start 2 s after film start",
                    "dropped_start": 2 if late else 1,
                    "dropped_end": 4,
                    "kept": n_film,
                    "used": not (subject == "3" and segment == "test2" and run == 3),
                    "note": "lags its film by 5 TR" if subject == "3" and segment == "test2" and run == 3 else "",
                    "simulated": True,
                }
            )
    return pd.DataFrame(rows)


def lag_rows(subjects: list[str]) -> pd.DataFrame:
    """Subject 1's test2 has a run that lags its film; lags of training runs are not clear."""
    runs = pd.concat([timing_rows(subject) for subject in subjects])[["subject", "segment", "run", "simulated"]]
    test = runs["segment"].str.startswith("test")
    late = (runs["subject"] == "1") & (runs["segment"] == "test2") & (runs["run"] == 3)
    lag = late.astype(int) * -5
    return runs.assign(lag_tr=lag, clear=test, runs_lag_tr=lag, runs_clear=test, peak=0.3, off=late)


def problem_rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "subject": "3",
                "segment": "test2",
                "run": 3,
                "severity": "left out",
                "what": "This run lags its film by 5 TR.",
                "where": "subject3/fmri/test2/cifti/test2_3_Atlas.dtseries.nii",
                "remedy": "It is left out; the other runs are used.",
                "simulated": True,
            }
        ]
    )


def write_film(path: Path, segment: str, photos: list[np.ndarray]) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for index in range(SEGMENTS[segment]):
            for picture in film_frames(segment, index, photos):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def write_labels(store: ResultStore, truth: dict) -> None:
    for segment in SEGMENTS:
        parts = [np.stack([truth[clip][k] for clip in clip_names(segment)]) for k in range(3)]
        facts = {"labeller": "dis (OpenCV, chained, forward-backward check)", "step_s": STEP_S.tolist()}
        error = pd.DataFrame([{"segment": segment, "epe": 0.06, "epe_zero": 0.9, "n_clips": SEGMENTS[segment]}])
        arrays = dict(zip(("flow", "valid", "moving"), parts, strict=True))
        publish(store, "flow_labels", segment, facts, {}, arrays)
        publish(store, "label_error", segment, facts, {"label_error": error.assign(simulated=True)}, {})


def write_bold(store: ResultStore, subject: str) -> None:
    rng = seed_of("map", subject)
    values = np.clip(rng.normal(0.2, 0.15, 64984), -0.2, 0.8).astype(np.float32)
    values[::11] = np.nan
    reliability = pd.DataFrame(
        [{"subject": subject, "median_r": 0.24, "n_responsive": 8200, "n_vertices": 59412, "simulated": True}]
    )
    tables = {"timing": timing_rows(subject), "reliability": reliability}
    facts = {"maps": ["reliability", "noise-ceiling"], "segments": list(SEGMENTS), "tr_s": 2.0, "lag_s": 4.0}
    arrays = {"map.reliability": values, "map.noise-ceiling": ceiling_map(), **bold_arrays(subject, SEGMENTS)}
    publish(store, "bold", subject, facts, tables, arrays)


def make_workspace(folder: Path, subjects: list[str] | None = None) -> Workspace:
    """Write data set and workspace below `folder`; returns the workspace."""
    subjects = subjects or SUBJECTS
    photos = photographs()
    facts = {"dataset": "../dataset", "dataset_name": "simulated", "simulated": True, "subjects": subjects}
    workspace = create_workspace(folder / "workspace", facts)
    store = ResultStore(folder / "workspace")
    truth = {clip: true_flow(s, i) for s in SEGMENTS for i, clip in enumerate(clip_names(s))}
    twins = pd.DataFrame([{"clip": "test1-0004", "twin": "seg1-0002", "similarity": 0.97, "simulated": True}])
    publish(store, "catalogue", "all", {}, {"clips": clip_table()}, {})
    publish(store, "near_duplicates", "all", {}, {"near_duplicates": twins}, {})
    publish(store, "check", "all", {}, {"problems": problem_rows(), "lags": lag_rows(subjects)}, {})
    for segment in SEGMENTS:
        write_film(folder / "dataset" / "stimuli" / f"{segment}.mp4", segment, photos)
        firsts = np.stack([film_frames(segment, i, photos, 1)[0][::2, ::2] for i in range(SEGMENTS[segment])])
        publish(store, "frame_features", segment, {}, {}, {"thumbnails": firsts})
    write_labels(store, truth)
    tests = [clip for s in SEGMENTS if s.startswith("test") for clip in clip_names(s)]
    actual = np.stack([truth[clip][0] for clip in tests])
    for subject in subjects:
        write_bold(store, subject)
        rows: list[dict] = []
        for system in SKILL:
            flow = predicted(actual, subject, system)
            publish(store, "motion_decoder", f"{subject}.{system}", {"clips": tests}, {}, {"flow": flow})
            rows += error_rows(subject, system, tests, flow, truth)
        motion = pd.DataFrame(rows)
        summary = summary_rows(motion)
        tables = {
            "motion": motion,
            "motion_summary": summary,
            "motion_tests": test_rows(summary),
            "motion_gain": gain_rows(motion),
        }
        publish(store, "evaluate_motion", subject, {}, tables, {})
        publish(store, "leave_out", subject, *leave_out_result(subject, truth))
    write_encoding(store, subjects, SEGMENTS)
    write_ambiguity(store, subjects, clip_table(), truth)
    return workspace


if __name__ == "__main__":
    import sys

    print(make_workspace(Path(sys.argv[1])).path)
