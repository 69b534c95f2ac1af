"""Scores of predicted motion against true motion, clip by clip, under the same masks for every system.

Masks: `none` (every valid vector; primary), `moving` (objects that move against the camera), and `slow`, `medium`,
`fast` (bins of true speed whose edges come from the training clips). Parts: `full` flow, `camera` (the robust affine
fit of the flow) and `residual` (what that fit leaves), the fit being the same for truth and prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.errors import DataProblem
from brainviz.flow.camera import camera_fit

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MASKS = ("none", "moving", "slow", "medium", "fast")
PARTS = ("full", "camera", "residual")
_CLIPS_AT_ONCE = 16  # a few megabytes of samples at a time: stays in the processor's cache


@dataclass(frozen=True)
class MotionTruth:
    """True motion of the clips on which systems are scored.

    Attributes
    ----------
    clips : DataFrame of n rows
        clip, segment, index, onset_s, duration_s, shot; in order of time within each segment.
    flow : float32 (n, t, h, w, 2)
        Pixels of the grid per step. Values at invalid pixels are never read (they may be NaN).
    valid, moving : bool (n, t, h, w)
    step_s : float32 (t,)
        Seconds between the frames of each step.
    labeller : str
        What measured the flow.
    simulated : bool
    """

    clips: pd.DataFrame
    flow: Array
    valid: Mask
    moving: Mask
    step_s: npt.NDArray[Any]
    labeller: str
    simulated: bool

    def __post_init__(self) -> None:
        shape = np.shape(self.flow)
        if len(shape) != 5 or shape[-1] != 2 or len(self.clips) != shape[0]:
            raise DataProblem(f"True flow must be (n, t, h, w, 2) for {len(self.clips)} clips, not {shape}.", "flow")
        for name in ("valid", "moving"):
            if np.shape(getattr(self, name)) != shape[:-1]:
                raise DataProblem(f"The mask has the shape {np.shape(getattr(self, name))}, not {shape[:-1]}.", name)


@dataclass(frozen=True)
class MotionScores:
    """Scores of one system; NaN where a clip has no pixel under a mask.

    Attributes
    ----------
    masks : tuple of str
        Names along the last axis.
    epe, angular_error, correlation : float64 (n, samples, masks)
        End-point error in grid pixels per step, space-time angle in degrees, Pearson r. The last two are None where
        they were not asked for.
    """

    masks: tuple[str, ...]
    epe: npt.NDArray[np.float64]
    angular_error: npt.NDArray[np.float64] | None = None
    correlation: npt.NDArray[np.float64] | None = None


def speed_edges(flow: Array, valid: Mask, quantiles: tuple[float, float] = (1 / 3, 2 / 3)) -> npt.NDArray[np.float64]:
    """Speeds that part slow, medium and fast vectors, from TRAINING flow: float64 (2,), grid pixels per step.

    Parameters
    ----------
    flow : float (n, t, h, w, 2)
    valid : bool (n, t, h, w)
    quantiles : two of the valid vectors' speeds; thirds by default.
    """
    vectors = np.asarray(flow)[np.asarray(valid, bool)]
    if len(vectors) == 0:
        raise DataProblem("No training clip has a valid flow vector, so speeds cannot be binned.", "speed_edges")
    return np.quantile(np.hypot(vectors[:, 0], vectors[:, 1]).astype(float), quantiles)


def score_masks(truth: MotionTruth, edges: Sequence[float]) -> dict[str, Mask]:
    """Every mask of `MASKS`: bool (n, t, h, w), all within the valid pixels and none from a prediction."""
    speed = np.where(truth.valid, np.hypot(truth.flow[..., 0], truth.flow[..., 1]), 0.0)
    slow, fast = edges
    return {
        "none": truth.valid,
        "moving": truth.valid & truth.moving,
        "slow": truth.valid & (speed <= slow),
        "medium": truth.valid & (speed > slow) & (speed <= fast),
        "fast": truth.valid & (speed > fast),
    }


class MotionScorer:
    """Scores any number of systems against one truth.

    Parameters
    ----------
    truth : MotionTruth
    edges : two floats
        From `speed_edges` on training clips.

    Attributes
    ----------
    masks : dict of bool (n, t, h, w)
    n_pixels : int64 (n, masks)
    """

    def __init__(self, truth: MotionTruth, edges: Sequence[float]) -> None:
        self.truth = truth
        self.masks = score_masks(truth, edges)
        self.n_pixels = np.stack([mask.reshape(len(mask), -1).sum(1) for mask in self.masks.values()], axis=1)
        self._shape = truth.flow.shape[1:]
        flow = np.where(truth.valid[..., None], truth.flow, 0).astype(np.float32)
        camera = camera_fit(flow, truth.valid)[1]
        self._parts = {"full": flow, "camera": camera, "residual": flow - camera}
        zero = np.zeros((len(flow), 1, *self._shape), dtype=np.float32)
        self._epe_zero = {part: self._score_part(part, zero, MASKS).epe[:, 0] for part in PARTS}

    def epe_zero(self, part: str = "full", masks: Sequence[str] = MASKS) -> npt.NDArray[np.float64]:
        """End-point error of predicting no motion at all, which is the part's mean true speed: float64 (n, masks)."""
        return self._epe_zero[part][:, [MASKS.index(name) for name in masks]]

    def flow(self, part: str = "full") -> Array:
        """The true flow of a part, 0 at invalid pixels of `full`: float32 (n, t, h, w, 2)."""
        return self._parts[part]

    def score(
        self,
        prediction: npt.ArrayLike,
        parts: Sequence[str] = ("full",),
        masks: Sequence[str] = MASKS,
        angles: bool = True,
        name: str = "prediction",
    ) -> dict[str, MotionScores]:
        """Score one system.

        Parameters
        ----------
        prediction : float32 (n, t, h, w, 2) or (n, samples, t, h, w, 2)
            Anything that NumPy can slice by clip: an array, a memory map, a Zarr array.
        parts : some of `PARTS`
        masks : some of `MASKS`
        angles : bool
            Also angular error and correlation (of the full flow only).
        name : str
            The system, for messages.

        Returns
        -------
        dict of part -> MotionScores

        Raises
        ------
        DataProblem
            If the shape does not fit or a value is not finite.
        """
        pieces: dict[str, list[MotionScores]] = {part: [] for part in parts}
        for start in range(0, len(self.truth.clips), _CLIPS_AT_ONCE):
            rows = slice(start, start + _CLIPS_AT_ONCE)
            full = self.samples_of(prediction, rows, name)
            for part, predicted in self._predicted_parts(full, rows, parts).items():
                pieces[part].append(self._score_part(part, predicted, masks, angles and part == "full", rows))
        return {part: _joined(scores) for part, scores in pieces.items()}

    def samples_of(self, prediction: npt.ArrayLike, rows: slice, name: str = "prediction") -> Array:
        """Some clips of a prediction with the axis of samples in place: float32 (clips, samples, t, h, w, 2)."""
        n, shape = len(self.truth.clips), np.shape(prediction)
        if shape not in ((n, *self._shape), (n, *shape[1:2], *self._shape)):
            raise DataProblem(f"Predicted flow has the shape {shape} for {n} clips of {self._shape}.", name)
        part = np.asarray(prediction[rows], dtype=np.float32)  # type: ignore[index]
        if part.ndim == 1 + len(self._shape):
            part = part[:, None]
        if not np.isfinite(part).all():
            bad = int(np.flatnonzero(~np.isfinite(part).reshape(len(part), -1).all(1))[0])
            clip = self.truth.clips["clip"].iloc[rows].iloc[bad]
            raise DataProblem(f"The predicted flow of {clip} holds NaN or infinite values.", name, "Run it again.")
        return part

    def _predicted_parts(self, full: Array, rows: slice, parts: Sequence[str]) -> dict[str, Array]:
        answer = {"full": full} if "full" in parts else {}
        if set(parts) - {"full"}:
            valid = np.broadcast_to(self.truth.valid[rows][:, None], full.shape[:-1])
            camera = camera_fit(full, valid)[1]
            answer |= {"camera": camera, "residual": full - camera}
        return {part: answer[part] for part in parts}

    def _score_part(
        self, part: str, predicted: Array, masks: Sequence[str], angles: bool = False, rows: slice = slice(None)
    ) -> MotionScores:
        true_u, true_v = planes(self._parts[part][rows][:, None])
        u, v = planes(predicted)
        weight = np.stack([self.masks[name][rows].reshape(len(u), -1) for name in masks], axis=2).astype(np.float32)
        count = self.n_pixels[rows][:, None, [MASKS.index(name) for name in masks]].astype(np.float64)
        squared = squared_distance(u, v, true_u, true_v)
        epe = _mean(np.sqrt(squared), weight, count)
        if not angles:
            return MotionScores(tuple(masks), epe)
        along = u * true_u + v * true_v + 1
        across = u * true_v - v * true_u
        # As `brainviz.flow.errors.angular_map`: the cross product of (u, v, 1) and (u', v', 1) has this length.
        angle = np.degrees(np.arctan2(np.sqrt(squared + across * across), along))
        seen = self.truth.valid[rows].reshape(len(u), -1).astype(np.float32)
        correlation = _correlation((true_u, true_v), (u, v), weight, count, seen)
        return MotionScores(tuple(masks), epe, _mean(angle, weight, count), correlation)


