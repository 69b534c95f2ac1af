"""Stable Diffusion's picture network, stock, made to draw films: attention across frames, without video training.

Frames are laid along the batch axis of an unchanged `UNet2DConditionModel`. What sees several frames is added from
outside: self-attention whose keys and values are those of the first and the previous frame (an attention processor),
and normalisation over all frames where the released network has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from brainviz.errors import DataProblem


class Frames:
    """How many frames stand side by side in the batch; shared by all parts of one network."""

    count = 1


class FirstAndPrevious:
    """Attention processor: each frame looks at the first frame and at the one before it.

    The first frame is its own predecessor, so its keys come twice, which changes nothing.
    """

    def __init__(self, frames: Frames) -> None:
        self.frames = frames

    def __call__(self, attention: Any, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        """hidden_states (films * frames, positions, channels) -> the same shape."""
        n, positions, channels = hidden_states.shape
        films = hidden_states.view(-1, self.frames.count, positions, channels)
        before = torch.arange(self.frames.count, device=films.device).sub(1).clamp_min(0)
        first = films[:, :1].expand_as(films)
        seen = torch.cat([first, films[:, before]], dim=2).view(n, 2 * positions, channels)

        def split(x: Tensor) -> Tensor:
            return x.view(n, -1, attention.heads, x.shape[-1] // attention.heads).transpose(1, 2)

        query, key, value = attention.to_q(hidden_states), attention.to_k(seen), attention.to_v(seen)
        mixed = F.scaled_dot_product_attention(split(query), split(key), split(value))
        made = mixed.transpose(1, 2).reshape(n, positions, -1)
        return attention.to_out[1](attention.to_out[0](made))


class AllFramesNorm(nn.GroupNorm):
    """Group norm whose statistics run over all frames of a film."""

    frames: Frames

    @classmethod
    def around(cls, norm: nn.GroupNorm, frames: Frames) -> AllFramesNorm:
        """The same parameters under the same names."""
        made = cls(norm.num_groups, norm.num_channels, norm.eps, norm.affine)
        made.weight, made.bias, made.frames = norm.weight, norm.bias, frames
        return made

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        films = x.view(-1, self.frames.count, channels, height, width).transpose(1, 2)
        return super().forward(films).transpose(1, 2).reshape(n, channels, height, width)


class TemporalBias(nn.Module):
    """What is left of the released temporal attention: a constant, added behind a block's feed-forward.

    Its output weights are zero and no training moves them, but its output bias is drawn at random, unseeded, so two
    runs of the released program differ. `corrected` has no such bias.
    """

    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.bias = nn.Parameter(bias, requires_grad=False)

    def hook(self, _block: nn.Module, _inputs: Any, made: Tensor) -> Tensor:
        return made + self.bias


class VideoUNet(nn.Module):
    """A stock `UNet2DConditionModel` on films (n, channels, frames, h, w).

    Parameters
    ----------
    network : of diffusers; its self-attention processors and the group norms of its resnets are replaced.
    temporal_bias : by name of the transformer block (``down_blocks.0.attentions.0.transformer_blocks.0``), (channels,);
        only to reproduce the released network (`released_bias`).
    """

    def __init__(self, network: Any, temporal_bias: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        self.network, self.frames = network, Frames()
        self._spread_attention()
        self._spread_norms()
        self.temporal = nn.ModuleList()
        for name, bias in (temporal_bias or {}).items():
            self.temporal.append(TemporalBias(bias))
            network.get_submodule(name).register_forward_hook(self.temporal[-1].hook)

    def _spread_attention(self) -> None:
        ours = FirstAndPrevious(self.frames)
        processors = self.network.attn_processors
        spread = {name: ours if ".attn1." in name else own for name, own in processors.items()}
        self.network.set_attn_processor(spread)

    def _spread_norms(self) -> None:
        """Resnets and the output norm; the norm before each attention stays within its frame, as released."""
        for name, norm in list(self.network.named_modules()):
            if isinstance(norm, nn.GroupNorm) and ".attentions." not in name:
                parent, _, own = name.rpartition(".")
                setattr(self.network.get_submodule(parent), own, AllFramesNorm.around(norm, self.frames))

    def forward(self, sample: Tensor, timestep: Tensor | int, context: Tensor) -> Tensor:
        """Predicted noise of films.

        Parameters
        ----------
        sample : float (n, channels, frames, h, w).
        timestep : of the diffusion, 0..999.
        context : float (n, tokens, width), the text condition of each film.
        """
        if sample.ndim != 5 or len(context) != len(sample):
            raise DataProblem(
                f"Films {tuple(sample.shape)} and conditions {tuple(context.shape)} do not match.", "video U-Net"
            )
        n, _, frames = sample.shape[:3]
        self.frames.count = frames
        pictures = sample.transpose(1, 2).flatten(0, 1)
        noise = self.network(pictures, timestep, context.repeat_interleave(frames, 0), return_dict=False)[0]
        return noise.view(n, frames, *noise.shape[1:]).transpose(1, 2)


def released_bias(checkpoint: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split a released inflated checkpoint into the stock network's tensors and the temporal biases.

    Raises
    ------
    DataProblem
        Where a temporal attention was trained: its output weights are not zero, so it is no constant.
    """
    stock = {name: value for name, value in checkpoint.items() if "_temp." not in name}
    end = ".attn_temp.to_out.0."
    for name, value in checkpoint.items():
        if name.endswith(f"{end}weight") and value.abs().max() > 0:
            raise DataProblem("A temporal attention of this checkpoint was trained; it is not left out.", name)
    biases = {name.removesuffix(f"{end}bias"): v for name, v in checkpoint.items() if name.endswith(f"{end}bias")}
    return stock, biases
