"""Which frames a frame may look at: masks for the motion decoder's self-attention. True means visible."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def causal_mask(size: int) -> Mask:
    """Itself and everything before: bool (1, size, size), rows look at columns."""
    return np.tril(np.ones((1, size, size), dtype=bool))


def sparse_causal_mask(size: int, keep: float, draws: random.Random) -> Mask:
    """Random causal mask for training: the first frame always, every other earlier frame (and itself) if kept.

    Parameters
    ----------
    keep : probability that an entry stays visible. The released program calls it `mask_ratio` and takes it for the
        opposite: .6 in training keeps 60 %, and the 0 given at inference keeps none.
    draws : one draw for every entry of rows 2 and up, row by row, also for those that cannot change.

    Returns
    -------
    bool (1, size, size). Rows 0 and 1 are never thinned.
    """
    mask = causal_mask(size)
    for row in range(2, size):
        for column in range(size):
            if draws.random() < 1 - keep and column != 0:
                mask[0, row, column] = False
    return mask


def released_inference_mask(size: int) -> Mask:
    """What the released inference uses: keep probability 0, so later frames see the first frame only."""
    return sparse_causal_mask(size, 0.0, random.Random(0))  # all draws are above the probability: none matters


def released_patch_mask(size: int, written: int) -> Mask:
    """The patch network's released inference mask after `written` frames: bool (size, size).

    Its lower triangle is negated once too often: rows below `written` see only *later* frames, the rest see all.
    """
    mask = ~np.tril(np.ones((size, size), dtype=bool))
    mask[written:] = True
    return mask
