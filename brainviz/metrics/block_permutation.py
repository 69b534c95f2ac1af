"""The null distribution of r: blocks of the prediction in another order against the measurement, within films.

Each vertex needs only the products of every block of its measurement with every block of its prediction; a permutation
then is a choice among them, and all permutations of all vertices are one matrix product. Every vertex gets the same
permutation, which keeps the correlation between vertices and so allows for the largest value of the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from math import factorial, prod

import numpy as np
import numpy.typing as npt

from brainviz.metrics.block_bootstrap import Resampling
from brainviz.metrics.block_length import autocorrelation_of, lost_share
from brainviz.metrics.block_sums import Columns, Float32, VolumeBlocks, centred_pair
from brainviz.metrics.region_means import MeansOfDraws, Regions
from brainviz.metrics.tails import exceedance_p, tail_shape

Float64 = npt.NDArray[np.float64]

_SAMPLED_VERTICES = 512  # whose null values show the shape of the tail
_SAMPLED_PLACES = 8
_MOST_CORRECTED = 0.5
_ROUNDING = 1e-6  # an order as good as the true one may differ from it by rounding


@dataclass(frozen=True, eq=False)
class BlockOrders:
    """Orders of the blocks to try.

    Attributes
    ----------
    choice : float32 (b, m)
        1 where an order sets a measured block against a block of the prediction; m counts the pairs of blocks of one
        film, film by film, measured blocks first.
    exact : bool
        All orders there are, the true one among them, rather than random ones without it.
    """

    choice: Float32
    exact: bool

    @property
    def minimum_p(self) -> float:
        """The smallest p that counting can give."""
        return 1 / len(self.choice) if self.exact else 1 / (1 + len(self.choice))


def block_orders(blocks: VolumeBlocks, n_permutations: int, seed: int) -> BlockOrders:
    """Random orders of the blocks within each film; all of them where there are no more than `n_permutations`."""
    counts = np.bincount(blocks.film, minlength=len(blocks.films))
    exact = prod(factorial(int(k)) for k in counts) <= n_permutations
    if exact:
        tried = list(product(*(permutations(range(k)) for k in counts)))
        orders = [np.array([each[film] for each in tried]) for film in range(len(counts))]
    else:
        rng = np.random.default_rng(seed)
        orders = [rng.permuted(np.tile(np.arange(k), (n_permutations, 1)), axis=1) for k in counts]
    choice = np.zeros((len(orders[0]), int((counts**2).sum())), np.float32)
    offset = 0
    for k, order in zip(counts, orders, strict=True):
        np.put_along_axis(choice, offset + np.arange(k) * k + order, 1.0, axis=1)
        offset += k * k
    return BlockOrders(choice, exact)


def block_products(p: Float32, y: Float32, blocks: VolumeBlocks) -> Float32:
    """Products of every measured block with every block of the prediction in its film, float32 (m, v).

    Entry (j, i) of a film is sum_l y[start_j + l] p[start_i + l] over the length of block j. Where block i is shorter,
    the prediction goes on into what follows it in the film (from the end to the beginning), so that each measured
    volume counts once whatever the blocks' lengths.

    Parameters
    ----------
    p, y : float32 (volumes, v)
        Film-centred.
    """
    counts = np.bincount(blocks.film, minlength=len(blocks.films))
    result = np.empty((int((counts**2).sum()), p.shape[1]), np.float32)
    row = 0
    for film in range(len(blocks.films)):
        rows, mine = blocks.film_rows(film), blocks.film == film
        start, length = blocks.start[mine], blocks.length[mine]
        going_on = np.concatenate([p[rows], p[rows.start : rows.start + int(length.max())]])
        for measured_from, n in zip(start, length, strict=True):
            measured = y[measured_from : measured_from + n]
            for predicted_from in start - rows.start:
                stretch = going_on[predicted_from : predicted_from + n]
                np.einsum("lv,lv->v", measured, stretch, out=result[row])
                row += 1
    return result


class PermutationNull:
    """r under all orders of blocks, gathered some vertices at a time.

    Orders break what neighbouring blocks share, so the null is a little too narrow; it is widened by what blocks of
    this length lose (`lost_share`), from the measured autocorrelations. Without it the largest of a map without any
    signal came out at p < .05 in .08 of worlds.

    Attributes
    ----------
    orders : BlockOrders
    p : float64 (v,)
        One-sided p of r > 0 for every vertex that was added; NaN for unusable ones.
    """

    def __init__(
        self, prediction: Columns, measured: Columns, blocks: VolumeBlocks, regions: Regions, resampling: Resampling
    ) -> None:
        """Draw the orders, and see the tail's shape on vertices spread evenly over the map."""
        n_vertices = prediction.shape[1]
        self.blocks = blocks
        self.orders = block_orders(blocks, resampling.n_permutations, resampling.seed)
        self.p = np.full(n_vertices, np.nan)
        self._spread = np.full(n_vertices, np.nan)
        self._largest = np.full(len(self.orders.choice), -np.inf)
        self._means = MeansOfDraws(regions, len(self.orders.choice))
        self._widening = 1.0
        self._shape = self._look_at_sample(prediction, measured)

    def add(self, columns: slice, p: Float32, y: Float32) -> None:
        """Take in film-centred time courses (volumes, k) of some vertices."""
        null, r, good = self._null(p, y)
        self.p[columns] = self._count(null, np.where(good, r, np.nan), self._shape)
        mean = null.mean(0)
        spread = np.sqrt(np.maximum(np.einsum("bk,bk->k", null, null) / len(null) - mean**2, 0))
        self._spread[columns] = np.where(good & (spread > 0), spread, np.nan)
        self._means.add(columns, null, good)
        null *= np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
        null[:, ~np.isfinite(self._spread[columns])] = -np.inf
        np.maximum(self._largest, null.max(1), out=self._largest)

    def p_max(self, r: Float32) -> Float32:
        """p corrected by the largest value over vertices, each scaled by its own null's spread, float32 (v,)."""
        largest = np.sort(self._largest)
        reached = len(largest) - np.searchsorted(largest, r / self._spread - _ROUNDING, side="left")
        p = self._share(reached)
        return np.where(np.isfinite(r) & np.isfinite(self._spread), p, np.nan).astype(np.float32)

    def group_p(self, mean_r: Float64) -> Float64:
        """One-sided p of each group's mean r > 0, float64 (n + 1,)."""
        means = self._means.means
        return self._count(means, mean_r, self._tail_shape(means))

    def _null(self, p: Float32, y: Float32) -> tuple[Float32, Float32, npt.NDArray[np.bool_]]:
        """r of every order (b, k), the true one (k,), and which vertices are usable; the others hold 0."""
        products = block_products(p, y, self.blocks)
        scale = np.sqrt(np.einsum("lv,lv->v", p, p) * np.einsum("lv,lv->v", y, y))
        good = np.isfinite(scale) & (scale > 0)
        products *= np.divide(1, scale, out=np.zeros_like(scale), where=good)
        products[:, ~good] = 0
        r = true_order(self.blocks) @ products
        products *= np.float32(self._widening)
        return self.orders.choice @ products, r, good

    def _look_at_sample(self, prediction: Columns, measured: Columns) -> float:
        """Set the widening from measured autocorrelations, then return the shape of the widened null's tail."""
        n_vertices = prediction.shape[1]
        width = min(n_vertices, _SAMPLED_VERTICES // _SAMPLED_PLACES)
        starts = np.linspace(0, n_vertices - width, _SAMPLED_PLACES).astype(int)
        pairs = [
            centred_pair(prediction, measured, self.blocks, slice(int(start), int(start) + width)) for start in starts
        ]
        p, y = (np.concatenate([pair[which] for pair in pairs], axis=1) for which in (0, 1))
        mean_length = float(self.blocks.length.mean())
        lost = lost_share(autocorrelation_of(p, self.blocks), autocorrelation_of(y, self.blocks), mean_length)
        self._widening = 1 / np.sqrt(1 - min(lost, _MOST_CORRECTED))
        null, _, good = self._null(p, y)
        return self._tail_shape(null[:, good])

    def _tail_shape(self, null: npt.NDArray[np.floating]) -> float:
        return 0.0 if self.orders.exact else tail_shape(null)

    def _count(self, null: npt.NDArray[np.floating], observed: npt.NDArray[np.floating], shape: float) -> Float64:
        if not self.orders.exact:
            return exceedance_p(null, observed, shape)
        share = self._share((null >= observed - _ROUNDING).sum(0))
        return np.where(np.isfinite(observed), share, np.nan)

    def _share(self, reached: npt.NDArray[np.int64]) -> Float64:
        n = len(self.orders.choice)
        return reached / n if self.orders.exact else (1 + reached) / (1 + n)


def true_order(blocks: VolumeBlocks) -> Float32:
    """The choice that leaves all blocks where they are, float32 (m,)."""
    counts = np.bincount(blocks.film, minlength=len(blocks.films))
    return np.concatenate([np.eye(k, dtype=np.float32).ravel() for k in counts])
