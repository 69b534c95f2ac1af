"""The test clips that films are scored on: their truth, and the flow that drives a film."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.catalogue import clip_name
from brainviz.errors import NotReady
from brainviz.storage import open_array, read_array
from pipelines.graph import Context

if TYPE_CHECKING:
    import zarr

    from brainviz.imported import ImportedFilms
    from brainviz.results import Result
    from pipelines.evaluate.video_scores import ClipTruth, TimedFilm
    from pipelines.reanimate.motion_field import MotionField

NETWORK_PX = 224


def sampled_rows(labels: Mapping[str, Result], n: int) -> list[int]:
    """Rows of `n` clips among those of the labelled films, in order: every film and speed in proportion."""
    from pipelines.evaluate.reanimation_clips import stratified_clips, true_speed

    flow, valid = ([read_array(result.arrays, name) for result in labels.values()] for name in ("flow", "valid"))
    films = [film for film, part in zip(labels, flow, strict=True) for _ in part]
    return stratified_clips(true_speed(np.concatenate(flow), np.concatenate(valid)), films, n)


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
        there = set(self.names if self.decoded is None else self.decoded.manifest["facts"]["clips"])
        if self.imported is not None:
            there &= set(self.imported.clips)
        wanted = self.context.config.get("n_clips", 0)
        rows = sampled_rows(self.labels, wanted) if wanted else range(len(self.names))
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
