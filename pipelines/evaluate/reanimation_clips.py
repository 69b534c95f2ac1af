"""Which clips a slow backend renders: few, yet of every film and speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem


def true_speed(flow: npt.NDArray[np.floating], valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Mean length of the valid vectors of each clip: (n, t, h, w, 2), (n, t, h, w) -> (n,); 0 without any."""
    length = np.where(valid, np.hypot(flow[..., 0], flow[..., 1]), 0)
    count = valid.sum(axis=(1, 2, 3))
    return np.divide(length.sum(axis=(1, 2, 3)), count, out=np.zeros(len(flow)), where=count > 0)


def stratified_clips(speed: npt.NDArray[np.floating], segments: Sequence[str], n: int, seed: int = 0) -> list[int]:
    """A sample of clips with every film, and within it every speed, in proportion.

    Parameters
    ----------
    speed : float (n_clips,)
        True speed.
    segments : sequence of str (n_clips,)
    n : int
        How many; all of them where there are no more.
    seed : int

    Returns
    -------
    list of int
        Rows, rising. Nothing of a system enters, so that every system gets the same clips.
    """
    if n < 1 or len(speed) != len(segments):
        raise DataProblem(f"{n} of {len(speed)} clips of {len(segments)} films cannot be chosen.", "clips")
    # A systematic sample of the clips in order of film and speed: every n-th, from a random start.
    order = np.lexsort((np.asarray(speed), np.asarray(segments)))
    if n >= len(order):
        return list(range(len(order)))
    start = np.random.default_rng(seed).random()
    return sorted(int(row) for row in order[((np.arange(n) + start) * len(order) / n).astype(int)])
