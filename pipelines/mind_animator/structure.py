"""Structure decoder: from fMRI to the latent of the clip's first frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StructureDecoder(nn.Module):
    """fMRI (n, inputs) -> latent (n, 1, outputs), flattened; linear blocks with skip, then LayerNorm, ReLU, Linear.

    The blocks hold no non-linearity, as released. Both forms share this network; as released its inputs are zeroed in
    place by the augmentation, 20 % of them at every call.

    Parameters
    ----------
    inputs : vertices, or vertices times volumes.
    outputs : size of a latent; 4 * 64 * 64 for a 512-pixel frame of Stable Diffusion.
    width, blocks : 1024 and 2 as released.

    Source: Lu et al. 2025, section 3.2; dimensions as released.
    """

    def __init__(self, inputs: int = 4500, outputs: int = 4 * 64 * 64, width: int = 1024, blocks: int = 2) -> None:
        super().__init__()
        self.lin0 = nn.Sequential(nn.Linear(inputs, width), nn.Dropout(0.2))
        self.mlp = nn.ModuleList([nn.Sequential(nn.Linear(width, width), nn.Dropout(0.15)) for _ in range(blocks)])
        self.lin1 = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, fmri: Tensor) -> Tensor:
        """float32 (n, inputs) -> (n, 1, outputs)."""
        x = self.lin0(fmri)
        for block in self.mlp:
            x = block(x) + x
        return self.lin1(x)[:, None]


def sparse_loss(network: nn.Module, made: Tensor, target: Tensor, l1_weight: float) -> Tensor:
    """MSE + `l1_weight` * sum of the absolute parameters; `schedules.decayed` gives the weight of an epoch."""
    return F.mse_loss(made, target) + l1_weight * l1_norm(network)


def l1_norm(network: nn.Module) -> Tensor:
    """Sum of the absolute values of all parameters; buffers do not count."""
    return torch.stack([parameter.abs().sum() for parameter in network.parameters()]).sum()
