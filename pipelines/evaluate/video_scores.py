"""Scores of one reanimated clip that need no weights. Arrays in, numbers out.

A reanimation is compared with its film at the label times (start, 1/3, 2/3, last) and between them by its own flow,
which the labeller of the true flow measures on the same grid; what counts is the truth's mask, the same for every
system. The labels' forward-backward check is left out: it decides what counts, and that the truth has decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.flow.chaining import chain_flows
from brainviz.flow.errors import end_point_error
from brainviz.flow.fields import GRID, resample
from brainviz.metrics.video.hue import hue_correlation, hue_cosine_8bit
from brainviz.metrics.video.pixels import psnr, ssim, ssim_columns
from brainviz.metrics.video.temporal import warping_error
from brainviz.video.reading import to_square
from pipelines.flow_labels.labellers import Labeller

Frames = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]

PICTURE_SCORES = ("ssim", "ssim-grid", "ssim-columns", "psnr", "hue-correlation", "hue-cosine")
SCORES = ("epe", "epe-moving", *PICTURE_SCORES, "warping-error")


@dataclass(frozen=True)
class TimedFilm:
    """Frames and their times.

    Attributes
    ----------
    frames : uint8 (n, s, s, 3)
    times_s : float (n,)
        Rising from 0.
    """

    frames: Frames
    times_s: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.frames) != len(self.times_s) or len(self.frames) < 2 or (np.diff(self.times_s) <= 0).any():
            raise DataProblem(f"{len(self.frames)} frames need as many rising times.", "film")

    def nearest(self, times_s: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """Frames nearest to given times."""
        return np.abs(self.times_s[None] - np.asarray(times_s)[:, None]).argmin(axis=1)


@dataclass(frozen=True)
class ClipTruth:
    """The film of one clip.

    Attributes
    ----------
    frames : uint8 (4, s, s, 3)
        At the label times.
    flow : float32 (3, 32, 32, 2)
    valid, moving : bool (3, 32, 32)
    step_s : float (3,)
    """

    frames: Frames
    flow: Array
    valid: npt.NDArray[np.bool_]
    moving: npt.NDArray[np.bool_]
    step_s: npt.NDArray[np.floating]

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """The label times, float64 (4,), from 0."""
        return np.concatenate([[0.0], np.cumsum(self.step_s, dtype=np.float64)])

    @property
    def reached(self) -> npt.NDArray[np.bool_]:
        """Which of the three later frames belong to the first one's shot: bool (3,)."""
        return np.asarray(np.cumprod(self.valid.any(axis=(1, 2))), dtype=bool)


def score_clip(film: TimedFilm, truth: ClipTruth, labeller: Labeller) -> dict[str, float]:
    """Every score of `SCORES`; NaN where a clip has nothing to be scored on.

    Parameters
    ----------
    film : TimedFilm
        Of any size and number of frames; frames are resized to the truth's and to the labeller's.
    truth : ClipTruth
    labeller : Labeller
        What measured the true flow.
    """
    flow, error = own_flow(film, truth.times_s, labeller)
    known = np.isfinite(flow).all(axis=-1)
    valid = np.asarray(truth.valid & known)[None]
    fields = np.where(np.isfinite(flow), flow, 0)[None], np.where(truth.valid[..., None], truth.flow, 0)[None]
    scores = {
        "epe": float(end_point_error(*fields, valid)[0]),
        "epe-moving": float(end_point_error(*fields, valid & truth.moving)[0]),
    }
    return scores | _pictures(film, truth) | {"warping-error": error}


def _pictures(film: TimedFilm, truth: ClipTruth) -> dict[str, float]:
    reached = truth.reached
    if not reached.any():
        return dict.fromkeys(PICTURE_SCORES, float("nan"))
    shown = _resized(film.frames[film.nearest(truth.times_s[1:])[reached]], truth.frames.shape[1])
    seen = truth.frames[1:][reached]
    return {
        "ssim": float(ssim(seen, shown).mean()),
        "ssim-grid": float(ssim(_resized(seen, GRID), _resized(shown, GRID)).mean()),
        "ssim-columns": float(ssim_columns(seen, shown).mean()),
        "psnr": float(psnr(seen, shown).mean()),
        "hue-correlation": _known_mean(hue_correlation(seen, shown)),
        "hue-cosine": _known_mean(hue_cosine_8bit(seen, shown)),
    }


def _known_mean(values: npt.NDArray[np.float64]) -> float:
    """Mean over the frames that have a value."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def own_flow(film: TimedFilm, times_s: npt.NDArray[np.float64], labeller: Labeller) -> tuple[Array, float]:
    """The flow that a labeller measures in a film.

    Parameters
    ----------
    film : TimedFilm
    times_s : float64 (4,)
        Between which motion is wanted. A film without a frame at such a time gives the motion between its nearest
        frames, scaled to the step's length.
    labeller : Labeller

    Returns
    -------
    flow : float32 (3, 32, 32, 2)
        Pixels of the 32 x 32 grid per step; NaN in steps for which the film has no two frames.
    error : float
        `warping_error` of the frames between which it was measured.
    """
    ends = film.nearest(times_s)
    steps = [_between(film, a, b, labeller.max_gap_s) for a, b in pairwise(ends.tolist())]
    flow = np.full((len(steps), GRID, GRID, 2), np.nan, np.float32)
    used = np.unique(np.concatenate(steps))
    if len(used) < 2:
        return flow, float("nan")
    frames = _resized(film.frames[used], labeller.size)
    if (frames == frames[:1]).all():  # nothing moves: spares the labeller a third of the demo's scoring
        return np.where([[[[len(s) > 1]]] for s in steps], 0, flow).astype(np.float32), 0.0
    measured = labeller.measure(frames[:-1], frames[1:])
    for k, step in enumerate(steps):
        if len(step) < 2:
            continue
        first, last = np.searchsorted(used, step[[0, -1]])
        there, _ = chain_flows(list(measured[first:last]))
        there = labeller.refine(frames[first][None], frames[last][None], there[None])[0]
        lasted = film.times_s[step[-1]] - film.times_s[step[0]]
        flow[k] = resample(there, GRID, GRID) * ((times_s[k + 1] - times_s[k]) / lasted)
    return flow, warping_error(frames, measured)


def _between(film: TimedFilm, first: int, last: int, max_gap_s: float) -> npt.NDArray[np.int64]:
    """Frames from one to another, both included, at most `max_gap_s` apart where the film has that many."""
    pieces = int(np.ceil((film.times_s[last] - film.times_s[first]) / max_gap_s - 1e-6))
    return np.unique(np.round(np.linspace(first, last, max(pieces, 1) + 1)).astype(np.int64))


def _resized(frames: Frames, size: int) -> Frames:
    return frames if frames.shape[1:3] == (size, size) else np.stack([to_square(frame, size) for frame in frames])
