"""What the families of `ambiguity_readout` are given: the direction of a clip, its first frame, and a reading of fMRI.

Everything is fitted on training films. Each training clip is read by a ridge that has not seen its film, so that the
readout learns how far a reading can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.flow.summary import dominant_direction, mean_speed
from pipelines.motion_decoder import BoldWindows, DecoderConfig, DecoderData

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

STILL_SHARE = 0.1
"""A clip is still where its mean speed is below this share of the median speed of the training clips."""

UNKNOWN = -1


def still_speed(flow: Float32, valid: npt.NDArray[np.bool_]) -> float:
    """Mean speed below which a clip has no direction, grid pixels per step, from the training clips."""
    return STILL_SHARE * float(np.nanmedian(mean_speed(flow, valid)))


def directions(flow: Float32, valid: npt.NDArray[np.bool_], still_below: float) -> npt.NDArray[np.int64]:
    """Dominant direction of each clip, int64 (n,), 8 for none; `UNKNOWN` where no vector is valid."""
    found = dominant_direction(flow, valid, still_below).astype(np.int64)
    return np.where(valid.reshape(len(valid), -1).any(1), found, UNKNOWN)


@dataclass(frozen=True)
class FrameComponents:
    """Whitened principal components of pooled first-frame features of training clips.

    Attributes
    ----------
    centre, scale : float32 (features,)
    matrix : float32 (features, k)
    """

    centre: Float32
    scale: Float32
    matrix: Float32

    @classmethod
    def fit(cls, pooled: Float32, n_components: int) -> FrameComponents:
        """From pooled features (n, features) of training clips."""
        from scipy.linalg import eigh

        centre, scale = pooled.mean(0), np.maximum(pooled.std(0), 1e-3)
        scaled = ((pooled - centre) / scale).astype(np.float64)
        kept = min(n_components, len(pooled) - 1)
        values, vectors = eigh(scaled @ scaled.T, subset_by_index=[len(pooled) - kept, len(pooled) - 1])
        real = values > 1e-9 * values[-1]
        values, vectors = values[real][::-1], vectors[:, real][:, ::-1]
        matrix = scaled.T @ (vectors / values * np.sqrt(len(pooled)))
        return cls(centre, scale, matrix.astype(np.float32))

    def __call__(self, pooled: Float32) -> Float64:
        """Components float64 (n, k) of pooled features (n, features), of unit variance in training."""
        return np.asarray(((pooled - self.centre) / self.scale) @ self.matrix, np.float64)


def reading_targets(flow: Float32, valid: npt.NDArray[np.bool_], speed: float) -> Float32:
    """What the ridge reads from fMRI, float32 (n, 3): the compressed mean vector, and the log of the mean speed."""
    from pipelines.motion_decoder.motion_ridge import compressed

    weight = valid[..., None].astype(np.float32)
    axes = tuple(range(1, flow.ndim - 1))
    mean = (np.where(valid[..., None], flow, 0)).sum(axes) / np.maximum(weight.sum(axes), 1)
    pace = np.log1p(np.nan_to_num(mean_speed(flow, valid)) / speed)
    return np.column_stack([compressed(mean.astype(np.float32), speed), pace]).astype(np.float32)


@dataclass(frozen=True)
class Reading:
    """What one ridge says of n clips: a vector and a log speed, in units of their true spread in training.

    Not in units of the reading's own spread: a reading that knows nothing is small, and stays small.

    Attributes
    ----------
    training : float64 (n_train, 3)
        Each training clip by the fit that left its film out.
    test : runs -> float64 (n, 3)
    """

    training: Float64
    test: dict[str, Float64]

    @classmethod
    def scaled(cls, training: Float32, test: Mapping[str, Float32], targets: Float32) -> Reading:
        """The vector keeps its origin, the log speed is centred."""
        centre = np.array([0.0, 0.0, targets[:, 2].mean()])
        scale = np.maximum(targets.std(0), 1e-6)
        ready = {runs: np.asarray((values - centre) / scale, np.float64) for runs, values in test.items()}
        return cls(np.asarray((training - centre) / scale, np.float64), ready)


def fmri_readings(
    data: DecoderData, test: Mapping[str, BoldWindows], config: DecoderConfig, shifts: Sequence[int] = ()
) -> list[Reading]:
    """The reading of the fMRI as it was measured, then those trained on it shifted against the film.

    Shifting the fMRI of training films is the same as shifting their targets the other way, so that one ridge fits all.

    Parameters
    ----------
    data : training clips
    test : runs -> windows of the n test clips
    config : settings of the ridge
    shifts : one seed per shifted reading
    """
    from pipelines.motion_decoder.data import shifted_rows
    from pipelines.motion_decoder.linear import fit_window_ridge, vertex_weights
    from pipelines.motion_decoder.motion_ridge import delay_weights
    from pipelines.motion_decoder.patches import typical_speed

    targets = reading_targets(data.flow, data.valid, typical_speed(data))
    sources = [np.arange(len(targets)), *(shifted_rows(data.segment, seed, data.clip_s) for seed in shifts)]
    columns = [targets[np.argsort(source)] for source in sources]
    vertices = vertex_weights(data, config.ridge.reliability_power)
    delays = delay_weights(data.bold.n_window, config)
    ridge, held_out = fit_window_ridge(data, np.concatenate(columns, axis=1), config, vertices, delays)
    told = {runs: ridge(windows) for runs, windows in test.items()}
    width = targets.shape[1]
    readings = []
    for number, source in enumerate(sources):
        own = slice(width * number, width * (number + 1))
        of_test = {runs: values[:, own] for runs, values in told.items()}
        readings.append(Reading.scaled(held_out[source, own], of_test, targets))
    return readings
