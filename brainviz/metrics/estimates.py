"""A map's values with intervals and tests: per vertex, per region, and as one mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.metrics.block_bootstrap import Draw, Float64, Resampling, bootstrap_spread, interval
from brainviz.metrics.block_sums import Float32
from brainviz.metrics.corrections import benjamini_hochberg
from brainviz.metrics.region_means import Regions, means_of_map


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
    value: Float32,
    draw: Draw,
    n_blocks: int,
    regions: Regions,
    resampling: Resampling,
    tested: tuple[Float64, Float64] | None = None,
) -> MapEstimates:
    """Intervals of a map by block bootstrap.

    Parameters
    ----------
    value : float32 (v,)
        The map itself; NaN where there is none.
    draw : Draw
        The same statistic under resampling.
    tested : (p (v,), p (n + 1,)), optional
        From a test of its own, vertices and groups; else p is the bootstrap's two-sided p of 0.
    """
    if len(regions.label) != len(value):
        raise DataProblem(f"Regions of {len(regions.label)} vertices do not go with {len(value)}.", "regions")
    spread, group_spread = bootstrap_spread(draw, n_blocks, regions, resampling)
    means, counts = means_of_map(value, regions)
    vertex_p, group_p = tested or (None, None)

    def of(values: npt.NDArray[np.floating], error: Float64, p: Float64 | None, number: npt.NDArray[Any]) -> Estimates:
        low, high, own_p = interval(values, error, n_blocks, resampling.level)
        p = own_p if p is None else p
        ends = (_float32(values), _float32(low), _float32(high))
        return Estimates(*ends, _float32(p), _float32(benjamini_hochberg(p)), number.astype(np.int64))

    def of_groups(part: slice) -> Estimates:
        return of(means[part], group_spread[part], None if group_p is None else group_p[part], counts[part])

    vertices = of(value, spread, vertex_p, np.isfinite(value))
    return MapEstimates(vertices, of_groups(slice(None, -1)), of_groups(slice(-1, None)))


def _float32(values: npt.NDArray[Any]) -> Float32:
    return np.asarray(values, np.float32)
