"""Semantic decoder: from fMRI to a vector in CLIP's space, and from there to the generator's text condition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PRETRAINED_WEIGHT = 1.0
CONTRASTIVE_WEIGHT = 0.01
CONDITION_WEIGHT = 0.5


class TextConditionMapper(nn.Sequential):
    """From CLIP's space to the tokens that a text encoder would give: (n, width) -> (n, tokens, token_width).

    Three times LayerNorm, GELU, Linear; 512 -> 2048 -> 4096 -> 19 * 768 as released.
    """

    def __init__(self, width: int = 512, hidden: tuple[int, int] = (2048, 4096), tokens: tuple[int, int] = (19, 768)):
        sizes = [width, *hidden, math.prod(tokens)]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.LayerNorm(before), nn.GELU(), nn.Linear(before, after)]
        super().__init__(*layers)
        self.tokens = tokens

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, width) -> (n, tokens, token_width)."""
        return super().forward(x.reshape(len(x), -1)).view(-1, *self.tokens)


@dataclass(frozen=True)
class Semantic:
    """What the semantic decoder makes of n clips.

    Attributes
    ----------
    vector : float32 (n, width), in CLIP's space.
    condition : float32 (n, tokens, token_width).
    """

    vector: Tensor
    condition: Tensor


class SemanticDecoder(nn.Module):
    """fMRI (n, inputs) -> `Semantic`; Linear, LayerNorm, GELU, dropout .3, then residual blocks with dropout .15.

    Both forms share this network; they differ in what they are trained on (`forms`): as released the augmentation
    zeroes its inputs in place, epoch after epoch.

    Parameters
    ----------
    inputs : vertices (4,500 as released), or vertices times volumes.
    width : of CLIP's space.
    blocks : residual blocks.
    mapper_hidden, tokens : see `TextConditionMapper`.

    Source: Lu et al. 2025, section 3.2; dimensions as released.
    """

    def __init__(
        self,
        inputs: int = 4500,
        width: int = 512,
        blocks: int = 3,
        mapper_hidden: tuple[int, int] = (2048, 4096),
        tokens: tuple[int, int] = (19, 768),
    ) -> None:
        super().__init__()
        self.lin0 = _layer(inputs, width, 0.3)
        self.mlp = nn.ModuleList([_layer(width, width, 0.15) for _ in range(blocks)])
        self.lin1 = TextConditionMapper(width, mapper_hidden, tokens)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, fmri: Tensor) -> Semantic:
        """float32 (n, inputs) -> vectors and text conditions."""
        x = self.lin0(fmri)
        for block in self.mlp:
            x = block(x) + x
        return Semantic(x, self.lin1(x))


def _layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.GELU(), nn.Dropout(dropout))


def similarity(vector: Tensor, other: Tensor, logit_scale: Tensor) -> Tensor:
    """Scaled cosine of every row of `vector` (n, width) with every row of `other` (m, width): (n, m)."""
    return logit_scale.exp() * F.normalize(vector, dim=-1) @ F.normalize(other, dim=-1).T


def contrastive_loss(logits: Tensor) -> Tensor:
    """Symmetric cross-entropy of an (n, n) similarity: each row should choose its own column, and the reverse."""
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


@dataclass(frozen=True)
class SemanticLoss:
    """The parts of the loss, each a scalar."""

    text: Tensor
    fmri_text: Tensor
    fmri_image: Tensor
    condition: Tensor

    @property
    def contrastive(self) -> Tensor:
        return (self.fmri_text + self.fmri_image) / 2

    @property
    def total(self) -> Tensor:
        """As released: MSE to CLIP's text vector + .01 * contrastive + .5 * MSE to the text condition.

        The paper states alpha * InfoNCE(fMRI, text) + (1 - alpha) * InfoNCE(fMRI, image); the first MSE is not in it.
        """
        return PRETRAINED_WEIGHT * self.text + CONTRASTIVE_WEIGHT * self.contrastive + CONDITION_WEIGHT * self.condition


def semantic_loss(
    decoder: SemanticDecoder, made: Semantic, clip_text: Tensor, clip_image: Tensor, condition: Tensor
) -> SemanticLoss:
    """Tri-modal loss of a batch: `clip_text`, `clip_image` (n, width), `condition` (n, tokens, token_width)."""
    return SemanticLoss(
        text=F.mse_loss(made.vector, clip_text),
        fmri_text=contrastive_loss(similarity(made.vector, clip_text, decoder.logit_scale)),
        fmri_image=contrastive_loss(similarity(made.vector, clip_image, decoder.logit_scale)),
        condition=F.mse_loss(made.condition, condition),
    )
