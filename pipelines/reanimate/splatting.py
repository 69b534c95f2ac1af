"""Forward splatting, and filling what it leaves open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.flow.chaining import pixel_positions

Array = npt.NDArray[np.float32]

_SEEN = 1e-3  # weight below which a pixel counts as open


def splat(values: Array, moved: Array, importance: Array | None = None) -> tuple[Array, Array]:
    """Carry values along their motion, each spread over the four pixels around where it lands.

    With an importance it is softmax splatting (Niklaus & Liu, CVPR 2020): where several land, the important win.

    Parameters
    ----------
    values : float32 (h, w, c)
    moved : float32 (h, w, 2)
        Motion of each pixel, right and down, in pixels.
    importance : float32 (h, w), optional
        Logits; only differences count.

    Returns
    -------
    summed : float32 (h, w, c)
        Weighted sum; divide by the weight for the mean.
    weight : float32 (h, w)
    """
    h, w, channels = values.shape
    positions = pixel_positions(h, w)
    # Planes rather than pairs throughout: NumPy is slow along an axis of two.
    x, y = ((positions[..., c] + moved[..., c]).ravel() for c in (0, 1))
    # One pixel of margin takes what lands just outside; what goes further is left out.
    near = (x > -1) & (x < w) & (y > -1) & (y < h)
    source = [values[..., c].ravel() for c in range(channels)]
    logits = importance.ravel() if importance is not None and importance.size else None
    if not near.all():
        x, y, source = x[near], y[near], [plane[near] for plane in source]
        logits = None if logits is None else logits[near]
    left, top = np.floor(x), np.floor(y)
    x, y = x - left, y - top
    first = ((top + 1) * (w + 2) + (left + 1)).astype(np.intp)
    targets = first + np.array([[0], [1], [w + 2], [w + 3]], dtype=np.intp)
    shares = np.empty((4, len(x)))
    for share, (across, down) in zip(shares, ((1 - x, 1 - y), (x, 1 - y), (1 - x, y), (x, y)), strict=True):
        np.multiply(across, down, out=share)
    if logits is not None and importance is not None:
        shares *= np.exp(logits - importance.max())
    size = (h + 2) * (w + 2)

    def landed(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        total = np.bincount(targets.ravel(), weights.ravel(), size).astype(np.float64, copy=False)
        return total.reshape(h + 2, w + 2)[1:-1, 1:-1]

    summed = np.empty(values.shape, np.float32)
    for c, plane in enumerate(source):
        summed[..., c] = landed(shares * plane)
    return summed, landed(shares).astype(np.float32)


def fill_holes(summed: Array, weight: Array, seen: float = _SEEN) -> Array:
    """Means of splatted sums, open pixels filled from around them by push-pull (Gortler et al., SIGGRAPH 1996).

    Parameters
    ----------
    summed : float32 (h, w, c)
    weight : float32 (h, w)
    seen : float
        Weight from which a pixel counts as known in full; below, it blends with its surroundings.

    Returns
    -------
    float32 (h, w, c)
    """
    divisor = np.maximum(weight, 1e-12)
    mean = np.empty_like(summed, dtype=np.float32)
    for c in range(summed.shape[-1]):
        np.divide(summed[..., c], divisor, out=mean[..., c])
    if weight.min() >= seen:
        return mean
    return push_pull(mean, np.minimum(weight / seen, 1).astype(np.float32))


def push_pull(values: Array, known: Array) -> Array:
    """Fill unknown pixels smoothly: averages of known ones, from coarse to fine.

    Parameters
    ----------
    values : float32 (h, w, c)
    known : float32 (h, w)
        1 kept, 0 replaced; between, blended.

    Returns
    -------
    float32 (h, w, c)
    """
    import cv2

    h, w, channels = values.shape
    if min(h, w) <= 1 or known.min() >= 1:
        return values
    stack = np.empty((h + h % 2, w + w % 2, channels + 1), dtype=np.float32)
    inner = stack[:h, :w]
    np.multiply(values, known[..., None], out=inner[..., :-1])
    inner[..., -1] = known
    stack[h:], stack[:, w:] = stack[h - 1 : h], stack[:, w - 1 : w]  # an odd border counts twice
    small = _halved(stack)
    share = small[..., -1]
    means: Array = np.divide(small[..., :-1], np.maximum(share, 1e-12)[..., None], dtype=np.float32)
    coarse = push_pull(means, np.minimum(share * 4, 1).astype(np.float32, copy=False))
    wide = cv2.resize(coarse, stack.shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(*stack.shape[:2], channels)
    wide = wide[:h, :w]
    return np.asarray(wide + (values - wide) * known[..., None], dtype=np.float32)


def _halved(stack: Array) -> Array:
    """Means of blocks of two by two."""
    rows = stack[::2] + stack[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25), dtype=np.float32)
