"""fMRI window -> flow components by kernel ridge: the system `ridge`, and what `brain` starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .basis import FlowBasis
from .config import DecoderConfig, RidgeConfig
from .data import BoldWindows, DecoderData, segment_folds
from .kernel import RidgeFit, apply_weights, fit_ridge, primal_weights, window_gram

Array = NDArray[np.float32]


def vertex_weights(data: DecoderData, config: RidgeConfig) -> Array:
    """Prior weight per vertex, float32 (n_vertices,), mean square 1: reliable vertices are shrunk less."""
    if data.reliability is None or config.reliability_power == 0:
        return np.ones(data.bold.n_vertices, dtype=np.float32)
    weight = np.clip(np.nan_to_num(data.reliability), 0.01, 1.0) ** config.reliability_power
    return (weight / np.sqrt(np.mean(weight**2))).astype(np.float32)


@dataclass(frozen=True)
class LinearDecoder:
    """System `ridge`.

    Attributes
    ----------
    basis : FlowBasis of the training flow.
    weights : float32 (n_window, n_vertices, m).
    intercept : float32 (m,).
    """

    basis: FlowBasis
    weights: Array
    intercept: Array
    name: str = "ridge"

    def scores(self, bold: BoldWindows) -> Array:
        """Flow components (n, m) predicted from the fMRI alone."""
        return apply_weights(bold, self.weights) + self.intercept

    def predict(self, bold: BoldWindows, features: NDArray[np.float16] | None = None) -> Array:
        """Flow float32 (n, 3, h, w, 2); `features` are not used."""
        return self.basis.reconstruct(self.scores(bold))

    def tensors(self) -> dict[str, NDArray[Any]]:
        return {
            "basis.mean": self.basis.mean,
            "basis.components": self.basis.components,
            "ridge.weights": self.weights,
            "ridge.intercept": self.intercept,
        }

    def facts(self) -> dict[str, Any]:
        return {}

    @classmethod
    def restore(cls, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> LinearDecoder:
        basis = FlowBasis(tensors["basis.mean"], tensors["basis.components"])
        return cls(basis, tensors["ridge.weights"], tensors["ridge.intercept"])


def fit_linear(data: DecoderData, config: DecoderConfig) -> tuple[LinearDecoder, Array]:
    """The ridge decoder, and its held-out scores (n, m): each training clip by the fit that left its fold out."""
    basis = FlowBasis.fit(data.flow, data.valid, config.ridge.n_components)
    weight = vertex_weights(data, config.ridge)
    kernel = window_gram(data.bold, weight)
    penalties = np.asarray(config.ridge.alphas) * float(np.trace(kernel) / len(kernel) or 1.0)
    fold = segment_folds(data.segment, config.max_folds)
    fit: RidgeFit = fit_ridge(kernel, basis.project(data.flow, data.valid), fold, penalties)
    weights = primal_weights(data.bold, weight, fit.dual)
    return LinearDecoder(basis, weights, fit.intercept.astype(np.float32)), fit.held_out
