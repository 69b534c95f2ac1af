"""Motion as local change of a latent: a few learnt 3 x 3 kernels, how strongly each acts decoded from fMRI.

Ours, not published. To first order a small shift of a picture is a sum of its local differences, each times a velocity.
The kernels learn such differences of latents, and each strength is an affine function of place, as the flow of a moving
camera is. A transformer has to multiply picture and fMRI in its attention to say the same, which it does not learn from
a few hundred clips.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PLACES = 3  # constant, across, down


class Transport(nn.Module):
    """Increment of a frame's latent given the fMRI.

    Parameters
    ----------
    inputs : of the fMRI, all volumes together.
    channels : of the latent (channels, side, side).
    kernels : how many.
    """

    def __init__(self, inputs: int, channels: int, kernels: int, width: int = 32, dropout: float = 0.3) -> None:
        super().__init__()
        self.channels, self.kernels = channels, kernels
        self.local = nn.Conv2d(channels, channels * kernels, 3, padding=1, bias=False, padding_mode="replicate")
        self.strength = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(inputs, width, bias=False), nn.Linear(width, kernels * PLACES)
        )
        for parameter in (self.local.weight, self.strength[2].weight):
            nn.init.normal_(parameter, std=0.1)
        nn.init.zeros_(self.strength[2].bias)

    def forward(self, fmri: Tensor, frames: Tensor) -> Tensor:
        """fmri (n, ...) of `inputs` values, frames (n, t, channels * side * side) -> increments of the frames' shape.

        The strengths are linear in the fMRI and the same for all frames of a clip.
        """
        n, t, size = frames.shape
        side = int((size / self.channels) ** 0.5)
        strength = self.strength(fmri.flatten(1)).view(n, self.kernels, PLACES)
        place = torch.linspace(-1, 1, side, device=frames.device)
        down, across = torch.meshgrid(place, place, indexing="ij")
        where = torch.stack([torch.ones_like(down), across, down])
        field = torch.einsum("nkp,phw->nkhw", strength, where)
        changes = self.local(frames.reshape(n * t, self.channels, side, side))
        changes = changes.view(n, t, self.kernels, self.channels, side, side)
        return (changes * field[:, None, :, None]).sum(2).reshape(n, t, size)
