"""Smooth paths in closed form: phases of steady velocity joined by soft changes, plus camera shake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHANNELS = 4
"""x and y in image widths (right, down), log scale, angle in radians (clockwise on screen)."""


def _ramp(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral from 0 of the smoothstep 3u^2 - 2u^3 (0 before, 1 after the unit interval)."""
    inside = np.clip(u, 0.0, 1.0)
    return inside**3 - 0.5 * inside**4 + np.maximum(u - 1.0, 0.0)


@dataclass(frozen=True)
class Track:
    """A path whose velocity is steady within phases and changes softly between them.

    Attributes
    ----------
    starts_s : tuple of float
        Onset of each phase; the first is 0.
    rates : tuple of (x, y, log scale, angle) per second, one per phase
    blend_s : float
        Time that a change of velocity takes.
    shake : tuple of (amplitude x, amplitude y, frequency in Hz, phase x, phase y)
        Sines added to x and y, each shifted so that the path starts at 0.
    """

    starts_s: tuple[float, ...] = (0.0,)
    rates: tuple[tuple[float, float, float, float], ...] = ((0.0, 0.0, 0.0, 0.0),)
    blend_s: float = 0.6
    shake: tuple[tuple[float, float, float, float, float], ...] = ()

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the displacement since time 0 at times (n,): float64 (n, 4) of x, y, log scale, angle."""
        rates = np.asarray(self.rates, dtype=np.float64)
        place = rates[0] * times_s[:, None]
        if len(self.starts_s) > 1:
            late = (times_s[:, None] - np.asarray(self.starts_s[1:])) / self.blend_s
            place = place + (self.blend_s * _ramp(late)) @ np.diff(rates, axis=0)
        place[:, :2] += self.shake_at(times_s)
        return place

    def shake_at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the shake's part of the displacement: float64 (n, 2)."""
        total = np.zeros((len(times_s), 2))
        for ax, ay, hz, px, py in self.shake:
            turn = 2 * np.pi * hz * times_s
            total[:, 0] += ax * (np.sin(turn + px) - np.sin(px))
            total[:, 1] += ay * (np.sin(turn + py) - np.sin(py))
        return total
