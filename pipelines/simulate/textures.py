"""Pictures that a layer shows, with their scale, period and halved copies."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.materials import Image, grade

PX_PER_WIDTH = 224
"""Texture pixels per image width: the scale of the demo's frames."""

PAD_WIDTHS = 1.1
"""Margin beside a repeating picture: what the widest, most turned view may need."""


@dataclass
class Texture:
    """A premultiplied RGBA picture and how it lies in its own plane.

    Attributes
    ----------
    rgba : uint8 (h, w, 4)
        Colours premultiplied by alpha.
    px_per_unit : float
        Pixels per unit of the plane (image width for scenery, the object's size for its parts).
    origin : (x, y)
        Pixel position of the plane's origin.
    period : (x, y)
        Pixels after which the picture repeats; 0 = it does not.
    soft_rows : (first, last)
        Rows between which the alpha rises from 0 to 255, or None if the picture has no such simple order.
    opaque : bool
        No pixel is transparent.
    """

    rgba: Image
    px_per_unit: float
    origin: tuple[float, float]
    period: tuple[float, float] = (0.0, 0.0)
    soft_rows: tuple[float, float] | None = None
    opaque: bool = False
    _halves: list[Image] = field(default_factory=list, repr=False)
    _alphas: list[Image] = field(default_factory=list, repr=False)

    def graded(self, name: str) -> Texture:
        """Return a copy in another colour grade."""
        graded = grade(self.rgba, name)
        return Texture(graded, self.px_per_unit, self.origin, self.period, self.soft_rows, self.opaque)

    def half(self, level: int) -> Image:
        """Return the picture shrunk by 2 ** level (averaged, so no alias)."""
        if not self._halves:
            self._halves.append(self.rgba)
        while len(self._halves) <= level:
            last = self._halves[-1]
            height, width = max(last.shape[0] // 2, 1), max(last.shape[1] // 2, 1)
            smaller = cv2.resize(last[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
            self._halves.append(np.asarray(smaller))
        return self._halves[level]

    def alpha(self, level: int) -> Image:
        """Return the alpha channel of `half(level)`: uint8 (h, w)."""
        while len(self._alphas) <= level:
            self._alphas.append(np.ascontiguousarray(self.half(len(self._alphas))[..., 3]))
        return self._alphas[level]

    def to_plane(self) -> NDArray[np.float64]:
        """Return the 3x3 matrix from pixel positions to the plane's units."""
        scale = 1.0 / self.px_per_unit
        return np.array(
            [[scale, 0, -self.origin[0] * scale], [0, scale, -self.origin[1] * scale], [0, 0, 1]], dtype=np.float64
        )


def premultiplied(rgb: NDArray, alpha: NDArray) -> Image:
    """Return uint8 (h, w, 4) from colours 0..255 (h, w, 3) and coverage 0..1 (h, w)."""
    cover = np.clip(alpha, 0, 1)[..., None]
    return np.concatenate([np.clip(rgb, 0, 255) * cover, 255 * cover], axis=2).round().astype(np.uint8)


def opaque(rgb: NDArray) -> Image:
    """Return uint8 (h, w, 4) without transparency from colours 0..255 (h, w, 3)."""
    return premultiplied(rgb, np.ones(rgb.shape[:2], dtype=np.float32))


def wrap_pad(rgba: Image, across: bool = True, down: bool = False) -> tuple[Image, tuple[int, int]]:
    """Repeat a tile's borders so that every view of it lies inside; returns the picture and the margins (x, y)."""
    pad = round(PAD_WIDTHS * PX_PER_WIDTH)
    x, y = pad * across, pad * down
    columns = np.arange(-x, rgba.shape[1] + x) % rgba.shape[1]
    rows = np.arange(-y, rgba.shape[0] + y) % rgba.shape[0]
    return np.ascontiguousarray(rgba[rows][:, columns]), (x, y)


def fractal(
    height: int, width: int, seed: int, coarsest: tuple[int, int], octaves: int = 5, fall: float = 0.55
) -> NDArray[np.float32]:
    """Return fractal noise that repeats across: float32 (height, width), mean 0, deviation 1.

    `coarsest` = cells (down, across) of the first octave; each octave doubles both and falls by `fall`.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), dtype=np.float32)
    for octave in range(octaves):
        down, across = coarsest[0] * 2**octave + 1, coarsest[1] * 2**octave
        cells = rng.standard_normal((down, across)).astype(np.float32)
        margin = 3
        wide = np.hstack([cells[:, -margin:], cells, cells[:, :margin]]) if across >= margin else np.tile(cells, 3)
        side = margin if across >= margin else across
        scale = width / across
        big = cv2.resize(wide, (round(wide.shape[1] * scale), height), interpolation=cv2.INTER_CUBIC)
        offset = round(side * scale)
        total += fall**octave * big[:, offset : offset + width]
    return np.asarray((total - total.mean()) / (total.std() + 1e-6), dtype=np.float32)


def smoothstep(low: float, high: float, value: NDArray) -> NDArray[np.float32]:
    """Return 0 below `low`, 1 above `high`, smooth between."""
    u = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(u * u * (3 - 2 * u), dtype=np.float32)


def mix(a: object, b: object, share: NDArray) -> NDArray[np.float32]:
    """Return colours a + (b - a) * share; `share` (h, w), colours (3,) or (h, w, 3)."""
    first, second = np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32)
    return np.asarray(first + (second - first) * share[..., None], dtype=np.float32)
