"""The patch network of `brain`, `shuffled` and `image-only`.

For a patch p of clip i, with first-frame features f_ip, clip-wide inputs c_i and local inputs l_ip:

    h = W_f f_ip + (W_c c_i) + W_l l_ip,   then residual blocks,
    flow_ip = (1 + gate(h)) * base_ip + change(h).

The first layer is factorised: what concerns the clip is computed once per clip and added to all its patches. Written as
one layer over the concatenation [f, c, l] it would be the same function at the cost of a copy of c for every patch.
The last layer starts at zero, so that training starts from the base field (ridge for `brain`, mean for `image-only`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + W2 relu(W1 dropout(relu(x))), on the last axis (a 1x1 convolution over patches)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = self.dropout(torch.relu(hidden))
        return hidden + self.second(torch.relu(self.first(inner)))


class PatchNetwork(nn.Module):
    """Flow per patch from (batch, patches, features), (batch, clip inputs), (batch, patches, local inputs).

    Returns (batch, patches, 2 * steps), in the unit of `base` (batch, patches, 2 * steps).
    """

    def __init__(
        self, n_features: int, n_clip: int, n_local: int, steps: int, width: int, blocks: int, dropout: float
    ) -> None:
        super().__init__()
        self.steps = steps
        self.from_features = nn.Linear(n_features, width)
        self.from_clip = nn.Linear(n_clip, width, bias=False)
        self.from_local = nn.Linear(n_local, width, bias=False)
        self.blocks = nn.Sequential(*(ResidualBlock(width, dropout) for _ in range(blocks)))
        self.head = nn.Linear(width, 3 * steps)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, clip: Tensor, local: Tensor, base: Tensor) -> Tensor:
        hidden = self.from_features(features) + self.from_clip(clip)[:, None] + self.from_local(local)
        out = self.head(torch.relu(self.blocks(hidden)))
        gate, change = out[..., : self.steps], out[..., self.steps :]
        return base * (1 + gate.repeat_interleave(2, dim=-1)) + change
