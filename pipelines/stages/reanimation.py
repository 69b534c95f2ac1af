"""Stages that render every test clip's reanimation with one system's flow and score it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.data.catalogue import clip_name
from brainviz.errors import NotReady
from brainviz.storage import open_array, read_array, read_table, write_json
from pipelines.graph import Context

if TYPE_CHECKING:
    import pandas as pd
    import zarr

    from brainviz.imported import ImportedFilms
    from pipelines.evaluate.video_scores import ClipTruth, TimedFilm
    from pipelines.flow_labels.labellers import Labeller
    from pipelines.reanimate.backend import Backend
    from pipelines.reanimate.motion_field import MotionField

AT_ONCE = "warp"
CLIPS_AT_ONCE = 20
SCORED_GRID = (
    48  # of the splatted motion; 64, as pages have it, changes EPE by .0003 and SSIM by .0001, for a third more
)
NETWORK_PX = 224
PICTURE_PX = 512  # the first frame as slow backends are given it, at most


def keep_reference_frames(context: Context) -> None:
    """A test film's frames at the label times, which reanimations are compared with: ``frames`` (n, 4, s, s, 3)."""
    from brainviz.flow.fields import frame_numbers
    from brainviz.video.reading import film_info, read_frames

    film, n, size = context.dataset().film(context.unit), context.config["n_clips"], context.config["size"]
    info = film_info(film)
    numbers = np.round(2 * np.arange(n) * info.fps).astype(int)[:, None] + frame_numbers(info.fps)
    numbers = np.minimum(numbers, info.n_frames - 1)
    stored = context.new_array("frames", (n, 4, size, size, 3), "uint8", (1, 4, size, size, 3))
    frames = np.empty(stored.shape, np.uint8)
    for start in range(0, n, CLIPS_AT_ONCE):
        part = slice(start, min(start + CLIPS_AT_ONCE, n))
        frames[part] = read_frames(film, numbers[part].ravel(), size).reshape(-1, 4, size, size, 3)
        context.progress(part.stop / n, f"{part.stop} of {n} clips")
    stored[...] = frames
    context.facts["fps"] = float(info.fps)


def reanimate(context: Context) -> None:
    """Films of one system with one backend and mask, and their scores: table ``scores`` (clip, sample, metric, value).

    A slow backend's films stay in the result as ``films/<clip>.<sample>.mp4``; a killed run goes on at the next film.
    """
    from pipelines.evaluate.video_embeddings import VideoNetworks
    from pipelines.evaluate.video_scores import score_clip
    from pipelines.flow_labels import make_labeller

    clips = ScoredClips(context)
    labeller = make_labeller(context.config["labeller"], device=context.device)
    networks = VideoNetworks.load(context.config.get("networks", {}), context.device)
    films = _films(context, clips, labeller)
    rows: list[dict[str, Any]] = []
    for done, row in enumerate(clips.chosen):
        context.progress(done / len(clips.chosen), f"{done} of {len(clips.chosen)} clips")
        truth = clips.truth(row)
        for sample in range(context.config["samples"]):
            film = films.film(row, sample, truth)
            scores = score_clip(film, truth, labeller)
            if networks.any:
                scores |= networks.score(film, clips.seen(row))
            rows += [{"clip": clips.names[row], "sample": sample, "metric": m, "value": v} for m, v in scores.items()]
    films.publish()
    context.table("scores", _frame(rows))
    context.facts |= {name: context.config[name] for name in ("system", "backend", "mask", "size")}
    context.facts |= {"clips": [clips.names[row] for row in clips.chosen], "provenance": films.provenance}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=["clip", "sample", "metric", "value"])


