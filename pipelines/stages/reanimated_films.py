"""The kinds of films that are scored: warped when asked for, rendered slowly and kept, or imported."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.storage import write_json
from pipelines.graph import Context
from pipelines.stages.scored_clips import ScoredClips

if TYPE_CHECKING:
    from brainviz.imported import ImportedFilms
    from pipelines.evaluate.video_scores import ClipTruth, TimedFilm
    from pipelines.flow_labels.labellers import Labeller
    from pipelines.reanimate.backend import Backend

AT_ONCE = "warp"
SCORED_GRID = (
    48  # of the splatted motion; 64, as pages have it, changes EPE by .0003 and SSIM by .0001, for a third more
)
PICTURE_PX = 512  # the first frame as slow backends are given it, at most


def films_of(context: Context, clips: ScoredClips, labeller: Labeller) -> WarpedFilms | SlowFilms | OtherFilms:
    """The films that the task asks for."""
    if clips.imported is not None:
        return OtherFilms(clips, clips.imported)
    return (WarpedFilms if context.config["backend"] == AT_ONCE else SlowFilms)(context, clips, labeller)


@dataclass
class OtherFilms:
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
class WarpedFilms:
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
class SlowFilms:
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
