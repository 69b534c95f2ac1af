"""Camera motion: the one affine field that explains most of a flow field, and what is left over.

A camera that pans, zooms or rolls moves the whole frame by nearly one affine law,

    u = p0 + p2 x + p3 y,    v = p1 + p4 x + p5 y,

with x and y in grid pixels from the frame's centre. A robust fit follows the scene; moving objects are its residual.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_ITERATIONS = 14
_FIRST_SCALE, _LAST_SCALE = 4.0, 0.15  # grid pixels at 32x32; below the last one residuals are measurement noise
_FIELDS_AT_ONCE = 64


def camera_fit(flow: npt.ArrayLike, valid: npt.ArrayLike | None = None) -> tuple[Array, Array]:
    """Robust affine fit of every field by iteratively reweighted least squares.

    Weights are Geman and McClure's, s^4 / (s^2 + r^2)^2, with a scale s that shrinks from 4 to .15 pixels of a 32x32
    grid (graduated non-convexity; Black & Anandan, CVIU 1996), so a scene wins over objects that cover less than half.

    Parameters
    ----------
    flow : float (..., h, w, 2)
        Pixels of its grid per step.
    valid : bool (..., h, w), optional
        Pixels that may be used.

    Returns
    -------
    parameters : float32 (..., 6)
        p0, p1 in grid pixels per step; p2 to p5 per step. 0 where no pixel is valid; pan only where few are.
    camera : float32 (..., h, w, 2)
        The fitted field, at every pixel.
    """
    field = np.asarray(flow, dtype=np.float32)
    lead, (h, w) = field.shape[:-3], field.shape[-3:-1]
    trusted = np.ones(field.shape[:-1], dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    usable = (trusted & np.isfinite(field[..., 0]) & np.isfinite(field[..., 1])).reshape(-1, h * w)
    vectors = np.where(usable[..., None], field.reshape(-1, h * w, 2), 0)
    parameters = np.zeros((len(vectors), 6), dtype=np.float32)
    for start in range(0, len(vectors), _FIELDS_AT_ONCE):
        part = slice(start, start + _FIELDS_AT_ONCE)
        parameters[part] = _fit(vectors[part], usable[part], _basis(h, w), unit=w / 32)
    parameters = parameters.reshape(*lead, 6)
    return parameters, camera_flow(parameters, h, w)


def camera_flow(parameters: npt.ArrayLike, height: int, width: int) -> Array:
    """The affine fields of `camera_fit`'s parameters: (..., 6) -> float32 (..., height, width, 2)."""
    p = np.asarray(parameters, dtype=np.float32)
    law = np.stack([p[..., [0, 2, 3]], p[..., [1, 4, 5]]], axis=-1)
    return np.asarray((_basis(height, width) @ law).reshape(*p.shape[:-1], height, width, 2), dtype=np.float32)


def residual_flow(flow: npt.ArrayLike, valid: npt.ArrayLike | None = None) -> Array:
    """Flow without the camera's part: same shape."""
    return np.asarray(np.asarray(flow, dtype=np.float32) - camera_fit(flow, valid)[1], dtype=np.float32)


def moving_objects(
    flow: npt.ArrayLike,
    camera: npt.ArrayLike,
    valid: npt.ArrayLike | None = None,
    threshold: float = 0.5,
    relative: float = 0.3,
    min_area: int = 8,
) -> Mask:
    """Pixels that move on their own: a residual above a threshold, in connected patches of a least area.

    Parameters
    ----------
    flow, camera : float (..., h, w, 2)
        Measured and camera flow.
    valid : bool (..., h, w), optional
        Pixels that may count; others come out False.
    threshold : float
        Least residual in grid pixels per step.
    relative : float
        Least residual as a share of the camera's speed there: labels err in proportion to speed.
    min_area : int
        Smallest patch (touching sides or corners) in pixels.

    Returns
    -------
    bool (..., h, w)
    """
    from scipy import ndimage

    flow, camera = np.asarray(flow, dtype=np.float32), np.asarray(camera, dtype=np.float32)
    rest = flow - camera
    floor = np.maximum(threshold, relative * np.hypot(camera[..., 0], camera[..., 1]))
    moving = np.hypot(rest[..., 0], rest[..., 1]) > floor
    if valid is not None:
        moving &= np.asarray(valid, dtype=bool)
    planes = moving.reshape(-1, *moving.shape[-2:])
    touching = np.zeros((3, 3, 3), dtype=bool)
    touching[1] = True  # neighbours within a field, never across fields
    labels, _ = ndimage.label(planes, structure=touching)
    area = np.bincount(labels.ravel())
    area[0] = 0
    return np.asarray((area >= min_area)[labels].reshape(moving.shape), dtype=bool)


def _basis(height: int, width: int) -> Array:
    """1, x, y at every pixel, from the frame's centre: float32 (height * width, 3)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([np.ones_like(x), x - (width - 1) / 2, y - (height - 1) / 2], axis=-1).reshape(-1, 3)


def _fit(vectors: Array, usable: Mask, basis: Array, unit: float) -> Array:
    """Graduated robust fit of (f, p, 2) vectors: float32 (f, 6)."""
    reach = np.float32(np.abs(basis[:, 1:]).max() or 1)
    unit_basis = np.asarray(basis / np.array([1, reach, reach]), dtype=np.float32)
    # Two planes rather than pairs: every pass below then runs through memory in order.
    u, v = np.ascontiguousarray(vectors[..., 0]), np.ascontiguousarray(vectors[..., 1])
    law = np.zeros((len(vectors), 3, 2), dtype=np.float32)
    law[:, 0] = _median(vectors, usable)  # half the frame may be anything
    for scale in (np.geomspace(_FIRST_SCALE, _LAST_SCALE, _ITERATIONS) * unit).tolist():
        squared = np.square(u - law[..., 0] @ unit_basis.T)
        squared += np.square(v - law[..., 1] @ unit_basis.T)
        weight = np.asarray(np.square(1 / (1 + squared * np.float32(scale**-2))) * usable, dtype=np.float32)
        law = _weighted_least_squares(u, v, weight, unit_basis)
    law[:, 1:] /= reach
    return np.stack([law[:, 0, 0], law[:, 0, 1], law[:, 1, 0], law[:, 2, 0], law[:, 1, 1], law[:, 2, 1]], axis=-1)


def _weighted_least_squares(u: Array, v: Array, weight: Array, basis: Array) -> Array:
    """Solve (B' W B + small) law = B' W (u, v) for every field; float32 (f, 3, 2)."""
    products = (basis[:, :, None] * basis[:, None, :]).reshape(-1, 9)
    normal = (weight @ products).reshape(-1, 3, 3).astype(np.float64)
    right = np.stack([(weight * u) @ basis, (weight * v) @ basis], axis=-1).astype(np.float64)
    # A little ridge on the slopes: with few or collinear pixels the fit falls back to a plain pan.
    normal[:, [1, 2], [1, 2]] += 1e-4 * len(basis)
    normal[:, 0, 0] += 1e-9
    return np.linalg.solve(normal, right).astype(np.float32)


def _median(vectors: Array, usable: Mask) -> Array:
    """Median of each field's usable vectors, 0 where there are none: float32 (f, 2)."""
    count = usable.sum(axis=1)
    rows = np.arange(len(vectors))
    # One sort with the unusable at the end; NumPy's nanmedian goes through the fields one by one.
    ordered = np.sort(np.where(usable[..., None], vectors, np.inf).astype(np.float32), axis=1)
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.minimum(count // 2, len(usable[0]) - 1)]
    return np.where(count[:, None] > 0, (low + high) / 2, 0).astype(np.float32)
