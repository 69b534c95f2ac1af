"""The films of a workspace: the data set's, reanimated ones, those of other systems."""

from __future__ import annotations

import io
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.errors import BrainvizError, NotReady, UnknownName
from brainviz.storage import open_array, read_array
from brainviz.workspace_catalogue import SHARED_UNIT, Catalogue

if TYPE_CHECKING:
    from brainviz.data.base import Dataset
    from brainviz.imported import ImportedFilms
    from brainviz.video.sprites import Sprite

# What makes films that are not there yet: found by name, so that nothing here depends on how results are made.
FILM_MAKER = "pipelines.interactive.reanimation:film_file"


class FilmResults(Catalogue):
    """The part of `brainviz.workspace.Workspace` that reads films and pictures."""

    # ---- pictures

    def thumbnail(self, clip: str) -> bytes:
        """The first frame of the clip as a small JPEG."""
        from PIL import Image

        place = self.place(clip)
        result = self.results.current("frame_features", place.segment)
        if result is None:
            raise NotReady("The first frames are not there yet.", place.segment, "They appear during the run.")
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(open_array(result.arrays, "thumbnails")[place.index])).save(
            buffer, "JPEG", quality=85
        )
        return buffer.getvalue()

    def first_frames(self, segment: str) -> np.ndarray:
        """The first frame of every clip of a segment, small: uint8 (n_clips, side, side, 3)."""
        result = self.results.current("frame_features", segment) if segment in self.segments else None
        if result is None:
            raise NotReady("The first frames are not there yet.", segment, "They appear during the run.")
        return read_array(result.arrays, "thumbnails")

    def film_sprite(self, clip: str) -> Sprite:
        """The film of the clip as one WebP sheet, made when first asked for and kept."""
        from brainviz.video.sprites import clip_sprite

        place = self.place(clip)
        cache = self.path / "cache" / "sprites" / f"{place.segment}-{place.index:04d}.webp"
        return clip_sprite(self.film(place.segment), place.index, cache)

    def first_frame(self, clip: str, size: int = 256) -> np.ndarray:
        """The first frame of the clip: uint8 (size, size, 3), centre-cropped."""
        from brainviz.video.reading import film_info, read_frames

        place = self.place(clip)
        film = self.film(place.segment)
        return read_frames(film, [round(2 * place.index * film_info(film).fps)], size)[0]

    def film(self, segment: str) -> Path:
        """The film of a segment, for `brainviz.video.reading`; raises `BrainvizError` where the data set is gone."""
        if segment not in self.segments:
            raise UnknownName(f"There is no segment called {segment!r}.", self.dataset_name)
        path = self.dataset_path / "stimuli" / f"{segment}.mp4"
        if not path.exists():
            if self.dataset_path.is_dir() and not path.parent.is_dir():
                return self._dataset.film(segment)  # a data set that keeps its films otherwise
            raise BrainvizError(
                "The film is not where the data set was.",
                str(path),
                "Put the data set back, or run again on its new place.",
            )
        return path

    @cached_property
    def _dataset(self) -> Dataset:
        from brainviz.data import open_dataset

        return open_dataset(self.dataset_path)

    def video(
        self, subject: str, clip: str, system: str, backend: str = "warp", mask: str = "none", sample: int = 0
    ) -> Path:
        """An MP4 of the clip's first frame moved by a system's flow; with `warp` it is made when first asked for.

        Raises `NotReady` where the flow, or another backend's film, is not made yet.
        """
        module, _, name = FILM_MAKER.partition(":")
        made: Path = getattr(import_module(module), name)(self, subject, clip, system, backend, mask, sample)
        return made

    # ---- films of other systems

    def imported_systems(self, subject: str) -> list[str]:
        """Systems whose films were imported for this subject (`python -m pipelines import-system`)."""
        from brainviz.imported import STAGE

        self._check_subject(subject)
        owned = (unit.split(".", 1) for unit in self.results.units(STAGE))
        return sorted({name for owner, name in owned if owner in (subject, SHARED_UNIT)})

    def imported(self, system: str, subject: str) -> ImportedFilms:
        """The films of another system: the subject's own, or those that stand for all; raises `NotReady`."""
        from brainviz.imported import STAGE, ImportedFilms

        if system in self.imported_systems(subject):  # looked up, never joined into a path unseen
            for owner in (subject, SHARED_UNIT):
                if result := self.results.current(STAGE, f"{owner}.{system}"):
                    return ImportedFilms(system, result)
        remedy = "Import it: python -m pipelines import-system NAME DIR --workspace DIR"
        raise NotReady(f"There are no films of {system!r}.", f"subject {subject}", remedy)
