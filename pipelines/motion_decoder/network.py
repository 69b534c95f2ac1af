"""The patch networks of `brain`, `shuffled` and `image-only`, all members of the ensemble in one.

For a patch p of clip i, with first-frame features f_ip, local inputs l_ip and clip-wide inputs c_i:

    h = network(W_f f_ip + W_l l_ip + W_c c_i)
    flow_ip = (1 + a(h)) * u_ip + b(h) * mean_p(u_ip) + change(h)

u is the (compressed) flow read linearly from the fMRI: the network mostly says how far to trust it, here and in the
whole frame. Direction comes from u; f, l and c are blind to it, so that few clips suffice to learn a and b. Without
fMRI u is zero and `change` is all there is.

Members differ in their start, in the clips they see and in where they stop, but are computed together: parameters are
stacked along the first axis. The optimiser works element by element, so each takes the path it would take alone.

The first layer is a sum: what concerns the frame, the patch's place or the clip is computed once for all that share it.
In prediction that makes the features' share the same for every set of runs; in training, where few patches are drawn, a
plain product over [f, l, c, 1] is faster.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .determinism import derived_seed
from .fused import StackedPerceptron

N_SIZES = 3 + 1  # lengths of the base flow and log speed, of a patch or of the frame's mean
N_PLACE = 5


class PatchEnsemble(nn.Module):
    """Two hidden layers of `width`; (m, 3 * outputs, r) of inputs (m, r, k).

    The k inputs of a row: features, sizes of the patch, place, sizes of the clip, 1.

    Attributes
    ----------
    first (m, k, width), hidden (m, width, width), hidden_bias (m, 1, width), head (m, 3 * outputs, width), head_bias
    (m, 3 * outputs, 1) : parameters.
    """

    def __init__(self, members: int, n_features: int, outputs: int, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_features, self.dropout = n_features, dropout
        inputs = n_features + 2 * N_SIZES + N_PLACE + 1
        self.first = nn.Parameter(torch.zeros(members, inputs, width))
        self.hidden = nn.Parameter(torch.zeros(members, width, width))
        self.hidden_bias = nn.Parameter(torch.zeros(members, 1, width))
        self.head = nn.Parameter(torch.zeros(members, 3 * outputs, width))
        self.head_bias = nn.Parameter(torch.zeros(members, 3 * outputs, 1))

    @property
    def members(self) -> int:
        return int(self.first.shape[0])

    def start(self, seeds: Sequence[int]) -> None:
        """Random weights, each member's from a seed of its own; the head stays zero: at first, flow is `base`."""
        width = self.first.shape[2]
        shares = (self.n_features, N_SIZES + N_PLACE, N_SIZES)
        with torch.no_grad():
            for member, seed in enumerate(seeds):
                draw = torch.Generator().manual_seed(derived_seed(seed, "start"))
                drawn = [_uniform(n, width, n, draw) for n in shares] + [_uniform(1, width, self.n_features, draw)]
                self.first[member] = torch.cat(drawn)
                self.hidden[member] = _uniform(width, width, width, draw)
                self.hidden_bias[member] = _uniform(1, width, width, draw)

    def forward(self, inputs: Tensor) -> Tensor:
        """`here`, `everywhere` and `change` of the flow, (m, 3 * outputs, r)."""
        kept = None
        if self.training and self.dropout > 0:
            chance = torch.full((*inputs.shape[:2], self.first.shape[2]), 1 - self.dropout, device=inputs.device)
            kept = torch.bernoulli(chance) / (1 - self.dropout)
        told: Tensor = StackedPerceptron.apply(
            inputs, self.first, self.hidden, self.hidden_bias, self.head, self.head_bias, kept
        )
        return told


def _uniform(rows: int, columns: int, fan_in: int, draw: torch.Generator) -> Tensor:
    return (torch.rand(rows, columns, generator=draw) * 2 - 1) / fan_in**0.5
