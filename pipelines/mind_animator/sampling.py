"""DDIM inversion of decoded latents, some noise, and guided sampling back (Song 2021; Ho & Salimans 2022)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pipelines.motion_decoder.progress import Progress, silent

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(sample (n, c, frames, h, w), timestep, context (n, tokens, width)) -> predicted noise."""

TRAINED_STEPS = 1000


@dataclass(frozen=True)
class Sampling:
    """How a film is drawn.

    Attributes
    ----------
    steps : of the inversion and of the sampling.
    noise_at : timestep to which the inverted latents are noised before sampling.
    guidance : weight of the condition against none.
    """

    steps: int = 50
    noise_at: int = 200
    guidance: float = 12.5


def make_scheduler() -> Any:
    """Stable Diffusion 1.x's DDIM schedule. `clip_sample` and `steps_offset` are said because defaults differ."""
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        num_train_timesteps=TRAINED_STEPS,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


@torch.no_grad()
def invert(denoise: Denoiser, latents: Tensor, context: Tensor, scheduler: Any, steps: int = 50) -> list[Tensor]:
    """The latents after 0..steps of DDIM run backwards, with the condition and without guidance.

    latents (n, channels, frames, h, w), context (n, tokens, width); each step's noise is predicted at the timestep it
    leads to, as is usual for this inversion.
    """
    scheduler.set_timesteps(steps)
    reached = [latents]
    for timestep in reversed(scheduler.timesteps):
        noise = denoise(reached[-1], timestep, context)
        before = min(int(timestep) - TRAINED_STEPS // steps, TRAINED_STEPS - 1)
        reached.append(_move(reached[-1], noise, _signal(scheduler, before), _signal(scheduler, int(timestep))))
    return reached


def _signal(scheduler: Any, timestep: int) -> Tensor:
    """Share of signal left at a timestep."""
    return scheduler.alphas_cumprod[timestep] if timestep >= 0 else scheduler.final_alpha_cumprod


def _move(latents: Tensor, noise: Tensor, now: Tensor, then: Tensor) -> Tensor:
    clean = (latents - (1 - now) ** 0.5 * noise) / now**0.5
    return then**0.5 * clean + (1 - then) ** 0.5 * noise


def add_noise(latents: Tensor, noise: Tensor, scheduler: Any, timestep: int) -> Tensor:
    """Latents noised to a timestep."""
    return scheduler.add_noise(latents, noise, torch.tensor([timestep]))


@torch.no_grad()
def sample(
    denoise: Denoiser,
    latents: Tensor,
    context: Tensor,
    unconditional: Tensor,
    scheduler: Any,
    sampling: Sampling | None = None,
    progress: Progress = silent,
) -> Tensor:
    """Deterministic DDIM from `latents` with classifier-free guidance; shapes as in `invert`.

    `unconditional` (n, tokens, width) is the condition of an empty text. As released, all steps are run from the first
    timestep on, although the latents were noised to t = 200 only.
    """
    settings = sampling or Sampling()
    scheduler.set_timesteps(settings.steps)
    both = torch.cat([unconditional, context])
    for number, timestep in enumerate(scheduler.timesteps):
        without, with_text = denoise(torch.cat([latents, latents]), timestep, both).chunk(2)
        noise = without + settings.guidance * (with_text - without)
        latents = scheduler.step(noise, timestep, latents, eta=0.0).prev_sample
        progress((number + 1) / settings.steps, f"step {number + 1} of {settings.steps}")
    return latents
