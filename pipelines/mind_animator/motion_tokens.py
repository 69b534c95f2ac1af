"""Motion decoder, one token a frame: predicts the next frame's latent from those before it and from fMRI."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from brainviz.errors import DataProblem
from pipelines.mind_animator.causal_masks import causal_mask, released_inference_mask
from pipelines.mind_animator.transport import Transport

HIDDEN_SCORE = -1e9
BOTTLENECK = 16
"""Attention works in a space this many times smaller than the latent."""


class FmriEncoder(nn.Module):
    """fMRI to the tokens that frames attend to.

    Without `tokens` (as released): (n, inputs) -> (n, 1, outputs), one token, so that attention over it is no choice.
    With `tokens`: (n, tokens, inputs) -> (n, tokens, outputs), one per volume, each with a learned place in time.
    """

    def __init__(self, inputs: int, width: int, outputs: int, blocks: int = 1, tokens: int = 0) -> None:
        super().__init__()
        self.lin0 = _layer(inputs, width, 0.5)
        self.mlp = nn.ModuleList([_layer(width, width, 0.15) for _ in range(blocks)])
        self.lin1 = nn.Linear(width, outputs)
        self.place = nn.Parameter(torch.zeros(tokens, width)) if tokens else None

    def forward(self, fmri: Tensor) -> Tensor:
        x = self.lin0(fmri if self.place is not None else fmri[:, None])
        if self.place is not None:
            x = x + self.place
        for block in self.mlp:
            x = block(x) + x
        return self.lin1(x)


def _layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.GELU(), nn.Dropout(dropout))


class UnbiasedNorm(nn.Module):
    """Normalisation over the last axis by the unbiased standard deviation, `eps` added to it."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.a_2 = nn.Parameter(torch.ones(width))
        self.b_2 = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.a_2 * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps) + self.b_2