class ScoredClips:
    """The test clips, their truth, and the flow of the system at hand, read as they are asked for."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.frames = context.inputs("reference_frames")
        self.labels = {segment: context.input("flow_labels", segment) for segment in self.frames}
        facts = next(iter(self.labels.values())).manifest["facts"]
        self.step_s = np.asarray(facts["step_s"], np.float32)
        self.fps = {segment: float(result.manifest["facts"]["fps"]) for segment, result in self.frames.items()}
        lengths = {segment: open_array(r.arrays, "consistency").shape[0] for segment, r in self.labels.items()}
        self.places = [(segment, index) for segment, length in lengths.items() for index in range(length)]
        self.names = [clip_name(segment, index) for segment, index in self.places]
        decoded = context.inputs("motion_decoder")
        self.decoded = next(iter(decoded.values())) if decoded else None
        owner, system = context.unit.split(".")[:2]
        key = context.config.get("films")
        self.imported = imported_films(context, owner, system, key) if key else None
        self.chosen = self._choose()

    def _choose(self) -> list[int]:
        """Rows of the clips to render: those that were decoded, or a sample of them."""
        from pipelines.evaluate.reanimation_clips import stratified_clips, true_speed

        there = set(self.names if self.decoded is None else self.decoded.manifest["facts"]["clips"])
        if self.imported is not None:
            there &= set(self.imported.clips)
        wanted = self.context.config.get("n_clips", 0)
        rows = list(range(len(self.names)))
        if wanted:
            parts = [[read_array(r.arrays, name) for r in self.labels.values()] for name in ("flow", "valid")]
            speed = true_speed(*(np.concatenate(part) for part in parts))
            rows = stratified_clips(speed, [segment for segment, _ in self.places], wanted)
        return [row for row in rows if self.names[row] in there]

    def truth(self, row: int) -> ClipTruth:
        from pipelines.evaluate.video_scores import ClipTruth

        segment, index = self.places[row]
        frames = np.asarray(self._frames[segment][index])
        flow, valid, moving = (self._labels[segment][name][index] for name in ("flow", "valid", "moving"))
        return ClipTruth(frames, flow, valid, moving, self.step_s)

    def seen(self, row: int) -> TimedFilm:
        """The true film at the networks' times."""
        from brainviz.flow.fields import clip_length
        from brainviz.video.reading import film_info, read_frames
        from pipelines.evaluate.video_embeddings import VIDEO_FRAMES
        from pipelines.evaluate.video_scores import TimedFilm

        segment, index = self.places[row]
        film = self.context.dataset().film(segment)
        info = film_info(film)
        numbers = np.unique(np.round(np.linspace(0, clip_length(info.fps) - 1, VIDEO_FRAMES)).astype(int))
        wanted = np.minimum(round(2 * index * info.fps) + numbers, info.n_frames - 1)
        return TimedFilm(read_frames(film, wanted, NETWORK_PX), numbers / info.fps)

    @cached_property
    def _frames(self) -> dict[str, zarr.Array]:
        return {segment: open_array(result.arrays, "frames") for segment, result in self.frames.items()}

    @cached_property
    def _labels(self) -> dict[str, dict[str, np.ndarray]]:
        names = ("flow", "valid", "moving")
        return {s: {name: read_array(r.arrays, name) for name in names} for s, r in self.labels.items()}

    @cached_property
    def _objects(self) -> dict[str, np.ndarray]:
        """Objects of each film: FlowSAM's where they were planned, else what moves against the camera."""
        found = self.context.inputs("object_masks")
        if found:
            return {segment: read_array(result.arrays, "objects") for segment, result in found.items()}
        return {segment: labels["moving"] for segment, labels in self._labels.items()}

    @cached_property
    def _flow(self) -> np.ndarray:
        return np.empty(0) if self.decoded is None else read_array(self.decoded.arrays, "flow")

    def motion(self, row: int, sample: int) -> MotionField:
        """What drives the clip: the system's flow under the mask."""
        from pipelines.reanimate.drive import drive, uses_film

        segment, index = self.places[row]
        if self.decoded is None:
            flow = self._labels[segment]["flow"][index]
        else:
            flow = self._flow[self.decoded.manifest["facts"]["clips"].index(self.names[row]), sample]
        mask = self.context.config["mask"]
        objects = self._objects[segment][index] if uses_film(mask) else None
        least = 0.0 if self.decoded is None else float(self.decoded.manifest["facts"].get("held_out_error", 0.0))
        return drive(flow, self.step_s, mask, objects, least)


def imported_films(context: Context, owner: str, system: str, key: str) -> ImportedFilms:
    """The films that a task was planned with; raises `NotReady` where others stand there now."""
    from brainviz.imported import STAGE, ImportedFilms

    result = context.store.current(STAGE, f"{owner}.{system}")
    if result is None or result.folder.name != key:
        raise NotReady("The films were imported anew meanwhile.", system, "Start the run again.")
    return ImportedFilms(system, result)


def _films(context: Context, clips: ScoredClips, labeller: Labeller) -> _WarpedFilms | _SlowFilms | _OtherFilms:
    if clips.imported is not None:
        return _OtherFilms(clips, clips.imported)
    return (_WarpedFilms if context.config["backend"] == AT_ONCE else _SlowFilms)(context, clips, labeller)


@dataclass
class _OtherFilms:
    """Films of another system, as they were imported."""

    clips: ScoredClips
    imported: ImportedFilms

    @property
    def provenance(self) -> dict[str, Any]:
        return {"backend": "imported", "source": str(self.imported.facts["source"])}

    def film(self, row: int, sample: int, truth: ClipTruth) -> TimedFilm:
        from pipelines.evaluate.video_scores import TimedFilm

        frames, fps = self.imported.film(self.clips.names[row])
        return TimedFilm(frames, np.arange(len(frames)) / fps)

    def publish(self) -> None:
        """They stand in the workspace already."""


