"""Scores of systems that give several samples per clip.

An expected flow beats single samples on end-point error without knowing anything more, so samples are compared with
samples (the energy score, at equal N) and expected flow with expected flow. The best of N uses the truth to choose: an
oracle, shown beside the mean of N and never instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.metrics.motion_scores import Array, Mask, MotionScorer, vector_length

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


def energy_score(samples: Array, truth: Array, valid: Mask) -> npt.NDArray[np.float64]:
    """Energy score E|X - y| - E|X - X'| / 2, averaged over the valid vectors of each clip (lower is better).

    A proper score of each vector's predicted distribution (Gneiting & Raftery, JASA 2007). E|X - X'| is taken over
    pairs of different samples, so its expectation does not depend on their number. One sample is a point prediction,
    and its score is its end-point error.

    Parameters
    ----------
    samples : float32 (n, samples, ..., 2)
    truth : float32 (n, ..., 2)
    valid : bool (n, ...)

    Returns
    -------
    float64 (n,), NaN where nothing is valid.
    """
    n, n_samples = samples.shape[:2]
    x = samples.reshape(n, n_samples, -1, 2)
    y = np.where(valid[..., None], truth, 0).astype(np.float32).reshape(n, 1, -1, 2)
    weight = valid.reshape(n, -1, 1).astype(np.float32)
    total = (vector_length(x - y) @ weight)[..., 0].mean(1, dtype=np.float64)
    if n_samples > 1:
        spread = np.zeros(n)
        for k in range(1, n_samples):
            spread += (vector_length(x[:, k:] - x[:, :-k]) @ weight)[..., 0].sum(1, dtype=np.float64)
        total -= spread / (n_samples * (n_samples - 1))
    count = weight.sum((1, 2), dtype=np.float64)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)


def score_samples(
    scorer: MotionScorer, prediction: npt.ArrayLike, mask: str = "none", name: str = "prediction"
) -> SampledScores:
    """Every score of a sampled system under one mask; a single field counts as N = 1.

    Parameters
    ----------
    scorer : MotionScorer
    prediction : float32 (n, t, h, w, 2) or (n, samples, t, h, w, 2)
    mask : str
        One of the scorer's masks.
    name : str
        The system, for messages.
    """
    n = len(scorer.truth.clips)
    out = {measure: np.empty(n) for measure in MEASURES}
    n_samples = 1
    for start in range(0, n, _CLIPS_AT_ONCE):
        rows = slice(start, start + _CLIPS_AT_ONCE)
        samples = scorer.samples_of(prediction, rows, name)
        truth, valid = scorer.flow()[rows], scorer.masks[mask][rows]
        n_samples = samples.shape[1]
        each = np.stack([energy_score(samples[:, k : k + 1], truth, valid) for k in range(n_samples)], axis=1)
        out["epe"][rows], out["best"][rows] = each.mean(1), each.min(1)
        out["expected"][rows] = energy_score(samples.mean(1, keepdims=True), truth, valid)
        out["energy"][rows] = energy_score(samples, truth, valid)
    return SampledScores(n_samples, **out)
