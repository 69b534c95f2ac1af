"""A drift that the fMRI tells and the picture does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from pipelines.mind_animator.config import EMBEDDED, PartConfig
from pipelines.mind_animator.data import TrainingClips
from pipelines.mind_animator.training import train
from pipelines.mind_animator.transport import Transport
from pipelines.motion_decoder.data import BoldWindows


def drifting(seed: int, n: int = 120) -> TrainingClips:
    """Smooth latents that drift sideways; one vertex holds the velocity, the others noise."""
    rng = np.random.default_rng(seed)
    wave = np.arange(8) * 2 * np.pi / 8
    speed = rng.choice([-0.5, 0.5], n)
    phase = rng.uniform(0, 6.28, (n, 4, 1)) + rng.uniform(0, 1, (n, 4, 8))
    frames = np.stack([np.sin(phase[..., None] + wave - speed[:, None, None, None] * t) for t in range(4)], axis=1)
    fmri = rng.standard_normal((n, 6)).astype(np.float32)
    fmri[:, 0] = 3 * speed
    index = np.arange(n)[:, None] + np.array([0, 0, 0])
    dummy = np.ones((n, 4), np.float32)
    segment = np.repeat([f"seg{i}" for i in range(1, 7)], n // 6)
    return TrainingClips(BoldWindows(fmri, index), segment, dummy, dummy, dummy[:, None], frames.astype(np.float32))


@pytest.mark.parametrize("form", ["released", "corrected"])
def test_direction_is_taken_from_the_fmri(form):
    settings = dataclasses.replace(
        EMBEDDED, rank=0, motion=PartConfig(16, 1, 15, 16, 3.0, patience=25), hidden=32, transport=3
    )
    part = train("motion", drifting(0), form, settings)
    fresh = drifting(1)
    made = part.latents(fresh.bold, fresh.latents[:, 0])
    moved, expected = made[:, 1] - made[:, 0], fresh.latents[:, 1] - fresh.latents[:, 0]
    assert np.corrcoef(moved.ravel(), expected.ravel())[0, 1] > 0.4


def test_increments_are_linear_in_the_picture_and_in_the_fmri():
    torch.manual_seed(0)
    transport = Transport(6, 2, 3)
    transport.eval()
    fmri, frames = torch.randn(2, 3, 2), torch.randn(2, 5, 2 * 16)
    made = transport(fmri, frames)
    assert made.shape == frames.shape
    assert torch.allclose(transport(2 * fmri, 3 * frames), 6 * made, atol=1e-5)
