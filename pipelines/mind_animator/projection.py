"""Which vertices a decoder leans on: products of its weights (filters), and Haufe patterns beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from torch import nn

from brainviz.errors import DataProblem

Array = NDArray[np.float64]


def weight_product(matrices: Sequence[NDArray[np.floating]]) -> Array:
    """Absolute mean over outputs of the product of a network's linear layers: float64 (vertices,).

    `matrices` are transposed weights (inputs, outputs), from the fMRI on. As released: activations, norms and skips are
    ignored, and the mean over outputs lets opposite signs cancel, so it is a rough measure of the *filter*; what signal
    a vertex carries is `haufe_pattern`.
    """
    product = reduce(np.matmul, [np.asarray(matrix, np.float64) for matrix in matrices])
    return np.abs(product.mean(1))


def min_max(values: NDArray[np.floating]) -> Array:
    """Stretched to 0..1; a constant becomes 0."""
    span = values.max() - values.min()
    return np.asarray((values - values.min()) / span if span > 0 else np.zeros_like(values), np.float64)


def linear_weights(layers: Sequence[nn.Linear]) -> list[Array]:
    """Transposed weights of linear layers, for `weight_product`."""
    return [layer.weight.detach().double().cpu().numpy().T for layer in layers]


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """All linear layers of a network in the order they were built."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def haufe_pattern(fmri: NDArray[np.floating], decoded: NDArray[np.floating], ridge: float = 1e-3) -> Array:
    """Patterns of a decoder (Haufe et al. 2014): Cov(fMRI, decoded) Cov(decoded)^-1, float64 (vertices, outputs).

    For a decoder that is not linear it is the best linear forward model of the fMRI given what was decoded.

    Parameters
    ----------
    fmri : (clips, vertices), training clips.
    decoded : (clips, outputs) from them; for many outputs their first principal components.
    ridge : share of the mean variance added to the diagonal.
    """
    if len(fmri) != len(decoded):
        raise DataProblem(f"{len(fmri)} clips of fMRI and {len(decoded)} decoded ones do not match.", "patterns")
    x = np.asarray(fmri, np.float64) - fmri.mean(0)
    s = np.asarray(decoded, np.float64) - decoded.mean(0)
    covariance = s.T @ s / len(s)
    covariance += ridge * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return np.linalg.solve(covariance, (s.T @ x) / len(s)).T
