"""Clips as one WebP picture each: what the player in the browser paints from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from brainviz.flow.fields import CLIP_SECONDS, clip_length
from brainviz.video.parts import changed_ns
from brainviz.video.reading import FilmInfo, film_info, read_frames
from brainviz.video.writing import replacing

Frames = npt.NDArray[np.uint8]

COLUMNS = 8
SIZE = 256
MOST_FRAMES = 60  # a 2-s clip at 30 fps; faster films are thinned out
_LONGEST_SIDE = 16_383  # of a WebP picture


@dataclass(frozen=True)
class Sprite:
    """A sheet of frames, row by row.

    Attributes
    ----------
    data : bytes
        WebP picture of ``columns`` x ceil(n / columns) frames.
    n, columns : int
        Frames in all, frames per row.
    width, height : int
        Of one frame, in pixels.
    fps : float
        Frames of the sheet per second.
    """

    data: bytes
    n: int
    columns: int
    width: int
    height: int
    fps: float


def sprite_sheet(frames: Frames, columns: int = COLUMNS, quality: int = 80) -> bytes:
    """Frames (n, h, w, 3) as one WebP picture, row by row; unused places are black.

    Raises
    ------
    BrainvizError
        No frames, or more than a WebP picture holds.
    """
    from PIL import Image

    n = len(frames)
    if n == 0:
        raise BrainvizError("A sprite sheet needs at least one frame.", "sprite sheet")
    _, height, width, _ = frames.shape
    rows = -(-n // columns)
    if max(rows * height, columns * width) > _LONGEST_SIDE:
        raise BrainvizError(
            "The frames do not fit into one WebP picture.", "sprite sheet", "Use fewer or smaller ones."
        )
    cells = np.zeros((rows * columns, height, width, 3), np.uint8)
    cells[:n] = frames
    sheet = cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "WEBP", quality=quality, method=0)
    return buffer.getvalue()


def clip_frame_numbers(info: FilmInfo, index: int, duration_s: float = CLIP_SECONDS) -> npt.NDArray[np.int64]:
    """Numbers of all frames of a clip; where the film lacks its last frame or two, its last one stands for them.

    Raises
    ------
    DataProblem
        The clip lies beyond the film's end.
    """
    start = round(index * duration_s * info.fps)
    if index < 0 or start >= info.n_frames:
        raise DataProblem(f"The film of {info.duration_s:g} s has no clip {index}.", "clip", "Clips count from 0.")
    numbers = start + np.arange(clip_length(info.fps, duration_s), dtype=np.int64)
    return np.minimum(numbers, info.n_frames - 1)


def clip_sprite(film: str | Path, index: int, cache: Path | None = None, size: int = SIZE) -> Sprite:
    """All frames of a clip as one sheet; at most 60, so that it stays small.

    Parameters
    ----------
    film : path of the segment's film
    index : int
        Clip of the film, from 0.
    cache : Path, optional
        File to keep the sheet in; read instead of the film where it is newer than it.
    """
    info = film_info(film)
    numbers = clip_frame_numbers(info, index)
    step = -(-len(numbers) // MOST_FRAMES)
    numbers = numbers[::step]
    if cache is not None and cache.is_file() and cache.stat().st_mtime_ns >= changed_ns(film):
        data = cache.read_bytes()
    else:
        data = sprite_sheet(read_frames(film, numbers, size))
        if cache is not None:
            with replacing(cache) as temporary:
                temporary.write_bytes(data)
    return Sprite(data, len(numbers), COLUMNS, size, size, info.fps / step)
