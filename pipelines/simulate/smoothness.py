"""Smooth things on the cortex: random maps, and the blur that signal and noise share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float32 = npt.NDArray[np.float32]

FWHM_MM = 6.0
"""Smoothness of preprocessed BOLD; the default of neuroim2's `simulate_fmri`, whose noise model we follow."""

NODE_SPACING_MM = 4.0
_REACH_SIGMAS = 2.3
_WAVES = 96


def smooth_fields(positions: Float32, length_mm: float, n: int, rng: np.random.Generator) -> Float32:
    """Random maps whose values at nearby positions agree.

    Gaussian fields with covariance exp(-d^2 / (2 length_mm^2)), approximated by random cosine waves
    (Rahimi & Recht 2007).

    Parameters
    ----------
    positions : float32 (v, 3)
        In mm.
    length_mm : float
        Distance over which values agree.
    n : int
        Number of maps, independent of each other.

    Returns
    -------
    float32 (v, n), mean about 0 and variance about 1
    """
    wave = (rng.standard_normal((3, _WAVES)) / length_mm).astype(np.float32)
    phase = rng.uniform(0, 2 * np.pi, _WAVES).astype(np.float32)
    weights = (rng.standard_normal((_WAVES, n)) * np.sqrt(2 / _WAVES)).astype(np.float32)
    fields: Float32 = np.cos(positions @ wave + phase) @ weights
    return fields


def blur(positions: Float32, nodes: Float32, fwhm_mm: float = FWHM_MM) -> csr_array:
    """Gaussian weights from nodes to positions, sparse (v, m), rows not normalised.

    Raises no error for a position without a node in reach: its row holds its nearest node.
    """
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

    sigma = fwhm_mm / np.sqrt(8 * np.log(2))
    tree = cKDTree(nodes)
    pairs = cKDTree(positions).sparse_distance_matrix(tree, _REACH_SIGMAS * sigma, output_type="coo_matrix")
    distance, nearest = tree.query(positions)
    rows = np.concatenate([pairs.row, np.arange(len(positions))])
    columns = np.concatenate([pairs.col, nearest])
    # The nearest node is in both lists: half its weight each, and a whole one where it is out of reach.
    within = np.concatenate([pairs.data, distance])
    weight = np.exp(-0.5 * (within / sigma) ** 2)
    key, first = np.unique(rows.astype(np.int64) * len(nodes) + columns, return_index=True)
    matrix = csr_array(
        (weight[first].astype(np.float32), (key // len(nodes), key % len(nodes))),
        shape=(len(positions), len(nodes)),
        dtype=np.float32,
    )
    matrix.sort_indices()
    return matrix


def unit_variance(weights: csr_array) -> csr_array:
    """Rows scaled so that independent nodes of variance 1 give variance 1."""
    return _scaled(weights, 1 / np.sqrt(np.asarray(weights.multiply(weights).sum(1)).ravel()))


def unit_sum(weights: csr_array) -> csr_array:
    """Rows scaled to sum 1: a weighted mean of the nodes."""
    return _scaled(weights, 1 / np.asarray(weights.sum(1)).ravel())


def _scaled(weights: csr_array, factor: npt.NDArray[np.floating]) -> csr_array:
    from scipy.sparse import csr_array

    data = weights.data * np.repeat(factor.astype(np.float32), np.diff(weights.indptr))
    return csr_array((data, weights.indices, weights.indptr), shape=weights.shape)


def node_positions(positions: Float32, spacing_mm: float = NODE_SPACING_MM) -> Float32:
    """One position for each occupied cube of a grid of this spacing, (m, 3): where independent noise sits."""
    cell = np.floor((positions - positions.min(0)) / spacing_mm).astype(np.int64)
    extent = cell.max(0) + 1
    key = (cell[:, 0] * extent[1] + cell[:, 1]) * extent[2] + cell[:, 2]
    _, first = np.unique(key, return_index=True)
    return positions[first]
