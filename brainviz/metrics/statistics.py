"""Tests and intervals on blocks of clips.

All functions take plain arrays. `values` is (n_clips,) or (n_clips, n_columns); columns are independent questions
that share clips, blocks and random draws. A NaN is a clip without an answer (no valid pixel): it leaves its column.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from brainviz.errors import DataProblem

N_PERMUTATIONS = 20_000
N_RESAMPLES = 5_000
_EXACT_BLOCKS = 14  # 2**14 sign patterns: fewer than the random draws, so all of them are tried
_FEW_BLOCKS = 8  # below this a bootstrap has too few distinct resamples: Student's t on block sums instead


@dataclass(frozen=True)
class BlockTest:
    """A paired comparison: one entry per column (0-d arrays for a single column)."""

    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    n_blocks: np.ndarray
    n_clips: np.ndarray


def block_sums(values: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of finite values in each block.

    Parameters
    ----------
    values : float array (n, k)
    blocks : int array (n,)

    Returns
    -------
    sums, counts : float64 arrays (n_blocks, k)
    """
    ids, block = np.unique(blocks, return_inverse=True)
    member = np.zeros((len(ids), len(block)))
    member[block, np.arange(len(block))] = 1.0
    finite = np.isfinite(values)
    return member @ np.where(finite, values, 0.0), member @ finite.astype(float)


def sign_flip_test(
    differences: np.ndarray, blocks: np.ndarray, n_permutations: int = N_PERMUTATIONS, seed: int = 0
) -> np.ndarray:
    """Two-sided p of a mean difference of zero, by flipping the sign of whole blocks.

    Under the null the two systems are exchangeable within a block, so each block's sum of differences may have either
    sign. With at most 14 blocks all sign patterns are counted; else p = (1 + #) / (1 + n_permutations).

    Parameters
    ----------
    differences : float array (n,) or (n, k)
        Paired differences per clip.
    blocks : int array (n,)
    n_permutations : int
    seed : int

    Returns
    -------
    float64 array () or (k,)
        NaN where a column has no finite value.
    """
    columns = _columns(differences, blocks)
    sums, counts = block_sums(columns, blocks)
    observed = np.abs(sums.sum(0))
    # Rounding must not decide whether a pattern that equals the observed one counts.
    threshold = observed - 1e-9 * np.abs(sums).sum(0)
    if len(sums) <= _EXACT_BLOCKS:
        p = (np.abs(_all_signs(len(sums)) @ sums) >= threshold).mean(0)
    else:
        signs = _random_signs(len(sums), n_permutations, seed)
        p = (1 + (np.abs(signs @ sums) >= threshold).sum(0)) / (1 + n_permutations)
    return _like(differences, np.where(counts.sum(0) > 0, p, np.nan))


