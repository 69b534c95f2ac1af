"""Prediction of whole frames by an ensemble, without computing twice what several inputs share.

The first layer is a sum of what the features, the patch's place, its sizes and the clip's say. The features' share is
computed once for all sets of runs, the place's once for all clips, the clip's once for all its patches; and the mean
over members is taken in the last layer's weights, because it is linear.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .network import N_PLACE, N_SIZES, PatchEnsemble
from .patches import Readings, positions


class FactorisedEnsemble:
    """The mean flow of a trained `PatchEnsemble` on frames of h x w patches, on the CPU."""

    def __init__(self, network: PatchEnsemble, height: int, width: int) -> None:
        cuts = (network.n_features, N_SIZES, N_PLACE, N_SIZES, 1)
        first = network.first.detach().transpose(0, 1).flatten(1)  # (inputs, members * width)
        self.features, self.sizes, place, self.clip, bias = (part.contiguous() for part in first.split(cuts))
        self.place = positions(height, width)[0] @ place + bias
        self.hidden, self.hidden_bias = network.hidden.detach(), network.hidden_bias.detach()[:, 0]
        self.head = network.head.detach() / network.members
        self.head_bias = network.head_bias.detach().mean(dim=0)

    def from_features(self, features: Tensor) -> Tensor:
        """First-layer share (n, patches, members * width) of features (n, patches, k) at their places."""
        return torch.baddbmm(self.place[None], features, self.features.expand(len(features), -1, -1))

    def flow(self, shared: Tensor, readings: Readings) -> Tensor:
        """Flow (n, 2 * steps, patches) in units of the mean speed."""
        clips, patches, _ = shared.shape
        # One more row of weights, for an input of 1, adds what the clip says.
        per_clip = (readings.clip @ self.clip)[:, None]
        weights = torch.cat([self.sizes.expand(clips, -1, -1), per_clip], dim=1)
        sizes = torch.cat([readings.sizes, torch.ones(clips, 1, patches)], dim=1).mT
        low = torch.baddbmm(shared, sizes, weights).relu_().flatten(0, 1)
        told = self.head_bias.repeat(1, clips * patches)
        for member, part in enumerate(low.split(self.hidden.shape[1], dim=1)):
            high = torch.addmm(self.hidden_bias[member], part, self.hidden[member]).relu_()
            told.addmm_(self.head[member], high.T)
        here, everywhere, change = told.view(3, -1, clips, patches).transpose(1, 2)
        return readings.base * (1 + here) + readings.mean[..., None] * everywhere + change
