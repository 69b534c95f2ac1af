"""fMRI window -> numbers about the motion, by kernel ridge; and the system `ridge`, which is nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .basis import FlowBasis
from .config import DecoderConfig
from .data import BoldWindows, DecoderData, segment_folds
from .features import Features
from .kernel import apply_weights, fit_ridge, primal_weights, window_gram

Array = NDArray[np.float32]


@dataclass(frozen=True)
class WindowRidge:
    """Linear map of an fMRI window.

    Attributes
    ----------
    weights : float32 (n_window, n_vertices, m).
    intercept : float32 (m,).
    """

    weights: Array
    intercept: Array

    def __call__(self, bold: BoldWindows) -> Array:
        """Predictions float32 (n, m)."""
        return apply_weights(bold, self.weights) + self.intercept


def vertex_weights(data: DecoderData, power: float) -> Array:
    """Prior weight per vertex, float32 (n_vertices,), mean square 1: reliability ** power, all alike without it."""
    if data.reliability is None or power == 0:
        return np.ones(data.bold.n_vertices, dtype=np.float32)
    weight = np.clip(np.nan_to_num(data.reliability), 0.01, 1.0) ** power
    return (weight / np.sqrt(np.mean(weight**2))).astype(np.float32)


def fit_window_ridge(
    data: DecoderData, targets: Array, config: DecoderConfig, vertex_weight: Array, delay_weight: Array
) -> tuple[WindowRidge, Array]:
    """Ridge of `targets` (n, m) on the windows; the penalty of every target by leave-fold-out error.

    Returns the map fitted on all clips, and float32 (n, m): each clip predicted without its fold.
    """
    kernel = window_gram(data.bold, vertex_weight, delay_weight)
    penalties = np.asarray(config.ridge.alphas) * float(np.trace(kernel) / len(kernel) or 1.0)
    fit = fit_ridge(kernel, targets, segment_folds(data.segment, config.max_folds), penalties)
    weights = primal_weights(data.bold, vertex_weight, delay_weight, fit.dual)
    return WindowRidge(weights, fit.intercept.astype(np.float32)), fit.held_out


@dataclass(frozen=True)
class LinearDecoder:
    """System `ridge`: flow components from the window, all vertices and volumes alike.

    Attributes
    ----------
    basis : FlowBasis of the training flow.
    ridge : WindowRidge to its scores.
    """

    basis: FlowBasis
    ridge: WindowRidge
    name: str = "ridge"

    def predict(self, bold: BoldWindows, features: Features | None = None) -> Array:
        """Flow float32 (n, 3, h, w, 2); `features` are not used."""
        return self.basis.reconstruct(self.ridge(bold))

    def tensors(self) -> dict[str, NDArray[Any]]:
        return {
            "basis.mean": self.basis.mean,
            "basis.components": self.basis.components,
            "ridge.weights": self.ridge.weights,
            "ridge.intercept": self.ridge.intercept,
        }

    def facts(self) -> dict[str, Any]:
        return {}

    @classmethod
    def restore(cls, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> LinearDecoder:
        basis = FlowBasis(tensors["basis.mean"], tensors["basis.components"])
        return cls(basis, WindowRidge(tensors["ridge.weights"], tensors["ridge.intercept"]))


def train_ridge(data: DecoderData, config: DecoderConfig) -> LinearDecoder:
    """Plain kernel ridge from fMRI to flow, squared error."""
    basis = FlowBasis.fit(data.flow, data.valid, config.ridge.n_components)
    vertices = vertex_weights(data, 0.0)
    delays = np.ones(data.bold.n_window, dtype=np.float32)
    ridge, _ = fit_window_ridge(data, basis.project(data.flow, data.valid), config, vertices, delays)
    return LinearDecoder(basis, ridge)
