"""Correlations and shares of variance as functions of block sums, with their slopes.

Each is a smooth function of a few totals that does not change when all totals are scaled alike. Then the influence of a
block, sum_i slope_i x_i(block), adds up to zero over blocks, and its sum of squares is the infinitesimal jackknife's
variance of the function (Efron & Tibshirani 1993, chapter 20): of a vertex, and of any mean over vertices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.metrics.block_sums import BlockSums, Float32

Floats = npt.NDArray[np.floating[Any]]
Function = Callable[[Sequence[Floats]], tuple[Floats, Sequence[Floats]]]
"""From totals of any shape: the value, and its derivative by each total."""


@dataclass(frozen=True, eq=False)
class BlockStatistic:
    """A function of block sums.

    Attributes
    ----------
    parts : tuple of float32 (n_blocks, v)
        What is summed.
    function : Function
        NaN where the totals give no value.
    """

    parts: tuple[Float32, ...]
    function: Function

    def __post_init__(self) -> None:
        """Refuse parts of different shapes."""
        shapes = {part.shape for part in self.parts}
        if len(shapes) != 1:
            raise DataProblem(
                f"Block sums of different shapes: {sorted(shapes)}.", "block sums", "Use the same blocks."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Blocks and vertices."""
        n_blocks, n_vertices = self.parts[0].shape
        return n_blocks, n_vertices

    def influence(self, columns: slice) -> tuple[Float32, Float32]:
        """Value (k,) and influence of each block (n_blocks, k) of some vertices; NaN where there is no value."""
        parts = [part[:, columns] for part in self.parts]
        value, slopes = self.function([part.sum(0, dtype=np.float64) for part in parts])
        influence = parts[0] * slopes[0].astype(np.float32)
        for part, slope in zip(parts[1:], slopes[1:], strict=True):
            influence += part * slope.astype(np.float32)
        return value.astype(np.float32), influence


def correlation(sums: BlockSums) -> BlockStatistic:
    """r of one encoder."""
    return BlockStatistic((sums.pp, sums.py, sums.yy), _correlation)


def correlation_difference(a: BlockSums, b: BlockSums) -> BlockStatistic:
    """r of encoder a minus r of encoder b on the same measurement; `yy` is taken from `a`."""
    return BlockStatistic((a.pp, a.py, b.pp, b.py, a.yy), _difference)


def ratio(above: Float32, below: Float32) -> BlockStatistic:
    """Total of one over total of another, (n_blocks, v) each."""
    return BlockStatistic((above, below), _ratio)


def _correlation(totals: Sequence[Floats]) -> tuple[Floats, Sequence[Floats]]:
    pp, py, yy = totals
    product = pp * yy
    root = _inverse(np.sqrt(product, out=np.full_like(product, np.nan), where=product > 0))
    r = py * root
    return r, (-0.5 * r * _inverse(pp), root, -0.5 * r * _inverse(yy))


def _difference(totals: Sequence[Floats]) -> tuple[Floats, Sequence[Floats]]:
    pp_a, py_a, pp_b, py_b, yy = totals
    a, (by_pp_a, by_py_a, by_yy_a) = _correlation((pp_a, py_a, yy))
    b, (by_pp_b, by_py_b, by_yy_b) = _correlation((pp_b, py_b, yy))
    return a - b, (by_pp_a, by_py_a, -by_pp_b, -by_py_b, by_yy_a - by_yy_b)


def _ratio(totals: Sequence[Floats]) -> tuple[Floats, Sequence[Floats]]:
    above, below = totals
    inverse = _inverse(below)
    value = above * inverse
    return value, (inverse, -value * inverse)


def _inverse(values: Floats) -> Floats:
    return np.divide(1, values, out=np.full_like(values, np.nan), where=values > 0)
