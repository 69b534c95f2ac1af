"""The system `prior`: whole flow fields of training clips whose first frame looks alike.

It stands in for Stable Video Diffusion where its weights are missing: samples of plausible motion given the first
frame, without a brain. Each sample is one real field, coherent as a whole; fields are never mixed patch by patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError

from .basis import fill_invalid
from .data import BoldWindows, DecoderData
from .features import Features, blocks

Array = NDArray[np.float32]
POOL = 4  # first frames are compared on a 4x4 grid: the layout of a scene, not its pixels


def pooled_features(features: Features, pool: int = POOL) -> Array:
    """float32 (n, pool * pool * channels): means over the cells of (n, h, w, channels)."""
    n, height, width, channels = features.shape
    pooled = np.empty((n, pool * pool * channels), dtype=np.float32)
    for rows, block in blocks(features):
        cells = block.reshape(-1, pool, height // pool, pool, width // pool, channels)
        pooled[rows] = cells.mean(axis=(2, 4), dtype=np.float32).reshape(len(block), -1)
    return pooled


@dataclass(frozen=True)
class PriorDecoder:
    """Nearest first frames and their flow.

    Attributes
    ----------
    keys : float32 (n_train, k), standardised pooled features.
    centre, scale : float32 (k,).
    fields : float16 (n_train, 3, h, w, 2).
    order : int64 (n_train,), segment number * 10^6 + position, to tell neighbours in film.
    samples : fields per clip.
    apart : training clips nearer than this in one segment count as the same shot; one sample comes from each.
    """

    keys: Array
    centre: Array
    scale: Array
    fields: NDArray[np.float16]
    order: NDArray[np.int64]
    samples: int = 10
    apart: int = 3
    name: str = "prior"

    def neighbours(self, features: Features) -> NDArray[np.int64]:
        """Training rows int64 (n, samples), nearest first, no two from one place of the film while others are left."""
        queries = (pooled_features(features) - self.centre) / self.scale
        distance = (queries**2).sum(1)[:, None] + (self.keys**2).sum(1)[None] - 2 * queries @ self.keys.T
        chosen = np.empty((len(queries), self.samples), dtype=np.int64)
        for row, ranked in enumerate(np.argsort(distance, axis=1, kind="stable")):
            chosen[row] = self._spread(ranked)
        return chosen

    def _spread(self, ranked: NDArray[np.int64]) -> NDArray[np.int64]:
        kept: list[int] = []
        left_out: list[int] = []
        for candidate in ranked.tolist():
            near = any(abs(int(self.order[candidate] - self.order[other])) < self.apart for other in kept)
            (left_out if near else kept).append(candidate)
            if len(kept) == self.samples:
                break
        ordered = (kept + left_out)[: self.samples]
        return np.array([ordered[i % len(ordered)] for i in range(self.samples)], dtype=np.int64)

    def predict(self, bold: BoldWindows | None, features: Features) -> Array:
        """Samples float32 (n, samples, 3, h, w, 2); `bold` is not used."""
        return self.fields[self.neighbours(features)].astype(np.float32)

    def tensors(self) -> dict[str, NDArray[Any]]:
        names = ("keys", "centre", "scale", "fields", "order")
        return {name: getattr(self, name) for name in names}

    def facts(self) -> dict[str, Any]:
        return {"samples": self.samples, "apart": self.apart}

    @classmethod
    def restore(cls, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> PriorDecoder:
        return cls(
            keys=tensors["keys"],
            centre=tensors["centre"],
            scale=tensors["scale"],
            fields=tensors["fields"],
            order=tensors["order"],
            samples=int(facts["samples"]),
            apart=int(facts["apart"]),
        )


def train_prior(data: DecoderData, samples: int) -> PriorDecoder:
    """Keys and fields of all training clips that have a valid step."""
    if samples < 1:
        raise BrainvizError("The prior needs at least one sample per clip.", "decoder settings")
    usable = np.flatnonzero(data.valid.any(axis=(1, 2, 3)))
    pooled = pooled_features(data.features)[usable]
    centre, scale = pooled.mean(0), np.maximum(pooled.std(0), 1e-3)
    number = {name: i for i, name in enumerate(dict.fromkeys(data.segment.tolist()))}
    order = np.array([number[s] * 10**6 for s in data.segment.tolist()]) + np.arange(len(data.segment))
    fields = fill_invalid(data.flow, data.valid)[usable].astype(np.float16)
    return PriorDecoder((pooled - centre) / scale, centre, scale, fields, order[usable].astype(np.int64), samples)