def bootstrap_interval(
    values: np.ndarray,
    blocks: np.ndarray,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    method: str = "t",
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence interval of the mean over clips, resampling whole blocks.

    Parameters
    ----------
    values : float array (n,) or (n, k)
    blocks : int array (n,)
    level : float
        Coverage aimed at.
    n_resamples, seed : int
    method : {"t", "bca", "percentile"}
        "t": bootstrap-t (Efron & Tibshirani 1993, chapter 12), whose coverage is right already at some 20 blocks;
        "bca": bias-corrected and accelerated (chapter 14); "percentile": the plain quantiles, too narrow for few
        blocks. With fewer than 8 blocks "t" is Student's t on the blocks' sums.

    Returns
    -------
    low, high : float64 arrays () or (k,)
        NaN where fewer than two blocks hold a value.
    """
    if method not in ("t", "bca", "percentile"):
        raise DataProblem(f"There is no interval of the kind {method!r}.", "method", "Use t, bca or percentile.")
    columns = _columns(values, blocks)
    low, high = np.full((2, columns.shape[1]), np.nan)
    sums, counts = block_sums(columns, blocks)
    used = counts > 0
    # Columns with the same empty blocks share their draws: usually all of them.
    patterns, group = np.unique(used, axis=1, return_inverse=True)
    for which in range(patterns.shape[1]):
        keep, members = patterns[:, which], np.flatnonzero(group.ravel() == which)
        if keep.sum() < 2:
            continue
        s, c = sums[np.ix_(keep, members)], counts[np.ix_(keep, members)]
        low[members], high[members] = _interval(s, c, level, n_resamples, seed, method)
    return _like(values, low), _like(values, high)


def paired_block_test(
    a: np.ndarray,
    b: np.ndarray,
    blocks: np.ndarray,
    level: float = 0.95,
    n_permutations: int = N_PERMUTATIONS,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> BlockTest:
    """Mean of `a - b` over clips, its block interval and its sign-flip p.

    Parameters
    ----------
    a, b : float arrays (n,) or (n, k)
        The two systems' errors on the same clips. A clip that either lacks is left out.
    blocks : int array (n,)
        From `brainviz.metrics.blocks.shot_blocks`.
    """
    if np.shape(a) != np.shape(b):
        raise DataProblem(f"The two systems were scored on different clips: {np.shape(a)} and {np.shape(b)}.")
    difference = np.asarray(a, float) - np.asarray(b, float)
    columns = _columns(difference, blocks)
    sums, counts = block_sums(columns, blocks)
    n_clips = counts.sum(0)
    mean = np.divide(sums.sum(0), n_clips, out=np.full(len(n_clips), np.nan), where=n_clips > 0)
    low, high = bootstrap_interval(difference, blocks, level, n_resamples, seed)
    p = sign_flip_test(difference, blocks, n_permutations, seed)
    n_blocks = (counts > 0).sum(0)
    return BlockTest(
        _like(difference, mean), low, high, p, _like(difference, n_blocks), _like(difference, n_clips.astype(int))
    )


def _interval(
    sums: np.ndarray, counts: np.ndarray, level: float, n_resamples: int, seed: int, method: str
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of sum(sums) / sum(counts) for columns without empty blocks: arrays (k,), (k,)."""
    n_blocks = len(sums)
    tail = (1 - level) / 2
    mean, error = _mean_and_error(sums, counts, np.ones((1, n_blocks)))
    if method == "t" and n_blocks < _FEW_BLOCKS:
        from scipy.stats import t as student

        half = float(student.ppf(1 - tail, n_blocks - 1)) * error[0]
        return mean[0] - half, mean[0] + half
    weights = _resampling_counts(n_blocks, n_resamples, seed)
    means, errors = _mean_and_error(sums, counts, weights)
    if method == "t":
        # A resample of one block repeated has no spread and so no t value: left out (probability n ** (1 - n)).
        deviation = np.where(errors > 1e-12 * np.abs(means).max(initial=1e-300), means - mean, np.nan)
        t_values = np.divide(deviation, errors, out=np.full_like(errors, np.nan), where=errors > 0)
        with np.errstate(all="ignore"):
            upper, lower = np.nanquantile(np.where(error > 0, t_values, 0.0), [1 - tail, tail], axis=0)
        return mean[0] - upper * error[0], mean[0] - lower * error[0]
    if method == "percentile":
        low, high = np.quantile(means, [tail, 1 - tail], axis=0)
        return low, high
    return _bca(sums, counts, mean[0], means, tail)


def _mean_and_error(sums: np.ndarray, counts: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and its linearised standard error under block weights (b, n_blocks): arrays (b, k)."""
    n_blocks = len(sums)
    total = weights @ counts
    mean = (weights @ sums) / total
    square = weights @ sums**2 - 2 * mean * (weights @ (sums * counts)) + mean**2 * (weights @ counts**2)
    return mean, np.sqrt(np.maximum(square, 0.0) * n_blocks / (n_blocks - 1)) / total


def _bca(
    sums: np.ndarray, counts: np.ndarray, mean: np.ndarray, means: np.ndarray, tail: float
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import ndtr, ndtri

    below = (means < mean).mean(0) + 0.5 * (means == mean).mean(0)
    bias = ndtri(np.clip(below, 1 / len(means), 1 - 1 / len(means)))
    left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    spread = left_out.mean(0) - left_out
    power = (spread**2).sum(0)
    skew = np.divide((spread**3).sum(0), 6 * power**1.5, out=np.zeros_like(power), where=power > 0)
    ends = []
    for z in (ndtri(tail), ndtri(1 - tail)):
        level = ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
        ends.append(np.array([np.quantile(column, q) for column, q in zip(means.T, level, strict=True)]))
    return ends[0], ends[1]


@lru_cache(maxsize=8)
def _resampling_counts(n_blocks: int, n_resamples: int, seed: int) -> np.ndarray:
    """How often each block is drawn in each resample: float array (n_resamples, n_blocks), read-only."""
    draws = np.random.default_rng(seed).integers(0, n_blocks, (n_resamples, n_blocks))
    flat = draws + n_blocks * np.arange(n_resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=n_resamples * n_blocks).reshape(n_resamples, n_blocks).astype(float)
    counts.flags.writeable = False
    return counts


@lru_cache(maxsize=4)
def _random_signs(n_blocks: int, n_permutations: int, seed: int) -> np.ndarray:
    """Random sign patterns: float array (n_permutations, n_blocks), read-only."""
    signs = 2.0 * np.random.default_rng(seed).integers(0, 2, (n_permutations, n_blocks)) - 1.0
    signs.flags.writeable = False
    return signs


@lru_cache(maxsize=8)
def _all_signs(n_blocks: int) -> np.ndarray:
    """Every sign pattern: float array (2 ** n_blocks, n_blocks)."""
    bits = (np.arange(2**n_blocks)[:, None] >> np.arange(n_blocks)) & 1
    return 1.0 - 2.0 * bits


def _columns(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Values as float64 (n, k), checked against the blocks."""
    columns = np.asarray(values, float)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or len(columns) != len(blocks) or len(blocks) == 0:
        raise DataProblem(f"{np.shape(values)} values do not go with {len(blocks)} block labels.", "blocks")
    return columns


def _like(values: np.ndarray, result: np.ndarray) -> np.ndarray:
    """The result per column; a 0-d array where the values were one column without an axis of its own."""
    return np.asarray(result[0]) if np.ndim(values) == 1 else result
