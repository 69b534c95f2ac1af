"""Learning rates and penalties over training."""

from __future__ import annotations

import math

SEMANTIC_LR = 2e-4
STRUCTURE_LR = 1e-6
EPOCH_DECAY = 0.999
"""Learning rate of semantic and structure decoder: times this after every epoch."""

MOTION_L1, MOTION_L1_RATE = 6e-7, 1e-3
STRUCTURE_L1, STRUCTURE_L1_RATE = 4e-6, 5e-5


def noam_rate(step: int, width: int, warmup: int = 50, factor: float = 1.0) -> float:
    """Learning rate of step 1, 2, ...: rises for `warmup` steps, then falls with the root (Vaswani 2017, 5.3)."""
    return factor * width**-0.5 * min(step**-0.5, step * warmup**-1.5)


def exponential_rate(start: float, epoch: int, decay: float = EPOCH_DECAY) -> float:
    """Learning rate of epoch 0, 1, ..."""
    return start * decay**epoch


def decayed(start: float, rate: float, epochs: int) -> list[float]:
    """Weight of the L1 penalty used in each epoch, float (epochs,).

    As released the decay compounds: w_(e+1) = w_e * exp(-rate * e), so w_e = w_0 * exp(-rate * e(e - 1) / 2), not the
    exp(-rate * e) that the name suggests.
    """
    return [start * math.exp(-rate * epoch * (epoch - 1) / 2) for epoch in range(epochs)]
