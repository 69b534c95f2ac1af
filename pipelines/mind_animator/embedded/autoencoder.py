"""A small convolutional autoencoder of frames, in the place of Stable Diffusion's VAE and of its generator.

Frames of 64 pixels become latents 4 x 8 x 8. The decoder also sees the text condition and learns to draw from noisy
latents, so that it can render what was decoded from fMRI.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.mind_animator.checkpoints import load_folder, save_folder
from pipelines.motion_decoder.determinism import derived_seed, fixed_threads
from pipelines.motion_decoder.progress import Progress, silent

SIDE, PATCH, CHANNELS = 64, 8, 4
AT_ONCE = 256


@dataclass(frozen=True)
class AutoencoderConfig:
    """Size and schedule; `noise` is the largest standard deviation added to latents of unit variance in training."""

    width: int = 48
    condition: int = 64
    epochs: int = 6
    batch: int = 32
    learning_rate: float = 3e-3
    noise: float = 1.0
    seed: int = 0


class FrameAutoencoder(nn.Module):
    """Frames (n, 3, 64, 64) in -1..1 <-> latents (n, 4, 8, 8) of unit variance on the training frames.

    A linear path of 8 x 8 patches, begun as their principal components, with a small convolutional network beside it on
    either side.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        width = config.width
        self.patch_in = nn.Conv2d(3, CHANNELS, PATCH, PATCH)
        self.fine_in = nn.Sequential(
            nn.Conv2d(3, width, PATCH, PATCH), nn.GELU(), nn.Conv2d(width, CHANNELS, 3, padding=1)
        )
        self.patch_out = nn.ConvTranspose2d(CHANNELS, 3, PATCH, PATCH)
        self.widen = nn.Conv2d(CHANNELS, width, 3, padding=1)
        self.by_text = nn.Linear(config.condition, 2 * width)
        self.mix = nn.Conv2d(width, width, 3, padding=1)
        self.fine_out = nn.Conv2d(width, 3 * PATCH**2, 1)
        for layer in (self.fine_in[-1], self.fine_out, self.by_text):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.register_buffer("mean", torch.zeros(CHANNELS, 1, 1))
        self.register_buffer("spread", torch.ones(CHANNELS, 1, 1))

    def encode(self, frames: Tensor) -> Tensor:
        """Latents, scaled."""
        return (self._raw(frames) - self.mean) / self.spread

    def _raw(self, frames: Tensor) -> Tensor:
        return self.patch_in(frames) + self.fine_in(frames)

    def decode(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Frames (n, 3, 64, 64) from latents and conditions (n, any shape of `condition` values)."""
        raw = latents * self.spread + self.mean
        scale, shift = self.by_text(condition.flatten(1))[:, :, None, None].chunk(2, dim=1)
        hidden = F.gelu(self.widen(raw) * (1 + scale) + shift)
        return self.patch_out(raw) + F.pixel_shuffle(self.fine_out(F.gelu(self.mix(hidden))), PATCH)

    @torch.no_grad()
    def rescale(self, frames: Tensor) -> None:
        """Give the latents of these frames mean 0 and variance 1, channel by channel."""
        raw = self._raw(frames)
        self.mean.copy_(raw.mean((0, 2, 3))[:, None, None])
        self.spread.copy_(raw.std((0, 2, 3))[:, None, None])

    @torch.no_grad()
    def begin_linear(self, frames: Tensor) -> None:
        """Principal components of the frames' 8 x 8 patches."""
        patches = F.unfold(frames, PATCH, stride=PATCH).transpose(1, 2).reshape(-1, 3 * PATCH**2).double()
        mean = patches.mean(0)
        _, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
        best = vectors.flip(1)[:, :CHANNELS].T
        best = best * best.sum(1, keepdim=True).sign()
        self.patch_in.weight.copy_(best.view(CHANNELS, 3, PATCH, PATCH))
        self.patch_in.bias.copy_(-(best @ mean))
        self.patch_out.weight.copy_(best.view(CHANNELS, 3, PATCH, PATCH))
        self.patch_out.bias.copy_(mean.view(3, -1).mean(1))


def as_input(frames: NDArray[np.uint8]) -> Tensor:
    """uint8 (..., h, w, 3) -> float32 (n, 3, h, w) in -1..1."""
    flat = torch.from_numpy(np.ascontiguousarray(frames.reshape(-1, *frames.shape[-3:])))
    return flat.permute(0, 3, 1, 2).float() / 127.5 - 1


def train_autoencoder(
    frames: NDArray[np.uint8],
    conditions: NDArray[np.float32],
    config: AutoencoderConfig,
    threads: int = 1,
    progress: Progress = silent,
) -> FrameAutoencoder:
    """Train on frames of the training stimuli: uint8 (n, 64, 64, 3), with their text conditions (n, ...).

    A third of the batch is drawn from clean latents, the rest from noisy ones; a fifth of the conditions is left out.
    The same seed gives the same network on one CPU.
    """
    with fixed_threads(threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed("autoencoder", config.seed))
        network = FrameAutoencoder(config)
        pictures, given = as_input(frames), torch.from_numpy(np.ascontiguousarray(conditions)).flatten(1)
        network.begin_linear(pictures)
        network.rescale(pictures)
        optimizer = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=1e-4)
        steps = config.epochs * -(-len(pictures) // config.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, steps + 1)
        for epoch in range(config.epochs):
            for rows in torch.randperm(len(pictures)).split(config.batch):
                loss = _drawing_loss(network, pictures[rows], given[rows], config)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            progress((epoch + 1) / config.epochs, f"autoencoder: error {loss.item():.4f}")
        network.rescale(pictures)
    return network.eval()


def _drawing_loss(network: FrameAutoencoder, pictures: Tensor, given: Tensor, config: AutoencoderConfig) -> Tensor:
    latents = network.encode(pictures)
    amount = config.noise * (torch.rand(len(pictures), 1, 1, 1) * 1.5 - 0.5).clamp_min(0)
    kept = (torch.rand(len(given), 1) > 0.2).float()
    return F.mse_loss(network.decode(latents + amount * torch.randn_like(latents), given * kept), pictures)


@torch.no_grad()
def encode_films(network: FrameAutoencoder, frames: NDArray[np.uint8], threads: int = 1) -> NDArray[np.float32]:
    """uint8 (clips, t, 64, 64, 3) -> float32 (clips, t, 4, 8, 8)."""
    with fixed_threads(threads):
        made = [network.encode(as_input(part)) for part in np.array_split(frames, -(-len(frames) * 8 // AT_ONCE))]
    return torch.cat(made).view(*frames.shape[:2], CHANNELS, SIDE // PATCH, SIDE // PATCH).numpy()


@torch.no_grad()
def draw_films(
    network: FrameAutoencoder, latents: NDArray[np.float32], conditions: NDArray[np.float32], threads: int = 1
) -> NDArray[np.uint8]:
    """float32 (clips, t, 4, 8, 8) and conditions (clips, ...) -> uint8 (clips, t, 64, 64, 3)."""
    from pipelines.mind_animator.generator import to_uint8

    clips, frames = latents.shape[:2]
    flat = torch.from_numpy(np.ascontiguousarray(latents)).flatten(0, 1)
    given = torch.from_numpy(np.ascontiguousarray(conditions)).flatten(1).repeat_interleave(frames, 0)
    with fixed_threads(threads):
        parts = zip(flat.split(AT_ONCE), given.split(AT_ONCE), strict=True)
        made = np.concatenate([to_uint8(network.decode(part, text)) for part, text in parts])
    return made.reshape(clips, frames, SIDE, SIDE, 3)


def save_autoencoder(network: FrameAutoencoder, config: AutoencoderConfig, folder: Path) -> None:
    """As `checkpoints.save_folder`."""
    save_folder(folder, network.state_dict(), {"autoencoder": asdict(config)})


def load_autoencoder(folder: Path) -> FrameAutoencoder:
    """What `save_autoencoder` wrote; raises as `checkpoints.load_folder`."""
    tensors, facts = load_folder(folder)
    network = FrameAutoencoder(AutoencoderConfig(**facts["autoencoder"]))
    network.load_state_dict(tensors)
    return network.eval()
