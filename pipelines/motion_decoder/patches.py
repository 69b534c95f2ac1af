"""Clips as patches: what a patch network is given, and the end-point error it is trained on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .basis import to_planes
from .data import DecoderData
from .fused import FlowError
from .network import N_PLACE, N_SIZES, PatchEnsemble

Array = NDArray[np.float32]
FLOAT16_MOST = 6e4


@dataclass(frozen=True)
class Readings:
    """What the fMRI says of n whole frames, flow in units of the mean speed.

    Attributes
    ----------
    base : float32 (n, 2 * steps, patches), flow read linearly, all x before all y; mean (n, 2 * steps), over the frame.
    sizes : float32 (n, 4, patches), `lengths` of the base flow and the log speed read from the fMRI.
    clip : float32 (n, 4), the same of the mean flow.
    """

    base: Tensor
    mean: Tensor
    sizes: Tensor
    clip: Tensor

    @classmethod
    def of(cls, base: Tensor, log_speed: Tensor) -> Readings:
        """From flow (n, 2 * steps, patches) and log speed (n, patches)."""
        mean = base.mean(dim=2)
        clip = torch.cat([lengths(mean[..., None])[..., 0], log_speed.mean(dim=1, keepdim=True)], dim=1)
        return cls(base, mean, torch.cat([lengths(base), log_speed[:, None]], dim=1), clip)


def lengths(flow: Tensor) -> Tensor:
    """(n, 2 * steps, p) -> (n, 3, p): log of 1 + mean |x|, |y| and length; blind to direction along each axis."""
    x, y = flow.chunk(2, dim=1)
    sizes = (x.abs(), y.abs(), (x * x + y * y + 1e-12).sqrt())
    return torch.log1p(torch.stack([size.mean(dim=1) for size in sizes], dim=1))


def positions(height: int, width: int) -> Tensor:
    """Where a patch is, float32 (4, h * w, 5): x, y in -1..1, their squares and product.

    Also for mirrored frames: as they are, mirrored left-right, up-down, both.
    """
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    x, y = columns.ravel(), rows.ravel()
    mirrored = [np.stack([a * x, b * y, x * x, y * y, a * b * x * y], axis=1) for b in (1, -1) for a in (1, -1)]
    return torch.from_numpy(np.stack(mirrored).astype(np.float32))


@dataclass(frozen=True)
class PatchBatch:
    """Patches of b clips for each of m members, p patches per clip; see `fused` for the shapes."""

    inputs: Tensor
    base: Tensor
    mean: Tensor
    target: Tensor
    valid: Tensor
    signs: Tensor


@dataclass
class PatchTask:
    """Training clips as patches, on one device: what is needed of a patch stands together.

    Attributes
    ----------
    packed : float16 (n * patches, features + sizes + base + target + valid), numbers of each in `parts`.
    mean : float32 (n, 2 * steps); clip : float32 (n, 4); place : float32 (4, patches, 5).
    noise : standard deviation of what is added to the features in training.
    """

    packed: Tensor
    parts: tuple[int, ...]
    mean: Tensor
    clip: Tensor
    place: Tensor
    noise: float = 0.0
    device: str = "cpu"

    @property
    def n_patches(self) -> int:
        return int(self.place.shape[1])

    def gather(self, rows: Tensor, patches: Tensor, training: bool = False) -> PatchBatch:
        """Clips `rows` (m, b) at `patches` (m, b, p); row -1 is no clip, none of its vectors is valid.

        In training half of the clips are mirrored left-right and half up-down: a mirrored film is as likely, and what a
        few shots happened to do cannot be learned as what frames like theirs always do. For the same reason noise is
        added to the features: a few hundred shots can be told apart, and learned by heart, from these.
        """
        members, clips, count = patches.shape
        flips = torch.randint(0, 2, (2, members, clips)) if training else torch.zeros(2, members, clips).long()
        kept = rows.clamp_min(0)
        at = (kept[..., None] * self.n_patches + patches).view(-1).to(self.device)
        at_place = ((flips[0] + 2 * flips[1])[..., None] * self.n_patches + patches).view(-1).to(self.device)
        here, there = kept.view(-1).to(self.device), (rows >= 0).to(self.device)
        packed = self.packed.index_select(0, at).view(members, clips * count, -1)
        place = self.place.view(-1, N_PLACE).index_select(0, at_place)
        inputs = self._inputs(packed, place, self.clip.index_select(0, here).view(members, clips, 1, N_SIZES))
        if training and self.noise > 0:
            features = inputs[..., : self.parts[0]]
            features += self.noise * torch.randn(features.shape, device=self.device)
        planes = packed[..., sum(self.parts[:2]) :].mT.float()
        base, target, valid = (part.contiguous() for part in planes.split(self.parts[2:], dim=1))
        valid.view(members, -1, clips, count).mul_(there[:, None, :, None])
        mean = self.mean.index_select(0, here).view(members, clips, -1).mT
        return PatchBatch(inputs, base, mean, target, valid, 1 - 2.0 * flips.transpose(0, 1).to(self.device))

    def _inputs(self, packed: Tensor, place: Tensor, clip: Tensor) -> Tensor:
        """Features, sizes, place, sizes of the clip, 1: (m, r, k)."""
        members, rows, _ = packed.shape
        own = self.parts[0] + self.parts[1]
        inputs = torch.empty(members, rows, own + N_PLACE + N_SIZES + 1, device=self.device)
        inputs[..., :own] = packed[..., :own]
        inputs[..., own : own + N_PLACE] = place.view(members, rows, N_PLACE)
        inputs.view(members, clip.shape[1], -1, inputs.shape[2])[..., own + N_PLACE : -1] = clip
        inputs[..., -1] = 1
        return inputs

    def errors(self, network: PatchEnsemble, batch: PatchBatch) -> tuple[Tensor, Tensor]:
        """End-point error of each member summed over valid vectors (m,), and their number (m,).

        Trained on what it is scored by: the best point estimate is the spatial median of the plausible vectors, not
        their mean.
        """
        told = network(batch.inputs)
        total: Tensor = FlowError.apply(told, batch.base, batch.mean, batch.target, batch.valid, batch.signs)
        return total, batch.valid.sum(dim=(1, 2))

    def to(self, device: str) -> PatchTask:
        """The same arrays on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("packed", "mean", "clip", "place")}
        return dataclasses.replace(self, **moved, device=device)


def pack(features: Array, readings: Readings, data: DecoderData, rows: slice, speed: float) -> Tensor:
    """Rows of `PatchTask.packed` of the clips `rows`, float16 (n * patches, columns); invalid targets are zero.

    Half precision is far finer than what is packed is known; values are cut at the largest it has.
    """
    valid = data.valid[rows].reshape(len(features), data.valid.shape[1], -1)
    target = to_planes(np.where(data.valid[rows][..., None], data.flow[rows], 0)) / np.float32(speed)
    planes = [readings.sizes, readings.base, torch.from_numpy(target), torch.from_numpy(valid).float()]
    columns = torch.cat([torch.from_numpy(features), *(part.mT for part in planes)], dim=2)
    return columns.clamp_(-FLOAT16_MOST, FLOAT16_MOST).half().flatten(0, 1)


def typical_speed(data: DecoderData) -> float:
    """Mean length of valid training vectors: the unit in which the networks work. At least a thousandth of a pixel."""
    length = np.linalg.norm(data.flow, axis=-1)
    return float(max(length[data.valid].mean(), 1e-3))
