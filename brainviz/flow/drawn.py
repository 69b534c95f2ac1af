"""Motion drawn by hand: a few arrows become a smooth motion of the whole frame, and back.

Gaussian radial basis interpolation; an arrow without length is a pin that holds its place still. assets/draw/field.js
holds the same arithmetic for the preview in the browser; a test compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from brainviz.flow.fields import GRID

MOST_ARROWS = 24
LEAST_REACH, MOST_REACH, USUAL_REACH = 0.05, 0.80, 0.25
RIDGE = 1e-3  # arrows that stand close and disagree are smoothed, not overshot

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STEPS = 2047  # 12 bits a number: -1 to 1 in steps of 1/2047, so that 0 stays 0
_CODE = re.compile(rf"([A-Za-z0-9_-]{{8}}){{0,{MOST_ARROWS}}}", re.ASCII)

Arrow = tuple[float, float, float, float]


@dataclass(frozen=True)
class Drawing:
    """Arrows on a frame.

    Attributes
    ----------
    arrows : tuple of (x, y, dx, dy)
        Start and motion until the clip's end, right and down, in fractions of the frame's width and height.
    reach : float
        Standard deviation of an arrow's surroundings, in fractions of the frame.

    Raises
    ------
    BrainvizError
        More than 24 arrows, numbers out of range or not finite.
    """

    arrows: tuple[Arrow, ...] = ()
    reach: float = USUAL_REACH

    def __post_init__(self) -> None:
        values = np.asarray(self.arrows, float).reshape(-1, 4) if self.arrows else np.zeros((0, 4))
        if len(values) > MOST_ARROWS:
            raise BrainvizError(f"A drawing has at most {MOST_ARROWS} arrows, not {len(values)}.", "drawing")
        if not np.isfinite(values).all() or (np.abs(values) > 1).any() or (values[:, :2] < 0).any():
            raise BrainvizError("An arrow leaves the frame.", "drawing", "Positions are 0 to 1, motion -1 to 1.")
        if not LEAST_REACH <= self.reach <= MOST_REACH:
            raise BrainvizError(f"The reach is {LEAST_REACH} to {MOST_REACH}, not {self.reach}.", "drawing")

    def code(self) -> str:
        """The arrows as letters for a link, eight each."""
        return "".join(_number_code(value) for arrow in self.arrows for value in arrow)


def drawing_from_code(code: str, reach: float = USUAL_REACH) -> Drawing:
    """A drawing from a link.

    Raises
    ------
    BrainvizError
        Letters that no drawing gives, or arrows that leave the frame.
    """
    if not _CODE.fullmatch(code):
        raise BrainvizError("The link holds no arrows that can be read.", "arrows", "Draw them again.")
    numbers = [
        (64 * _LETTERS.index(a) + _LETTERS.index(b) - 2048) / _STEPS for a, b in zip(code[::2], code[1::2], strict=True)
    ]
    arrows = tuple((x, y, dx, dy) for x, y, dx, dy in np.reshape(numbers, (-1, 4)).tolist())
    return Drawing(arrows, reach)


def _number_code(value: float) -> str:
    high, low = divmod(round(value * _STEPS) + 2048, 64)
    return _LETTERS[high] + _LETTERS[low]


def drawn_motion(drawing: Drawing, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The motion at given places.

    Parameters
    ----------
    drawing : Drawing
    positions : float (..., 2)
        x, y in fractions of the frame.

    Returns
    -------
    float64 (..., 2)
        Right and down, fractions of the frame, until the clip's end; nowhere longer than the longest arrow.
    """
    places = np.asarray(positions, float)
    if not drawing.arrows:
        return np.zeros(places.shape)
    arrows = np.asarray(drawing.arrows, float)
    start, moved = arrows[:, :2], arrows[:, 2:]
    kernel = _gaussian(start, start, drawing.reach) + RIDGE * np.eye(len(arrows))
    motion = _gaussian(places, start, drawing.reach) @ np.linalg.solve(kernel, moved)
    length = np.linalg.norm(motion, axis=-1, keepdims=True)
    longest = float(np.linalg.norm(moved, axis=-1).max())
    return np.asarray(motion * np.where(length > longest, longest / np.maximum(length, 1e-12), 1.0))


def _gaussian(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], reach: float) -> npt.NDArray[np.float64]:
    squared = ((a[..., None, :] - b) ** 2).sum(axis=-1)
    return np.asarray(np.exp(-squared / (2 * reach**2)))


def drawn_grid(drawing: Drawing, grid: int = GRID) -> npt.NDArray[np.float32]:
    """The motion on a square grid's pixel centres: float32 (grid, grid, 2), fractions of the frame."""
    centres = (np.arange(grid) + 0.5) / grid
    return np.asarray(drawn_motion(drawing, np.stack(np.meshgrid(centres, centres), axis=-1)), np.float32)


def arrows_of_motion(displacement: npt.ArrayLike, per_side: int = 4, reach: float = USUAL_REACH) -> Drawing:
    """Arrows that draw a motion, to begin with: evenly spread, one for each of ``per_side`` squared parts.

    Parameters
    ----------
    displacement : float (h, w, 2)
        From the first frame to the clip's end, fractions of the frame.
    """
    moved = np.asarray(displacement, float)
    h, w = moved.shape[:2]
    arrows = []
    for row in range(per_side):
        for column in range(per_side):
            rows = slice(row * h // per_side, (row + 1) * h // per_side)
            columns = slice(column * w // per_side, (column + 1) * w // per_side)
            dx, dy = np.clip(np.median(moved[rows, columns].reshape(-1, 2), axis=0), -1, 1)
            arrows.append(((column + 0.5) / per_side, (row + 0.5) / per_side, float(dx), float(dy)))
    return Drawing(tuple(arrows), reach)
