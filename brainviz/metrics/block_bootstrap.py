"""Spread of correlations under resampling of whole blocks, for one encoder and for the difference of two.

A draw takes as many blocks as there are, with replacement, and so is a row of counts; all draws of all vertices are one
matrix product of counts and block sums (Efron & Tibshirani 1993; Kunsch 1989 on blocks). Two encoders are drawn
together, so what their predictions share cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from brainviz.metrics.block_sums import BlockSums, Float32, chunks
from brainviz.metrics.region_means import MeansOfDraws, Regions

Float64 = npt.NDArray[np.float64]

_SMALLEST = np.float32(1e-12)
_DRAWN_AT_ONCE = 512  # vertices: a thousand draws of them stay in the processor's cache


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


@lru_cache(maxsize=4)
def resampling_counts(n_blocks: int, n_draws: int, seed: int) -> Float32:
    """How often each block is drawn in each draw, float32 (n_draws, n_blocks), read-only."""
    drawn = np.random.default_rng(seed).integers(0, n_blocks, (n_draws, n_blocks))
    flat = drawn + n_blocks * np.arange(n_draws)[:, None]
    counts = np.bincount(flat.ravel(), minlength=n_draws * n_blocks).reshape(n_draws, n_blocks).astype(np.float32)
    counts.setflags(write=False)
    return counts


Draw = Callable[[slice, Float32], tuple[Float32, npt.NDArray[np.bool_]]]
"""From columns and counts (n_draws, n_blocks): a statistic in every draw, (n_draws, k), and who is usable, (k,)."""


def drawn_r(sums: BlockSums) -> Draw:
    """Correlation of one encoder."""

    def draw(columns: slice, counts: Float32) -> tuple[Float32, npt.NDArray[np.bool_]]:
        pp, py, yy = (part[:, columns] for part in (sums.pp, sums.py, sums.yy))
        p_total, y_total = pp.sum(0), yy.sum(0)
        r = counts @ (py * _inverse(np.sqrt(p_total * y_total)))
        r *= _drawn_inverse_root(pp, p_total, counts)
        r *= _drawn_inverse_root(yy, y_total, counts)
        return r, (p_total > 0) & (y_total > 0)

    return draw


def drawn_difference(a: BlockSums, b: BlockSums) -> Draw:
    """Correlation of encoder a minus that of encoder b, on the same measurement."""

    def draw(columns: slice, counts: Float32) -> tuple[Float32, npt.NDArray[np.bool_]]:
        yy = a.yy[:, columns]
        y_total = yy.sum(0)
        good = y_total > 0
        both = []
        for sums in (a, b):
            pp = sums.pp[:, columns]
            p_total = pp.sum(0)
            r = counts @ (sums.py[:, columns] * _inverse(np.sqrt(p_total * y_total)))
            r *= _drawn_inverse_root(pp, p_total, counts)
            both.append(r)
            good &= p_total > 0
        difference = np.subtract(both[0], both[1], out=both[0])
        difference *= _drawn_inverse_root(yy, y_total, counts)
        return difference, good

    return draw


def drawn_ratio(above: Float32, below: Float32) -> Draw:
    """Ratio of two block sums (n_blocks, v) each: shares of variance, say."""

    def draw(columns: slice, counts: Float32) -> tuple[Float32, npt.NDArray[np.bool_]]:
        total = below[:, columns].sum(0)
        scale = _inverse(total)
        ratio = counts @ (above[:, columns] * scale)
        ratio /= np.maximum(counts @ (below[:, columns] * scale), _SMALLEST)
        return ratio, (total > 0) & np.isfinite(above[:, columns].sum(0))

    return draw


def bootstrap_spread(draw: Draw, n_blocks: int, regions: Regions, resampling: Resampling) -> tuple[Float64, Float64]:
    """Spread of a statistic over draws of blocks.

    Returns
    -------
    vertices : float64 (v,), groups : float64 (n + 1,)
        The second of means over each region's vertices and, last, over the chosen vertices.
    """
    counts = resampling_counts(n_blocks, resampling.n_draws, resampling.seed)
    n_vertices = len(regions.label)
    spread, means = np.empty(n_vertices), MeansOfDraws(regions, resampling.n_draws)
    for columns in chunks(n_vertices, _DRAWN_AT_ONCE):
        draws, good = draw(columns, counts)
        if not good.all():
            draws[:, ~good] = 0
        spread[columns] = spread_of(draws)
        means.add(columns, draws, good)
    return spread, spread_of(means.means)


def spread_of(draws: npt.NDArray[np.floating]) -> Float64:
    """Standard deviation over draws, float64 (k,).

    Widened by sqrt(n / (n - 1)) for n blocks in `interval`, since a resample varies that much less than the sample.
    """
    mean = draws.mean(0, dtype=draws.dtype)
    square = np.einsum("bk,bk->k", draws, draws).astype(float) / len(draws)
    return np.sqrt(np.maximum(square - mean.astype(float) ** 2, 0) * len(draws) / max(len(draws) - 1, 1))


def interval(
    value: npt.NDArray[np.floating], spread: Float64, n_blocks: int, level: float
) -> tuple[Float64, Float64, Float64]:
    """Interval and two-sided p of a value of 0, from the bootstrap's spread and Student's t with n_blocks - 1.

    Chosen among percentile, basic, bias-corrected and this one by its coverage in `pipelines.encoding.calibration`: a
    percentile interval of some twenty blocks is too narrow, and its p cannot go below 2 / n_draws.

    Returns
    -------
    low, high, p : float64 (k,)
        NaN with fewer than two blocks or where the value is NaN; p is NaN also where nothing varies.
    """
    from scipy.special import stdtr, stdtrit

    value = np.asarray(value, float)
    if n_blocks < 2:
        return (np.full(value.shape, np.nan),) * 3
    error = np.where(np.isfinite(value), spread * np.sqrt(n_blocks / (n_blocks - 1)), np.nan)
    half = stdtrit(n_blocks - 1, 0.5 + level / 2) * error
    t = np.divide(np.abs(value), error, out=np.full(value.shape, np.nan), where=error > 0)
    return value - half, value + half, 2 * stdtr(n_blocks - 1, -t)


def _drawn_inverse_root(part: Float32, total: Float32, counts: Float32) -> Float32:
    """1 / sqrt(sum of squares in each draw, relative to the whole sample), float32 (n_draws, k)."""
    # Sums of 1 over all blocks keep float32 products accurate whatever the data's units.
    square = counts @ (part * _inverse(total))
    np.sqrt(np.maximum(square, _SMALLEST, out=square), out=square)
    return np.divide(1, square, out=square)


def _inverse(values: Float32) -> Float32:
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)
