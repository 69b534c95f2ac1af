"""Scores on embeddings of frames or films, whatever network made them.

"CLIP-pcc" is the mean cosine between neighbouring frames of the *predicted* film; it never looks at the true one. Two
definitions go by the name: `clip_pcc_adjacent` (NEURONS, 2025) is that mean; `clip_pcc_gated` (Mind-Animator, Lu et
al., ICLR 2025; also MindVideo's and NeuroClips' figures there) sets it to 0 for films whose VIFI score is .6 or less,
which is why their values are about .4 and not .9. A frozen first frame scores 1 on the first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Array = npt.NDArray[np.float64]

VIFI_THRESHOLD = 0.6
VIFI_CLIPS, VIFI_FRAMES = 32, 8


def cosine(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Cosine between embeddings, along the last axis: float (..., d) twice -> float64 (...); NaN for a zero vector.

    With VideoMAE's pooled features of two films it is the VideoMAE cosine, with CLIP's of frames (then averaged over
    frames) the CLIP cosine of Yeung et al. (CVPR 2025), with ViFi-CLIP's of films the VIFI score.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.shape != y.shape or x.ndim < 1:
        raise DataProblem(f"Embeddings of shapes {x.shape} and {y.shape} cannot be compared.", "embeddings")
    length = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    return np.divide((x * y).sum(-1), length, out=np.full(length.shape, np.nan), where=length > 0)


def clip_pcc_adjacent(frames: npt.ArrayLike) -> Array:
    """Mean cosine between neighbouring frames of the predicted film.

    Parameters
    ----------
    frames : float (n, t, d)
        CLIP's embedding of each of t >= 2 frames.

    Returns
    -------
    float64 (n,)
    """
    values = np.asarray(frames, np.float64)
    if values.ndim != 3 or values.shape[1] < 2:
        raise DataProblem(f"Embeddings of frames are (n, t >= 2, d), not {values.shape}.", "embeddings")
    return np.asarray(cosine(values[:, :-1], values[:, 1:]).mean(axis=1))


def clip_pcc_gated(frames: npt.ArrayLike, vifi: npt.ArrayLike, threshold: float = VIFI_THRESHOLD) -> Array:
    """`clip_pcc_adjacent` where the VIFI score exceeds the threshold, else 0.

    Parameters
    ----------
    frames : float (n, t, d)
    vifi : float (n,)
        VIFI score of each film against the true one.
    """
    scores = np.asarray(vifi, np.float64)
    adjacent = clip_pcc_adjacent(frames)
    if scores.shape != adjacent.shape:
        raise DataProblem(f"{scores.shape} VIFI scores do not go with {adjacent.shape} films.", "vifi")
    return np.where(scores > threshold, adjacent, 0.0)


def vifi_frame_numbers(n_frames: int) -> npt.NDArray[np.int64]:
    """Which frames ViFi-CLIP sees of a film: int64 (32, 8), 32 views of 8 successive frames, evenly spread.

    A film of fewer than 8 frames is looped. The sampling of ViFi-CLIP's test set-up (Rasheed et al., CVPR 2023); the
    film's embedding is the mean over views.
    """
    if n_frames < 1:
        raise DataProblem("A film has one frame or more.", "n_frames")
    room = (n_frames - VIFI_FRAMES + 1) / VIFI_CLIPS
    first = np.arange(VIFI_CLIPS) * room + room / 2 if room > 0 else np.zeros(VIFI_CLIPS)
    return np.asarray((first.astype(np.int64)[:, None] + np.arange(VIFI_FRAMES)) % n_frames)
