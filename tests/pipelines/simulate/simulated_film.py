"""Random drives with the form of the renderer's, for tests of the simulated cortex."""

from __future__ import annotations

import numpy as np

from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import FilmDrive


def random_drive(n_clips: int, seed: int) -> FilmDrive:
    """Shots of 4 to 14 s, each with its own colours, camera motion and moving object."""
    rng = np.random.default_rng(seed)
    t = 8 * n_clips
    velocity, moving = np.zeros((t, 16, 16, 2), np.float32), np.zeros((t, 16, 16), np.float32)
    camera, cut = np.zeros((t, 6), np.float32), np.zeros(t, np.float32)
    colour = np.zeros((t, 32, 32, 3), np.float32)
    down, right = np.mgrid[:16, :16] / 16 - 0.5
    start = 0
    while start < t:
        shot = slice(start, min(start + int(rng.integers(16, 56)), t))
        pan, thing, place = rng.normal(0, 0.08, 2), rng.normal(0, 0.2, 2), rng.uniform(-0.3, 0.3, 2)
        inside = ((right - place[0]) ** 2 + (down - place[1]) ** 2 < 0.04).astype(np.float32)
        velocity[shot] = pan * (1 - inside[..., None]) + thing * inside[..., None]
        moving[shot], camera[shot, :2], cut[start] = inside, pan, 1
        colour[shot] = np.kron(rng.random((8, 8, 3)), np.ones((4, 4, 1)))
        camera[shot, 5] = rng.normal(0, 0.3, (shot.stop - shot.start))
        start = shot.stop
    return FilmDrive(velocity, moving, camera, colour, cut)


def random_drives(config: SimulationConfig) -> dict[str, FilmDrive]:
    """A drive for every segment."""
    return {name: random_drive(n, 1000 * config.seed + k) for k, (name, n) in enumerate(config.segments.items())}
