"""Haemodynamics: when a raw volume is taken, and how it blurs what happened before.

Raw volume v of a run is taken at film time 2 (v + 1) s where recording starts with the film's second TR (runs with
five volumes more than the film has TRs), and at 2 v s where it starts with the film (six more): Wen et al. 2018, as
released.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from pipelines.simulate.config import CLIP_S, SimulationConfig

TR_S = CLIP_S
STILL_S = 12.0
"""How long the first frame stands before the film and the last frame after it."""

PEAK_RANGE_S = (4.0, 7.0)
"""Time to peak by region: 6.1 s mean over cortex with a standard deviation of .6 s over subjects (Taylor, Kim & Ress
2018, NeuroImage 173); regions and subjects differ by a second or more (Handwerker, Ollinger & D'Esposito 2004)."""

FIRST_VOLUME_S = {5: 2.0, 6: 0.0}  # extra volumes of a run -> film time of its raw volume 0
_CANONICAL_PEAK_S = 5.0  # of the double gamma below, before its time axis is stretched
_UNDERSHOOT_RATIO = 1 / 6
_RESPONSE_S = 32.0


def double_gamma(times_s: npt.ArrayLike, peak_s: float) -> npt.NDArray[np.float64]:
    """The haemodynamic response at times after an impulse, 1 at its peak.

    The difference of two gamma densities of shape 6 and 16 (Friston et al. 1998), its time axis stretched so that the
    maximum falls at `peak_s`.

    Raises
    ------
    DataProblem
        When `peak_s` is outside 4 to 7 s.
    """
    if not PEAK_RANGE_S[0] <= peak_s <= PEAK_RANGE_S[1]:
        raise DataProblem(f"A haemodynamic peak at {peak_s} s.", "hrf", "Choose 4 to 7 s.")
    stretched = np.asarray(times_s, np.float64) * (_CANONICAL_PEAK_S / peak_s)
    return np.where(stretched > 0, _canonical(np.maximum(stretched, 0)) / _canonical(np.array(5.0)), 0.0)


def _canonical(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    positive = t**5 * np.exp(-t) / 120.0  # Gamma(6) = 5!
    undershoot = t**15 * np.exp(-t) / 1307674368000.0  # Gamma(16) = 15!
    response: npt.NDArray[np.float64] = positive - _UNDERSHOOT_RATIO * undershoot
    return response


def n_volumes(config: SimulationConfig, segment: str) -> int:
    """Raw volumes of one run of a segment."""
    return config.segments[segment] + config.extra_volumes(segment)


def volume_times_s(config: SimulationConfig, segment: str) -> npt.NDArray[np.float64]:
    """Film time of every raw volume in seconds, (n_volumes,)."""
    start = FIRST_VOLUME_S[config.extra_volumes(segment)]
    return start + TR_S * np.arange(n_volumes(config, segment), dtype=np.float64)


def sampling_matrix(
    volumes_s: npt.NDArray[np.float64], samples_s: npt.NDArray[np.float64], peak_s: float
) -> npt.NDArray[np.float32]:
    """The linear map from a drive to BOLD at the volumes.

    Parameters
    ----------
    volumes_s : (v,)
        Film times of the volumes.
    samples_s : (t,)
        Evenly spaced film times of the drive's samples.
    peak_s : float
        Time to peak of the response.

    Returns
    -------
    float32 (t, v)
        ``drive (n, t) @ matrix`` is BOLD (n, v); a constant drive of 1 gives 1 once the response has settled.
    """
    delay = volumes_s[None, :] - samples_s[:, None]
    response = np.where(delay < _RESPONSE_S, double_gamma(delay, peak_s), 0)
    spacing = float(samples_s[1] - samples_s[0])
    area = double_gamma(np.arange(spacing / 2, _RESPONSE_S, spacing), peak_s).sum()
    return (response / area).astype(np.float32)
