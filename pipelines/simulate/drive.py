"""What the simulated cortex sees of the film: exact velocities and coarse colour, straight from the scene.

No pixel of the rendered film is filtered here, so an encoder that reads pixels has no unfair head start.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.exact_flow import MOVING_SPEED, cell_means, course, displacement, look
from pipelines.simulate.geometry import Floats, Stage
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
    times = np.asarray((np.arange(n) + 0.5) / DRIVE_HZ, dtype=np.float64)
    for shot in plan.shots(segment):
        cut[min(int(shot.onset_frame / fps * DRIVE_HZ), n - 1)] = 1.0
        inside = np.flatnonzero((times >= shot.onset_frame / fps) & (times < shot.end_frame / fps))
        now = np.asarray(times[inside] - shot.onset_frame / fps, dtype=np.float64)
        velocity[inside], moving[inside] = _motion(shot, now)
        camera[inside] = _camera(shot, now, fps)
        colour[inside] = _colour(shot, now, fps)
    return FilmDrive(velocity, moving, camera, colour, cut)


def _motion(shot: Shot, now: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the instantaneous velocities and the share of moving objects of a shot at times (n,)."""
    pairs = (now[:, None] + np.array([-0.5, 0.5]) * INSTANT_S).ravel()
    path = course(shot, pairs, _POINTS)
    velocity = np.zeros((len(now), VELOCITY_GRID, VELOCITY_GRID, 2), dtype=np.float32)
    moving = np.zeros((len(now), VELOCITY_GRID, VELOCITY_GRID), dtype=np.float32)
    for k in range(len(now)):
        total, own = displacement(path, look(path, 2 * k), 2 * k, 2 * k + 1)
        fast = np.hypot(own[..., 0], own[..., 1]) > MOVING_SPEED * INSTANT_S
        velocity[k] = cell_means(total, VELOCITY_GRID) / INSTANT_S
        moving[k] = cell_means(fast.astype(np.float64), VELOCITY_GRID)
    return velocity, moving


def _camera(shot: Shot, now: Floats, fps: int) -> Floats:
    before, after = now - INSTANT_S / 2, now + INSTANT_S / 2
    rate = (shot.camera.at(after) - shot.camera.at(before)) / INSTANT_S
    shake = np.hypot(*((shot.camera.shake_at(after) - shot.camera.shake_at(before)) / INSTANT_S).T)
    levels = [np.array([max(light(shot, t * fps, fps), 1e-3) for t in now + shift]) for shift in (-0.05, 0.05)]
    luminance = np.log(levels[1] / levels[0]) / 0.1
    return np.column_stack([-rate[:, 0], -rate[:, 1], rate[:, 2], rate[:, 3], shake, luminance])


def _colour(shot: Shot, now: Floats, fps: int) -> NDArray[np.float32]:
    small = np.zeros((len(now), COLOUR_GRID, COLOUR_GRID, 3), dtype=np.float32)
    for k, picture in enumerate(draw(Stage(shot, shot.grade), now, _COLOUR_PX)):
        cells = cv2.resize(picture, (COLOUR_GRID, COLOUR_GRID), interpolation=cv2.INTER_AREA)
        small[k] = np.clip(cells[..., :3] * (light(shot, float(now[k]) * fps, fps) / 255.0), 0.0, 1.0)
    return small
