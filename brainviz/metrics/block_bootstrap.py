"""Intervals and p values by resampling whole blocks, for maps of many vertices.

A draw takes as many blocks as there are, with replacement: a row of counts, so that all draws are one matrix product
of counts and block sums (Efron & Tibshirani 1993; Kunsch 1989 on blocks). Percentiles of the draws cover .91 where
.95 is promised with some twenty blocks, so the bootstrap is studentised (chapter 12): each vertex keeps its own
standard error, from the influence of its blocks, and resampling tells how an estimate divided by its standard error
scatters. That scatter hardly differs between vertices of a map, so it is drawn for an even sample of them and pooled;
its quantiles and tail are stable, and a map of 60,000 vertices takes a fraction of a second.
Two encoders are drawn together, so what their predictions share cancels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from brainviz.metrics.block_statistics import BlockStatistic
from brainviz.metrics.tails import Tail, fit_tail

Float64 = npt.NDArray[np.float64]

SAMPLED_VERTICES = 256
FEW_BLOCKS = 8
"""With fewer blocks a bootstrap has too few distinct resamples: Student's t instead."""


@dataclass(frozen=True)
class Resampling:
    """How much is drawn.

    Attributes
    ----------
    n_permutations : int
        Orders of blocks for r > 0.
    n_draws : int
        Bootstrap draws for intervals and differences.
    level : float
        Coverage aimed at.
    seed : int
    """

    n_permutations: int = 1000
    n_draws: int = 1000
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Pivot:
    """How |estimate - truth| / standard error scatters.

    Attributes
    ----------
    n_blocks : int
    ratios : float64 (n,)
        Drawn ratios in ascending order; empty for few blocks, where Student's t with n_blocks - 1 stands for them.
    """

    n_blocks: int
    ratios: Float64
    _tail: Tail | None = field(init=False)

    def __post_init__(self) -> None:
        """Fit the tail."""
        object.__setattr__(self, "_tail", fit_tail(self.ratios) if len(self.ratios) else None)

    def reach(self, level: float) -> float:
        """Half width of an interval in standard errors."""
        from scipy.special import stdtrit

        if self.n_blocks < 2:
            return float("nan")
        if self._tail is None:
            return float(stdtrit(self.n_blocks - 1, 0.5 + level / 2))
        return float(np.quantile(self.ratios, level))

    def p(self, ratio: npt.NDArray[np.floating]) -> Float64:
        """Two-sided p of |estimate| / standard error under a truth of 0; NaN where the ratio is."""
        from scipy.special import stdtr

        size = np.abs(np.asarray(ratio, float))
        if self._tail is None:
            p = 2 * stdtr(self.n_blocks - 1, -size) if self.n_blocks > 1 else np.full(size.shape, np.nan)
        else:
            reached = len(self.ratios) - np.searchsorted(self.ratios, size, side="left")
            p = (1 + reached) / (1 + len(self.ratios))
            far = size > self._tail.threshold
            p[far] = self._tail.p(size[far])
        return np.where(np.isfinite(size), p, np.nan)


def draw_pivot(statistic: BlockStatistic, resampling: Resampling) -> Pivot:
    """Studentised bootstrap of an even sample of the map's vertices, pooled.

    In each draw the standard error is that of the draw. Draws without spread (one block repeated) are left out.
    """
    n_blocks = statistic.shape[0]
    nothing = Pivot(n_blocks, np.empty(0))
    if n_blocks < FEW_BLOCKS:
        return nothing
    usable = np.flatnonzero(np.isfinite(sum(part.sum(0) for part in statistic.parts)))
    if len(usable) == 0:
        return nothing
    sample = usable[np.unique(np.linspace(0, len(usable) - 1, min(len(usable), SAMPLED_VERTICES)).astype(int))]
    parts = [part[:, sample].astype(np.float64) for part in statistic.parts]
    counts = resampling_counts(n_blocks, resampling.n_draws, resampling.seed)
    value, _ = statistic.function([part.sum(0) for part in parts])
    drawn, slopes = statistic.function([counts @ part for part in parts])
    square = np.zeros_like(drawn)
    for i, (first, slope) in enumerate(zip(parts, slopes, strict=True)):
        square += slope**2 * (counts @ first**2)
        for second, other in zip(parts[:i], slopes[:i], strict=True):
            square += 2 * slope * other * (counts @ (first * second))
    error = np.sqrt(np.maximum(square, 0) * n_blocks / (n_blocks - 1))
    ratios = np.abs(drawn - value) / np.where(error > 1e-9 * np.abs(drawn), error, np.nan)
    ratios = ratios[np.isfinite(ratios)]
    return Pivot(n_blocks, np.sort(ratios)) if len(ratios) else nothing


@lru_cache(maxsize=4)
def resampling_counts(n_blocks: int, n_draws: int, seed: int) -> Float64:
    """How often each block is drawn in each draw, float64 (n_draws, n_blocks), read-only."""
    drawn = np.random.default_rng(seed).integers(0, n_blocks, (n_draws, n_blocks))
    flat = drawn + n_blocks * np.arange(n_draws)[:, None]
    counts = np.bincount(flat.ravel(), minlength=n_draws * n_blocks).reshape(n_draws, n_blocks).astype(np.float64)
    counts.setflags(write=False)
    return counts