class BottleneckAttention(nn.Module):
    """Multi-head attention through `width / 16` channels; keys and values may have a width of their own."""

    def __init__(self, heads: int, width: int, memory_width: int | None = None, dropout: float = 0.15) -> None:
        super().__init__()
        inner = width // BOTTLENECK
        if inner < heads or inner % heads:
            raise DataProblem(f"{heads} heads do not share {inner} channels (a latent of {width}).", "motion decoder")
        memory = memory_width or width
        self.heads = heads
        self.linears = nn.ModuleList([nn.Linear(size, inner) for size in (width, memory, memory)])
        self.linears1 = nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)

    def weights(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention weights (n, heads, frames, keys) of x (n, frames, width) over `memory` (n, keys, memory_width)."""
        query, key = self._split(self.linears[0](x)), self._split(self.linears[1](memory))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], HIDDEN_SCORE)
        return scores.softmax(-1)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, frames, width); `mask` bool (n or 1, frames, keys), True where visible."""
        mixed = self.dropout(self.weights(x, memory, mask)) @ self._split(self.linears[2](memory))
        return self.linears1(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.view(len(x), x.shape[1], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """Linear, ReLU, dropout, Linear."""

    def __init__(self, width: int, hidden: int, dropout: float = 0.15) -> None:
        super().__init__()
        self.w_1, self.w_2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_2(self.dropout(F.relu(self.w_1(x))))


class _Skip(nn.Module):
    """The skip around a sublayer; the norm is of the sublayer's *output*, as released."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = UnbiasedNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, made: Tensor) -> Tensor:
        return x + self.dropout(self.norm(made))


class MotionLayer(nn.Module):
    """Self-attention over frames, attention to the fMRI, feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int, memory_width: int | None, dropout: float = 0.15) -> None:
        super().__init__()
        self.self_attn = BottleneckAttention(heads, width, dropout=dropout)
        self.src_attn = BottleneckAttention(heads, width, memory_width, dropout)
        self.feed_forward = FeedForward(width, hidden, dropout)
        self.sublayer = nn.ModuleList([_Skip(width, dropout) for _ in range(3)])

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        x = self.sublayer[0](x, self.self_attn(x, x, mask))
        x = self.sublayer[1](x, self.src_attn(x, memory))
        return self.sublayer[2](x, self.feed_forward(x))


class _Layers(nn.Module):
    def __init__(self, layers: int, width: int, heads: int, hidden: int, memory_width: int | None) -> None:
        super().__init__()
        self.layers = nn.ModuleList([MotionLayer(width, heads, hidden, memory_width) for _ in range(layers)])
        self.norm = UnbiasedNorm(width)


class TokenMotionDecoder(nn.Module):
    """Next-frame prediction over frame latents (n, frames, width), with the fMRI as memory.

    Parameters
    ----------
    inputs : vertices of a volume.
    width : size of a frame's latent, 4 * 64 * 64 as released.
    encoder_width, encoder_blocks : of `FmriEncoder`.
    layers, heads, hidden : of the transformer.
    tokens : volumes of the fMRI window. 0 (as released): the fMRI is one token as wide as a latent, and every frame
        gets the same vector from it. Else one token a volume, `encoder_width` wide.
    increments : the network's output is added to the current frame's latent. As released it is the next latent itself,
        normalised to unit variance, which no network trained for seconds makes equal to its input.
    transport, channels : kernels of `Transport`, which is added to the increments, and channels of a latent; 0 kernels
        for none (as released).
    max_frames : longest sequence.

    Source: Lu et al. 2025, section 3.2 (consistency motion generator); dimensions as released.
    """

    def __init__(
        self,
        inputs: int = 4500,
        width: int = 4 * 64 * 64,
        encoder_width: int = 768,
        encoder_blocks: int = 1,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 768,
        tokens: int = 0,
        increments: bool = False,
        transport: int = 0,
        channels: int = 4,
        max_frames: int = 10,
    ) -> None:
        super().__init__()
        memory_width = encoder_width if tokens else None
        self.encoder = FmriEncoder(inputs, encoder_width, memory_width or width, encoder_blocks, tokens)
        self.decoder = _Layers(layers, width, heads, hidden, memory_width)
        self.tokens, self.increments = tokens, increments
        self.gain = nn.Parameter(torch.zeros(width)) if increments else None
        seen = max(tokens, 1) * inputs
        self.transport = Transport(seen, channels, transport) if increments and transport else None
        self.register_buffer("places", frame_places(max_frames, width), persistent=False)

    def forward(self, fmri: Tensor, frames: Tensor, mask: Tensor) -> Tensor:
        """Teacher forcing: from each of `frames` (n, t, width) the next one, (n, t, width); mask (n or 1, t, t)."""
        return self.after(self.encoder(fmri), frames, mask, fmri)

    def after(self, memory: Tensor, frames: Tensor, mask: Tensor, fmri: Tensor | None = None) -> Tensor:
        """The same with the fMRI already encoded, (n, tokens, memory width); transport needs it as it was, too."""
        x = frames + self.places[: frames.shape[1]]
        for layer in self.decoder.layers:
            x = layer(x, memory, mask)
        made = self.decoder.norm(x)
        if self.gain is None:
            return made
        moved = frames + self.gain * made
        return moved if self.transport is None or fmri is None else moved + self.transport(fmri, frames)

    @torch.no_grad()
    def unroll(self, fmri: Tensor, first: Tensor, steps: int = 7, causal: bool = True) -> Tensor:
        """Inference: frames one after the other from the first one's latent (n, 1, width): (n, 1 + steps, width).

        Without `causal` (as released) every frame after the second is made from the first frame alone.
        """
        memory, frames = self.encoder(fmri), first
        for _ in range(steps):
            size = frames.shape[1]
            mask = torch.from_numpy(causal_mask(size) if causal else released_inference_mask(size)).to(first.device)
            frames = torch.cat([frames, self.after(memory, frames, mask, fmri)[:, -1:]], dim=1)
        return frames


def frame_places(frames: int, width: int) -> Tensor:
    """Sines (even channels) and cosines (odd channels) of the frame's number, float32 (frames, width)."""
    rate = torch.exp(torch.arange(0, width, 2) * -(math.log(10000.0) / width))
    angle = torch.arange(frames)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
