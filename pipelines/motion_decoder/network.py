"""The patch network of `brain`, `shuffled` and `image-only`.

For a patch p of clip i, with first-frame features f_ip, local inputs l_ip and clip-wide inputs c_i:

    h = network(W_f f_ip + W_l l_ip + W_c c_i)
    flow_ip = (1 + a(h)) * u_ip + b(h) * mean_p(u_ip) + change(h)

u is the (compressed) flow read linearly from the fMRI: the network mostly says how far to trust it, here and in the
whole frame. Direction comes from u; f, l and c are blind to it, so that few clips suffice to learn a and b. Without
fMRI u is zero and `change` is all there is.

The first layer is factorised: what concerns the clip is computed once per clip and added to all its patches. Written as
one layer over the concatenation [f, l, c] it is the same function at the cost of a copy of c for every patch.
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
    """Flow per patch (b, p, 2 * steps).

    Inputs: features (b, p, n_features), local (b, p, n_local), clip (b, n_clip), and the linear reading
    base (b, p, 2 * steps) with its mean over the frame (b, 2 * steps).
    """

    def __init__(
        self, n_features: int, n_local: int, n_clip: int, outputs: int, width: int, dropout: float, noise: float
    ) -> None:
        super().__init__()
        self.noise = noise
        self.from_features = nn.Linear(n_features, width)
        self.from_local = nn.Linear(n_local, width, bias=False)
        self.from_clip = nn.Linear(n_clip, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width, width)
        self.head = nn.Linear(width, 3 * outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, local: Tensor, clip: Tensor, base: Tensor, mean: Tensor) -> Tensor:
        if self.training and self.noise > 0:
            # A few hundred shots can be told apart, and learned by heart, from their features: blur these.
            features = features + self.noise * torch.randn_like(features)
        first = self.from_features(features) + self.from_local(local) + self.from_clip(clip)[:, None]
        hidden = torch.relu(self.hidden(self.dropout(torch.relu(first))))
        here, everywhere, change = self.head(hidden).chunk(3, dim=-1)
        flow: Tensor = base * (1 + here) + mean[:, None] * everywhere + change
        return flow
