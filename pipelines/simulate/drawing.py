"""Drawing of things: smooth outlines, soft light from above left, relief of photographs, anti-aliased edges."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate import materials
from pipelines.simulate.textures import Texture, premultiplied

PX_PER_SIZE = 200
"""Sprite pixels per unit of a thing's size."""

FINE = 3
"""Supersampling of outlines."""

Points = Sequence[tuple[float, float]]
Colour = tuple[float, float, float]


class Canvas:
    """A transparent sheet in units of the thing's size; x right, y down, origin in the middle."""

    def __init__(self, half_width: float = 0.62, half_height: float = 0.62) -> None:
        self.shape = (2 * round(half_height * PX_PER_SIZE), 2 * round(half_width * PX_PER_SIZE))
        self.rgb = np.zeros((*self.shape, 3), dtype=np.float32)
        self.alpha = np.zeros(self.shape, dtype=np.float32)

    def mask(self, points: Points, smooth: bool = True) -> NDArray[np.float32]:
        """Return the coverage 0..1 of a closed outline."""
        outline = curve(points) if smooth else np.asarray(points, dtype=np.float64)
        sheet = np.zeros((self.shape[0] * FINE, self.shape[1] * FINE), dtype=np.uint8)
        middle = np.array(self.shape[::-1]) / 2
        fixed = np.round((outline * PX_PER_SIZE + middle) * FINE * 16).astype(np.int32)
        cv2.fillPoly(sheet, [fixed], 255, cv2.LINE_8, 4)
        small = cv2.resize(sheet, self.shape[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(small / 255, dtype=np.float32)

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> NDArray[np.float32]:
        """Return the coverage of an ellipse."""
        turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        return self.mask(list(zip(x + rx * np.cos(turn), y + ry * np.sin(turn), strict=True)), smooth=False)

    def line(self, points: Points, width: float) -> NDArray[np.float32]:
        """Return the coverage of a stroke of a width in units of the size."""
        sheet = np.zeros((self.shape[0] * FINE, self.shape[1] * FINE), dtype=np.uint8)
        middle = np.array(self.shape[::-1]) / 2
        fixed = np.round((np.asarray(points) * PX_PER_SIZE + middle) * FINE * 16).astype(np.int32)
        cv2.polylines(sheet, [fixed], False, 255, max(round(width * PX_PER_SIZE * FINE), 1), cv2.LINE_AA, 4)
        small = cv2.resize(sheet, self.shape[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(small / 255, dtype=np.float32)

    def grid(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x and y of every pixel in units of the size, (1, w) and (h, 1)."""
        y = np.asarray((np.arange(self.shape[0]) + 0.5 - self.shape[0] / 2) / PX_PER_SIZE, dtype=np.float32)
        x = np.asarray((np.arange(self.shape[1]) + 0.5 - self.shape[1] / 2) / PX_PER_SIZE, dtype=np.float32)
        return x[None, :], y[:, None]

    def fill(
        self,
        cover: NDArray,
        colour: Colour | NDArray,
        relief: str = "",
        relief_gain: float = 0.10,
        round_px: float = 14.0,
        light: float = 0.55,
        clip: NDArray | None = None,
    ) -> Canvas:
        """Paint a shape over what is there, puffed up by soft light; `relief` names a photograph's area."""
        paint = np.broadcast_to(np.asarray(colour, dtype=np.float32), (*self.shape, 3))
        if light:
            height = cv2.GaussianBlur(cover, (0, 0), round_px)
            slope_x, slope_y = np.gradient(height, axis=1), np.gradient(height, axis=0)
            lit = 1 + light * round_px * (0.45 * slope_x + 0.9 * slope_y)
            paint = paint * np.clip(lit, 0.45, 1.45)[..., None]
        if relief:
            paint = paint * (1 + relief_gain * materials.texture_of(relief, *self.shape, 3, 0.8))[..., None]
        share = cover if clip is None else cover * clip
        self.rgb = paint * share[..., None] + self.rgb * (1 - share[..., None])
        self.alpha = share + self.alpha * (1 - share)
        return self

    def texture(self) -> Texture:
        """Return the sheet as a texture in units of the thing's size."""
        straight = self.rgb / np.maximum(self.alpha, 1e-6)[..., None]
        return _cropped(premultiplied(straight, self.alpha))


def curve(points: Points, per_side: int = 8) -> NDArray[np.float64]:
    """Return a closed Catmull-Rom curve through points, (n * per_side, 2)."""
    knots = np.asarray(points, dtype=np.float64)
    before, after, later = np.roll(knots, 1, axis=0), np.roll(knots, -1, axis=0), np.roll(knots, -2, axis=0)
    u = np.linspace(0, 1, per_side, endpoint=False)[None, :, None]
    a, b, c, d = (side[:, None, :] for side in (before, knots, after, later))
    path = 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)
    return path.reshape(-1, 2)


def soft_shadow(cover: NDArray[np.float32], blur_px: float, strength: float) -> Texture:
    """Return a dark blurred copy of a shape, never more than half opaque."""
    dark = np.minimum(cv2.GaussianBlur(cover, (0, 0), blur_px) * strength, 0.49)
    shape = dark.shape
    return _cropped(premultiplied(np.zeros((*shape, 3), dtype=np.float32), dark))


def _cropped(rgba: materials.Image) -> Texture:
    """Return a sheet whose middle is the origin as a texture without its empty border."""
    rows, columns = (np.flatnonzero(rgba[..., 3].any(axis=axis)) for axis in (1, 0))
    top, bottom = max(rows[0] - 4, 0), min(rows[-1] + 5, rgba.shape[0])
    left, right = max(columns[0] - 4, 0), min(columns[-1] + 5, rgba.shape[1])
    origin = (rgba.shape[1] / 2 - 0.5 - left, rgba.shape[0] / 2 - 0.5 - top)
    return Texture(np.ascontiguousarray(rgba[top:bottom, left:right]), PX_PER_SIZE, origin)


PAINTS: tuple[Colour, ...] = (
    (206, 52, 44),
    (38, 92, 160),
    (236, 178, 52),
    (46, 128, 96),
    (226, 226, 220),
    (122, 60, 126),
    (230, 112, 54),
    (70, 164, 196),
)
"""Colours that a thing's variant counts through."""


def name_and_area(variant: str) -> tuple[str, str]:
    """Return the two halves of a variant `name:area`; without area the second is empty."""
    name, _, area = variant.partition(":")
    return name, area


def moved(texture: Texture, x: float, y: float) -> Texture:
    """Return a texture whose own origin lies at a point of the thing."""
    left = texture.origin[0] - x * texture.px_per_unit
    top = texture.origin[1] - y * texture.px_per_unit
    return Texture(texture.rgba, texture.px_per_unit, (left, top))
