"""The network of each part, its loss, and what it decodes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pipelines.mind_animator.causal_masks import causal_mask, sparse_causal_mask
from pipelines.mind_animator.config import MindAnimatorConfig
from pipelines.mind_animator.forms import Form
from pipelines.mind_animator.motion_tokens import TokenMotionDecoder
from pipelines.mind_animator.semantic import SemanticDecoder, semantic_loss
from pipelines.mind_animator.structure import StructureDecoder, sparse_loss


@dataclass(frozen=True)
class Sizes:
    """What a network's shape depends on besides the settings.

    Attributes
    ----------
    channels, window : of the fMRI input, volumes of a window.
    width : of CLIP's space, or the embedded one.
    tokens : of the text condition, (tokens, token width).
    latent : (frames, channels, side, side).
    """

    channels: int
    window: int
    width: int
    tokens: tuple[int, int]
    latent: tuple[int, int, int, int]

    @property
    def latent_size(self) -> int:
        _, channels, side, other = self.latent
        return channels * side * other


def build_network(part: str, sizes: Sizes, form: Form, config: MindAnimatorConfig) -> nn.Module:
    """The network of a part, freshly drawn; `UnknownName` for another part."""
    chosen = config.part(part)
    inputs = sizes.channels * (sizes.window if form.whole_window and part != "motion" else 1)
    if part == "semantic":
        return SemanticDecoder(inputs, sizes.width, chosen.blocks, config.mapper_hidden, sizes.tokens)
    if part == "structure":
        return StructureDecoder(inputs, sizes.latent_size, chosen.width, chosen.blocks)
    return TokenMotionDecoder(
        inputs,
        sizes.latent_size,
        chosen.width,
        chosen.blocks,
        config.layers,
        config.heads,
        config.hidden,
        tokens=sizes.window if form.whole_window else 0,
        increments=config.increments,
        transport=config.transport,
        channels=sizes.latent[1],
        max_frames=sizes.latent[0] + 2,
    )


def batch_loss(
    part: str, network: Any, batch: dict[str, Tensor], keep: float, l1: float, draws: random.Random
) -> Tensor:
    """Loss of a batch: fmri, text, image, condition, latents by name. `draws` gives the motion decoder's mask."""
    fmri = batch["fmri"]
    if part == "semantic":
        made = network(fmri)
        return semantic_loss(network, made, batch["text"], batch["image"], batch["condition"]).total
    frames = batch["latents"].flatten(2)
    if part == "structure":
        return sparse_loss(network, network(fmri), frames[:, :1], l1)
    mask = torch.from_numpy(sparse_causal_mask(frames.shape[1] - 1, keep, draws)).to(fmri.device)
    return sparse_loss(network, network(fmri, frames[:, :-1], mask), frames[:, 1:], l1)


@torch.no_grad()
def held_out_loss(part: str, network: Any, batch: dict[str, Tensor]) -> Tensor:
    """What early stopping looks at: the loss without penalties, with every earlier frame visible."""
    fmri = batch["fmri"]
    if part == "semantic":
        made = network(fmri)
        return semantic_loss(network, made, batch["text"], batch["image"], batch["condition"]).total
    frames = batch["latents"].flatten(2)
    if part == "structure":
        return nn.functional.mse_loss(network(fmri), frames[:, :1])
    mask = torch.from_numpy(causal_mask(frames.shape[1] - 1)).to(fmri.device)
    return nn.functional.mse_loss(network(fmri, frames[:, :-1], mask), frames[:, 1:])
