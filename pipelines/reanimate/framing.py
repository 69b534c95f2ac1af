"""A picture of any shape in a generator's fixed one, undistorted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

Frames = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Framing:
    """Where the picture stands: scaled to fit, in the middle, its mirror image around it.

    Attributes
    ----------
    height, width : int
        The generator's.
    top, left, inner_height, inner_width : int
        The picture's box in it.
    """

    height: int
    width: int
    top: int
    left: int
    inner_height: int
    inner_width: int

    @staticmethod
    def fit(picture_height: int, picture_width: int, height: int, width: int) -> Framing:
        """The largest box of the picture's shape."""
        if min(height, width) < 64 or height % 64 or width % 64:
            raise BrainvizError(f"Films are made in multiples of 64 pixels, not {width} x {height}.", "options")
        scale = min(height / picture_height, width / picture_width)
        inner_height, inner_width = (max(1, round(side * scale)) for side in (picture_height, picture_width))
        return Framing(
            height, width, (height - inner_height) // 2, (width - inner_width) // 2, inner_height, inner_width
        )

    def place(self, picture: Frames) -> Frames:
        """uint8 (h, w, 3) -> uint8 (height, width, 3)."""
        import cv2

        shrinks = self.inner_height < picture.shape[0]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        inner = cv2.resize(np.asarray(picture), (self.inner_width, self.inner_height), interpolation=how)
        return np.asarray(cv2.copyMakeBorder(inner, *self._border(), cv2.BORDER_REFLECT_101), dtype=np.uint8)

    def extend(self, maps: Array) -> Array:
        """Maps of the box, their edge carried on: (t, inner_height, inner_width, c) -> (t, height, width, c)."""
        top, bottom, left, right = self._border()
        return np.pad(maps, ((0, 0), (top, bottom), (left, right), (0, 0)), mode="edge")

    def cut(self, film: Frames) -> Frames:
        """The box of a film: (n, height, width, 3) -> (n, inner_height, inner_width, 3)."""
        rows, columns = slice(self.top, self.top + self.inner_height), slice(self.left, self.left + self.inner_width)
        return np.ascontiguousarray(film[:, rows, columns])

    def _border(self) -> tuple[int, int, int, int]:
        below = self.height - self.top - self.inner_height
        return self.top, below, self.left, self.width - self.left - self.inner_width
