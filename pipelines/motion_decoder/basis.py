"""Flow fields as a mean and a few components; flow as planes, one per component and step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def to_planes(flow: NDArray[np.floating]) -> Array:
    """(n, t, h, w, 2) -> float32 (n, 2 t, h * w): x of every step, then y of every step."""
    n, steps, height, width, _ = flow.shape
    moved = np.transpose(flow, (0, 4, 1, 2, 3))
    return np.ascontiguousarray(moved, dtype=np.float32).reshape(n, 2 * steps, height * width)


def from_planes(planes: NDArray[np.floating], grid: tuple[int, int]) -> Array:
    """Inverse of `to_planes` for a grid of (height, width)."""
    n, outputs, _ = planes.shape
    fields = planes.reshape(n, 2, outputs // 2, *grid)
    return np.ascontiguousarray(np.transpose(fields, (0, 2, 3, 4, 1)), dtype=np.float32)


def mean_field(flow: Array, valid: NDArray[np.bool_]) -> Array:
    """Mean of the valid vectors, (3, h, w, 2); a patch never valid takes the mean of all."""
    weight = valid[..., None].astype(np.float32)
    count = weight.sum(0)
    overall = (flow * weight).sum((0, 2, 3)) / np.maximum(weight.sum((0, 2, 3)), 1)
    mean = (flow * weight).sum(0) / np.maximum(count, 1)
    return np.where(count > 0, mean, overall[:, None, None, :]).astype(np.float32)


def fill_invalid(flow: Array, valid: NDArray[np.bool_]) -> Array:
    """Invalid vectors replaced by the clip's mean over its other steps at that patch, else by the mean field.

    Only linear models, which need complete fields, use this; losses and scores skip invalid vectors.
    """
    weight = valid[..., None].astype(np.float32)
    count = weight.sum(1, keepdims=True)
    within_clip = (flow * weight).sum(1, keepdims=True) / np.maximum(count, 1)
    fallback = np.where(count > 0, within_clip, mean_field(flow, valid)[None])
    return np.where(valid[..., None], flow, fallback).astype(np.float32)


@dataclass(frozen=True)
class FlowBasis:
    """Principal components of training fields of any shape, here (3, h, w, 2) or (h, w).

    Attributes
    ----------
    mean : float32, the shape of a field.
    components : float32 (m, size of a field), orthonormal rows.
    """

    mean: Array
    components: Array

    @classmethod
    def of_complete(cls, fields: Array, n_components: int, mean: Array | None = None) -> FlowBasis:
        """From fields (n, ...), through their (n, n) Gram matrix: clips are far fewer than values in a field."""
        from scipy.linalg import eigh

        centre = np.asarray(fields.mean(axis=0) if mean is None else mean, dtype=np.float32)
        centred = (fields - centre).reshape(len(fields), -1)
        kept = max(1, int(min(n_components, len(fields) - 1, centred.shape[1])))
        gram = (centred @ centred.T).astype(np.float64)
        values, vectors = eigh(gram, subset_by_index=[len(gram) - kept, len(gram) - 1])
        real = values >= max(float(values[-1]) * 1e-7, 1e-12)
        values, vectors = values[real][::-1], vectors[:, real][:, ::-1]
        components = (vectors / np.sqrt(values)).T.astype(np.float32) @ centred
        return cls(centre, np.ascontiguousarray(components, dtype=np.float32))

    @classmethod
    def fit(cls, flow: Array, valid: NDArray[np.bool_], n_components: int) -> FlowBasis:
        """From training flow (n, 3, h, w, 2) with gaps."""
        return cls.of_complete(fill_invalid(flow, valid), n_components, mean_field(flow, valid))

    def scores(self, fields: Array) -> Array:
        """float32 (n, m) of complete fields (n, ...)."""
        centred = (fields - self.mean).reshape(len(fields), -1)
        return np.asarray(centred @ self.components.T, dtype=np.float32)

    def project(self, flow: Array, valid: NDArray[np.bool_]) -> Array:
        """Scores float32 (n, m) of flow (n, 3, h, w, 2) with gaps."""
        return self.scores(fill_invalid(flow, valid))

    def reconstruct(self, scores: NDArray[np.floating]) -> Array:
        """Fields float32 (n, ...) of scores (n, m)."""
        fields = np.asarray(scores, dtype=np.float32) @ self.components
        return fields.reshape(len(scores), *self.mean.shape) + self.mean
