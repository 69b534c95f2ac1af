"""A map's values with intervals and tests: per vertex, per region, and as one mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.metrics.block_bootstrap import Float64, Pivot, Resampling, draw_pivot
from brainviz.metrics.block_statistics import BlockStatistic
from brainviz.metrics.block_sums import Float32, chunks
from brainviz.metrics.corrections import benjamini_hochberg
from brainviz.metrics.region_means import MeansOfDraws, Regions, means_of_map


@dataclass(frozen=True, eq=False)
class Estimates:
    """Values with intervals and tests; arrays (k,), NaN where there is no value.

    Attributes
    ----------
    value, low, high : float32 (k,)
    p, q : float32 (k,)
        q is Benjamini and Hochberg's over the finite entries.
    n_vertices : int64 (k,)
        Vertices behind each value.
    """

    value: Float32
    low: Float32
    high: Float32
    p: Float32
    q: Float32
    n_vertices: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MapEstimates:
    """Estimates of one map, all from the same draws.

    Attributes
    ----------
    vertices : Estimates (v,)
    regions : Estimates (n,)
        Means over each region's usable vertices; q over regions.
    mean : Estimates (1,)
        Mean over the chosen vertices; its q is its p.
    """

    vertices: Estimates
    regions: Estimates
    mean: Estimates


def estimate_map(
    statistic: BlockStatistic,
    regions: Regions,
    resampling: Resampling,
    tested: tuple[Float64, Float64] | None = None,
) -> MapEstimates:
    """A map with its intervals, from one studentised block bootstrap.

    The standard error of a region's mean is that of the mean of its vertices' influences, block by block, so vertices
    that vary together are counted as such.

    Parameters
    ----------
    statistic : BlockStatistic of v vertices
    regions : Regions of v vertices
    resampling : Resampling
    tested : (p (v,), p (n + 1,)), optional
        From a test of its own, vertices and groups; else p is the bootstrap's two-sided p of 0.

    Raises
    ------
    DataProblem
        Where regions and statistic differ in vertices.
    """
    n_blocks, n_vertices = statistic.shape
    if len(regions.label) != n_vertices:
        raise DataProblem(f"Regions of {len(regions.label)} vertices do not go with {n_vertices}.", "regions")
    value, square = np.empty((2, n_vertices), np.float32)
    influences = MeansOfDraws(regions, n_blocks)
    for columns in chunks(n_vertices):
        value[columns], influence = statistic.influence(columns)
        usable = np.isfinite(value[columns])
        square[columns] = np.einsum("bk,bk->k", influence, influence)
        influence[:, ~usable] = 0
        influences.add(columns, influence, usable)
    widening = n_blocks / max(n_blocks - 1, 1)
    error = np.sqrt(square * widening)
    group_error = np.sqrt((influences.means**2).sum(0) * widening)
    means, counts = means_of_map(value, regions)
    pivot = draw_pivot(statistic, resampling)
    vertex_p, group_p = tested or (None, None)

    def of_groups(part: slice) -> Estimates:
        p = None if group_p is None else group_p[part]
        return _estimates(means[part], group_error[part], p, counts[part], pivot, resampling.level)

    vertices = _estimates(value, error, vertex_p, np.isfinite(value), pivot, resampling.level)
    return MapEstimates(vertices, of_groups(slice(None, -1)), of_groups(slice(-1, None)))


def _estimates(
    value: npt.NDArray[Any],
    error: npt.NDArray[Any],
    p: Float64 | None,
    n_vertices: npt.NDArray[Any],
    pivot: Pivot,
    level: float,
) -> Estimates:
    half = pivot.reach(level) * error
    if p is None:
        p = pivot.p(np.divide(value, error, out=np.full(len(value), np.nan), where=error > 0))
    q = benjamini_hochberg(p)
    arrays = (np.asarray(each, np.float32) for each in (value, value - half, value + half, p, q))
    first, low, high, p32, q32 = arrays
    return Estimates(first, low, high, p32, q32, np.asarray(n_vertices, np.int64))