def planes(flow: Array) -> tuple[Array, Array]:
    """The two components on their own, pixels in one row: (n, samples, ..., 2) -> 2 x float32 (n, samples, pixels)."""
    n, samples = flow.shape[:2]
    return (
        np.ascontiguousarray(flow[..., 0]).reshape(n, samples, -1),
        np.ascontiguousarray(flow[..., 1]).reshape(n, samples, -1),
    )


def squared_distance(u: Array, v: Array, other_u: Array, other_v: Array) -> Array:
    """Squared length of the difference of vectors given by their components; shapes broadcast."""
    du, dv = u - other_u, v - other_v
    du *= du
    dv *= dv
    du += dv
    return du


def _mean(values: Array, weight: Array, count: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over pixels under each mask: (n, s, p), (n, p, m), (n, 1, m) -> (n, s, m); NaN where nothing counts."""
    total = (values @ weight).astype(np.float64)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _correlation(
    a: tuple[Array, Array], b: tuple[Array, Array], weight: Array, count: npt.NDArray[np.float64], seen: Array
) -> npt.NDArray[np.float64]:
    """Pearson r over the components under each mask, as `brainviz.flow.errors.flow_correlation` defines it."""
    (au, av), (bu, bv) = _centred(a, seen), _centred(b, seen)

    def total(values: Array) -> npt.NDArray[np.float64]:
        return (values @ weight).astype(np.float64)

    n = 2 * np.maximum(count, 1)
    sum_a, sum_b = total(au + av), total(bu + bv)
    square_a, square_b = total(au * au + av * av), total(bu * bu + bv * bv)
    power_a, power_b = square_a - sum_a**2 / n, square_b - sum_b**2 / n
    # Below this a field is constant but for rounding, and r would be noise.
    usable = (count >= 1) & (power_a > 1e-6 * square_a) & (power_b > 1e-6 * square_b)
    usable &= np.minimum(power_a, power_b) > 1e-12 * n
    covariance = total(au * bu + av * bv) - sum_a * sum_b / n
    power = np.sqrt(np.maximum(power_a, 0) * np.maximum(power_b, 0))
    return np.divide(covariance, power, out=np.full(power.shape, np.nan), where=usable)


def _centred(components: tuple[Array, Array], seen: Array) -> tuple[Array, Array]:
    """Components without the mean over the seen pixels of both: keeps sums of squares exact for fast pans."""
    u, v = components
    share = 1 / np.maximum(2 * seen.sum(1, dtype=np.float64), 1)
    mean = ((u + v) @ seen[..., None]).astype(np.float64) * share[:, None, None]
    # A field of one value must come out exactly 0: take its first value off before its mean.
    first = u[..., :1]
    flat = (u == first).all(-1, keepdims=True) & (v == first).all(-1, keepdims=True)
    mean = np.where(flat, first, mean).astype(np.float32)
    return u - mean, v - mean


def _joined(scores: list[MotionScores]) -> MotionScores:
    def join(arrays: list[Any]) -> Any:
        return None if arrays[0] is None else np.concatenate(arrays)

    return MotionScores(
        scores[0].masks,
        join([s.epe for s in scores]),
        join([s.angular_error for s in scores]),
        join([s.correlation for s in scores]),
    )
