"""Frames from decoded latents and text conditions, by Stable Diffusion 1.x inflated to video."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainviz.errors import NotReady
from pipelines.mind_animator.inflation import VideoUNet
from pipelines.mind_animator.pretrained import CONTEXT_TOKENS
from pipelines.mind_animator.sampling import Sampling, add_noise, invert, make_scheduler, sample
from pipelines.motion_decoder.progress import Progress, silent, span

PARTS = ("unet", "vae", "tokenizer", "text_encoder")


@dataclass
class DiffusionGenerator:
    """What turns latents and conditions into films.

    Attributes
    ----------
    denoise : the inflated U-Net.
    vae : `AutoencoderKL`.
    start, empty : float (1, 1, width) text encoder's first token; (1, 20, width) an empty text.
    """

    denoise: VideoUNet
    vae: Any
    start: Tensor
    empty: Tensor
    sampling: Sampling = field(default_factory=Sampling)
    device: str = "cpu"

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", sampling: Sampling | None = None) -> DiffusionGenerator:
        """From a local Stable Diffusion 1.x folder (diffusers layout). Downloads nothing; `NotReady` without it."""
        missing = [part for part in PARTS if not (folder / part).is_dir()]
        if missing:
            raise NotReady(
                f"This folder lacks {', '.join(missing)} of Stable Diffusion 1.x.",
                str(folder),
                "Give a folder with unet, vae, tokenizer and text_encoder in diffusers' layout.",
            )
        from brainviz.compat import prepare_torchvision

        prepare_torchvision()
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from transformers import CLIPTextModel, CLIPTokenizer

        settings: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
        unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", **settings)
        vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", **settings).to(device).eval()
        text = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", **settings).eval()
        tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer", local_files_only=True)
        tokens = tokenizer("", padding="max_length", max_length=CONTEXT_TOKENS, return_tensors="pt")
        with torch.no_grad():
            empty = text(tokens.input_ids)[0].to(device)
        network = VideoUNet(unet).to(device).eval()
        return cls(network, vae, empty[:, :1], empty, sampling or Sampling(), device)

    @torch.no_grad()
    def films(self, latents: Tensor, conditions: Tensor, seed: int, progress: Progress = silent) -> NDArray[np.uint8]:
        """Films of n clips, one after the other.

        Parameters
        ----------
        latents : float32 (n, frames, 4, h, w), scaled as the VAE's latents times `scaling_factor`.
        conditions : float32 (n, 19, 768).
        seed : each clip has a generator of its own, `seed` + its number, so a film does not depend on the others.

        Returns
        -------
        uint8 (n, frames, 8 h, 8 w, 3)
        """
        made = []
        for number, (latent, condition) in enumerate(zip(latents, conditions, strict=True)):
            part = span(progress, number / len(latents), 1 / len(latents), f"film {number + 1} of {len(latents)}")
            made.append(self._film(latent, condition, seed + number, part))
        return np.stack(made)

    def _film(self, latent: Tensor, condition: Tensor, seed: int, progress: Progress) -> NDArray[np.uint8]:
        scheduler = make_scheduler()
        start = latent.to(self.device).transpose(0, 1)[None]
        context = torch.cat([self.start, condition.to(self.device)[None]], dim=1)
        inverted = invert(self.denoise, start, context, scheduler, self.sampling.steps)[-1]
        draws = torch.Generator().manual_seed(seed)
        noise = torch.randn(inverted.shape, generator=draws).to(self.device)
        noisy = add_noise(inverted, noise, scheduler, self.sampling.noise_at)
        drawn = sample(self.denoise, noisy, context, self.empty, scheduler, self.sampling, progress)
        frames = drawn[0].transpose(0, 1) / self.vae.config.scaling_factor
        pixels = torch.cat([self.vae.decode(frame[None]).sample for frame in frames])
        return to_uint8(pixels)


def to_uint8(pixels: Tensor) -> NDArray[np.uint8]:
    """(..., 3, h, w) in -1..1 -> uint8 (..., h, w, 3)."""
    scaled = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.asarray(scaled.movedim(-3, -1).cpu().numpy())
