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
    place = (pixel_positions(h, w) + moved).reshape(-1, 2)
    # One pixel of margin takes what lands just outside; what goes further is left out.
    near = ((place > -1) & (place < (w, h))).all(axis=-1)
    place, source = place[near], values.reshape(-1, channels)[near]
    strength = np.ones(len(place), np.float32)
    if importance is not None and importance.size:
        strength = np.exp(importance.reshape(-1)[near] - importance.max()).astype(np.float32)
    corner = np.floor(place)
    part = place - corner
    column, row = corner.astype(np.int64).T + 1
    first = row * (w + 2) + column
    x, y = part.T
    shares = ((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y)
    targets = np.concatenate([first + offset for offset in (0, 1, w + 2, w + 3)])
    weights = np.concatenate([share * strength for share in shares])
    size = (h + 2) * (w + 2)
    planes = [np.bincount(targets, weights, minlength=size)]
    planes += [np.bincount(targets, weights * np.tile(source[:, c], 4), minlength=size) for c in range(channels)]
    sums = np.stack(planes, axis=-1).reshape(h + 2, w + 2, channels + 1)[1:-1, 1:-1]
    return sums[..., 1:].astype(np.float32), sums[..., 0].astype(np.float32)


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
    known = np.minimum(weight / seen, 1)[..., None]
    mean = summed / np.maximum(weight, 1e-12)[..., None]
    if known.min() >= 1:
        return np.asarray(mean, dtype=np.float32)
    return push_pull(mean.astype(np.float32), known[..., 0].astype(np.float32))


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
    even = (h + h % 2, w + w % 2)
    stack = np.concatenate([values * known[..., None], known[..., None]], axis=-1)
    stack = cv2.copyMakeBorder(stack, 0, even[0] - h, 0, even[1] - w, cv2.BORDER_REPLICATE)
    stack = stack.reshape(*even, channels + 1)
    small = stack.reshape(even[0] // 2, 2, even[1] // 2, 2, channels + 1).mean(axis=(1, 3))
    share = small[..., -1]
    means = small[..., :-1] / np.maximum(share, 1e-12)[..., None]
    coarse = push_pull(means, np.minimum(share * 4, 1))
    wide = cv2.resize(coarse, (even[1], even[0]), interpolation=cv2.INTER_LINEAR).reshape(*even, channels)[:h, :w]
    return np.asarray(wide + (values - wide) * known[..., None], dtype=np.float32)
