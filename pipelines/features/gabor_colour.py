"""A static pyramid without weights: colour, contrast and Gabor energy on a grid, from four frames of the clip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from brainviz.flow.fields import GRID
from pipelines.features.gabor import WORK_SIDE, Array, frame_channels
from pipelines.features.spec import EncoderSpec, Features, Frames, check_clips

_GRID = 6  # positions a side

GABOR_COLOUR = EncoderSpec(
    id="gabor-colour",
    title="Gabor and colour (embedded)",
    family="classical",
    source="embedded",
    layers=("energy",),
    frames_per_clip=4,
    size_px=WORK_SIDE,
    pooling=f"mean over four frames, first to last, on a {_GRID} x {_GRID} grid",
    licence="BSD-3-Clause",
    note="Opponent colours, contrast and Gabor energy (3 scales, 6 orientations) of single frames; no learned network.",
)


@dataclass(frozen=True)
class GaborColourEncoder:
    """Static features of clips; see the file's heading."""

    spec: EncoderSpec = GABOR_COLOUR

    @property
    def weights(self) -> None:
        return None

    @property
    def layers(self) -> tuple[str, ...]:
        return self.spec.layers

    @property
    def size_px(self) -> int:
        return WORK_SIDE

    @property
    def frames_per_clip(self) -> int:
        return self.spec.frames_per_clip

    def encode(self, frames: Frames, fps: float) -> Features:
        """Features: uint8 (n_clips, t, h, w, 3) -> {"energy": float32 (n_clips, 936)}. All frames count alike."""
        frames = check_clips(frames)
        out = np.empty((len(frames), n_channels()), np.float32)
        for clip, pictures in zip(out, frames, strict=True):
            clip[:] = np.mean([_pooled(picture) for picture in pictures], axis=0)
        return {"energy": out}


def n_channels() -> int:
    """Number of features."""
    return 26 * _GRID * _GRID


def _pooled(picture: Frames) -> Array:
    """One frame, uint8 (h, w, 3) -> float32 (936,)."""
    rows = _areas() @ frame_channels(picture)
    return np.asarray(rows @ _areas().T, np.float32).reshape(-1)


@cache
def _areas() -> Array:
    """Area means of 32 cells over 6 positions along one axis: float32 (6, 32), rows summing to 1."""
    edges = np.arange(_GRID + 1) * GRID / _GRID
    cell = np.arange(GRID)
    covered = np.minimum(edges[1:, None], cell + 1) - np.maximum(edges[:-1, None], cell)
    return (np.maximum(covered, 0) * _GRID / GRID).astype(np.float32)
