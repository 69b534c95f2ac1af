"""The films of a data set by segment: what their headers say, which are damaged, and frames of their clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from brainviz.data.catalogue import clip_place
from brainviz.data.timing import film_volumes
from brainviz.errors import DataProblem, UnknownName
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.video.reading import FilmInfo, Frames, film_info, read_frames


class FilmStates:
    """Looks at each film once.

    Parameters
    ----------
    films : segment -> path, also of a part of a file (`brainviz.video.parts`)
    where : Path
        The data set, for messages.
    """

    def __init__(self, films: Mapping[str, Path], where: Path) -> None:
        self.films, self.where = dict(films), where
        self._states: dict[str, FilmInfo | DataProblem] = {}

    def state(self, segment: str) -> FilmInfo | DataProblem:
        """A film's header, or what is wrong with the film."""
        if segment not in self._states:
            try:
                self._states[segment] = film_info(self.films[segment])
            except DataProblem as error:
                self._states[segment] = error
        return self._states[segment]

    def usable(self) -> list[str]:
        """Segments whose film can be read."""
        return [segment for segment in self.films if isinstance(self.state(segment), FilmInfo)]

    def info(self, segment: str) -> FilmInfo:
        """A film's header; raises `UnknownName` where there is no such film, `DataProblem` where it is damaged."""
        if segment not in self.films:
            names = ", ".join(self.films) or "none"
            raise UnknownName(f"There is no segment called {segment!r}.", str(self.where), f"Segments: {names}.")
        state = self.state(segment)
        if isinstance(state, DataProblem):
            raise DataProblem(state.what, state.where, state.remedy)
        return state

    def n_clips(self, segment: str) -> int:
        """Number of 2-s clips."""
        return film_volumes(self.info(segment).duration_s, CLIP_SECONDS)

    def frames(self, clip: str, n: int, size: int | None = None) -> Frames:
        """n frames spread evenly over a clip: uint8 (n, size, size, 3). Raises `UnknownName` for an unknown clip."""
        from brainviz.video.sprites import clip_frame_numbers

        segment, index = clip_place(clip)
        info = self.info(segment)
        if index >= self.n_clips(segment):
            raise UnknownName(
                f"{segment} has no clip {index}.", clip, f"Its clips are 0 to {self.n_clips(segment) - 1}."
            )
        numbers = clip_frame_numbers(info, index)
        steps = np.minimum(np.arange(n) * len(numbers) // max(n - 1, 1), len(numbers) - 1)
        return read_frames(self.films[segment], numbers[steps], size)
