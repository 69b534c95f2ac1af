"""A pretrained network as an encoder of clips: batches, precision, pooling. How each is loaded stands in its loader."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brainviz.errors import BrainvizError
from pipelines.features.preprocessing import Pixels
from pipelines.features.spec import EncoderSpec, Features, Frames, check_clips, joined, sampled_frames

MOST_CHANNELS = 4096  # of one layer, after pooling
_IMAGES_AT_ONCE = 32
DEPTHS = {"layer-25": 0.25, "layer-50": 0.5, "layer-75": 0.75, "layer-100": 1.0}


@dataclass(frozen=True)
class Network:
    """A loaded network.

    Attributes
    ----------
    run : callable
        Pixels -> maps by layer: tensor (n, c, h, w), or (n, c) for a vector. Pixels are (n, 3, h, w) for a network of
        images, (n, frames, 3, h, w) for one of clips, whose maps are means over time.
    pixels : Pixels
    frames : int
        Frames of one clip; 0 for a network of images.
    """

    run: Callable[[Any], dict[str, Any]] = field(repr=False)
    pixels: Pixels
    frames: int = 0


@dataclass(frozen=True)
class NetworkEncoder:
    """A pretrained encoder of clips. A network of images sees each frame alone; its features are means over frames."""

    spec: EncoderSpec
    network: Network
    weights: Path
    device: str = "cpu"

    @property
    def layers(self) -> tuple[str, ...]:
        return self.spec.layers

    @property
    def size_px(self) -> int:
        return 0

    @property
    def frames_per_clip(self) -> int:
        return self.network.frames or self.spec.frames_per_clip

    def encode(self, frames: Frames, fps: float) -> Features:
        """Features: uint8 (n_clips, t, h, w, 3), square -> {layer: float32 (n_clips, channels)}."""
        frames = check_clips(frames)
        if frames.shape[2] != frames.shape[3]:
            raise BrainvizError(f"Frames must be square, not {frames.shape[2]} x {frames.shape[3]}.", self.spec.id)
        if frames.shape[1] != self.frames_per_clip:
            frames = frames[:, sampled_frames(frames.shape[1], self.frames_per_clip, self.spec.sampling)]
        at_once = max(1, _IMAGES_AT_ONCE // frames.shape[1])
        return joined([self._batch(frames[k : k + at_once]) for k in range(0, max(len(frames), 1), at_once)])

    def _batch(self, frames: Frames) -> Features:
        import torch

        n, t = frames.shape[:2]
        on_cuda = self.device.startswith("cuda")
        with torch.inference_mode():
            pixels = self.network.pixels(frames.reshape(n * t, *frames.shape[2:]), self.device)
            if self.network.frames:
                pixels = pixels.reshape(n, t, *pixels.shape[1:])
            with torch.autocast("cuda", torch.bfloat16) if on_cuda else nullcontext():
                maps = self.network.run(pixels)
            pooled = {layer: pool(maps[layer].float()) for layer in self.layers}
        if not self.network.frames:
            pooled = {layer: rows.reshape(n, t, -1).mean(dim=1) for layer, rows in pooled.items()}
        return {layer: rows.cpu().numpy().astype(np.float32) for layer, rows in pooled.items()}


def pool(maps: Any) -> Any:
    """Means over a 2 x 2 grid of positions, or over all positions where that would exceed 4,096 channels.

    Parameters
    ----------
    maps : tensor (n, c, h, w), or (n, c)

    Returns
    -------
    tensor (n, 4 c) or (n, c); position by position within a channel
    """
    from torch.nn.functional import adaptive_avg_pool2d

    if maps.ndim == 2:
        return maps
    side = 2 if 4 * maps.shape[1] <= MOST_CHANNELS and min(maps.shape[2:]) >= 2 else 1
    return adaptive_avg_pool2d(maps, side).flatten(1)


def depth_taps(blocks: Any) -> dict[str, Any]:
    """The blocks at a quarter, half, three quarters and the whole of a network's depth, by layer name."""
    return {layer: blocks[math.ceil(len(blocks) * share) - 1] for layer, share in DEPTHS.items()}


def tapped(taps: Mapping[str, Any], forward: Callable[[], Any]) -> dict[str, Any]:
    """Run a network and catch what the tapped modules return (the first tensor of each)."""
    caught: dict[str, Any] = {}

    def catch(layer: str) -> Callable[..., None]:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            caught[layer] = output[0] if isinstance(output, tuple) else output

        return hook

    handles = [module.register_forward_hook(catch(layer)) for layer, module in taps.items()]
    try:
        forward()
    finally:
        for handle in handles:
            handle.remove()
    return caught


def token_maps(tokens: Any, side: int, times: int = 1) -> Any:
    """Tokens (n, prefix + times * side * side, c) -> maps (n, c, side, side): no prefix, mean over time."""
    patches = tokens[:, tokens.shape[1] - times * side * side :]
    return patches.reshape(len(tokens), times, side, side, -1).mean(dim=1).permute(0, 3, 1, 2)
