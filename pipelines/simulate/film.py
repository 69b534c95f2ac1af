"""The simulated film: which shots stand where, and its files on disk.

Sources of the timing: training shots of 8 to 20 s (median 12), test shots of 4 or 6 s, as in the Dynamic Natural
Vision films, whose training shots are long and whose test shots last about 4 s; shot lengths are log-normal (Cutting
et al. 2011). The three ambiguity cases fill 144 of the demo's 360 test clips.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipelines.simulate.cases import CASE_CLIPS, Instance, instances
from pipelines.simulate.config import CLIP_S, SimulationConfig
from pipelines.simulate.plan import FilmPlan, Shot
from pipelines.simulate.shots import flickering, ordinary_shot

Progress = Callable[[int, int], None]
"""Called with the number of frames done and the number of all frames."""

PAIRS = {"demo": 12, "tiny": 1}
"""Pairs of each ambiguity case; a pair is two instances."""

QUANTISER = "19"
"""Constant quantiser of H.264: equal pictures at key frames are coded equally, so that the two shots of a pair open
with the same decoded pixels."""


def plan_film(config: SimulationConfig) -> FilmPlan:
    """Return the film of a configuration; the same seed gives the same film."""
    roots = np.random.SeedSequence([config.seed, 0xF11A]).spawn(len(config.segments) + 1)
    placed = _place_cases(config, np.random.default_rng(roots[-1]))
    segments: dict[str, tuple[Shot, ...]] = {}
    number = 0
    for name, root in zip(config.segments, roots[:-1], strict=True):
        rng = np.random.default_rng(root)
        if name in config.test_segments:
            shots = _test_shots(config, name, rng, placed[name], number)
        else:
            shots = _training_shots(config, name, rng, number)
        if config.world == "flicker":
            # Drawn from a stream of its own: apart from its light the film is that of the other worlds.
            lights = np.random.default_rng([config.seed, 0xF11C, number])
            shots = [replace(shot, flicker=flickering(lights)) for shot in shots]
        segments[name] = tuple(shots)
        number += len(shots)
    return FilmPlan(config, segments)


def _clip_frames(config: SimulationConfig) -> int:
    return round(CLIP_S * config.fps)


def _place_cases(config: SimulationConfig, rng: np.random.Generator) -> dict[str, list[Instance]]:
    """Deal the pairs to the test segments: the two of a pair to different ones, continuations balanced."""
    pairs = instances(rng, PAIRS[config.size], CASE_CLIPS * _clip_frames(config))
    names = config.test_segments
    dealt: dict[str, list[Instance]] = {name: [] for name in names}
    for k, (first, second) in enumerate(pairs):
        one, other = names[k % len(names)], names[(k + 1) % len(names)]
        if (k // len(names)) % 2:
            one, other = other, one
        dealt[one].append(first)
        dealt[other].append(second)
    return dealt


def _training_shots(config: SimulationConfig, segment: str, rng: np.random.Generator, number: int) -> list[Shot]:
    total = config.segments[segment] * _clip_frames(config)
    shortest, fps = 8 * config.fps, config.fps
    shots: list[Shot] = []
    onset = 0
    while onset < total:
        length = round(5 * float(np.clip(rng.lognormal(np.log(12), 0.32), 8, 20))) * fps // 5
        if total - onset - length < shortest:
            length = total - onset if total - onset <= 20 * fps else (total - onset) // 2
        shots.append(ordinary_shot(rng, "training", number + len(shots), onset, length, fps))
        onset += length
    return shots


def _test_shots(
    config: SimulationConfig, segment: str, rng: np.random.Generator, cases: list[Instance], number: int
) -> list[Shot]:
    clip = _clip_frames(config)
    left = config.segments[segment] - CASE_CLIPS * len(cases)
    lengths: list[int] = []
    while left > 0:
        length = 3 if left == 3 or (left > 4 and rng.random() < 0.3) else 2
        lengths.append(min(length, left))
        left -= lengths[-1]
    order: list[Instance | int] = [*cases, *lengths]
    shots: list[Shot] = []
    onset = 0
    for k in rng.permutation(len(order)):
        item = order[k]
        if isinstance(item, Instance):
            shot = replace(item.shot, number=number + len(shots), onset_frame=onset)
        else:
            shot = ordinary_shot(rng, "test", number + len(shots), onset, item * clip, config.fps)
        shots.append(shot)
        onset = shot.end_frame
    return shots


def render_segment(plan: FilmPlan, segment: str, path: Path, progress: Progress | None = None) -> None:
    """Write a segment as H.264 MP4 (yuv420p, a key frame every 2 s), the same bytes every time.

    The file appears under its name only when it is complete.
    """
    import av
    import cv2

    from pipelines.simulate.renderer import render_shot

    cv2.setNumThreads(1)
    size, fps = plan.config.frame_px, plan.config.fps
    total = plan.config.segments[segment] * _clip_frames(plan.config)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with av.open(str(unfinished), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = size, size, "yuv420p"
            every = _clip_frames(plan.config)
            fixed = f"keyint={every}:min-keyint={every}:scenecut=0:threads=1:lookahead-threads=1"
            stream.options = {"preset": "ultrafast", "qp": QUANTISER, "x264-params": fixed}
            done = 0
            for shot in plan.shots(segment):
                for picture in render_shot(shot, size, fps):
                    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2YUV_I420), dtype=np.uint8)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
                    done += 1
                    if progress is not None and done % every == 0:
                        progress(done, total)
            container.mux(stream.encode())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step: it is there complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def captions_csv(plan: FilmPlan) -> str:
    """Return the table of shots: segment, shot, onset_s, offset_s, caption, case, continuation."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(["segment", "shot", "onset_s", "offset_s", "caption", "case", "continuation"])
    fps = plan.config.fps
    for segment, shots in plan.segments.items():
        for shot in shots:
            onset, offset = (round(frame / fps, 4) for frame in (shot.onset_frame, shot.end_frame))
            writer.writerow([segment, shot.number, onset, offset, shot.caption, shot.case, shot.continuation])
    return sheet.getvalue()


