"""What the simulated cortex sees of the film: exact velocities and coarse colour, straight from the scene.

No pixel of the rendered film is filtered here, so an encoder that reads pixels has no unfair head start.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.exact_flow import MOVING_SPEED, displacement, look
from pipelines.simulate.geometry import Stage
from pipelines.simulate.plan import FilmPlan, Shot
from pipelines.simulate.renderer import draw, light

DRIVE_HZ = 4.0
"""Samples per second of every drive."""

VELOCITY_GRID = 16
"""Cells along each side of the velocity grid."""

COLOUR_GRID = 32
"""Cells along each side of the coarse colour frames."""

CAMERA_COLUMNS = ("pan_x", "pan_y", "zoom", "roll", "shake", "luminance")
"""Columns of `FilmDrive.camera`."""


@dataclass(frozen=True)
class FilmDrive:
    """Drive of one segment, sampled at 4 Hz; sample i stands at film time (i + .5) / 4 s.

    Attributes
    ----------
    velocity : float32 (t, 16, 16, 2)
        Exact image velocity at this instant, right and down, in image widths per second, mean of the points of a cell.
    moving : float32 (t, 16, 16)
        Fraction of the cell that is covered by objects moving otherwise than the scenery behind them.
    camera : float32 (t, 6)
        Image motion that the camera gives to the plane of interest (`pan_x` right, `pan_y` down, widths per second
        at unit zoom), its expansion `zoom` (1/s), its clockwise rotation `roll` (rad/s), the speed of camera
        shake alone `shake` (widths per second), and the rate of change of the film's light `luminance` (log units per
        second: fades and flicker).
    colour : float32 (t, 32, 32, 3)
        The frame at this instant, RGB from 0 to 1 (display values), mean of each cell.
    cut : float32 (t,)
        1 where a shot begins within this sample's quarter second, else 0.
    """

    velocity: NDArray[np.float32]
    moving: NDArray[np.float32]
    camera: NDArray[np.float32]
    colour: NDArray[np.float32]
    cut: NDArray[np.float32]

    @property
    def n_samples(self) -> int:
        """Number of samples: 4 per second of film."""
        return int(self.cut.shape[0])

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Film times of the samples in seconds, (t,)."""
        return (np.arange(self.n_samples, dtype=np.float64) + 0.5) / DRIVE_HZ


INSTANT_S = 1e-3
"""Velocities are differences over this time around the instant: exact to about 1e-6 widths per second."""

_COLOUR_PX = 96
_POINTS = 2 * VELOCITY_GRID


def film_drive(plan: FilmPlan, segment: str) -> FilmDrive:
    """Return what a segment offers to the simulated cortex, from the scene parameters.

    A quarter second that is cut is described by the shot at its middle. Raises `UnknownName` for an unknown segment.
    """
    fps = plan.config.fps
    n = round(plan.config.duration_s(segment) * DRIVE_HZ)
    velocity = np.zeros((n, VELOCITY_GRID, VELOCITY_GRID, 2), dtype=np.float32)
    moving = np.zeros((n, VELOCITY_GRID, VELOCITY_GRID), dtype=np.float32)
    camera = np.zeros((n, len(CAMERA_COLUMNS)), dtype=np.float32)
    colour = np.zeros((n, COLOUR_GRID, COLOUR_GRID, 3), dtype=np.float32)
    cut = np.zeros(n, dtype=np.float32)
    times = (np.arange(n) + 0.5) / DRIVE_HZ
    for shot in plan.shots(segment):
        cut[min(int(shot.onset_frame / fps * DRIVE_HZ), n - 1)] = 1.0
        stage, graded = Stage(shot), Stage(shot, shot.grade)
        inside = (times >= shot.onset_frame / fps) & (times < shot.end_frame / fps)
        for k in np.flatnonzero(inside):
            now = float(times[k] - shot.onset_frame / fps)
            velocity[k], moving[k] = _motion(stage, now)
            camera[k] = _camera(shot, now, fps)
            colour[k] = _colour(graded, now, light(shot, now * fps, fps))
    return FilmDrive(velocity, moving, camera, colour, cut)


def _motion(stage: Stage, now: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    before, after = now - INSTANT_S / 2, now + INSTANT_S / 2
    total, own = displacement(stage, look(stage, before, _POINTS), before, after)
    fast = np.hypot(own[..., 0], own[..., 1]) > MOVING_SPEED * INSTANT_S
    halves = (VELOCITY_GRID, 2, VELOCITY_GRID, 2)
    velocity = (total / INSTANT_S).reshape(*halves, 2).mean(axis=(1, 3))
    return velocity.astype(np.float32), fast.astype(np.float32).reshape(halves).mean(axis=(1, 3))


def _camera(shot: Shot, now: float, fps: int) -> NDArray[np.float64]:
    before, after = now - INSTANT_S / 2, now + INSTANT_S / 2
    rate = (shot.camera.at(after) - shot.camera.at(before)) / INSTANT_S
    shake = (shot.camera.shake_at(after) - shot.camera.shake_at(before)) / INSTANT_S
    levels = [max(light(shot, time * fps, fps), 1e-3) for time in (now - 0.05, now + 0.05)]
    luminance = np.log(levels[1] / levels[0]) / 0.1
    return np.array([-rate[0], -rate[1], rate[2], rate[3], float(np.hypot(*shake)), luminance])


def _colour(stage: Stage, now: float, level: float) -> NDArray[np.float32]:
    picture = draw(stage, now, _COLOUR_PX)
    small = cv2.resize(picture, (COLOUR_GRID, COLOUR_GRID), interpolation=cv2.INTER_AREA)[..., :3]
    return np.clip(small.astype(np.float32) * (level / 255.0), 0.0, 1.0)
