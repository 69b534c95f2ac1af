"""First frames as vectors in the captions' space: classical features and ridge regression, in CLIP's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
CELLS = 4
PENALTY = 1.0
"""Of the ridge, in units of the kernel's mean diagonal."""


def pooled(features: NDArray[np.floating]) -> Array:
    """First-frame features (n, 32, 32, channels) -> float32 (n, 4 * 4 * channels), means over areas."""
    n, high, wide, channels = features.shape
    areas = np.asarray(features, np.float32).reshape(n, CELLS, high // CELLS, CELLS, wide // CELLS, channels)
    return areas.mean((2, 4)).reshape(n, -1)


@dataclass(frozen=True)
class ImageEncoder:
    """Kernel ridge from pooled features to caption vectors; `fit` on training clips only."""

    mean: Array
    spread: Array
    support: Array
    dual: Array
    offset: Array

    @classmethod
    def fit(cls, features: Array, vectors: Array) -> ImageEncoder:
        """features (n, d) of `pooled`, vectors (n, width) of the captions."""
        mean, spread = features.mean(0), features.std(0) + 1e-6
        support = (features - mean) / spread
        kernel = support @ support.T
        offset = vectors.mean(0)
        penalty = PENALTY * np.trace(kernel) / len(kernel)
        dual = np.linalg.solve(kernel + penalty * np.eye(len(kernel), dtype=kernel.dtype), vectors - offset)
        return cls(mean, spread, support, dual.astype(np.float32), offset)

    def vectors(self, features: Array) -> Array:
        """float32 (n, width)."""
        seen = (features - self.mean) / self.spread
        return np.asarray(seen @ self.support.T @ self.dual + self.offset, np.float32)


def cross_fitted(features: Array, vectors: Array, segments: Sequence[str]) -> Array:
    """Image vectors of the training clips, each film's by an encoder fitted on the other films.

    Fitted on their own films they would be the caption vectors over again. With one film only they are.
    """
    names = np.asarray(segments)
    made = np.empty_like(vectors)
    for name in dict.fromkeys(names.tolist()):
        own = names == name
        others = ~own if (~own).any() else own
        made[own] = ImageEncoder.fit(features[others], vectors[others]).vectors(features[own])
    return made
