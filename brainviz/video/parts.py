"""Films that are no whole file: a passage of a longer one, or many short ones in a row.

Some data sets show several films in one file, others one file per clip. Both are named like a path, with a media
fragment after the file's name (W3C Media Fragments URI 1.0), so that a film stays one path wherever it is handed on:

- ``7T_MOVIE1_CC1_v2.mp4#t=26,231``: this file from second 26 to second 231, with its own frame rate;
- ``videos#files=1,50&t=0.5,2.5&fps=30``: of the files in folder ``videos`` that are numbered 1 to 50, each from .5 to
  2.5 s, one after the other, at 30 frames per second (what a slower file shows at that time stands still).

`brainviz.video.reading` reads them like any film; frames count from the passage's start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.errors import DataProblem

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from brainviz.video.reading import FilmInfo

_NUMBER = r"\d+(?:\.\d+)?"
_PASSAGE = re.compile(rf"(.+)#t=({_NUMBER}),({_NUMBER})")
_SERIES = re.compile(rf"(.+)#files=(\d+),(\d+)&t=({_NUMBER}),({_NUMBER})&fps=({_NUMBER})")
NUMBERED = re.compile(r"(\d+)(?:_.*)?\.mp4", re.IGNORECASE)
_SLACK_S = 0.25  # that a file may lack at its end; its last frame stands for them


@dataclass(frozen=True)
class Passage:
    """Part of one file, in seconds."""

    file: Path
    start_s: float
    stop_s: float

    @property
    def files(self) -> list[Path]:
        """The files it is read from."""
        return [self.file]

    def reference(self) -> Path:
        """Its name as a path."""
        return self.file.with_name(f"{self.file.name}#t={self.start_s:g},{self.stop_s:g}")

    def info(self) -> FilmInfo:
        """As `brainviz.video.reading.film_info`; raises `DataProblem` where the file ends before the passage."""
        from brainviz.video.reading import FilmInfo, film_info

        whole = film_info(self.file)
        n = round((self.stop_s - self.start_s) * whole.fps)
        _check_length(self.file, whole, self.stop_s)
        return FilmInfo(whole.fps, n, whole.width, whole.height, whole.steady)

    def frames(self, wanted: list[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Decode frames by number, ascending; what the file lacks at its end is its last frame."""
        from brainviz.video.reading import film_info, frames_at

        whole = film_info(self.file)
        first = round(self.start_s * whole.fps)
        there = [min(first + number, whole.n_frames - 1) for number in wanted]
        decoded = frames_at(self.file, sorted(set(there)), whole.fps)
        remaining = iter(zip(wanted, there, strict=True))
        number, target = next(remaining, (-1, -1))
        for place, frame in decoded:
            while target == place:
                yield number, frame
                number, target = next(remaining, (-1, -1))


@dataclass(frozen=True)
class Series:
    """The same stretch of many numbered files, one after the other.

    Attributes
    ----------
    folder : Path
    first, last : int
        Numbers of the files, both included.
    start_s, stop_s : float
        Of each file.
    fps : float
        Of the film they make.
    """

    folder: Path
    first: int
    last: int
    start_s: float
    stop_s: float
    fps: float

    @property
    def files(self) -> list[Path]:
        """The files, in order of their numbers; raises `DataProblem` where one is missing."""
        there = numbered_films(self.folder)
        missing = [number for number in range(self.first, self.last + 1) if number not in there]
        if missing:
            what = f"The films {', '.join(map(str, missing[:8]))} of {self.first} to {self.last} are missing."
            raise DataProblem(
                what, str(self.folder), "Put them there: each response belongs to the film of its number."
            )
        return [there[number] for number in range(self.first, self.last + 1)]

    @property
    def frames_each(self) -> int:
        """Frames taken of each file."""
        return round((self.stop_s - self.start_s) * self.fps)

    def reference(self) -> Path:
        """Its name as a path."""
        name = f"#files={self.first},{self.last}&t={self.start_s:g},{self.stop_s:g}&fps={self.fps:g}"
        return self.folder.with_name(self.folder.name + name)

    def info(self) -> FilmInfo:
        """As `brainviz.video.reading.film_info`; raises `DataProblem` where a file is damaged or too short."""
        from brainviz.video.reading import FilmInfo, film_info

        side = 0
        files = self.files
        for file in files:
            one = film_info(file)
            _check_length(file, one, self.stop_s)
            side = side or min(one.width, one.height)
        return FilmInfo(self.fps, self.frames_each * len(files), side, side)

    def frames(self, wanted: list[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Decode frames by number, ascending: squares of one size, whatever the files' sizes."""
        from av.video.frame import VideoFrame

        from brainviz.video.reading import RGB, film_info, to_square

        files = self.files
        shape = film_info(files[0])
        side, convert = min(shape.width, shape.height), RGB()
        for file_number in dict.fromkeys(number // self.frames_each for number in wanted):
            own = [number for number in wanted if number // self.frames_each == file_number]
            times = self.start_s + np.array([number % self.frames_each for number in own]) / self.fps
            for number, frame in zip(own, _frames_on_screen(files[file_number], times), strict=True):
                yield number, VideoFrame.from_ndarray(to_square(convert.pixels(frame), side), format="rgb24")


FilmPart = Passage | Series


def find_part(path: str | Path) -> FilmPart | None:
    """What a path with a media fragment refers to; None for every other path, and where such a file truly exists."""
    text = str(path)
    if "#" not in text or Path(text).exists():
        return None
    if match := _PASSAGE.fullmatch(text):
        file, start, stop = match.groups()
        return Passage(Path(file), float(start), float(stop))
    if match := _SERIES.fullmatch(text):
        folder, first, last, start, stop, fps = match.groups()
        return Series(Path(folder), int(first), int(last), float(start), float(stop), float(fps))
    return None


def film_files(path: str | Path) -> list[Path]:
    """The files that a film is read from: itself, or those of the part it refers to."""
    part = find_part(path)
    return [Path(path)] if part is None else part.files


def changed_ns(path: str | Path) -> int:
    """When the film's files were last changed, in ns; raises `OSError` where one is missing."""
    return max(file.stat().st_mtime_ns for file in film_files(path))


def numbered_films(folder: Path) -> dict[int, Path]:
    """Films of a folder by the number that their names begin with (``0042_name.mp4``); the first of two alike."""
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if match := NUMBERED.fullmatch(path.name):
            found.setdefault(int(match.group(1)), path)
    return found


def _check_length(file: Path, whole: FilmInfo, stop_s: float) -> None:
    if whole.duration_s < stop_s - _SLACK_S:
        what = f"The film lasts {whole.duration_s:.1f} s; its part up to {stop_s:g} s is wanted."
        raise DataProblem(what, str(file), "Is it complete, and the film that was shown?")


def _frames_on_screen(file: Path, times_s: np.ndarray) -> Iterator[VideoFrame]:
    """The frame shown at each time (ascending), by the frames' own time stamps: right for any frame rate."""
    from brainviz.video.reading import timed_frames

    decoded = timed_frames(file)
    _, shown = next(decoded)
    following = next(decoded, None)
    for time in times_s:
        while following is not None and following[0] <= time + 1e-3:
            shown, following = following[1], next(decoded, None)
        yield shown
