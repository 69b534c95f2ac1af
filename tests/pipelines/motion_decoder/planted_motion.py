"""A small world with planted motion: grid 8x8, pans and one moving object per shot, noisy linear-ish responses."""

from __future__ import annotations

import numpy as np

from pipelines.motion_decoder import BoldWindows, DecoderData

GRID, VERTICES, CHANNELS = 8, 60, 6


def planted(seed: int = 0, segments: int = 4, clips: int = 40, signal: float = 1.0, split: str = "seg") -> DecoderData:
    """Clips in shots of about four; `signal` 0 gives fMRI that knows nothing."""
    world, draw = np.random.default_rng(99), np.random.default_rng(seed)
    tuning, looks = world.normal(size=(3, VERTICES)), world.normal(size=(2, CHANNELS))
    n = segments * clips
    shot = np.cumsum(draw.random(n) < 0.25)
    pans = draw.normal(0, 1, (shot[-1] + 1, 2)) * draw.gamma(1.0, 1.0, (shot[-1] + 1, 1))
    still = draw.random((shot[-1] + 1, GRID, GRID)) < 0.3
    pan, quiet = pans[shot], still[shot]
    flow = np.where(quiet[..., None], 0, pan[:, None, None])[:, None].repeat(3, 1).astype(np.float32)
    speed = np.linalg.norm(pan, axis=1, keepdims=True)
    drive = np.concatenate([pan / np.sqrt(1 + speed), np.log1p(speed)], 1) @ tuning
    volumes = (signal * drive + draw.normal(0, 1.0, (n, VERTICES))).astype(np.float32)
    picture = np.stack([quiet, np.ones_like(quiet)], -1).astype(float) @ looks
    features = (picture + 0.1 * draw.normal(size=(n, GRID, GRID, CHANNELS))).astype(np.float16)
    valid = np.ones(flow.shape[:-1], bool)
    valid[draw.random(n) < 0.1, 1] = False
    flow[~valid] = 77.0  # what is invalid must not matter
    names = np.repeat([f"{split}{i + 1}" for i in range(segments)], clips)
    within = np.tile(np.arange(clips), segments)[:, None] + np.arange(-1, 2)
    index = np.arange(n)[:, None] + np.arange(-1, 2)
    index[(within < 0) | (within >= clips)] = -1
    reliability = np.full(VERTICES, 0.3, np.float32)
    return DecoderData(BoldWindows(volumes, index), features, flow, valid, names, reliability)


def epe(flow: np.ndarray, data: DecoderData) -> float:
    """Mean end-point error over valid vectors."""
    return float(np.linalg.norm(flow - data.flow, axis=-1)[data.valid].mean())
