"""Stable Video Diffusion's U-Net, steered by a motion map.

The first residual block of every level, going down and up, is modulated after its first convolution:
h + norm(h) gamma(f) + beta(f), with f the motion map's features at that level. All else is the stock network, so all of
diffusers' ways to run it (offload, chunking, half precision, the stock pipeline) hold here too.

MotionPro-Dense is the same network with three channels of motion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError

prepare_torchvision()  # diffusers looks at torchvision as soon as it is imported

from diffusers import UNetSpatioTemporalConditionModel  # noqa: E402
from diffusers.configuration_utils import register_to_config  # noqa: E402

_ENCODER_GROUPS = 8
_NORM_GROUPS = 32
# The stock blocks that attend are made with 1e-6; the network was trained with 1e-5 throughout.
_RESNET_EPS = 1e-5


class TemporalConv(nn.Conv1d):
    """Convolution over time, pixel by pixel, the first and last frame repeated: (n, t, c, h, w) -> (n, t, c', h, w)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(channels, out_channels, 3, padding=1, padding_mode="replicate")

    def forward(self, values: Tensor) -> Tensor:
        n, t, _, h, w = values.shape
        over_time = values.permute(0, 3, 4, 2, 1).reshape(n * h * w, -1, t)
        return super().forward(over_time).reshape(n, h, w, -1, t).permute(0, 4, 3, 1, 2)


class FlowStage(nn.Module):
    """Normalise and activate (or not), convolve in space, then in time: (n, t, c, h, w) -> (n, t, c', h', w')."""

    def __init__(self, channels: int, out_channels: int, stride: int, first: bool = False) -> None:
        super().__init__()
        self.norm = None if first else nn.GroupNorm(_ENCODER_GROUPS, channels)
        self.spatial = nn.Conv2d(channels, out_channels, 3, stride=stride, padding=1)
        self.temporal = TemporalConv(out_channels, out_channels)

    def forward(self, values: Tensor) -> Tensor:
        n = values.shape[0]
        flat = values.flatten(0, 1)
        if self.norm is not None:
            flat = nn.functional.silu(self.norm(flat))
        return self.temporal(self.spatial(flat).unflatten(0, (n, -1)))


class FlowLevel(nn.Module):
    """Features of the next level, at half the size."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.stage = FlowStage(channels, out_channels, stride=1)
        self.down = nn.Conv2d(out_channels, out_channels, 3, stride=2, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        return self.down(self.stage(values).flatten(0, 1)).unflatten(0, values.shape[:2])


class FlowEncoder(nn.Module):
    """Motion map to features for each level of the U-Net.

    (n, t, c, H, W) -> list of (n, t, level's channels, H / 8 / 2^level, W / 8 / 2^level)
    """

    def __init__(self, flow_channels: int, block_out_channels: Sequence[int]) -> None:
        super().__init__()
        first = block_out_channels[0]
        self.entry = nn.Sequential(
            FlowStage(flow_channels, first // 4, stride=2, first=True),
            FlowStage(first // 4, first // 2, stride=2),
            FlowStage(first // 2, first, stride=2),
        )
        self.levels = nn.ModuleList(FlowLevel(before, after) for before, after in pairwise(block_out_channels))

    def forward(self, flow: Tensor) -> list[Tensor]:
        features = [self.entry(flow)]
        for level in self.levels:
            features.append(level(features[-1]))
        return features


class FlowModulation(nn.Module):
    """h + norm(h) gamma(f) + beta(f) for h (b t, c, h, w) and features f (n, t, c, h, w), the n films repeated to b."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_NORM_GROUPS, channels)
        self.gamma_spatial = nn.Conv2d(channels, channels // 4, 3, padding=1)
        self.gamma_temporal = TemporalConv(channels // 4, channels)
        self.beta_spatial = nn.Conv2d(channels, channels // 4, 3, padding=1)
        self.beta_temporal = TemporalConv(channels // 4, channels)

    def forward(self, hidden: Tensor, features: Tensor) -> Tensor:
        n, flat = features.shape[0], features.flatten(0, 1)
        gamma = self.gamma_temporal(self.gamma_spatial(flat).unflatten(0, (n, -1))).flatten(0, 1)
        beta = self.beta_temporal(self.beta_spatial(flat).unflatten(0, (n, -1))).flatten(0, 1)
        times = hidden.shape[0] // gamma.shape[0]
        return hidden + self.norm(hidden) * gamma.repeat(times, 1, 1, 1) + beta.repeat(times, 1, 1, 1)


class ModulatedConv(nn.Conv2d):
    """A stock block's first convolution, followed by the modulation while features are set."""

    def __init__(self, stock: nn.Conv2d) -> None:
        super().__init__(stock.in_channels, stock.out_channels, 3, padding=1)
        self.modulation = FlowModulation(stock.out_channels)
        self.features: Tensor | None = None

    def forward(self, values: Tensor) -> Tensor:
        hidden = super().forward(values)
        return hidden if self.features is None else self.modulation(hidden, self.features)


class FlowUNet(UNetSpatioTemporalConditionModel):
    """The steered U-Net; takes what the stock one takes, and the motion from `steered` or as `flow`.

    Its folder is written and read as any diffusers model (`save_pretrained`, `from_pretrained`). A pipeline's folder
    does not name the class, so keep the U-Net's folder apart and hand the network to the stock pipeline.
    """

    _flow: Tensor | None = None

    @register_to_config
    def __init__(
        self,
        sample_size: int | None = None,
        in_channels: int = 8,
        out_channels: int = 4,
        down_block_types: tuple[str, ...] = (*("CrossAttnDownBlockSpatioTemporal",) * 3, "DownBlockSpatioTemporal"),
        up_block_types: tuple[str, ...] = ("UpBlockSpatioTemporal", *("CrossAttnUpBlockSpatioTemporal",) * 3),
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        addition_time_embed_dim: int = 256,
        projection_class_embeddings_input_dim: int = 768,
        layers_per_block: int | tuple[int, ...] = 2,
        cross_attention_dim: int | tuple[int, ...] = 1024,
        transformer_layers_per_block: int | tuple[int, ...] = 1,
        num_attention_heads: int | tuple[int, ...] = (5, 10, 20, 20),
        num_frames: int = 14,
        flow_channels: int = 2,
    ) -> None:
        super().__init__(
            sample_size=sample_size,
            in_channels=in_channels,
            out_channels=out_channels,
            down_block_types=down_block_types,
            up_block_types=up_block_types,
            block_out_channels=block_out_channels,
            addition_time_embed_dim=addition_time_embed_dim,
            projection_class_embeddings_input_dim=projection_class_embeddings_input_dim,
            layers_per_block=layers_per_block,
            cross_attention_dim=cross_attention_dim,
            transformer_layers_per_block=transformer_layers_per_block,
            num_attention_heads=num_attention_heads,
            num_frames=num_frames,
        )
        self.flow_encoder = FlowEncoder(flow_channels, block_out_channels)
        for block in (*self.down_blocks, *self.up_blocks):
            spatial = block.resnets[0].spatial_res_block
            spatial.conv1 = ModulatedConv(spatial.conv1)
        self._set_eps()

    def _set_eps(self) -> None:
        for block in (*self.down_blocks, self.mid_block, *self.up_blocks):
            for resnet in block.resnets:
                for part in (resnet.spatial_res_block, resnet.temporal_res_block):
                    part.norm1.eps = part.norm2.eps = _RESNET_EPS

    def modulated(self) -> list[tuple[int, ModulatedConv]]:
        """The modulated convolutions with their level, going down and then up."""
        levels = [*range(len(self.down_blocks)), *reversed(range(len(self.up_blocks)))]
        blocks = (*self.down_blocks, *self.up_blocks)
        return [(k, b.resnets[0].spatial_res_block.conv1) for k, b in zip(levels, blocks, strict=True)]

    @contextmanager
    def steered(self, flow: Tensor) -> Iterator[None]:
        """Within it every call follows this motion map (n, t, c, H, W); so the stock pipeline needs no change."""
        self._flow = flow
        try:
            yield
        finally:
            self._flow = None

    def forward(
        self,
        sample: Tensor,
        timestep: Any,
        encoder_hidden_states: Tensor,
        added_time_ids: Tensor,
        return_dict: bool = True,
        flow: Tensor | None = None,
    ) -> Any:
        """As the stock network's, with `flow` (n, t, c, H, W), H and W 8 times the latents'; b must be n times a whole.

        Raises
        ------
        BrainvizError
            Without a motion map, or with one of another size.
        """
        wanted = flow if flow is not None else self._flow
        features = self.flow_encoder(_checked(wanted, sample).to(sample.device, sample.dtype))
        try:
            for level, conv in self.modulated():
                conv.features = features[level]
            return super().forward(sample, timestep, encoder_hidden_states, added_time_ids, return_dict)
        finally:
            for _, conv in self.modulated():
                conv.features = None


def _checked(flow: Tensor | None, sample: Tensor) -> Tensor:
    """The motion map; refused where it is missing or does not fit the latents (b, t, c, h, w)."""
    if flow is None:
        raise BrainvizError("The steered U-Net was called without a motion map.", remedy="Call it within `steered`.")
    b, t, _, h, w = sample.shape
    if flow.ndim != 5 or flow.shape[1] != t or flow.shape[-2:] != (8 * h, 8 * w) or b % flow.shape[0]:
        raise BrainvizError(f"A motion map {tuple(flow.shape)} does not fit latents {tuple(sample.shape)}.")
    return flow
