"""Which clips a slow backend renders: few, yet of every film and speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

SPEED_BINS = 4


def true_speed(flow: npt.NDArray[np.floating], valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Mean length of the valid vectors of each clip: (n, t, h, w, 2), (n, t, h, w) -> (n,); 0 without any."""
    length = np.where(valid, np.hypot(flow[..., 0], flow[..., 1]), 0)
    count = valid.sum(axis=(1, 2, 3))
    return np.divide(length.sum(axis=(1, 2, 3)), count, out=np.zeros(len(flow)), where=count > 0)


def stratified_clips(speed: npt.NDArray[np.floating], segments: Sequence[str], n: int, seed: int = 0) -> list[int]:
    """A sample of clips with every film and every quarter of its speeds in proportion.

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
    rng = np.random.default_rng(seed)
    films, names = np.unique(np.asarray(segments)), np.asarray(segments)
    strata = []
    for film in films:
        rows = np.flatnonzero(names == film)
        rows = rows[np.argsort(np.asarray(speed)[rows], kind="stable")]
        strata += [rng.permutation(part) for part in np.array_split(rows, SPEED_BINS) if len(part)]
    # Every clip stands at its place within its stratum, from 0 to 1; the n lowest places of all are taken.
    places = np.concatenate([(np.arange(len(part)) + rng.random()) / len(part) for part in strata])
    order = np.concatenate(strata)[np.argsort(places, kind="stable")]
    return sorted(order[:n].tolist())
