"""The flow convention: frames, steps, units, resampling. Every other file takes them from here.

A flow field is float32 `(..., h, w, 2)`: `[..., 0]` to the right, `[..., 1]` down, in pixels of its own grid,
per step. It stands at the pixels of the step's first frame and says where each pixel goes by the step's second frame.
On the 32x32 grid a value of 1 is 1/32 of the frame's width per step.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

Array = npt.NDArray[np.float32]

GRID = 32
CLIP_SECONDS = 2.0
N_STEPS = 3


def frame_numbers(fps: float, duration_s: float = CLIP_SECONDS) -> npt.NDArray[np.int64]:
    """Numbers, within a clip, of the four frames between which motion is measured.

    Start, one third, two thirds and last: 0, 20, 40, 59 at 30 fps; 0, 10, 20, 29 at 15 fps.

    Parameters
    ----------
    fps : float
        Frames per second of the film.
    duration_s : float
        Length of a clip in seconds.

    Returns
    -------
    int64 (4,)

    Raises
    ------
    BrainvizError
        If the clip has fewer than four frames.
    """
    n = clip_length(fps, duration_s)
    if n < N_STEPS + 1:
        raise BrainvizError(
            f"A clip of {duration_s:g} s at {fps:g} frames per second has {n} frames; four are needed.",
            remedy="Use a film with at least 2 frames per second.",
        )
    return np.array([0, n // 3, 2 * n // 3, n - 1], dtype=np.int64)


def clip_length(fps: float, duration_s: float = CLIP_SECONDS) -> int:
    """Number of frames of a clip, rounded to the nearest whole frame (29.97 fps over 2 s: 60)."""
    if not np.isfinite(fps) or fps <= 0:
        raise BrainvizError(f"A film cannot run at {fps} frames per second.")
    return round(fps * duration_s)


def step_seconds(fps: float, duration_s: float = CLIP_SECONDS) -> Array:
    """Seconds between the four frames of `frame_numbers`: float32 (3,)."""
    return (np.diff(frame_numbers(fps, duration_s)) / fps).astype(np.float32)


def resample(flow: npt.ArrayLike, height: int, width: int) -> Array:
    """Flow on another grid, its vectors rescaled to that grid's pixels.

    Shrinking averages over the area of each new pixel, enlarging interpolates linearly between pixel centres; each axis
    is treated on its own, so a field may shrink in one and grow in the other. Constant fields come out exact.

    Parameters
    ----------
    flow : float (..., h, w, 2)
    height, width : int
        The new grid.

    Returns
    -------
    float32 (..., height, width, 2), in pixels of the new grid per step.
    """
    field = _checked(flow)
    h, w = field.shape[-3:-1]
    scale = np.array([width / w, height / h], dtype=np.float32)
    return np.asarray(_resample_planes(field, height, width, channels=True) * scale, dtype=np.float32)


def resample_plane(values: npt.ArrayLike, height: int, width: int) -> Array:
    """Any scalar map on another grid, without rescaling its values: (..., h, w) -> float32 (..., height, width).

    For a bool mask, shrinking gives the fraction of each new pixel that was True.
    """
    return _resample_planes(np.asarray(values, dtype=np.float32), height, width, channels=False)


def resample_valid(flow: npt.ArrayLike, weight: npt.ArrayLike, height: int, width: int) -> tuple[Array, Array]:
    """Flow on a smaller grid, averaged over the trusted pixels only.

    Parameters
    ----------
    flow : float (..., h, w, 2)
    weight : bool or float (..., h, w)
        Trust in each pixel, 0 to 1; values of `flow` where it is 0 are never used (they may be NaN).

    Returns
    -------
    flow : float32 (..., height, width, 2)
        0 where no pixel was trusted.
    fraction : float32 (..., height, width)
        Mean trust of each new pixel.
    """
    field, trust = _checked(flow), np.asarray(weight, dtype=np.float32)
    kept = np.where(trust[..., None] > 0, field, 0) * trust[..., None]
    fraction = resample_plane(trust, height, width)
    total = resample(kept, height, width)
    return np.divide(total, fraction[..., None], out=np.zeros_like(total), where=fraction[..., None] > 1e-6), fraction


def _checked(flow: npt.ArrayLike) -> Array:
    field = np.asarray(flow, dtype=np.float32)
    if field.ndim < 3 or field.shape[-1] != 2:
        raise BrainvizError(f"A flow field has the shape (..., height, width, 2); this one has {field.shape}.")
    return field


def _resample_planes(values: Array, height: int, width: int, channels: bool) -> Array:
    """Apply the two axes' weight matrices; `channels` says whether a channel axis follows height and width."""
    axis = values.ndim - (3 if channels else 2)
    down, across = axis_weights(values.shape[axis], height), axis_weights(values.shape[axis + 1], width)
    out = np.moveaxis(np.tensordot(values, down, axes=([axis], [1])), -1, axis)
    out = np.moveaxis(np.tensordot(out, across, axes=([axis + 1], [1])), -1, axis + 1)
    return np.ascontiguousarray(out, dtype=np.float32)


@lru_cache(maxsize=64)
def axis_weights(n: int, m: int) -> Array:
    """Weights that carry n samples of an axis to m: float32 (m, n), rows sum to 1.

    Read-only. Area overlap when m < n, linear interpolation between pixel centres (clamped at the ends) when m >= n.
    """
    if n < 1 or m < 1:
        raise BrainvizError(f"Cannot resample an axis of {n} samples to {m}.")
    if m < n:
        edges = np.arange(m + 1) * (n / m)
        low, high = edges[:-1, None], edges[1:, None]
        overlap = np.minimum(high, np.arange(1, n + 1)) - np.maximum(low, np.arange(n))
        weights = np.clip(overlap, 0, None)
        return _frozen(weights / weights.sum(axis=1, keepdims=True))
    centres = np.clip((np.arange(m) + 0.5) * (n / m) - 0.5, 0, n - 1)
    left = np.minimum(centres.astype(int), max(n - 2, 0))
    weights = np.zeros((m, n))
    rows = np.arange(m)
    weights[rows, left] = 1 - (centres - left)
    weights[rows, np.minimum(left + 1, n - 1)] += centres - left
    return _frozen(weights)


def _frozen(weights: npt.NDArray[np.float64]) -> Array:
    result = weights.astype(np.float32)
    result.setflags(write=False)
    return result
