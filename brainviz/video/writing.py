"""Writing films: MP4 (H.264, yuv420p: plays in every browser) and GIF."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from brainviz.storage import storage_error

Frames = npt.NDArray[np.uint8]


def write_mp4(path: str | Path, frames: Iterable[Frames], fps: float, crf: int = 18, keyframe_s: float = 2.0) -> None:
    """Write an MP4 film, whole or not at all.

    Parameters
    ----------
    path : path of the new file
    frames : uint8 (h, w, 3) each, RGB; an odd height or width loses its last line
    fps : float
    crf : int
        Quality of H.264: 0 exact, 18 without visible loss, 28 small.
    keyframe_s : float
        Seconds between frames at which a player can start.

    Raises
    ------
    BrainvizError
        No frames, frames of different or unusable shapes, or a disk that cannot be written.
    """
    with replacing(Path(path)) as temporary:
        _encode(temporary, frames, fps, crf, keyframe_s)


def _encode(path: Path, frames: Iterable[Frames], fps: float, crf: int, keyframe_s: float) -> None:
    import av

    shape: tuple[int, ...] | None = None
    # One thread: the same frames give the same bytes on any number of cores.
    options = {"crf": str(crf), "preset": "medium", "threads": "1"}
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=options)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = max(1, round(keyframe_s * fps))
        for frame in frames:
            pixels = np.asarray(frame)
            if shape is None:
                shape = _checked_shape(pixels)
                stream.height, stream.width = shape[0] // 2 * 2, shape[1] // 2 * 2
            if pixels.shape != shape or pixels.dtype != np.uint8:
                raise BrainvizError("All frames of a film must be uint8 and of one shape.", str(path))
            even = np.ascontiguousarray(pixels[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        if shape is None:
            raise BrainvizError("A film needs at least one frame.", str(path))
        container.mux(stream.encode(None))


def _checked_shape(pixels: Frames) -> tuple[int, ...]:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < 2:
        raise BrainvizError(f"A frame must be (height, width, 3); this one is {pixels.shape}.", "frame")
    return pixels.shape


def write_gif(path: str | Path, frames: Iterable[Frames], fps: float) -> None:
    """Write an endless GIF; one frame lasts whole hundredths of a second, at least two.

    Raises
    ------
    BrainvizError
        No frames, or a disk that cannot be written.
    """
    from PIL import Image

    pictures = [Image.fromarray(np.asarray(frame, dtype=np.uint8)) for frame in frames]
    if not pictures:
        raise BrainvizError("A GIF needs at least one frame.", str(path))
    duration_ms = max(2, round(100 / fps)) * 10
    with replacing(Path(path)) as temporary:
        pictures[0].save(
            temporary, "GIF", save_all=True, append_images=pictures[1:], duration=duration_ms, loop=0, disposal=1
        )


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a file to write; on a clean exit it becomes the target at once, on any error it is removed.

    Raises
    ------
    BrainvizError
        The disk refuses: full, read-only, no permission.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise storage_error(error, target) from error
    finally:
        if temporary.exists():
            temporary.unlink()
