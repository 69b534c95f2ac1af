"""Does a run lie on its film as the lag rule says? V1 tells: its mean follows the film's contrast after some seconds.

Two measures per run, both in TR by which the run lags the rule: V1's mean against the film's contrast through a
haemodynamic response, and the run's V1 against the mean of the other runs, vertex by vertex (with three runs or more it
convicts one of them; with two it tells only that they do not fit). Only a clear peak counts; a weak one says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.data.preprocess import detrend
from brainviz.data.timing import LAG_S, TR_S, volume_times

Array = npt.NDArray[np.float32]

STEP_S = 0.5
MOST_LAG = 8  # TR, either way
TOLERATED = 1  # TR
SHORTEST = 6 * MOST_LAG  # volumes
_LEAST_R, _LEAST_Z, _MARGIN = 0.2, 4.0, 0.05
_LEAST_RATIO = 6.0
_STILL_S = 32.0


@dataclass(frozen=True)
class LagFinding:
    """By how many TR a run lags the rule.

    Attributes
    ----------
    lag_tr : int
        Place of the highest correlation; positive where the brain comes later than the rule says.
    peak : float
        That correlation.
    clear : bool
        Whether the peak stands out enough to believe it.
    """

    lag_tr: int
    peak: float
    clear: bool

    @property
    def off(self) -> bool:
        """Clearly off by more than one TR."""
        return self.clear and abs(self.lag_tr) > TOLERATED


def film_contrast(path: str | Path) -> Array:
    """Contrast of the film's pictures (standard deviation of brightness), mean of every half second: float32 (t,)."""
    from brainviz.video.reading import film_info, iterate_planes

    contrast = np.array([planes[0].std() for planes in iterate_planes(path, 48)], np.float64)
    place = (np.arange(len(contrast)) / film_info(path).fps / STEP_S).astype(np.int64)
    return (np.bincount(place, contrast) / np.maximum(np.bincount(place), 1)).astype(np.float32)


def haemodynamic_response(step_s: float = STEP_S) -> npt.NDArray[np.float64]:
    """Double-gamma response, peak at 5 s (Friston et al. 1998; Glover 1999), sum 1, over 32 s."""
    t = np.arange(0, _STILL_S, step_s)
    response = t**5 * np.exp(-t) / factorial(5) - t**15 * np.exp(-t) / factorial(15) / 6
    return np.asarray(response / response.sum())


def expected_response(contrast: Array, n_volumes: int, tr_s: float = TR_S, lag_s: float = LAG_S) -> Array:
    """What a contrast-driven vertex shows at each kept volume: float32 (n_volumes,).

    Before and after the film its first and last picture stand still.
    """
    still = round(_STILL_S / STEP_S)
    padded = np.concatenate([np.full(still, contrast[0]), contrast, np.full(still, contrast[-1])])
    driven = np.convolve(padded, haemodynamic_response())[: len(padded)]
    middle_s = (np.arange(len(padded)) + 0.5) * STEP_S - _STILL_S
    return np.interp(volume_times(n_volumes, tr_s, lag_s), middle_s, driven).astype(np.float32)


def lag_against_film(v1_mean: Array, expected: Array) -> LagFinding | None:
    """Lag of V1's mean (tr,) behind the film's expected response (tr,); None where the run is too short to tell."""
    if len(v1_mean) < SHORTEST:
        return None
    a, b = (detrend(x[:, None])[:, 0].astype(np.float64) for x in (v1_mean, expected))
    lags = np.arange(-MOST_LAG, MOST_LAG + 1)
    r = np.array([_shifted_correlation(a, b, int(lag)) for lag in lags])
    best = int(np.argmax(r))
    noise = 1 / np.sqrt(max(_independent_samples(a, b), 4.0))
    near_zero = r[np.abs(lags) <= TOLERATED].max()
    rivals = r[np.abs(lags - lags[best]) > 3]
    clear = r[best] > max(_LEAST_R, _LEAST_Z * noise) and r[best] > rivals.max(initial=-1.0) + _MARGIN
    if abs(lags[best]) > TOLERATED:
        clear = clear and r[best] > near_zero + _MARGIN
    return LagFinding(int(lags[best]), float(r[best]), bool(clear))


def lag_against_runs(v1: Array, others: Sequence[Array]) -> LagFinding | None:
    """Lag of one run's V1 (tr, vertex, z-scored) behind the mean of other runs; None with no other or short runs."""
    if not others or len(v1) < SHORTEST:
        return None
    reference = np.mean(others, axis=0)
    lags = np.arange(-MOST_LAG, MOST_LAG + 1)
    r = np.array([_pattern_correlation(v1, reference, int(lag)) for lag in lags])
    best = int(np.argmax(r))
    far = r[np.abs(lags - lags[best]) > 3]
    spread = max(float(np.std(far)), 1e-3)
    clear = r[best] - far.mean() > _LEAST_RATIO * spread and r[best] > 0.02
    return LagFinding(int(lags[best]), float(r[best]), bool(clear))


def _overlap(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating], lag: int) -> tuple[np.ndarray, np.ndarray]:
    """a(t + lag) beside b(t)."""
    n = len(a)
    return a[max(lag, 0) : n + min(lag, 0)], b[max(-lag, 0) : n - max(lag, 0)]


def _shifted_correlation(a: np.ndarray, b: np.ndarray, lag: int) -> float:
    x, y = (part - part.mean() for part in _overlap(a, b, lag))
    return float((x @ y) / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-9))


def _pattern_correlation(a: Array, b: Array, lag: int) -> float:
    """Mean over vertices of their correlation in time."""
    x, y = (part - part.mean(0) for part in _overlap(a, b, lag))
    norms = np.sqrt((x * x).sum(0) * (y * y).sum(0))
    return float(((x * y).sum(0) / np.maximum(norms, 1e-6)).mean())


def _independent_samples(a: np.ndarray, b: np.ndarray) -> float:
    """Effective number of samples of two autocorrelated series (Bartlett 1935)."""
    product = _shifted_correlation(a, a, 1) * _shifted_correlation(b, b, 1)
    return len(a) * (1 - product) / (1 + product)
