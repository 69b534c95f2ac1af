"""One number per clip: how fast, and which way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DIRECTIONS = ("right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right", "none")
NO_DIRECTION = 8


def mean_speed(flow: npt.ArrayLike, valid: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
    """Mean length of the valid vectors of each clip: (n, ..., 2) -> float64 (n,), grid pixels per step; NaN if none.

    It is also the end-point error of zero flow.
    """
    from brainviz.flow.errors import end_point_error

    field = np.asarray(flow, dtype=np.float32)
    return end_point_error(field, np.zeros_like(field), valid)


def dominant_direction(
    flow: npt.ArrayLike, valid: npt.ArrayLike | None = None, still_below: float = 0.25
) -> npt.NDArray[np.int8]:
    """The direction, of eight, that carries most motion in each clip.

    Every valid vector votes for its nearest direction with its length.

    Parameters
    ----------
    flow : float (n, ..., 2)
    valid : bool (n, ...), optional
    still_below : float
        Clips whose mean speed is below this, in grid pixels per step, have no direction.

    Returns
    -------
    int8 (n,)
        Index into `DIRECTIONS`, clockwise from right; `NO_DIRECTION` for still clips and clips with nothing valid.
    """
    field = np.asarray(flow, dtype=np.float32)
    n = len(field)
    vectors = field.reshape(n, -1, 2)
    speed = np.hypot(vectors[..., 0], vectors[..., 1])
    counts = np.isfinite(speed)
    if valid is not None:
        counts &= np.asarray(valid, dtype=bool).reshape(n, -1)
    speed = np.where(counts, speed, 0)
    angle = np.arctan2(*np.moveaxis(np.where(counts[..., None], vectors, 0)[..., ::-1], -1, 0))
    sector = np.round(angle / (np.pi / 4)).astype(int) % 8
    votes = np.bincount((sector + 8 * np.arange(n)[:, None]).ravel(), weights=speed.ravel(), minlength=8 * n)
    moving = speed.sum(axis=1) / np.maximum(counts.sum(axis=1), 1) >= still_below
    return np.where(moving, votes.reshape(n, 8).argmax(axis=1), NO_DIRECTION).astype(np.int8)
