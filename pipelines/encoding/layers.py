"""Which layer of an encoder to use: the one that predicts reliable vertices best, cross-validated on training films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from pipelines.encoding.alphas import Progress, choose_alphas
from pipelines.encoding.decomposition import Decomposition
from pipelines.encoding.targets import Targets

MOST_VERTICES = 5000


@dataclass(frozen=True)
class LayerChoice:
    """The chosen layer and every layer's mean cross-validated r over the vertices asked."""

    layer: str
    mean_r: dict[str, float]


def reliable_columns(vertices: npt.ArrayLike, n_vertices: int) -> npt.NDArray[np.int64]:
    """At most 5,000 of the vertices given, ascending; of more, evenly spaced ones. Indices or a boolean map."""
    chosen = np.asarray(vertices)
    chosen = np.flatnonzero(chosen) if chosen.dtype == bool else np.unique(chosen.astype(np.int64))
    if not len(chosen) or chosen[0] < 0 or chosen[-1] >= n_vertices:
        raise BrainvizError("The reliable vertices are none of the data's.", "layer choice", "Give some vertices.")
    if len(chosen) > MOST_VERTICES:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_VERTICES).astype(np.int64)]
    return chosen


def mean_cross_validated_r(
    decomposition: Decomposition, y: Any, alphas: npt.ArrayLike, device: str = "cpu", progress: Progress | None = None
) -> float:
    """Mean over vertices of the cross-validated r at each vertex's own alpha; NaN if no vertex is usable."""
    r = choose_alphas(decomposition, y, alphas, device, progress).cv_r
    return float(np.nanmean(r)) if np.isfinite(r).any() else float("nan")


def best_layer(scores: Mapping[str, float]) -> LayerChoice:
    """The layer with the highest score; of equal ones, the first.

    Raises
    ------
    BrainvizError
        No layer has a score.
    """
    finite = {layer: score for layer, score in scores.items() if np.isfinite(score)}
    if not finite:
        raise BrainvizError("No layer could be scored: no reliable vertex has usable BOLD.", "layer choice")
    return LayerChoice(max(finite, key=lambda layer: finite[layer]), dict(scores))


def reliable_targets(parts: list[Any], columns: npt.NDArray[np.int64]) -> Targets:
    """The reliable vertices' BOLD, read once, for all layers."""
    block = Targets(parts).block(columns)
    return Targets([block.y])
