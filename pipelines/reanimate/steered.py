"""Backends that steer Stable Video Diffusion with a motion map: the stock pipeline around another U-Net."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, NotReady
from pipelines.reanimate.backend import Progress
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.request import Frames, ReanimationRequest, RenderedClip
from pipelines.svd_pipeline import SVD_NAME, draw_film, load_pipeline, svd_available

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SteeredSettings:
    """How films are drawn; the same for all steered networks.

    Attributes
    ----------
    width, height : int
        Of the generated film, multiples of 64; the picture stands in it undistorted.
    n_frames : int
        Spread evenly over the time of the motion, the first at 0.
    steps : int
        Denoising steps.
    fps : int
        What the network is told, one more than it reads (the stock pipeline subtracts 1); the film's own speed follows
        from the motion's times.
    motion_bucket_id : int
        The network's own amount-of-motion setting; -1 for the mean displacement in pixels.
    noise : float
        Added to the first frame.
    max_guidance : float
        Guidance of the last frame; it rises from 1.
    decode_chunk : int
        Frames decoded at once.
    """

    width: int
    height: int
    n_frames: int
    steps: int = 25
    fps: int = 5
    motion_bucket_id: int = 4
    noise: float = 0.02
    max_guidance: float = 2.5
    decode_chunk: int = 1

    def __post_init__(self) -> None:
        if self.n_frames < 2 or self.steps < 1 or self.fps < 1 or self.decode_chunk < 1:
            raise BrainvizError("A film needs 2 frames, 1 step, 1 frame per second and 1 frame per chunk.", "options")


# motion, times of the frames after the first, framing -> (n, c, height, width)
Condition = Callable[[MotionField, npt.NDArray[np.float64], Framing], Array]


class SteeredPipeline:
    """A stock pipeline's folder and a steered U-Net's, loaded when first needed.

    Parameters
    ----------
    unet_folder : path
        As `convert_file` writes it.
    svd : path or hub name
        The stock pipeline, for everything but the U-Net.
    device : str
        On "cuda" it runs in bfloat16.
    name, flow_channels
        What the U-Net must be.
    offload : str
        As in `load_pipeline`.
    """

    def __init__(
        self,
        unet_folder: str | Path,
        svd: str | Path = SVD_NAME,
        device: str = "cpu",
        name: str = "",
        flow_channels: int = 2,
        offload: str = "auto",
    ) -> None:
        self.unet_folder, self.svd, self.device = Path(unet_folder).expanduser(), svd, device
        self.name, self.flow_channels, self.offload = name, flow_channels, offload
        self._pipeline: Any = None

    def missing(self) -> str:
        """Why it cannot run here and what to do; empty where it can. Reads two small files."""
        there, reason = svd_available(self.svd)
        if not there:
            return reason
        config = self.unet_folder / "config.json"
        fetch = f"Fetch it with `python -m pipelines weights {self.name}`."
        if not config.is_file() or not any(self.unet_folder.glob("*.safetensors")):
            return f"The U-Net of {self.name} is not there ({self.unet_folder}). {fetch}"
        try:
            held = json.loads(config.read_text(encoding="utf-8"))
        except ValueError:
            return f"{config} is damaged. {fetch}"
        if not isinstance(held, dict) or held.get("flow_channels") != self.flow_channels:
            return f"{self.unet_folder} holds another network than {self.name}. {fetch}"
        return ""

    def draw(
        self, request: ReanimationRequest, settings: SteeredSettings, condition: Condition, progress: Progress
    ) -> RenderedClip:
        """One film; the same seed draws the same film on the same machine.

        Raises
        ------
        NotReady
            Weights are missing.
        BrainvizError
            The request has no motion.
        """
        problem = self.missing()
        if problem:
            raise NotReady(f"The backend {self.name!r} cannot run.", str(self.unet_folder), problem)
        if request.motion is None:
            raise BrainvizError(f"{self.name} follows a motion field, and the request has none.", "motion")
        import torch

        duration = float(request.motion.times_s[-1])
        times = duration * np.arange(1, settings.n_frames) / (settings.n_frames - 1)
        h, w = request.image.shape[:2]
        framing = Framing.fit(h, w, settings.height, settings.width)
        flow = torch.from_numpy(condition(request.motion, times, framing))[None]
        bucket = settings.motion_bucket_id
        if bucket < 0:
            bucket = round(request.motion.at(times).mean_pixels(framing.inner_height, framing.inner_width))
        drawn = self._run(framing.place(request.image), flow, bucket, settings, request.seed, progress)
        facts = {f"setting.{key}": value for key, value in asdict(settings).items()}
        facts |= {"backend": self.name, "device": self.device, "motion_bucket_id": bucket}
        return RenderedClip(framing.cut(drawn), (settings.n_frames - 1) / duration, {**facts, **request.facts()})

    def _run(
        self, picture: Frames, flow: Tensor, bucket: int, settings: SteeredSettings, seed: int, progress: Progress
    ) -> Frames:
        pipeline = self._loaded()
        with pipeline.unet.steered(flow):
            return draw_film(
                pipeline,
                picture,
                seed,
                progress,
                num_frames=settings.n_frames,
                num_inference_steps=settings.steps,
                fps=settings.fps,
                motion_bucket_id=bucket,
                noise_aug_strength=settings.noise,
                min_guidance_scale=1.0,
                max_guidance_scale=settings.max_guidance,
                decode_chunk_size=settings.decode_chunk,
            )

    def _loaded(self) -> Any:
        if self._pipeline is None:
            self._pipeline = _load(self.unet_folder, self.svd, self.device, self.offload)
        return self._pipeline


def _load(unet_folder: Path, svd: str | Path, device: str, offload: str) -> Any:
    """The stock pipeline around the steered U-Net."""

    def steered(precision: Any) -> Any:
        from pipelines.reanimate.dragnuwa.network import FlowUNet

        network = FlowUNet.from_pretrained(
            unet_folder, local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
        )
        return network.to(precision).eval()

    return load_pipeline(Path(svd_available(svd)[1]), device, steered, offload)
