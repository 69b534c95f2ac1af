"""Reading films: exact frame numbers, centre-cropped squares, whole films as a stream.

A frame's number is its presentation time times the frame rate, so numbers stay exact after any seek. A film may also be
a part of a file, or made of many (`brainviz.video.parts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.video.parts import film_files, find_part

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Frames = npt.NDArray[np.uint8]
_SEEK_GAP = 6  # frames before a key frame that are decoded and thrown away rather than sought over


@dataclass(frozen=True)
class FilmInfo:
    """What a film's header says.

    Attributes
    ----------
    fps : float
        Frames per second (mean over the film).
    n_frames : int
    width, height : int
        In pixels.
    steady : bool
        Whether all frames last equally long; only then are frame numbers times.
    """

    fps: float
    n_frames: int
    width: int
    height: int
    steady: bool = True

    @property
    def duration_s(self) -> float:
        """Length of the picture in seconds (sound may be longer)."""
        return self.n_frames / self.fps


def film_info(path: str | Path) -> FilmInfo:
    """Read a film's frame rate, length and size.

    Raises
    ------
    DataProblem
        The file is missing, no film, truncated, or has no picture.
    """
    file = Path(path)
    try:
        states = [part.stat() for part in film_files(file)]
    except OSError as error:
        raise _unreadable(file, error) from error
    return _cached_info(str(file), sum(s.st_size for s in states), max(s.st_mtime_ns for s in states))


@lru_cache(maxsize=2048)
def _cached_info(path: str, size: int, changed_ns: int) -> FilmInfo:
    del size, changed_ns  # only to forget what was read of a file that has changed
    part = find_part(path)
    if part is not None:
        return part.info()
    with _opened(Path(path)) as (_, stream):
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise DataProblem("The film does not say its frame rate.", path, "Convert it to MP4 (H.264).")
        n_frames = stream.frames
        if not n_frames and stream.duration and stream.time_base:
            n_frames = round(float(stream.duration * stream.time_base * rate))
        if n_frames < 1:
            raise DataProblem("The film holds no frames.", path, "Copy or download it again.")
        # Containers state the mean rate and the rate at which all time stamps can be told apart.
        steady = not stream.base_rate or abs(float(stream.base_rate / rate) - 1) < 0.01
        return FilmInfo(float(rate), int(n_frames), stream.width, stream.height, steady)


def read_frames(
    path: str | Path, frame_numbers: Sequence[int] | npt.NDArray[np.integer], size: int | None = None
) -> Frames:
    """Read frames by number.

    Parameters
    ----------
    path : path of the film
    frame_numbers : ints (n,)
        From 0, in any order, repeats allowed.
    size : int, optional
        Side of the square in pixels to which the centre crop is resized (area average); without it the crop's own side.

    Returns
    -------
    uint8 (n, size, size, 3), RGB

    Raises
    ------
    DataProblem
        The file cannot be read, or ends before a frame that is asked for.
    """
    file = Path(path)
    wanted = [int(number) for number in frame_numbers]
    info = film_info(file)
    if wanted and not 0 <= min(wanted) <= max(wanted) < info.n_frames:
        remedy = "Is this the film that belongs to the scan?"
        raise DataProblem(
            f"Frames {min(wanted)} to {max(wanted)} were asked for; the film has {info.n_frames}.", str(file), remedy
        )
    side = size or min(info.width, info.height)
    convert = RGB()
    found = {
        number: to_square(convert.pixels(frame), side)
        for number, frame in frames_at(file, sorted(set(wanted)), info.fps)
    }
    return np.stack([found[number] for number in wanted]) if wanted else np.empty((0, side, side, 3), np.uint8)


def stream_frames(path: str | Path, frame_numbers: Sequence[int]) -> Iterator[tuple[int, Frames]]:
    """Yield frames by number, ascending, uncropped: (number, uint8 (h, w, 3) RGB). Far gaps are sought over.

    Raises
    ------
    DataProblem
        As `read_frames`.
    """
    file = Path(path)
    convert = RGB()
    for number, frame in frames_at(file, [int(number) for number in frame_numbers], film_info(file).fps):
        yield number, convert.pixels(frame)


def iterate_frames(path: str | Path, size: int | None = None, step: int = 1) -> Iterator[Frames]:
    """Yield every `step`-th frame of a film from its start: uint8 (size, size, 3), RGB, centre-cropped.

    Raises
    ------
    DataProblem
        The file cannot be read, or its data end early (a film that lacks up to two frames counts as complete).
    """
    file = Path(path)
    info = film_info(file)
    side = size or min(info.width, info.height)
    convert = RGB()
    for number, frame in enumerate(_all_frames(file, info)):
        if number % step == 0:
            yield to_square(convert.pixels(frame), side)


def iterate_planes(path: str | Path, size: int) -> Iterator[list[Frames]]:
    """Yield every frame as small planes: brightness and two colour differences, uint8, about `size` px on their short
    side (area averages over whole blocks; much faster than RGB). Raises as `iterate_frames`.
    """
    import cv2

    file = Path(path)
    convert = RGB()
    for frame in _all_frames(file, film_info(file)):
        small = []
        for plane in convert.planes(frame):
            block = max(1, min(plane.shape) // size)
            height, width = plane.shape[0] // block, plane.shape[1] // block
            whole = plane[: height * block, : width * block]
            small.append(np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
        yield small


def _all_frames(path: Path, info: FilmInfo) -> Iterator[VideoFrame]:
    part = find_part(path)
    if part is not None:
        yield from (frame for _, frame in part.frames(list(range(info.n_frames))))
        return
    found = 0
    with _opened(path) as (container, stream):
        for frame in _decode(container, stream, path):
            yield frame
            found += 1
    if found < info.n_frames - 2:
        raise _truncated(path, found, info.n_frames)


def check_film(path: str | Path) -> FilmInfo:
    """Read the header and decode the last frame; raises `DataProblem` where the film is damaged or cut short."""
    info = film_info(path)
    read_frames(path, [info.n_frames - 1], size=8)
    return info


def to_square(pixels: Frames, size: int) -> Frames:
    """Centre crop of a picture, uint8 (h, w, 3), resized to (size, size, 3) by area averages."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    import cv2

    method = cv2.INTER_AREA if size < side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=method), dtype=np.uint8)


