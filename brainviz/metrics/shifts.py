"""The circular-shift null: predictions set against another moment of the same film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainviz.errors import DataProblem


def allowed_shifts(n: int, minimum: int) -> np.ndarray:
    """Circular shifts of a segment of `n` clips that move every clip by at least `minimum` clips, both ways round.

    A segment too short for that (n < 2 * minimum) allows those of at least a quarter of its length.
    """
    if n < 2:
        raise DataProblem("A segment of one clip cannot be shifted against itself.", "circular shifts")
    nearest = max(1, min(minimum, n // 4 if n < 2 * minimum else minimum))
    return np.arange(nearest, n - nearest + 1)


def circular_shift_null(
    pair_errors: Sequence[np.ndarray], n_shifts: int = 1_000, minimum: int = 15, seed: int = 0
) -> np.ndarray:
    """Mean error when predictions are circularly shifted against the film, independently in every segment.

    Parameters
    ----------
    pair_errors : sequence of float arrays (n_i, n_i)
        One per segment, clips in order of time: [i, j] is the error of prediction j for the true clip i. NaN where
        clip i has no valid pixel.
    n_shifts : int
        Draws; 200 or more for a usable null.
    minimum : int
        Smallest shift in clips: 15 clips of 2 s are the 30 s of a block.
    seed : int

    Returns
    -------
    float64 array (n_shifts,)
        Mean error over all clips under each draw.
    """
    if n_shifts < 200:
        raise DataProblem(f"{n_shifts} shifts are too few for a null distribution.", "n_shifts", "Use 200 or more.")
    rng = np.random.default_rng(seed)
    total, count = np.zeros(n_shifts), 0
    for errors in pair_errors:
        n = len(errors)
        rows = np.flatnonzero(np.isfinite(errors).all(1))
        shifts = allowed_shifts(n, minimum)
        by_shift = np.array([errors[rows, (rows + shift) % n].sum() for shift in shifts])
        total += by_shift[rng.integers(0, len(shifts), n_shifts)]
        count += len(rows)
    if count == 0:
        raise DataProblem("No clip has a valid pixel, so there is no null distribution.", "circular shifts")
    return total / count


def exceedance_p(observed: float, null: np.ndarray) -> float:
    """One-sided p of an error as small as `observed`: (1 + #{null <= observed}) / (1 + len(null))."""
    return float((1 + np.count_nonzero(np.asarray(null) <= observed)) / (1 + len(null)))
