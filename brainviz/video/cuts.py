"""Where a film cuts or fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Cuts:
    """Cuts of one film.

    Attributes
    ----------
    cuts : int64 (n,)
        Numbers of the frames that begin a new shot (frame 0 not among them), ascending.
    fades : int64 (m, 2)
        First and last frame of every fade.
    fps : float
    n_frames : int
    """

    cuts: npt.NDArray[np.int64]
    fades: npt.NDArray[np.int64]
    fps: float
    n_frames: int
