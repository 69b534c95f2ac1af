"""The backend `motionpro`: MotionPro-Dense (Zhang et al., CVPR 2025), the same network fed with dense motion.

Its motion map has three channels: displacement from frame 0 at frame-0 pixels, and whether the pixel is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.reanimate.backend import Progress, settings_from
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.request import ReanimationRequest, RenderedClip
from pipelines.reanimate.steered import SteeredPipeline, SteeredSettings
from pipelines.svd_pipeline import SVD_NAME

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MotionProSettings(SteeredSettings):
    """The published settings; the motion bucket is the mean displacement in pixels."""

    width: int = 512
    height: int = 320
    n_frames: int = 16
    fps: int = 9
    motion_bucket_id: int = -1


class MotionProBackend:
    """Stable Video Diffusion steered by displacement from frame 0; parameters as `SteeredPipeline`."""

    id = "motionpro"
    title = "MotionPro-Dense"
    licence = "as published by HiDream; base model: Stability AI Community License"
    weights: tuple[str, ...] = ("svd", "motionpro")
    size_gb = 8.0
    frames = 16
    memory_gb = 12.0  # estimated from the tensors' sizes in bfloat16, not measured
    deterministic = False

    def __init__(
        self, unet_folder: str | Path, svd: str | Path = SVD_NAME, device: str = "cpu", offload: str = "auto"
    ) -> None:
        self._pipeline = SteeredPipeline(unet_folder, svd, device, self.id, flow_channels=3, offload=offload)

    def missing(self) -> str:
        return self._pipeline.missing()

    def render(self, request: ReanimationRequest, progress: Progress) -> RenderedClip:
        settings = settings_from(MotionProSettings, request.options, self.id)
        return self._pipeline.draw(request, settings, displacement_map, progress)


def displacement_map(motion: MotionField, times_s: npt.NDArray[np.float64], framing: Framing) -> Array:
    """x and y displacement in pixels and visibility: float32 (n, 3, height, width).

    In the first frame nothing has moved and all is seen.
    """
    later = framing.extend(motion.at(times_s).from_frame_zero(framing.inner_height, framing.inner_width))
    first = np.zeros_like(later[:1])
    first[..., 2] = 1
    return np.concatenate([first, later]).transpose(0, 3, 1, 2).copy()
