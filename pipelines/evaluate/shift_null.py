"""What the brain's predictions would score if they belonged to another moment of the film.

Two nulls over the same circular shifts, independent in every segment. `prediction`: the whole predicted field is
shifted, so first-frame knowledge is lost too. `contribution`: only what fMRI added to the frame alone (brain minus
image-only) is shifted and laid on the frame's own prediction. A confident decoder loses under any shift, so these
describe the chance level; the test of brain information is `brain` against `image-only` and `shuffled`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.metrics.motion_scores import Array, Mask, MotionScorer, planes, squared_distance
from brainviz.metrics.shifts import circular_shift_null

KINDS = ("prediction", "contribution")
MINIMUM_SHIFT_S = 30.0


def shift_null(
    scorer: MotionScorer, brain: Array, frame_alone: Array | None, n_shifts: int = 1_000, seed: int = 0
) -> pd.DataFrame:
    """Null distribution of the mean end-point error (mask none, full flow).

    Parameters
    ----------
    scorer : MotionScorer
    brain, frame_alone : float32 (n, t, h, w, 2)
        Predictions of `brain` and, for the second kind, of `image-only`.
    n_shifts : int
        200 or more.
    seed : int

    Returns
    -------
    DataFrame
        kind, shift (number of the draw), epe, observed (the unshifted error, the same in every row of a kind).
    """
    truth, valid = scorer.flow(), scorer.masks["none"]
    frames = [_null_of("prediction", truth, valid, brain, scorer, n_shifts, seed)]
    if frame_alone is not None:
        left = truth - frame_alone
        frames.append(_null_of("contribution", left, valid, brain - frame_alone, scorer, n_shifts, seed))
    return pd.concat(frames, ignore_index=True)


def pair_errors(truth: Array, valid: Mask, prediction: Array) -> npt.NDArray[np.float64]:
    """Error of every prediction for every true clip: (n, ...), (n, ...), (n, ...) -> float64 (n, n).

    Row i is NaN where clip i has no valid vector. Each error is taken under the mask of its true clip.
    """
    true_u, true_v = (plane[:, 0] for plane in planes(truth[:, None]))
    u, v = (plane[:, 0] for plane in planes(prediction[:, None]))
    seen = valid.reshape(len(truth), -1)
    count = seen.sum(1)
    answer = np.full((len(truth), len(u)), np.nan)
    for clip in np.flatnonzero(count):
        length = np.sqrt(squared_distance(u, v, true_u[clip], true_v[clip]))
        answer[clip] = (length @ seen[clip].astype(np.float32)) / count[clip]
    return answer


def _null_of(
    kind: str, truth: Array, valid: Mask, predicted: Array, scorer: MotionScorer, n_shifts: int, seed: int
) -> pd.DataFrame:
    clips = scorer.truth.clips
    segment = clips["segment"].to_numpy()
    matrices = []
    for name in dict.fromkeys(segment):
        rows = np.flatnonzero(segment == name)
        rows = rows[np.argsort(clips["onset_s"].to_numpy(float)[rows], kind="stable")]
        if len(rows) > 1:
            matrices.append(pair_errors(truth[rows], valid[rows], predicted[rows]))
    if not matrices:  # only segments of one clip: nothing to shift
        return pd.DataFrame({"kind": [], "shift": [], "epe": [], "observed": []})
    minimum = round(MINIMUM_SHIFT_S / float(clips["duration_s"].median()))
    null = circular_shift_null(matrices, n_shifts, minimum, seed)
    observed = float(np.nanmean(np.concatenate([np.diag(matrix) for matrix in matrices])))
    return pd.DataFrame({"kind": kind, "shift": np.arange(n_shifts), "epe": null, "observed": observed})
