"""Scores of systems that give several samples per clip.

An expected flow beats single samples on end-point error without knowing anything more, so samples are compared with
samples (the energy score, at equal N) and expected flow with expected flow. The best of N uses the truth to choose: an
oracle, shown beside the mean of N and never instead of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.metrics.motion_scores import Array, MotionScorer, planes, squared_distance

MEASURES = ("epe", "best", "expected", "energy")
"""Mean of N, best of N, error of the N samples' mean field, energy score."""

_CLIPS_AT_ONCE = 16


@dataclass(frozen=True)
class SampledScores:
    """Scores per clip, in grid pixels per step: float64 (n,) each; NaN where a clip has no pixel under the mask.

    Attributes
    ----------
    n_samples : int
    epe : mean over samples of the end-point error
    best : smallest end-point error of the N samples (an oracle)
    expected : end-point error of the mean of the samples
    energy : energy score
    """

    n_samples: int
    epe: npt.NDArray[np.float64]
    best: npt.NDArray[np.float64]
    expected: npt.NDArray[np.float64]
    energy: npt.NDArray[np.float64]


def score_samples(
    scorer: MotionScorer, prediction: npt.ArrayLike, masks: Sequence[str] = ("none",), name: str = "prediction"
) -> dict[str, SampledScores]:
    """Every score of a sampled system under some masks; a single field counts as N = 1.

    The energy score is E|X - y| - E|X - X'| / 2 at each vector (Gneiting & Raftery, JASA 2007), averaged over the
    mask. E|X - X'| is taken over pairs of different samples, so its expectation does not depend on their number. One
    sample is a point prediction, and its energy score is its end-point error.

    Parameters
    ----------
    scorer : MotionScorer
    prediction : float32 (n, t, h, w, 2) or (n, samples, t, h, w, 2)
    masks : some of the scorer's masks
    name : str
        The system, for messages.
    """
    n = len(scorer.truth.clips)
    out = np.empty((len(MEASURES), n, len(masks)))
    n_samples = 1
    for start in range(0, n, _CLIPS_AT_ONCE):
        rows = slice(start, start + _CLIPS_AT_ONCE)
        samples = scorer.samples_of(prediction, rows, name)
        n_samples = samples.shape[1]
        weight = np.stack([scorer.masks[mask][rows].reshape(len(samples), -1) for mask in masks], axis=2)
        out[:, rows] = _scores(samples, scorer.flow()[rows], weight.astype(np.float32))
    return {mask: SampledScores(n_samples, *out[:, :, column]) for column, mask in enumerate(masks)}


def _scores(samples: Array, truth: Array, weight: Array) -> npt.NDArray[np.float64]:
    """Some clips' scores in the order of `MEASURES`: (n, s, ..., 2), (n, ..., 2), (n, pixels, m) -> (4, n, m)."""
    u, v = planes(samples)
    true_u, true_v = planes(truth[:, None])
    n_samples = u.shape[1]
    count = weight.sum(1, dtype=np.float64)

    def mean(squared: Array) -> npt.NDArray[np.float64]:
        """Mean length over each mask: (n, k, pixels) -> (n, k, m), NaN where nothing counts."""
        total = (np.sqrt(squared) @ weight).astype(np.float64)
        return np.divide(total, count[:, None], out=np.full(total.shape, np.nan), where=count[:, None] > 0)

    each = mean(squared_distance(u, v, true_u, true_v))
    if n_samples == 1:
        return np.stack([each[:, 0]] * len(MEASURES))
    centre = [plane.mean(1, keepdims=True) for plane in (u, v)]
    expected = mean(squared_distance(centre[0], centre[1], true_u, true_v))[:, 0]
    spread = np.zeros_like(expected)
    for k in range(1, n_samples):
        spread += mean(squared_distance(u[:, k:], v[:, k:], u[:, :-k], v[:, :-k])).sum(1)
    energy = each.mean(1) - spread / (n_samples * (n_samples - 1))
    return np.stack([each.mean(1), each.min(1), expected, energy])