@dataclass
class _WarpedFilms:
    """Rendered when asked for, only at the times that are scored, and not kept: a page renders them as fast."""

    context: Context
    clips: ScoredClips
    labeller: Labeller

    @property
    def provenance(self) -> dict[str, Any]:
        return {"backend": AT_ONCE, "mask": self.context.config["mask"]}

    def film(self, row: int, sample: int, truth: ClipTruth) -> TimedFilm:
        from pipelines.evaluate.video_scores import TimedFilm
        from pipelines.flow_labels.clips import measured_frames
        from pipelines.reanimate.warp import WarpSettings, warp_frames

        fps = self.clips.fps[self.clips.places[row][0]]
        times = np.unique(np.concatenate(measured_frames(fps, self.labeller.max_gap_s))) / fps
        motion, first = self.clips.motion(row, sample), truth.frames[0]
        still = not motion.displacement.any()
        settings = WarpSettings(grid=SCORED_GRID)
        frames = np.stack([first] * len(times)) if still else warp_frames(first, motion, times[1:], settings=settings)
        return TimedFilm(frames, times)

    def publish(self) -> None:
        """Nothing is kept."""


@dataclass
class _SlowFilms:
    """Rendered once, kept as MP4; those of a killed run are taken up again."""

    context: Context
    clips: ScoredClips
    labeller: Labeller

    def __post_init__(self) -> None:
        self.folder = self.context.work / "films"
        self.folder.mkdir(exist_ok=True)

    @property
    def provenance(self) -> dict[str, Any]:
        """Of each film it stands beside the film."""
        return {name: self.context.config[name] for name in ("backend", "mask")}

    @cached_property
    def backend(self) -> Backend:
        from pipelines.reanimate.registry import make_backend

        config = self.context.config
        weights = Path(config["weights"]) if config.get("weights") else None
        return make_backend(config["backend"], weights, self.context.device, config.get("svd", ""))

    def film(self, row: int, sample: int, truth: ClipTruth) -> TimedFilm:
        path = self.folder / f"{self.clips.names[row]}.{sample}.mp4"
        if not path.exists():
            self._render(path, row, sample)
        return read_timed(path)

    def _render(self, path: Path, row: int, sample: int) -> None:
        from brainviz.video.reading import film_info, read_frames
        from brainviz.video.writing import write_mp4
        from pipelines.reanimate.registry import BACKENDS
        from pipelines.reanimate.request import ReanimationRequest

        segment, index = self.clips.places[row]
        film = self.context.dataset().film(segment)
        info = film_info(film)
        side = min(info.width, info.height, PICTURE_PX)
        picture = read_frames(film, [round(2 * index * info.fps)], side)[0]
        motion = self.clips.motion(row, sample) if BACKENDS[self.context.config["backend"]].follows_motion else None
        # A sampled system is drawn with one seed per sample, so that samples differ where motion does not.
        request = ReanimationRequest(picture, motion, seed=sample)
        share, name = self.clips.chosen.index(row) / len(self.clips.chosen), self.clips.names[row]
        made = self.backend.render(request, lambda _part, text: self.context.progress(share, f"{name}: {text}"))
        write_json(path.with_suffix(".json"), dict(made.provenance))
        write_mp4(path, made.frames, made.fps)

    def publish(self) -> None:
        """Move the films into the result."""
        shutil.copytree(self.folder, self.context.folder / "films", copy_function=_link)


def _link(source: str, target: str) -> None:
    """The same file under another name, so that a failed publication loses nothing; a copy where links are unknown."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def read_timed(path: Path) -> TimedFilm:
    """A film's frames and times."""
    from brainviz.video.reading import film_info, iterate_frames
    from pipelines.evaluate.video_scores import TimedFilm

    frames = np.stack(list(iterate_frames(path)))
    return TimedFilm(frames, np.arange(len(frames)) / film_info(path).fps)


def evaluate(context: Context) -> None:
    """Tables of one subject: scores of every system's reanimations, their means, their tests."""
    import pandas as pd

    from pipelines.evaluate.reanimation import evaluate_reanimations

    parts = []
    for result in context.inputs("reanimation").values():
        facts = {name: result.manifest["facts"][name] for name in ("system", "backend", "mask")}
        parts.append(read_table(result.folder / "scores.parquet").assign(**facts))
    clips = read_table(context.input("catalogue").folder / "clips.parquet")
    context.progress(0.1, "Comparing systems")
    tables = evaluate_reanimations(context.unit, pd.concat(parts, ignore_index=True), clips)
    for name, table in tables.items():
        context.table(name, table)
