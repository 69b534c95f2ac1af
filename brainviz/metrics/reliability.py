"""How repeatable each vertex is: split-half reliability, signal power, noise ceiling.

Training repeats serve to choose vertices, test repeats give the ceiling; never the other way round. Everything streams
over segments and works on a few thousand vertices at a time, so memory-mapped recordings of a whole subject are fine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Array = npt.NDArray[np.float32]
Runs = Iterable[Sequence[npt.NDArray[Any]]]
"""For each segment its runs, each (volumes, vertices)."""

_VERTICES_AT_ONCE = 8192
BLOCK_VOLUMES = 15
"""Shortest block of volumes that counts as one observation: 30 s at a TR of 2 s."""


@dataclass(frozen=True)
class NoiseCeiling:
    """Per vertex; NaN where a vertex never varies or holds NaN.

    Attributes
    ----------
    signal_power : float32 (v,)
        SP = [R Var(mean) - mean_r Var(run)] / (R - 1); may be negative for a vertex without signal.
    mean_variance : float32 (v,)
        Var(mean) of the average over runs.
    r_max : float32 (v,)
        sqrt(SP / Var(mean)): the highest correlation that a perfect model of the stimulus can expect with the average
        over runs; 0 where SP is not positive.
    p : float32 (v,)
        One-sided p of SP > 0, from a t-test over blocks of 15 volumes or more (blocks, because volumes are
        autocorrelated). Normalise only where it is small after correction.
    n_runs : int
    """

    signal_power: Array
    mean_variance: Array
    r_max: Array
    p: Array
    n_runs: int


def split_half_reliability(runs: Runs) -> Array:
    """Mean correlation between pairs of single runs, per vertex.

    r = mean over pairs of runs (i, j) and segments of corr(run_i, run_j), segments weighted by their volumes. With
    two runs this is the split-half correlation of single runs, not stepped up to the average.

    Parameters
    ----------
    runs : iterable of segments, each a sequence of runs (volumes, vertices)
        Segments with a single run are passed over; further volumes than the shortest run's are not used.

    Returns
    -------
    float32 (vertices,)
        NaN where a vertex is constant or NaN in some run.

    Raises
    ------
    DataProblem
        If no segment has two runs, or runs differ in vertices.
    """
    total: npt.NDArray[np.float64] | None = None
    volumes = 0
    for segment in _repeated(runs):
        n_volumes, n_vertices, n_runs = len(segment[0]), segment[0].shape[1], len(segment)
        total = _of_width(total, n_vertices)
        for columns in _chunks(n_vertices):
            z = np.stack([_standardised(np.asarray(run[:, columns], np.float32)) for run in segment])
            # sum over pairs of z_i z_j = [(sum z)^2 - sum z^2] / 2
            products = (z.sum(0) ** 2 - (z**2).sum(0)).sum(0, dtype=np.float64)
            total[columns] += products / (n_runs * (n_runs - 1))
        volumes += n_volumes
    if total is None:
        raise _no_repeats()
    return (total / volumes).astype(np.float32)


def noise_ceiling(runs: Runs) -> NoiseCeiling:
    """Signal power and noise ceiling (Sahani & Linden, NIPS 2003; Schoppe et al., Front. Comput. Neurosci. 2016).

    Variances are within a segment (each run's mean over the segment taken off) and pooled over segments by volumes.

    Parameters
    ----------
    runs : as in `split_half_reliability`; every segment with the same number of runs counts alike.

    Raises
    ------
    DataProblem
        If no segment has two runs, or runs differ in vertices.
    """
    sums: npt.NDArray[np.float64] | None = None  # rows: sum of SP, of its square over blocks, of Var(mean)
    volumes = blocks = 0
    most_runs = 0
    for segment in _repeated(runs):
        n_volumes, n_vertices, n_runs = len(segment[0]), segment[0].shape[1], len(segment)
        starts = np.arange(0, max(n_volumes - BLOCK_VOLUMES, 0) + 1, BLOCK_VOLUMES)
        sums = np.zeros((3, n_vertices)) if sums is None else sums
        if sums.shape[1] != n_vertices:
            raise _unequal(sums.shape[1], n_vertices)
        for columns in _chunks(n_vertices):
            centred = np.stack([np.asarray(run[:, columns], np.float32) for run in segment])
            centred -= centred.mean(1, keepdims=True)
            mean_square = centred.mean(0) ** 2
            power = (n_runs * mean_square - (centred**2).mean(0)) / (n_runs - 1)
            per_block = np.add.reduceat(power.astype(np.float64), starts, axis=0)
            sums[0, columns] += per_block.sum(0)
            sums[1, columns] += (per_block**2).sum(0)
            sums[2, columns] += mean_square.sum(0, dtype=np.float64)
        volumes += n_volumes
        blocks += len(starts)
        most_runs = max(most_runs, n_runs)
    if sums is None:
        raise _no_repeats()
    return _ceiling(sums, volumes, blocks, most_runs)


def region_ceiling(ceiling: NoiseCeiling, regions: npt.NDArray[Any], n_regions: int) -> Array:
    """Noise ceiling of each region as the ratio of sums, sqrt(sum SP / sum Var(mean)), which no weak vertex upsets.

    Parameters
    ----------
    ceiling : NoiseCeiling of v vertices
    regions : int (v,)
        Region of each vertex, 0 to n_regions - 1; other values belong to none.
    n_regions : int

    Returns
    -------
    float32 (n_regions,), NaN for a region without a usable vertex, 0 where its summed power is not positive.
    """
    usable = np.isfinite(ceiling.signal_power) & (regions >= 0) & (regions < n_regions)
    where = np.asarray(regions)[usable].astype(int)
    power = np.bincount(where, ceiling.signal_power[usable].astype(float), n_regions)
    variance = np.bincount(where, ceiling.mean_variance[usable].astype(float), n_regions)
    share = np.divide(power, variance, out=np.full(n_regions, np.nan), where=variance > 0)
    return np.sqrt(np.clip(share, 0, None)).astype(np.float32)


def _ceiling(sums: npt.NDArray[np.float64], volumes: int, blocks: int, n_runs: int) -> NoiseCeiling:
    from scipy.special import stdtr

    power, variance = sums[0] / volumes, sums[2] / volumes
    varies = np.isfinite(variance) & (variance > 0)
    share = np.divide(power, variance, out=np.full(len(power), np.nan), where=varies)
    p = np.full(len(power), np.nan)
    if blocks > 1:
        mean = sums[0] / blocks
        spread = np.sqrt(np.maximum(sums[1] / blocks - mean**2, 0) / (blocks - 1))
        t = np.divide(mean, spread, out=np.full(len(power), np.nan), where=varies & (spread > 0))
        p = stdtr(blocks - 1, -t)
    return NoiseCeiling(
        np.where(varies, power, np.nan).astype(np.float32),
        np.where(varies, variance, np.nan).astype(np.float32),
        np.sqrt(np.clip(share, 0, None)).astype(np.float32),
        p.astype(np.float32),
        n_runs,
    )


def _repeated(runs: Runs) -> Iterator[list[npt.NDArray[Any]]]:
    """Segments seen at least twice, their runs cut to the shortest."""
    for segment in runs:
        if len(segment) < 2:
            continue
        shapes = [np.shape(run) for run in segment]
        if any(len(shape) != 2 for shape in shapes) or len({shape[1] for shape in shapes}) != 1:
            raise DataProblem(f"Runs of one segment must be (volumes, vertices) alike, not {shapes}.", "runs")
        n_volumes = min(shape[0] for shape in shapes)
        if n_volumes < 2:
            raise DataProblem("A run of fewer than two volumes has no variance.", "runs")
        yield [run[:n_volumes] for run in segment]


def _standardised(run: Array) -> Array:
    """Mean 0 and variance 1 over volumes; NaN for constant vertices."""
    centred = run - run.mean(0)
    spread = centred.std(0)
    # A constant column keeps rounding noise after centring; it is no signal.
    constant = ~(spread > 1e-6 * np.maximum(np.abs(run).max(0), 1e-30))
    return np.asarray(centred / np.where(constant, np.nan, spread), dtype=np.float32)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _VERTICES_AT_ONCE, n)) for start in range(0, n, _VERTICES_AT_ONCE))


def _of_width(total: npt.NDArray[np.float64] | None, n: int) -> npt.NDArray[np.float64]:
    if total is None:
        return np.zeros(n)
    if len(total) != n:
        raise _unequal(len(total), n)
    return total


def _unequal(first: int, second: int) -> DataProblem:
    return DataProblem(f"Segments differ in their number of vertices: {first} and {second}.", "runs")


def _no_repeats() -> DataProblem:
    return DataProblem("No segment was recorded twice, so nothing can be said about repeatability.", "runs")
