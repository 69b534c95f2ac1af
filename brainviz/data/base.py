"""What every data set offers, whatever its files look like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.data.problems import Problem
from brainviz.errors import UnknownName

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.video.cuts import Cuts

CORTEX_SPACE = "fsLR32k-cortex"
"""59,412 vertices in CIFTI order: the space that maps, regions and the cortex viewer are made for."""

Float32 = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]
Progress = Callable[[float, str], None]


class Dataset(ABC):
    """A film-watching fMRI data set. Cheap to open; volumes and frames are read when asked for.

    Attributes
    ----------
    path : Path
        Its folder.
    name : str
        E.g. ``cc2017``.
    simulated : bool
    space : str
        What the vertex axis is; only `CORTEX_SPACE` gives maps.
    tr_s, lag_s : float
        Repetition time (0 where there is one response per clip and no time axis); film time of kept volume 0.
    """

    path: Path
    name: str
    simulated: bool
    space: str
    tr_s: float
    lag_s: float

    @property
    @abstractmethod
    def subjects(self) -> list[str]:
        """Subjects that have at least one run."""

    @property
    @abstractmethod
    def segments(self) -> list[str]:
        """Segments with a usable film and at least one run, training first; all films where there is no run at all."""

    @property
    @abstractmethod
    def clips(self) -> pd.DataFrame:
        """One row per 2-s clip (see `brainviz.data.catalogue.clip_catalogue`)."""

    @abstractmethod
    def catalogue(self, cuts: Mapping[str, Cuts] | None = None) -> pd.DataFrame:
        """The same; with cuts (segment -> `detect_cuts` of its film), only of these films and with their shots."""

    @property
    @abstractmethod
    def problems(self) -> list[Problem]:
        """What was found wrong without reading all volumes, and what is left out."""

    @abstractmethod
    def runs(self, subject: str, segment: str) -> list[int]:
        """Numbers of the usable runs; empty where there are none."""

    @abstractmethod
    def n_clips(self, segment: str) -> int:
        """Number of 2-s clips of a segment."""

    @abstractmethod
    def n_volumes(self, segment: str) -> int:
        """Kept volumes per run of a segment."""

    @abstractmethod
    def bold(self, subject: str, segment: str, run: int | None = None, runs: Sequence[int] | None = None) -> Float32:
        """Detrended, z-scored volumes, float32 (n_volumes, n_vertices); averaged over runs where `run` is None."""

    @abstractmethod
    def film(self, segment: str) -> Path:
        """The film of a segment: a file, or a part of files (`brainviz.video.parts`), for `brainviz.video.reading`."""

    @abstractmethod
    def frames(self, clip: str, n: int, size: int | None = None) -> Frames:
        """n frames spread evenly over a clip, centre-cropped to a square: uint8 (n, size, size, 3)."""

    @abstractmethod
    def timing(self, subject: str) -> pd.DataFrame:
        """One row per run of a subject: volumes, recording start, what is kept, whether it is used and why not."""

    def value_problems(self, progress: Progress | None = None) -> list[Problem]:
        """What reading all volumes finds, beyond `problems`."""
        del progress
        return []

    @abstractmethod
    def fingerprint(self, subject: str | None = None, segment: str | None = None) -> str:
        """A short hash that changes when the files' content does.

        With `subject` it covers the subject's scans (of one segment where given); with `segment` alone, its film; with
        neither, everything.
        """

    def check_subject(self, subject: str) -> None:
        """Raise `UnknownName` for a subject that the data set does not hold."""
        if subject not in self.subjects:
            names = ", ".join(self.subjects) or "none"
            raise UnknownName(f"There is no subject called {subject!r}.", str(self.path), f"Subjects: {names}.")

    def check_segment(self, segment: str) -> None:
        """Raise `UnknownName` for a segment that the data set does not hold."""
        if segment not in self.segments:
            names = ", ".join(self.segments) or "none"
            raise UnknownName(f"There is no segment called {segment!r}.", str(self.path), f"Segments: {names}.")
