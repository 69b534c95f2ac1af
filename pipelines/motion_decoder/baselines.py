"""Controls that learn next to nothing: mean, zero, persistence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError

from .basis import mean_field
from .data import BoldWindows, DecoderData
from .features import Features

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ConstantDecoder:
    """One field for every clip: `mean` (of the training fields) or `zero`.

    Attributes
    ----------
    field : float32 (3, h, w, 2).
    """

    field: Array
    name: str

    def predict(self, bold: BoldWindows, features: Features | None = None) -> Array:
        """Flow float32 (n, 3, h, w, 2)."""
        return np.repeat(self.field[None], len(bold), axis=0)

    def tensors(self) -> dict[str, NDArray[Any]]:
        return {"field": self.field}

    def facts(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class PersistenceDecoder:
    """Each clip moves as the clip before it truly moved: a control that sees true flow, so an oracle of a kind.

    It measures how far slow film alone would carry a decoder whose BOLD lags; it is no competitor.
    """

    field: Array
    name: str = "persistence"

    def predict(self, bold: BoldWindows, features: Features | None = None) -> Array:
        """Always refused: this control needs the true flow, see `predict_from_truth`."""
        raise BrainvizError("Persistence is made from true flow.", "persistence", "Call predict_from_truth.")

    def predict_from_truth(self, flow: Array, valid: NDArray[np.bool_], segment: NDArray[np.str_]) -> Array:
        """Flow float32 (n, 3, h, w, 2): the last valid step of the previous clip, held over three steps.

        Clips stand in film order. A segment's first clip, and patches with no valid step, take the training mean.
        """
        steps = flow.shape[1]
        held = np.repeat(self.field.mean(0, keepdims=True), len(flow), axis=0)
        known = np.zeros(held.shape[:-1], dtype=bool)
        for step in range(steps):
            held = np.where(valid[:, step, ..., None], flow[:, step], held)
            known |= valid[:, step]
        previous = np.repeat(self.field[None], len(flow), axis=0)
        follows = np.flatnonzero(segment[1:] == segment[:-1]) + 1
        before = np.repeat(held[follows - 1][:, None], steps, axis=1)
        seen = known[follows - 1][:, None, ..., None]
        previous[follows] = np.where(seen, before, previous[follows])
        return previous.astype(np.float32)

    def tensors(self) -> dict[str, NDArray[Any]]:
        return {"field": self.field}

    def facts(self) -> dict[str, Any]:
        return {}


BaselineDecoder = ConstantDecoder | PersistenceDecoder


def train_baseline(name: str, data: DecoderData) -> BaselineDecoder:
    """`mean`, `zero` or `persistence` from training data."""
    field = mean_field(data.flow, data.valid)
    if name == "persistence":
        return PersistenceDecoder(field)
    return ConstantDecoder(np.zeros_like(field) if name == "zero" else field, name)


def restore_baseline(name: str, tensors: Mapping[str, NDArray[Any]]) -> BaselineDecoder:
    """Inverse of `tensors()`."""
    return PersistenceDecoder(tensors["field"]) if name == "persistence" else ConstantDecoder(tensors["field"], name)
