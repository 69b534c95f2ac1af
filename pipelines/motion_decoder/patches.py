"""Training inputs per patch, and the end-point error they are trained on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .basis import to_patches
from .data import DecoderData

Array = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureScaling:
    """Centre and scale per feature channel, from training frames; float32 (channels,)."""

    centre: Array
    scale: Array

    @classmethod
    def fit(cls, features: NDArray[np.float16]) -> FeatureScaling:
        """From evenly spaced patches of (n, h, w, channels)."""
        sample = sampled_patches(features)
        return cls(sample.mean(0), np.maximum(sample.std(0), 1e-3))


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
    def fit(cls, features: NDArray[np.float16], n_components: int) -> FeatureProjection:
        """Components of channels that were scaled to unit variance, on training frames."""
        sample = sampled_patches(features)
        centre, scale = sample.mean(0), np.maximum(sample.std(0), 1e-3)
        standard = (sample - centre) / scale
        values, vectors = np.linalg.eigh((standard.T @ standard / len(standard)).astype(np.float64))
        kept = slice(None, -1 - min(n_components, len(values)), -1)
        whitened = vectors[:, kept] / np.sqrt(np.maximum(values[kept], 1e-3))
        return cls(centre, (whitened / scale[:, None]).astype(np.float32))

    def __call__(self, features: NDArray[np.float16]) -> NDArray[np.float16]:
        """(n, h, w, channels) -> float16 (n, h * w, k)."""
        n, height, width, channels = features.shape
        projected = np.empty((n, height * width, self.matrix.shape[1]), dtype=np.float16)
        for row, frame in enumerate(features.reshape(n, height * width, channels)):
            projected[row] = (frame.astype(np.float32) - self.centre) @ self.matrix
        return projected


def sampled_patches(features: NDArray[np.float16], most: int = 50_000) -> Array:
    """At most about `most` patches, evenly spaced over clips and grid: float32 (m, channels)."""
    flat = features.reshape(-1, features.shape[-1])
    step = max(1, len(flat) // most) | 1  # odd: an even step would visit the same columns of every frame
    return flat[::step].astype(np.float32)


def positions(height: int, width: int) -> Array:
    """Where a patch is, float32 (h * w, 5): x, y in -1..1, their squares and product."""
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    x, y = columns.ravel(), rows.ravel()
    return np.stack([x, y, x * x, y * y, x * y], axis=1).astype(np.float32)


@dataclass
class PatchTask:
    """Clips as patches, on one device. Flow in units of the mean speed.

    Attributes
    ----------
    features : float16 (n, patches, k).
    base : float32 (n, patches, 2 * steps), flow read linearly from the fMRI; its mean over the frame (n, 2 * steps).
    sizes : float32 (n, patches, 4), `lengths` of the base flow, and the log speed read from the fMRI;
    clip : float32 (n, 4), the same of the mean flow.
    place : float32 (patches, 5).
    flow : float32 (n, patches, 2 * steps), the target; valid : bool (n, patches, steps).
    """

    features: Tensor
    base: Tensor
    mean: Tensor
    sizes: Tensor
    clip: Tensor
    place: Tensor
    flow: Tensor
    valid: Tensor
    device: str = "cpu"

    @property
    def n_patches(self) -> int:
        return int(self.place.shape[0])

    def loss(self, network: nn.Module, rows: Tensor, patches: Tensor) -> Tensor:
        """Mean end-point error over valid vectors: trained on what it is scored by.

        Its best point estimate is the spatial median of the plausible vectors, not their mean. In training half of
        the clips are mirrored left-right and half up-down: a mirrored film is as likely, and what a few shots happened
        to do cannot be learned as what frames like theirs always do.
        """
        mirror = _mirrors(len(rows), self.device) if network.training else None
        with torch.autocast(self.device.split(":")[0], dtype=torch.bfloat16, enabled=self.device != "cpu"):
            predicted = self.apply(network, rows, patches, mirror)
        at = rows[:, None]
        target = self.flow[at, patches]
        if mirror is not None:
            target = target * mirror.repeat(1, 1, target.shape[-1] // 2)
        error = (predicted.float() - target).unflatten(-1, (-1, 2))
        length = (error.square().sum(-1) + 1e-6).sqrt()
        weight = self.valid[at, patches].float()
        return (length * weight).sum() / weight.sum().clamp_min(1)

    def apply(self, network: nn.Module, rows: Tensor, patches: Tensor, mirror: Tensor | None = None) -> Tensor:
        """Flow of the network for clips `rows` (b,) at `patches` (b, p); `mirror` (b, 1, 2) has signs of x and y."""
        at = rows[:, None]
        base, mean, place = self.base[at, patches], self.mean[rows], self.place[patches]
        if mirror is not None:
            signs = mirror.repeat(1, 1, base.shape[-1] // 2)
            base, mean = base * signs, mean * signs[:, 0]
            place = torch.cat(
                [place[..., :2] * mirror, place[..., 2:4], place[..., 4:] * mirror.prod(-1)[..., None]], -1
            )
        local = torch.cat([self.sizes[at, patches], place], dim=-1)
        flow: Tensor = network(self.features[at, patches].float(), local, self.clip[rows], base, mean)
        return flow

    def to(self, device: str) -> PatchTask:
        """The same arrays on another device."""
        names = [entry.name for entry in dataclasses.fields(self) if entry.name != "device"]
        return PatchTask(**{name: getattr(self, name).to(device) for name in names}, device=device)


N_LOCAL = 3 + 1 + 5
N_CLIP = 3 + 1


def lengths(flow: Tensor) -> Tensor:
    """(..., 2 * steps) -> (..., 3): log of 1 + mean |x|, |y| and length; blind to direction along each axis."""
    vectors = flow.unflatten(-1, (-1, 2))
    sizes = torch.cat([vectors.abs(), (vectors.square().sum(-1, keepdim=True) + 1e-12).sqrt()], dim=-1)
    return torch.log1p(sizes.mean(-2))


def _mirrors(clips: int, device: str) -> Tensor:
    return (torch.randint(0, 2, (clips, 1, 2)) * 2 - 1).float().to(device)


def typical_speed(data: DecoderData) -> float:
    """Mean length of valid training vectors: the unit in which the networks work. At least a thousandth of a pixel."""
    length = np.linalg.norm(data.flow, axis=-1)
    return float(max(length[data.valid].mean(), 1e-3))


def flow_targets(data: DecoderData, speed: float) -> tuple[Tensor, Tensor]:
    """(flow, valid) per patch; invalid vectors are zero."""
    flow = np.where(data.valid[..., None], data.flow, 0)
    n, steps, height, width, _ = flow.shape
    valid = np.ascontiguousarray(data.valid.transpose(0, 2, 3, 1)).reshape(n, height * width, steps)
    return torch.from_numpy(to_patches(flow) / np.float32(speed)), torch.from_numpy(valid)
