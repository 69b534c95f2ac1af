"""The backend `dragnuwa`: DragNUWA 1.5 with its published settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipelines.reanimate.backend import Progress, settings_from
from pipelines.reanimate.dragnuwa.condition import METHODS, motion_map
from pipelines.reanimate.request import ReanimationRequest, RenderedClip
from pipelines.reanimate.steered import SteeredPipeline, SteeredSettings
from pipelines.svd_pipeline import SVD_NAME


@dataclass(frozen=True)
class DragNuwaSettings(SteeredSettings):
    """`map`: how dense motion enters, 'normalised' (every place counts) or 'anchors' (as if drawn by arrows)."""

    width: int = 576
    height: int = 320
    n_frames: int = 14
    map: str = METHODS[0]


class DragNuwaBackend:
    """Stable Video Diffusion steered by displacement per step; parameters as `SteeredPipeline`."""

    id = "dragnuwa"
    title = "DragNUWA 1.5"
    licence = "MIT; base model: Stability AI Community License"
    weights: tuple[str, ...] = ("svd", "dragnuwa")
    size_gb = 8.0
    frames = 14
    memory_gb = 12.0  # estimated from the tensors' sizes in bfloat16, not measured
    deterministic = False

    def __init__(
        self, unet_folder: str | Path, svd: str | Path = SVD_NAME, device: str = "cpu", offload: str = "auto"
    ) -> None:
        self._pipeline = SteeredPipeline(unet_folder, svd, device, self.id, flow_channels=2, offload=offload)

    def missing(self) -> str:
        return self._pipeline.missing()

    def render(self, request: ReanimationRequest, progress: Progress) -> RenderedClip:
        settings = settings_from(DragNuwaSettings, request.options, self.id)
        return self._pipeline.draw(request, settings, partial(motion_map, method=settings.map), progress)
