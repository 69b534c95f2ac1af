"""Flow as colour (Baker et al., 'A database and evaluation methodology for optical flow', IJCV 2011) and as arrows."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

Image = npt.NDArray[np.uint8]

# Lengths of the wheel's six runs, chosen by its authors for even steps of perceived hue: red to yellow, yellow to
# green, green to cyan, cyan to blue, blue to magenta, magenta to red.
_RUNS = (15, 6, 4, 11, 13, 6)


@cache
def _wheel() -> npt.NDArray[np.float32]:
    """The wheel's 55 colours, 0 to 1, pure red first: float32 (55, 3)."""
    corners = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]])
    runs = [
        start + (end - start) * np.floor(255 * np.arange(n)[:, None] / n) / 255
        for n, start, end in zip(_RUNS, corners[:-1], corners[1:], strict=True)
    ]
    return np.concatenate(runs).astype(np.float32)


def flow_to_rgb(
    flow: npt.ArrayLike,
    maximum: float,
    valid: npt.ArrayLike | None = None,
    invalid_colour: tuple[int, int, int] = (128, 128, 128),
) -> Image:
    """Colour a flow field: direction as hue, speed as saturation; rest is white, right is red.

    Parameters
    ----------
    flow : float (..., 2)
    maximum : float
        The speed at full saturation, the same for all panels of a view; faster vectors are drawn darker.
    valid : bool (...), optional
        Vectors to colour; the others, and those that are not finite, take `invalid_colour`.

    Returns
    -------
    uint8 (..., 3)
    """
    if not np.isfinite(maximum) or maximum <= 0:
        raise BrainvizError(f"The flow colour scale needs a positive maximum, not {maximum}.")
    field = np.asarray(flow, dtype=np.float32)
    shown = np.isfinite(field).all(axis=-1)
    if valid is not None:
        shown &= np.asarray(valid, dtype=bool)
    u, v = (np.where(shown, field[..., c], 0) / maximum for c in (0, 1))
    speed = np.hypot(u, v)[..., None]
    wheel = _wheel()
    position = (np.arctan2(-v, -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    low = np.floor(position).astype(int)
    share = (position - low)[..., None]
    hue = (1 - share) * wheel[low] + share * wheel[(low + 1) % len(wheel)]
    colour = np.where(speed <= 1, 1 - speed * (1 - hue), 0.75 * hue)
    rgb = np.floor(255 * colour + 1e-4).astype(np.uint8)
    rgb[~shown] = invalid_colour
    return np.asarray(rgb)


def wheel_image(size: int) -> Image:
    """The colour wheel as a legend: uint8 (size, size, 4), transparent outside the disc, edge smoothed."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y)
    inside = np.minimum(1, 1 / np.maximum(radius, 1e-6))
    disc = np.stack([x * inside, y * inside], axis=-1)
    opacity = np.clip((1 - radius) * size / 2 + 0.5, 0, 1)
    return np.dstack([flow_to_rgb(disc * 0.9999, 1.0), np.round(255 * opacity).astype(np.uint8)])


def arrow_grid(flow: npt.ArrayLike, every: int = 4) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Means of square blocks of a flow field, to be drawn as arrows.

    Parameters
    ----------
    flow : float (..., h, w, 2)
    every : int
        Side of a block in pixels; a rest at the right and lower border is left out.

    Returns
    -------
    positions : float32 (m, 2)
        x, y of the blocks' centres in pixels of the grid (the first pixel's centre is at .5), row by row.
    vectors : float32 (..., m, 2)
        In pixels of the grid per step.
    """
    field = np.asarray(flow, dtype=np.float32)
    rows, columns = field.shape[-3] // every, field.shape[-2] // every
    if every < 1 or not rows or not columns:
        raise BrainvizError(
            f"Cannot draw arrows every {every} pixels on a grid of {field.shape[-3]}x{field.shape[-2]}."
        )
    cut = field[..., : rows * every, : columns * every, :]
    blocks = cut.reshape(*field.shape[:-3], rows, every, columns, every, 2).mean(axis=(-4, -2))
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    positions = np.asarray((np.stack([x, y], axis=-1) + 0.5) * every, dtype=np.float32)
    return positions.reshape(-1, 2), np.asarray(blocks.reshape(*field.shape[:-3], -1, 2), dtype=np.float32)
