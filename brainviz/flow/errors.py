"""How far two flow fields are apart: end-point error, angular error, correlation.

Every function takes fields of shape (n, ..., 2), n clips first, e.g. (n, 3, 32, 32, 2), and an optional mask (n, ...)
of the vectors that count. It returns one float64 per clip: the mean over what counts, NaN where nothing does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

Array = npt.NDArray[np.float64]


def end_point_map(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Length of the difference at every vector: (..., 2) and (..., 2) -> float32 (...), in the fields' own unit."""
    difference = np.asarray(a, dtype=np.float32) - np.asarray(b, dtype=np.float32)
    return np.hypot(difference[..., 0], difference[..., 1])


def end_point_error(a: npt.ArrayLike, b: npt.ArrayLike, valid: npt.ArrayLike | None = None) -> Array:
    """Mean end-point error per clip.

    Parameters
    ----------
    a, b : float (n, ..., 2)
        Flow in pixels per step of the same grid.
    valid : bool (n, ...), optional
        The vectors that count.

    Returns
    -------
    float64 (n,), pixels per step.
    """
    a, b, valid = _checked(a, b, valid)
    return _mean_per_clip(end_point_map(a, b), valid)


def angular_map(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Space-time angle between (u, v, 1) and (u', v', 1) at every vector, in degrees: float32 (...)."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    # The cross product keeps small angles exact where the arc cosine of the scalar product loses them.
    across = np.stack(
        [a[..., 1] - b[..., 1], b[..., 0] - a[..., 0], a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]], axis=-1
    )
    along = (a * b).sum(axis=-1) + 1
    return np.degrees(np.arctan2(np.linalg.norm(across, axis=-1), along)).astype(np.float32)


def angular_error(a: npt.ArrayLike, b: npt.ArrayLike, valid: npt.ArrayLike | None = None) -> Array:
    """Mean angular error per clip, in degrees, after Barron, Fleet & Beauchemin (IJCV 1994, section 4.1).

    The angle lies in space-time, between (u, v, 1) and (u', v', 1), so it is defined at rest and depends on the grid's
    pixel. It is the convention of the Middlebury benchmark; it is not the angle between two directions in the image.
    Shapes as in `end_point_error`.
    """
    a, b, valid = _checked(a, b, valid)
    return _mean_per_clip(angular_map(a, b), valid)


def flow_correlation(a: npt.ArrayLike, b: npt.ArrayLike, valid: npt.ArrayLike | None = None) -> Array:
    """Pearson correlation per clip over all valid vectors' components, right and down taken as one list of numbers.

    Shapes as in `end_point_error`. NaN where fewer than two numbers count or a field is constant.
    """
    a, b, valid = _checked(a, b, valid)
    n = len(a)
    weight = np.broadcast_to(valid[..., None], a.shape).reshape(n, -1)
    x = np.where(weight, a.reshape(n, -1), 0).astype(np.float64)
    y = np.where(weight, b.reshape(n, -1), 0).astype(np.float64)
    count = weight.sum(axis=1)
    share = 1 / np.maximum(count, 1)
    x = np.where(weight, x - (x.sum(axis=1) * share)[:, None], 0)
    y = np.where(weight, y - (y.sum(axis=1) * share)[:, None], 0)
    power = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    # Below this a field is constant but for rounding, and r would be noise.
    usable = (count >= 2) & (power > 1e-12 * np.maximum(count, 1))
    result = np.full(n, np.nan)
    np.divide((x * y).sum(axis=1), power, out=result, where=usable)
    return result


def _checked(
    a: npt.ArrayLike, b: npt.ArrayLike, valid: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    a, b = np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32)
    if a.shape != b.shape or a.ndim < 2 or a.shape[-1] != 2:
        raise BrainvizError(f"Two flow fields must have one shape (n, ..., 2); these have {a.shape} and {b.shape}.")
    mask = np.ones(a.shape[:-1], dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    if mask.shape != a.shape[:-1]:
        raise BrainvizError(f"A mask must have the fields' shape {a.shape[:-1]}; this one has {mask.shape}.")
    return a, b, mask


def _mean_per_clip(values: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> Array:
    n = len(values)
    weight = valid.reshape(n, -1)
    total = np.where(weight, values.reshape(n, -1), 0).sum(axis=1, dtype=np.float64)
    count = weight.sum(axis=1)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