def dataset_json(config: SimulationConfig) -> str:
    """Return the card that marks a folder as a simulated data set."""
    card = {
        "format": "brainviz-simulated",
        "version": 1,
        "simulated": True,
        "name": "simulated",
        **config.to_dict(),
        "fps": config.fps,
        "segments": config.segments,
        "subjects": list(config.subjects),
        "labels": {"captions": "captions.csv", "scenes": "scenes.json"},
    }
    return json.dumps(card, indent=1)


def write_film(
    config: SimulationConfig, out: Path, segments: Sequence[str] | None = None, progress: Progress | None = None
) -> FilmPlan:
    """Write `stimuli/*.mp4`, `scenes.json`, `captions.csv` and `dataset.json` into a folder.

    Parameters
    ----------
    config : SimulationConfig
    out : Path
        Folder of the data set.
    segments : sequence of str, optional
        Render only these (so that several processes may share the work); the tables always cover all.
    progress : callable, optional
        Called with frames done and frames of all chosen segments.

    Returns
    -------
    FilmPlan
        What was filmed.
    """
    plan = plan_film(config)
    chosen = list(config.segments) if segments is None else list(segments)
    total = sum(config.segments[name] for name in chosen) * _clip_frames(config)
    before = 0
    for name in chosen:
        report = None if progress is None else (lambda done, _, start=before: progress(start + done, total))
        render_segment(plan, name, Path(out) / "stimuli" / f"{name}.mp4", report)
        before += config.segments[name] * _clip_frames(config)
    write_text(Path(out) / "scenes.json", plan.to_json())
    write_text(Path(out) / "captions.csv", captions_csv(plan))
    write_text(Path(out) / "dataset.json", dataset_json(config))
    return plan
