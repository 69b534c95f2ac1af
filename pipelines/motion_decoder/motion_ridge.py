"""What `brain` reads linearly from the fMRI: a compressed flow field, and how fast each place moves.

Flow is heavy-tailed, and cortical responses grow with the logarithm of speed rather than with speed; a squared error on
raw vectors is ruled by a few fast clips. So the targets are v / (1 + |v| / s) ** 1/2 and log(1 + |v| / s), s half the
mean speed. Speed is decoded apart because it is told by all motion-driven vertices, whatever direction they prefer, and
because shrinking a vector well needs to know how fast its place moves. The network turns both back into flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .basis import FlowBasis, fill_invalid
from .config import DecoderConfig
from .data import BoldWindows, DecoderData
from .linear import WindowRidge, fit_window_ridge, vertex_weights

Array = NDArray[np.float32]


def compressed(flow: Array, speed: float) -> Array:
    """v / sqrt(1 + 2 |v| / speed): direction kept, long vectors shortened."""
    length = np.linalg.norm(flow, axis=-1, keepdims=True)
    return (flow / np.sqrt(1 + 2 * length / speed)).astype(np.float32)


def log_speed(flow: Array, speed: float) -> Array:
    """log(1 + |v| / speed), mean over the steps: (n, t, h, w, 2) -> float32 (n, h, w)."""
    return np.log1p(np.linalg.norm(flow, axis=-1) / speed).mean(axis=1).astype(np.float32)


@dataclass(frozen=True)
class MotionRidge:
    """Ridge to compressed flow and log speed.

    Attributes
    ----------
    flow : FlowBasis of compressed flow, mean (3, h, w, 2).
    speed : FlowBasis of log speed, mean (h, w).
    ridge : WindowRidge to the scores of both, flow first.
    """

    flow: FlowBasis
    speed: FlowBasis
    ridge: WindowRidge

    def fields(self, scores: Array) -> tuple[Array, Array]:
        """Compressed flow (n, 3, h, w, 2) and log speed (n, h, w) of scores (n, m)."""
        split = len(self.flow.components)
        return self.flow.reconstruct(scores[:, :split]), self.speed.reconstruct(scores[:, split:])

    def scores(self, bold: BoldWindows) -> Array:
        """float32 (n, m) from the fMRI alone."""
        return self.ridge(bold)

    def tensors(self) -> dict[str, NDArray[Any]]:
        return {
            "flow.mean": self.flow.mean,
            "flow.components": self.flow.components,
            "speed.mean": self.speed.mean,
            "speed.components": self.speed.components,
            "ridge.weights": self.ridge.weights,
            "ridge.intercept": self.ridge.intercept,
        }

    @classmethod
    def restore(cls, tensors: Mapping[str, NDArray[Any]]) -> MotionRidge:
        return cls(
            FlowBasis(tensors["flow.mean"], tensors["flow.components"]),
            FlowBasis(tensors["speed.mean"], tensors["speed.components"]),
            WindowRidge(tensors["ridge.weights"], tensors["ridge.intercept"]),
        )


def fit_motion_ridge(data: DecoderData, config: DecoderConfig, speed: float) -> tuple[MotionRidge, Array]:
    """The ridge, and held-out scores (n, m): each training clip by the fit that left its fold out."""
    settings = config.ridge
    complete = fill_invalid(data.flow, data.valid)
    squeezed, speeds = compressed(complete, speed), log_speed(complete, speed)
    flow_basis = FlowBasis.of_complete(squeezed, settings.n_components)
    speed_basis = FlowBasis.of_complete(speeds, settings.n_speed_components)
    targets = np.concatenate([flow_basis.scores(squeezed), speed_basis.scores(speeds)], axis=1)
    vertices = vertex_weights(data, settings.reliability_power)
    ridge, held_out = fit_window_ridge(data, targets, config, vertices, delay_weights(data.bold.n_window, config))
    return MotionRidge(flow_basis, speed_basis, ridge), held_out


def delay_weights(n_window: int, config: DecoderConfig) -> Array:
    """Prior weight per volume of the window: the settings' for a window of their length, else all alike."""
    given = config.ridge.delay_weights
    return np.asarray(given if len(given) == n_window else (1.0,) * n_window, dtype=np.float32)
