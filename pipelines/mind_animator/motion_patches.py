"""Motion decoder on patches: attention over time at each patch, and to the fMRI at each frame.

The released program holds this network but no training script for it. What it builds and never uses (adaptive norm,
temporal projection of the fMRI) is left out here; `unused` names it, so that a released checkpoint loads.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipelines.mind_animator.causal_masks import causal_mask, released_patch_mask

HIDDEN_SCORE = -1e9
UNUSED = ("fMRI_to_temporal.", ".adaLN_modulation.", ".temporal_norm1.", ".temporal_fc.")


def unused(name: str) -> bool:
    """Whether a tensor of a released checkpoint takes no part in the computation."""
    return any(part in name for part in UNUSED)


class FrameAttention(nn.Module):
    """Self-attention over the frames of each patch."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(n, frames, width); mask bool, broadcast to (n, heads, frames, frames), True where visible."""
        n, frames, width = x.shape
        query, key, value = self.qkv(x).view(n, frames, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, HIDDEN_SCORE)
        return self.proj((scores.softmax(-1) @ value).transpose(1, 2).reshape(n, frames, width))


class FmriAttention(nn.Module):
    """Attention of patches to fMRI tokens.

    As released all tokens are copies of one vector, so the result does not depend on the query.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.15) -> None:
        super().__init__()
        self.heads = heads
        self.linears = nn.ModuleList([nn.Linear(width, width) for _ in range(3)])
        self.linears1 = nn.Linear(width, width)
        self.dropout = dropout

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """x (n, patches, width), memory (n, tokens, width) -> (n, patches, width)."""
        query, key, value = (
            linear(part).view(len(part), part.shape[1], self.heads, -1).transpose(1, 2)
            for linear, part in zip(self.linears, (x, memory, memory), strict=True)
        )
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        mixed = F.dropout(weights, self.dropout, self.training) @ value
        return self.linears1(mixed.transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class PatchBlock(nn.Module):
    """Frames of each patch, then the fMRI, then a feed-forward; all with a skip."""

    def __init__(self, width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.temporal_attention = FrameAttention(width, heads)
        self.spatial_attention = FmriAttention(width, heads)
        self.mlp = _Mlp(width, int(width * mlp_ratio))

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None) -> Tensor:
        """x (n, frames, patches, width), memory (n, tokens, width)."""
        n, frames, patches, width = x.shape
        over_time = self.temporal_attention(x.transpose(1, 2).reshape(n * patches, frames, width), mask)
        x = x + over_time.view(n, patches, frames, width).transpose(1, 2)
        flat = x.reshape(n, frames * patches, width)
        flat = flat + self.spatial_attention(_norm(flat), memory)
        return (flat + self.mlp(_norm(flat))).view(n, frames, patches, width)


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class _FinalLayer(nn.Module):
    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(_norm(x))


class PatchMotionDecoder(nn.Module):
    """Next-frame prediction over latents (n, frames, channels, side, side), by patches.

    Parameters
    ----------
    inputs : vertices of a volume.
    side, channels, patch : of the latents, and of the patches.
    width, depth, heads, mlp_ratio : of the transformer.
    frames : that are given (one less than a clip's).
    tokens : volumes of the fMRI window; 0 (as released) for one vector.
    """

    def __init__(
        self,
        inputs: int = 4500,
        side: int = 64,
        channels: int = 4,
        patch: int = 4,
        width: int = 512,
        depth: int = 4,
        heads: int = 8,
        mlp_ratio: float = 4.0,
        frames: int = 7,
        tokens: int = 0,
    ) -> None:
        super().__init__()
        self.patch, self.channels, self.frames, self.tokens = patch, channels, frames, tokens
        self.frame_embedder = nn.ModuleDict({"proj": nn.Conv2d(channels, width, patch, patch)})
        self.fMRI_to_spatial = nn.Sequential(nn.SiLU(), nn.Linear(inputs, width))
        self.blocks = nn.ModuleList([PatchBlock(width, heads, mlp_ratio) for _ in range(depth)])
        self.final_layer = _FinalLayer(width, patch * patch * channels)
        self.register_buffer("pos_embed", patch_places(width, side // patch)[None])
        self.register_buffer("time_embed", line_places(width, torch.arange(frames))[None])

    def forward(self, fmri: Tensor, latents: Tensor, mask: Tensor | None = None) -> Tensor:
        """Teacher forcing: from each frame the next, (n, frames, channels, side, side).

        fmri (n, inputs), or (n, tokens, inputs); mask bool (1, frames, frames) or (frames, frames), True where visible.
        """
        n, frames = latents.shape[:2]
        x = self.frame_embedder["proj"](latents.flatten(0, 1)).flatten(2).transpose(1, 2) + self.pos_embed
        x = x.view(n, frames, *x.shape[1:]) + self.time_embed[:, :frames, None]
        memory = self.fMRI_to_spatial(fmri if self.tokens else fmri[:, None])
        for block in self.blocks:
            x = block(x, memory, mask)
        return self._pictures(self.final_layer(x), latents.shape[-1] // self.patch)

    def _pictures(self, x: Tensor, across: int) -> Tensor:
        n, frames = x.shape[:2]
        tiles = x.view(n, frames, across, across, self.patch, self.patch, self.channels)
        return tiles.permute(0, 1, 6, 2, 4, 3, 5).reshape(n, frames, self.channels, across * self.patch, -1)

    @torch.no_grad()
    def unroll(self, fmri: Tensor, first: Tensor, causal: bool = True) -> Tensor:
        """Inference from the first frame (n, 1, channels, side, side): (n, 1 + frames, channels, side, side).

        Frames that are not written yet are zeros, and hidden. Without `causal` (as released) the mask is the negative
        of a causal one: a frame sees what is not written yet and nothing before it.
        """

        def mask_of(written: int) -> Tensor:
            size = self.frames
            mask = causal_mask(size)[0] if causal else released_patch_mask(size, written)
            return torch.from_numpy(mask).to(first.device)

        return self.unroll_with(fmri, first, mask_of)

    def unroll_with(self, fmri: Tensor, first: Tensor, mask_of: Callable[[int], Tensor]) -> Tensor:
        """As `unroll`, with the mask of each step given."""
        frames = torch.zeros(len(first), self.frames + 1, *first.shape[2:], device=first.device)
        frames[:, :1] = first
        for step in range(self.frames):
            frames[:, step + 1] = self(fmri, frames[:, : self.frames], mask_of(step + 1))[:, step]
        return frames


def patch_places(width: int, across: int) -> Tensor:
    """float32 (across * across, width): first half of the channels by column, second half by row."""
    row, column = torch.meshgrid(torch.arange(across), torch.arange(across), indexing="ij")
    return torch.cat([line_places(width // 2, part.reshape(-1)) for part in (column, row)], dim=1)


def line_places(width: int, position: Tensor) -> Tensor:
    """Sines, then cosines, of positions (n,): float32 (n, width)."""
    half = width // 2
    rate = 10000.0 ** -(torch.arange(half, dtype=torch.float64) / half)
    angle = position.double()[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()
