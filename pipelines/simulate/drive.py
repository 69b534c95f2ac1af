"""What the simulated cortex sees of the film: exact velocities and coarse colour, straight from the scene.

No pixel of the rendered film is filtered here, so an encoder that reads pixels has no unfair head start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        Image motion of the background at the frame's centre (`pan_x` right, `pan_y` down, widths per second), its
        expansion `zoom` (1/s), its clockwise rotation `roll` (rad/s), the speed of camera shake alone `shake`
        (widths per second), and the rate of change of the film's light `luminance` (log units per second: fades and
        flicker).
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
