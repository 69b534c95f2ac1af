"""Features of clips -> design matrix with one row per kept volume.

A film's 2-s clip drives volumes 2 to 8 s after its onset, so the row of a volume holds the features of the clips that
began 2, 4, 6 and 8 s before it, side by side. Seconds become volumes in `brainviz.data.timing.window_volumes` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.data.timing import LAG_S, TR_S, window_volumes
from brainviz.errors import BrainvizError, DataProblem

DELAYS_S = (2.0, 4.0, 6.0, 8.0)
"""Seconds after a clip's onset at which it may drive a volume."""

ROW_ENERGY = 1000.0
"""Mean squared length of a row of the scaled design. It makes one range of alphas fit encoders of any width."""

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Standardiser:
    """Moments of the training clips.

    Attributes
    ----------
    mean, scale : float32 (channels,)
        `scale` is 1 / (standard deviation), and 0 where a channel is constant.
    """

    mean: Array
    scale: Array

    def __call__(self, features: npt.ArrayLike) -> Array:
        """(features - mean) * scale, float32 (n_clips, channels)."""
        return (np.asarray(features, dtype=np.float32) - self.mean) * self.scale


def training_moments(features: Iterable[npt.ArrayLike]) -> Standardiser:
    """Mean and standard deviation of every channel over all training clips.

    Raises
    ------
    DataProblem
        There is no clip, or a value is not finite.
    """
    parts = [np.asarray(part, dtype=np.float32) for part in features]
    if not parts or not sum(len(part) for part in parts):
        raise DataProblem("There are no training clips to standardise by.", "features", "Give a training film.")
    if not all(np.isfinite(part).all() for part in parts):
        raise DataProblem("Features hold values that are not finite.", "features", "Extract them again.")
    n = sum(len(part) for part in parts)
    mean = sum(part.sum(0, dtype=np.float64) for part in parts) / n
    variance = sum(((part - mean) ** 2).sum(0) for part in parts) / n
    deviation = np.sqrt(variance)
    moving = deviation > 1e-6 * (np.abs(mean) + 1e-12)
    scale = np.where(moving, 1 / np.where(moving, deviation, 1.0), 0.0)
    return Standardiser(np.asarray(mean, dtype=np.float32), scale.astype(np.float32))


def delayed(
    features: Mapping[str, npt.ArrayLike],
    volumes: Mapping[str, int],
    delays_s: Sequence[float] = DELAYS_S,
    tr_s: float = TR_S,
    lag_s: float = LAG_S,
) -> dict[str, Array]:
    """Delayed features of every segment.

    Parameters
    ----------
    features : segment -> float (n_clips, channels)
        Standardised features of clips that begin every `tr_s` seconds.
    volumes : segment -> int
        Kept volumes of the recording: the rows wanted.
    delays_s : seconds after a clip's onset, one block of columns each.

    Returns
    -------
    segment -> float32 (n_volumes, n_delays * channels)
        Zeros, the training mean, where no clip stands at that delay.

    Raises
    ------
    BrainvizError
        A delay falls between volumes, or a segment has no features.
    """
    missing = sorted(set(volumes) - set(features))
    if missing:
        raise BrainvizError(f"No features of {', '.join(missing)}.", "features", "Extract the features of all films.")
    rows = {}
    for segment, n_volumes in volumes.items():
        clips = np.asarray(features[segment], dtype=np.float32)
        width = clips.shape[1]
        design = np.zeros((n_volumes, len(delays_s) * width), dtype=np.float32)
        onsets = tr_s * np.arange(len(clips))
        for i, delay in enumerate(delays_s):
            target = window_volumes(onsets, (delay, delay), tr_s, lag_s, n_volumes)[:, 0]
            design[target[target >= 0], i * width : (i + 1) * width] = clips[target >= 0]
        rows[segment] = design
    return rows


def scaled_design(
    features: Mapping[str, npt.ArrayLike],
    moments: Standardiser,
    volumes: Mapping[str, int],
    delays_s: Sequence[float] = DELAYS_S,
    tr_s: float = TR_S,
    lag_s: float = LAG_S,
) -> dict[str, Array]:
    """Standardised, delayed and scaled to rows of mean squared length `ROW_ENERGY`: what the ridge is fitted on.

    Shapes and errors as in `delayed`.
    """
    width = max(1, int(np.count_nonzero(moments.scale)) * len(delays_s))
    factor = np.float32(np.sqrt(ROW_ENERGY / width))
    wanted = {segment: moments(features[segment]) * factor for segment in volumes if segment in features}
    return delayed(wanted, volumes, delays_s, tr_s, lag_s)
