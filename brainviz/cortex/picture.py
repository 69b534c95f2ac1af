"""A map of values drawn on the flattened cortex, numpy only: a few tens of milliseconds at 512 pixels."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.cortex.colours import colour_table, scale_kind
from brainviz.cortex.raster import Raster, flatmap_raster
from brainviz.cortex.surface import load_surface, on_full
from brainviz.errors import BrainvizError

SULCUS_GREY, GYRUS_GREY, WALL_GREY = 188.0, 226.0, 240.0
BORDER_INK = (40.0, 44.0, 52.0)

Float32 = npt.NDArray[np.float32]


def flatmap_image(
    values: npt.ArrayLike,
    colormap: str | npt.NDArray[np.uint8] = "diverging",
    limits: tuple[float, float] | None = None,
    height: int = 512,
    opacity: npt.ArrayLike | None = None,
    border_strength: float = 0.35,
) -> npt.NDArray[np.uint8]:
    """Both hemispheres as one picture with sulcal depth underneath.

    Parameters
    ----------
    values : (64984,) or (59412,)
        NaN shows the bare cortex.
    colormap : str or uint8 (n, 3)
        A name in `brainviz.cortex.colours.SCALES`, or the colours themselves.
    limits : (low, high), optional
        Values at the ends of the scale. Without: -m..m for a diverging scale, else 0..m; m = 99th percentile of
        |value|.
    height : int
        Height in pixels.
    opacity : (64984,) or (59412,), optional
        0 (bare cortex) to 1 (full colour) per vertex, e.g. reliability; NaN counts as 0.
    border_strength : float
        Darkness of region borders, 0 for none.

    Returns
    -------
    uint8 (h, w, 4)
        RGBA, transparent outside the cortex.

    Raises
    ------
    BrainvizError
        When an array does not fit the surface or the limits are not increasing.
    """
    raster = flatmap_raster(height)
    full = on_full(values).astype(np.float32)
    table = colour_table(colormap) if isinstance(colormap, str) else np.asarray(colormap)
    low, high = limits if limits is not None else default_limits(full, colormap)
    if not low < high:
        raise BrainvizError(f"The colour limits {low} and {high} do not increase.", "limits")
    interpolated, present = interpolate(raster, full)
    alpha = present if opacity is None else present * interpolate(raster, _unit(opacity))[0]
    return compose(height, colours_at(interpolated, table, (low, high)), alpha, border_strength)


def colours_at(values: Float32, table: npt.NDArray[np.uint8], limits: tuple[float, float]) -> Float32:
    """Colours (n, 3) of values between limits; what lies outside gets the end of the scale."""
    low, high = limits
    position = np.clip((values - low) / (high - low), 0, 1) * (len(table) - 1)
    return table[np.round(position).astype(np.intp)].astype(np.float32)


def compose(height: int, colour: Float32, alpha: Float32, border_strength: float = 0.35) -> npt.NDArray[np.uint8]:
    """Colours (p, 3) and opacity (p,) at the raster's pixels over the bare cortex: RGBA uint8 (h, w, 4)."""
    ground = _pixel_grey(height)
    mixed = ground[:, None] + alpha[:, None] * (colour - ground[:, None])
    return _finish(flatmap_raster(height), mixed, border_strength)


def default_limits(values: Float32, colormap: str | npt.NDArray[np.uint8] = "diverging") -> tuple[float, float]:
    """Limits of the colour scale: 99th percentile of the magnitude, symmetric for a diverging scale."""
    finite = np.abs(values[np.isfinite(values)])
    top = float(np.percentile(finite, 99)) if len(finite) else 1.0
    top = top if top > 0 else 1.0
    return (0.0 if isinstance(colormap, str) and scale_kind(colormap) == "sequential" else -top), top


def _unit(opacity: npt.ArrayLike) -> Float32:
    return np.clip(on_full(opacity).astype(np.float32), 0, 1)


def interpolate(raster: Raster, full: Float32) -> tuple[Float32, Float32]:
    """Values at the pixels of the map, and 1 where the nearest vertex has one (else 0); NaN corners have no weight."""
    corner = full[raster.corners]
    known = np.isfinite(corner)
    weights = np.maximum(raster.weights, 0) * known
    total = weights.sum(1)
    mean = (weights * np.where(known, corner, 0)).sum(1) / np.where(total > 0, total, 1)
    return mean, known[np.arange(len(corner)), raster.weights.argmax(1)].astype(np.float32)


def cortex_grey() -> Float32:
    """Grey of the bare cortex per vertex, float32 (64984,), 0-255: sulci darker, medial wall lightest."""
    surface = load_surface()
    depth = np.clip(surface.sulc / 0.5, -1, 1)
    grey = SULCUS_GREY + (GYRUS_GREY - SULCUS_GREY) * (depth + 1) / 2
    return np.where(surface.mask, grey, WALL_GREY).astype(np.float32)


@cache
def _pixel_grey(height: int) -> Float32:
    return interpolate(flatmap_raster(height), cortex_grey())[0]


def _finish(raster: Raster, colour: Float32, border_strength: float) -> npt.NDArray[np.uint8]:
    ink = (raster.borders.ravel()[raster.pixels].astype(np.float32) / 255 * border_strength)[:, None]
    mixed = colour * (1 - ink) + np.asarray(BORDER_INK, np.float32) * ink
    picture = np.zeros((*raster.shape, 4), np.uint8)
    flat = picture.reshape(-1, 4)
    flat[raster.pixels, :3] = np.round(np.clip(mixed, 0, 255)).astype(np.uint8)
    flat[:, 3] = raster.coverage.ravel()
    return picture
