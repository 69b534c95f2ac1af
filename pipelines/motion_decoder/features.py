"""First-frame features: read clip by clip from where they lie, sampled, scaled, projected.

All films' features together are several gigabytes at real size (4,320 clips of 32 x 32 x 768 values); nothing here
holds more of them than a block of clips. Wherever `Features` is asked for, a plain array will do.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError

Array = NDArray[np.float32]
BLOCK = 16  # clips read at once
IN_MEMORY = 10**9  # bytes
SAMPLED_CLIPS = 256  # enough to know the moments of a few hundred channels, few enough to read in a moment


class StackedFeatures:
    """Features of several films in a row, one after the other, read only where they are looked at.

    Parameters
    ----------
    films : arrays (n_clips, h, w, channels) of one grid and one number of channels, in memory or stored (Zarr).
    """

    def __init__(self, films: Sequence[Any]) -> None:
        if not films or len({film.shape[1:] for film in films}) != 1 or films[0].ndim != 4:
            raise BrainvizError("Films need first-frame features of one shape (clip, h, w, channel).", "decoder input")
        self.films = tuple(films)
        self.starts = np.cumsum([0, *(film.shape[0] for film in films)]).tolist()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        height, width, channels = self.films[0].shape[1:]
        return int(self.starts[-1]), int(height), int(width), int(channels)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.films[0].dtype)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, rows: slice) -> NDArray[np.float16]:
        """Clips of a slice with a positive step, (n, h, w, channels)."""
        first, stop, step = rows.indices(len(self))
        parts = []
        for film, start in zip(self.films, self.starts, strict=False):
            behind = start - first
            begin = first if behind <= 0 else first + -(-behind // step) * step  # the slice's first clip in this film
            end = min(stop, start + film.shape[0])
            if begin < end:
                parts.append(np.asarray(film[begin - start : end - start : step]))
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)


Features = NDArray[np.float16] | StackedFeatures


def blocks(features: Features, size: int = BLOCK) -> Iterator[tuple[slice, NDArray[np.float16]]]:
    """(rows, features of these clips), `size` clips at a time."""
    for start in range(0, len(features), size):
        rows = slice(start, min(start + size, len(features)))
        yield rows, features[rows]


def sampled_patches(features: Features, most: int = 50_000) -> Array:
    """At most about `most` patches, evenly spaced over clips and grid: float32 (m, channels).

    Of more than `SAMPLED_CLIPS` clips, every second, third ... is read.
    """
    every = -(-len(features) // SAMPLED_CLIPS)
    _, height, width, channels = features.shape
    n = -(-len(features) // every) * height * width
    step = max(1, n // most) | 1  # odd: an even step would visit the same columns of every frame
    parts, passed = [], 0
    for start in range(0, len(features), every * BLOCK):
        flat = features[start : start + every * BLOCK : every].reshape(-1, channels)
        parts.append(flat[-passed % step :: step].astype(np.float32))
        passed += len(flat)
    return np.concatenate(parts)


@dataclass(frozen=True)
class FeatureScaling:
    """Centre and scale per feature channel, from training frames; float32 (channels,)."""

    centre: Array
    scale: Array

    @classmethod
    def fit(cls, features: Features) -> FeatureScaling:
        """From evenly spaced patches of (n, h, w, channels)."""
        sample = sampled_patches(features)
        return cls(sample.mean(0), np.maximum(sample.std(0), 1e-3))

    def __call__(self, block: NDArray[np.float16]) -> Array:
        """(n, h, w, channels) of a block of clips -> float32 (n, h * w, channels)."""
        return (_patches(block) - self.centre) / self.scale


def scaled_features(features: Features, scaling: FeatureScaling, folder: Path | None) -> NDArray[np.float16]:
    """All clips' scaled features in half precision, (n, h * w, channels), to draw patches from at random.

    Above a gigabyte they stand in a temporary file in `folder` (None: the system's), mapped into memory, which the
    system may drop and read again; it vanishes with the array.
    """
    n, height, width, channels = features.shape
    shape = (n, height * width, channels)
    if 2 * math.prod(shape) <= IN_MEMORY:
        scaled = np.empty(shape, dtype=np.float16)
    else:
        with tempfile.TemporaryFile(dir=folder) as stream:
            scaled = np.memmap(stream, dtype=np.float16, mode="w+", shape=shape)
    for rows, block in blocks(features):
        scaled[rows] = np.clip(scaling(block), -6e4, 6e4)
    return scaled


def _patches(block: NDArray[np.float16]) -> Array:
    """(n, h, w, channels) -> float32 (n, h * w, channels)."""
    import torch  # widens float16 ten times faster than numpy

    wide = torch.from_numpy(np.ascontiguousarray(block)).float().numpy()
    return np.asarray(wide).reshape(len(block), -1, block.shape[-1])


@dataclass(frozen=True)
class FeatureProjection:
    """Whitened principal components of first-frame features: fewer numbers per patch, computed once per clip.

    Attributes
    ----------
    centre : float32 (channels,); matrix : float32 (channels, k).
    """

    centre: Array
    matrix: Array

    @classmethod
    def fit(cls, features: Features, n_components: int) -> FeatureProjection:
        """Components of channels that were scaled to unit variance, on training frames."""
        sample = sampled_patches(features)
        centre, scale = sample.mean(0), np.maximum(sample.std(0), 1e-3)
        sample -= centre
        sample /= scale
        values, vectors = np.linalg.eigh((sample.T @ sample / len(sample)).astype(np.float64))
        kept = slice(None, -1 - min(n_components, len(values)), -1)
        whitened = vectors[:, kept] / np.sqrt(np.maximum(values[kept], 1e-3))
        return cls(centre, (whitened / scale[:, None]).astype(np.float32))

    def __call__(self, block: NDArray[np.float16]) -> Array:
        """(n, h, w, channels) of a block of clips -> float32 (n, h * w, k)."""
        return np.asarray(_patches(block) @ self.matrix - self.centre @ self.matrix, dtype=np.float32)
