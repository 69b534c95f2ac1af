"""Films side by side in one film, with captions: what a visitor takes away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

Frames = npt.NDArray[np.uint8]

GAP, TOP, LINE = 16, 36, 21
INK, PAPER = (22, 24, 29), (255, 255, 255)
GIF_FPS = 20.0  # at most: what browsers show at its true speed in a file of bearable size


@dataclass(frozen=True, eq=False)
class CaptionedFilm:
    """One film of a row: uint8 (n, h, w, 3), its rate, its caption, and a mark burnt into its corner."""

    frames: Frames
    fps: float
    label: str
    mark: str = ""


@dataclass(frozen=True, eq=False)
class Row:
    """Films side by side.

    Attributes
    ----------
    size : (height, width)
        Both even, as H.264 needs.
    n : int
    fps : float
    """

    films: Sequence[CaptionedFilm]
    canvas: Frames
    side: int
    n: int
    fps: float

    @property
    def size(self) -> tuple[int, int]:
        return self.canvas.shape[0], self.canvas.shape[1]

    def frames(self) -> Iterator[Frames]:
        """The frames one by one: uint8 (height, width, 3) each."""
        for number in range(self.n):
            picture = self.canvas.copy()
            for i, film in enumerate(self.films):
                shown = film.frames[frame_at(len(film.frames), film.fps, number / self.fps)]
                left = GAP + i * (self.side + GAP)
                picture[TOP : TOP + self.side, left : left + self.side] = _panel(shown, film.mark, self.side)
            yield picture


def frame_at(n: int, fps: float, seconds: float) -> int:
    """The frame on screen at a time; the last one stays. The same rule as in the player."""
    return max(0, min(n - 1, int(seconds * fps + 1e-4)))


def compose_row(
    films: Sequence[CaptionedFilm], lines: Sequence[str] = (), fps: float = 0.0, side: int = 256, gif: bool = False
) -> Row:
    """Films side by side in step, mapped by time; the row lasts as long as its longest film.

    Parameters
    ----------
    films : sequence of CaptionedFilm
    lines : sequence of str
        Below the films: subject, clip, where the data come from.
    fps : float
        Of the row; 0 takes the fastest film's.
    side : int
        Of one panel in pixels.
    gif : bool
        Choose a rate whose frames last whole hundredths of a second, at most 20 a second, so that it keeps its time.

    Raises
    ------
    BrainvizError
        No film, or one without frames.
    """
    if not films or any(len(film.frames) == 0 for film in films):
        raise BrainvizError("There is no film to export.", "export", "Choose at least one that exists.")
    rate = fps or max(film.fps for film in films)
    if gif:
        rate = 100 / ceil(100 / min(rate, GIF_FPS))
    length = max(len(film.frames) / film.fps for film in films)
    return Row(films, _canvas([film.label for film in films], lines, side), side, max(1, round(length * rate)), rate)


def _canvas(labels: Sequence[str], lines: Sequence[str], side: int) -> Frames:
    from PIL import Image, ImageDraw, ImageFont

    small = ImageFont.load_default(13)
    width = GAP + len(labels) * (side + GAP)
    wrapped = [part for line in lines for part in _wrapped(line, small, width - 2 * GAP)]
    height = TOP + side + (12 + LINE * len(wrapped) if wrapped else GAP)
    picture = Image.new("RGB", (width + width % 2, height + height % 2), PAPER)
    pen = ImageDraw.Draw(picture)
    for i, label in enumerate(labels):
        _fitted(pen, (GAP + i * (side + GAP), 9), label, side)
    for i, line in enumerate(wrapped):
        pen.text((GAP, TOP + side + 8 + LINE * i), line, INK, small)
    return np.asarray(picture)


def _fitted(pen: ImageDraw, at: tuple[int, int], label: str, width: int) -> None:
    """A caption in the largest size that fits."""
    from PIL import ImageFont

    for size in (17, 15, 13, 11, 9):
        font = ImageFont.load_default(size)
        if pen.textlength(label, font) <= width:
            break
    pen.text(at, label, INK, font)


def _wrapped(line: str, font: ImageFont | FreeTypeFont, width: int) -> list[str]:
    parts, current = [], ""
    for word in line.split():
        longer = f"{current} {word}".strip()
        if current and font.getlength(longer) > width:
            parts.append(current)
            longer = word
        current = longer
    return [*parts, current]


def _panel(frame: Frames, mark: str, side: int) -> Frames:
    """A frame in the panel's size with its mark in the lower left corner."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(frame)
    if picture.size != (side, side):
        picture = _in_square(picture, side)
    if mark:
        pen = ImageDraw.Draw(picture, "RGBA")
        font = ImageFont.load_default(12 if side >= 192 else 10)
        box = pen.textbbox((9, side - 21), mark, font)
        pen.rounded_rectangle((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3), 4, (22, 24, 29, 190))
        pen.text((9, side - 21), mark, (255, 255, 255), font)
    return np.asarray(picture)


def _in_square(picture: Picture, side: int) -> Picture:
    """The picture as large as fits into a square, in its middle."""
    from PIL import Image

    scale = side / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    whole = Image.new("RGB", (side, side), INK)
    whole.paste(picture.resize(size, Image.Resampling.LANCZOS), ((side - size[0]) // 2, (side - size[1]) // 2))
    return whole