class RGB:
    """Decoded frames as RGB pixels; one conversion context for a whole film (a new one per frame halves the speed)."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()

    def pixels(self, frame: VideoFrame) -> Frames:
        """uint8 (h, w, 3)."""
        return np.asarray(self._reformatter.reformat(frame, format="rgb24").to_ndarray(), dtype=np.uint8)

    def planes(self, frame: VideoFrame) -> list[Frames]:
        """Brightness uint8 (h, w) and two colour differences uint8 (h / 2, w / 2), as H.264 stores them."""
        planar = self._reformatter.reformat(frame, format="yuv420p")
        return [
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
            for plane in planar.planes
        ]


def timed_frames(path: Path) -> Iterator[tuple[float, VideoFrame]]:
    """Yield every frame of a file with its time in seconds after the first. Raises as `read_frames`."""
    with _opened(path) as (container, stream):
        origin = stream.start_time or 0
        for frame in _decode(container, stream, path):
            if frame.pts is not None:
                yield (frame.pts - origin) * _tick(stream), frame


def frames_at(path: Path, wanted: list[int], fps: float) -> Iterator[tuple[int, VideoFrame]]:
    """Decode the wanted frames (ascending), seeking over what is not needed."""
    part = find_part(path)
    if part is not None:
        yield from part.frames(wanted)
        return
    with _opened(path) as (container, stream):
        origin = stream.start_time or 0
        times, keys = _key_frames(stream, fps)
        position, decoded = -1, _numbered(container, stream, path, origin, fps)
        for target in wanted:
            key = int(np.searchsorted(keys, target, side="right")) - 1
            found = None
            if key >= 0 and keys[key] - position > _SEEK_GAP:
                container.seek(int(origin + times[key]), stream=stream, backward=True)
                decoded = _numbered(container, stream, path, origin, fps)
                found = next(decoded, None)
                if found is None or found[0] > target:  # the frame rate varies: decode from the start
                    container.seek(origin, stream=stream, backward=True)
                    decoded, found = _numbered(container, stream, path, origin, fps), None
            if found is None or found[0] < target:
                found = next(((number, frame) for number, frame in decoded if number >= target), None)
            if found is None or found[0] != target:
                raise _truncated(path, target, target + 1)
            position = target
            yield found


def _key_frames(stream: VideoStream, fps: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Times of the key frames since the first, in ticks, and about which frames they are (both ascending)."""
    times = np.array([entry.timestamp for entry in stream.index_entries if entry.is_keyframe], np.int64)
    times -= times[:1]  # the file lists decoding times, which run ahead of showing times by a constant
    return times, np.round(times * _tick(stream) * fps).astype(np.int64)


def _numbered(
    container: InputContainer, stream: VideoStream, path: Path, origin: int, fps: float
) -> Iterator[tuple[int, VideoFrame]]:
    tick = _tick(stream)
    for frame in _decode(container, stream, path):
        if frame.pts is not None:
            yield round((frame.pts - origin) * tick * fps), frame


def _tick(stream: VideoStream) -> float:
    return float(stream.time_base) if stream.time_base else 1.0


def _decode(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[VideoFrame]:
    import av

    try:
        yield from container.decode(stream)
    except av.FFmpegError as error:
        remedy = "The file is damaged or cut short: copy or download it again."
        raise DataProblem(f"The film cannot be decoded ({error.strerror}).", str(path), remedy) from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    import av

    try:
        container: Any = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error
    with container:
        if not container.streams.video:
            raise DataProblem("The film holds no picture, only sound or data.", str(path), "Put the film itself here.")
        stream = container.streams.video[0]
        # Workers have one core each; frame threads cost half as much again and decode ahead of what is wanted.
        stream.thread_type = "NONE"
        yield container, stream


def _unreadable(path: Path, error: Exception) -> DataProblem:
    if isinstance(error, FileNotFoundError):
        return DataProblem("The film is missing.", str(path), "Put the film back in its place.")
    if isinstance(error, PermissionError):
        return DataProblem("No permission to read the film.", str(path), f"Allow reading: chmod u+r '{path}'.")
    if path.is_file() and path.stat().st_size == 0:
        return DataProblem("The film is an empty file.", str(path), "Copy or download it again.")
    remedy = "It is damaged, cut short or of another format: copy or download it again."
    return DataProblem("The film cannot be opened.", str(path), remedy)


def _truncated(path: Path, found: int, expected: int) -> DataProblem:
    what = f"The film has no frame {found}; its header speaks of {expected} or more."
    return DataProblem(what, str(path), "The file is cut short: copy or download it again.")
