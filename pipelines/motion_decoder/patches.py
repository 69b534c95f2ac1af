"""Training inputs per patch, and the end-point error they are trained on."""

from __future__ import annotations

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
    def fit(cls, features: NDArray[np.float16], most: int = 2_000_000) -> FeatureScaling:
        """From at most `most` evenly spaced patches of (n, h, w, channels)."""
        flat = features.reshape(-1, features.shape[-1])
        sample = flat[:: max(1, len(flat) // most)].astype(np.float32)
        return cls(sample.mean(0), np.maximum(sample.std(0), 1e-3))


def positions(height: int, width: int) -> Array:
    """Where a patch is, float32 (h * w, 5): x, y in -1..1, their squares and product."""
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    x, y = columns.ravel(), rows.ravel()
    return np.stack([x, y, x * x, y * y, x * y], axis=1).astype(np.float32)


@dataclass
class PatchTask:
    """Clips as patches, on one device.

    Attributes
    ----------
    features : float16 (n, patches, channels); centre, scale : float32 (channels,).
    clip : float32 (n, k), inputs that concern the whole clip.
    base : float32 (n, patches, 2 * steps), flow from which the network starts, in units of `speed`.
    place : float32 (patches, 5).
    flow : float32 (n, patches, 2 * steps) in units of `speed`; valid : bool (n, patches, steps).
    """

    features: Tensor
    centre: Tensor
    scale: Tensor
    clip: Tensor
    base: Tensor
    place: Tensor
    flow: Tensor
    valid: Tensor
    device: str = "cpu"

    @property
    def n_patches(self) -> int:
        return int(self.place.shape[0])

    def loss(self, network: nn.Module, rows: Tensor, patches: Tensor) -> Tensor:
        """Mean end-point error over valid vectors, in units of `speed`: trained on what it is scored by.

        Its best point estimate is the spatial median of the plausible vectors, not their mean.
        """
        at = rows[:, None]
        with torch.autocast(self.device.split(":")[0], dtype=torch.bfloat16, enabled=self.device != "cpu"):
            predicted = self.apply(network, rows, patches)
        error = (predicted.float() - self.flow[at, patches]).unflatten(-1, (-1, 2))
        length = (error.square().sum(-1) + 1e-6).sqrt()
        weight = self.valid[at, patches].float()
        return (length * weight).sum() / weight.sum().clamp_min(1)

    def apply(self, network: nn.Module, rows: Tensor, patches: Tensor) -> Tensor:
        """Flow of the network for clips `rows` (b,) at `patches` (b, p)."""
        at = rows[:, None]
        features = (self.features[at, patches].float() - self.centre) / self.scale
        base = self.base[at, patches]
        flow: Tensor = network(features, self.clip[rows], local_inputs(base, self.place[patches]), base)
        return flow


def local_inputs(base: Tensor, place: Tensor) -> Tensor:
    """(b, p, 2 * steps + 6): base flow, its mean speed, and position."""
    speed = base.unflatten(-1, (-1, 2)).square().sum(-1).add(1e-6).sqrt().mean(-1, keepdim=True)
    return torch.cat([base, speed, place], dim=-1)


def typical_speed(data: DecoderData) -> float:
    """Mean length of valid training vectors: the unit in which the network works. At least a thousandth of a pixel."""
    length = np.linalg.norm(data.flow, axis=-1)
    return float(max(length[data.valid].mean(), 1e-3))


def flow_targets(data: DecoderData, speed: float) -> tuple[Tensor, Tensor]:
    """(flow, valid) per patch; invalid vectors are zero."""
    flow = np.where(data.valid[..., None], data.flow, 0)
    n, steps, height, width, _ = flow.shape
    valid = np.ascontiguousarray(data.valid.transpose(0, 2, 3, 1)).reshape(n, height * width, steps)
    return torch.from_numpy(to_patches(flow) / np.float32(speed)), torch.from_numpy(valid)
