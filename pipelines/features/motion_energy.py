"""Motion energy without weights: spatio-temporal Gabor pairs (Adelson & Bergen 1985; Nishimoto et al. 2011).

The filters are pymoten's, on a reduced pyramid: 4 spatial frequencies, 8 directions, 3 temporal frequencies, on grids
of 3 to 6 positions a side. Frequencies are in cycles per image and in hertz, so the same filters serve any film.
Before the moving filters, each spatial response loses its mean over the clip, which would else leak through their short
windows. Opposite directions enter as their sum and their difference (opponent energy), as in Adelson & Bergen's model;
the sum is relative to the energy of what stands still in the same place (divisive normalisation, Heeger 1992), so that
strong contrast alone does not look like motion.

A filter is a product of a spatial and a temporal pair, and the pair for the opposite direction is its mirror image in
time. So all filters need one matrix product of the frames with the spatial pairs of half the directions, and short
products along time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from pipelines.features.spec import EncoderSpec, Features, Frames, check_clips

Array = npt.NDArray[np.float32]

SIDE = 56  # pixels; more than three to a cycle of the finest filter, a quarter of 224
SPATIAL_FREQUENCIES = (2.0, 4.0, 8.0, 16.0)  # cycles per image; with 1 to 4 Hz, speeds from .06 to 2 images per second
GRIDS = (3, 4, 5, 6)  # positions a side, by spatial frequency
ORIENTATIONS = (0.0, 45.0, 90.0, 135.0)  # degrees; each also serves the opposite direction
TEMPORAL_FREQUENCIES = (1.0, 2.0, 4.0)  # Hz
WINDOW_S = 2 / 3
_ENVELOPE_CYCLES, _WIDEST = 0.6, 0.3  # standard deviation of the envelope: in cycles; at most, in image sides
_TEMPORAL_SD = 0.3  # of the window
_FLOOR = 0.1  # lightness units; below it a response counts as nothing
_ROUNDING = 1e-3  # lightness units
_CLIPS_AT_ONCE = 16

MOTION_ENERGY = EncoderSpec(
    id="motion-energy",
    title="Motion energy (embedded)",
    family="classical",
    source="embedded",
    layers=("energy",),
    frames_per_clip=0,
    size_px=SIDE,
    pooling="over the clip: logarithm of energy relative to still energy; balance of opposite directions",
    licence="BSD-3-Clause",
    note=(
        "Gabor filters in space and time; no learned network. Reversal only exchanges the roles of its channels, so a "
        "linear model of the reversed clip predicts about as well."
    ),
)


@dataclass(frozen=True)
class MotionEnergyEncoder:
    """Motion energy of clips; see the file's heading."""

    spec: EncoderSpec = MOTION_ENERGY

    @property
    def weights(self) -> None:
        return None

    @property
    def layers(self) -> tuple[str, ...]:
        return self.spec.layers

    @property
    def size_px(self) -> int:
        return SIDE

    @property
    def frames_per_clip(self) -> int:
        return 0

    def encode(self, frames: Frames, fps: float) -> Features:
        """Features: uint8 (n_clips, t, h, w, 3) -> {"energy": float32 (n_clips, 2064)}.

        Channels, each of all pairs, by temporal frequency: the energy of both directions together, relative to still
        energy, and their balance (1 all along the pair's direction, -1 all against it). A frozen clip has no balance,
        and tells by its energy only how much contrast there is to move. A frozen clip that is passed as one frame,
        broadcast, costs one frame.
        """
        frames = check_clips(frames)
        still = frames.strides[1] == 0
        n_times = frames.shape[1]
        out = []
        for start in range(0, len(frames), _CLIPS_AT_ONCE):
            part = frames[start : start + _CLIPS_AT_ONCE]
            responses = spatial_responses(lightness(part[:, :1] if still else part))
            if still:
                responses = np.broadcast_to(responses, (len(part), n_times, *responses.shape[2:]))
            out.append(_pooled(responses, fps))
        return {"energy": np.concatenate(out) if out else np.empty((0, n_channels()), np.float32)}


def n_channels() -> int:
    """Number of features."""
    pairs = len(ORIENTATIONS) * sum(grid * grid for grid in GRIDS)
    return pairs * 2 * len(TEMPORAL_FREQUENCIES)


def lightness(frames: Frames) -> Array:
    """CIE L* of frames at the work size: uint8 (n, t, h, w, 3) -> float32 (n, t, 56 * 56), 0 to 100."""
    import cv2

    n, t, height, width, _ = frames.shape
    column = np.ascontiguousarray(frames).reshape(n * t * height, width, 3)
    planes = cv2.cvtColor(column, cv2.COLOR_RGB2LAB)[..., 0].reshape(n * t, height, width)
    if (height, width) != (SIDE, SIDE):
        method = cv2.INTER_AREA if min(height, width) > SIDE else cv2.INTER_LINEAR
        planes = np.stack([cv2.resize(plane, (SIDE, SIDE), interpolation=method) for plane in planes])
    return planes.reshape(n, t, SIDE * SIDE).astype(np.float32) * np.float32(100 / 255)


def spatial_responses(planes: Array) -> Array:
    """Products of frames with all spatial pairs: float32 (n, t, 56 * 56) -> (n, t, 2, pairs), cosine then sine."""
    n, t, pixels = planes.shape
    return (planes.reshape(n * t, pixels) @ _spatial_pairs()).reshape(n, t, 2, -1)


def moving_energy(responses: Array, fps: float, frequency: float) -> tuple[Array, Array]:
    """Energy in windows that lie wholly within the clip, for both directions of every pair.

    Parameters
    ----------
    responses : float32 (n, t, 2, pairs)
        From `spatial_responses`, at least as long as the window.
    fps : float
    frequency : float
        In Hz.

    Returns
    -------
    two float32 (n, windows, pairs)
        Squared responses to motion in each pair's direction, and against it. (pymoten names a filter after the way it
        moves when it is drawn as a film; convolution turns time round, so it answers to the opposite motion.)
    """
    cosine, sine = temporal_pair(fps, frequency)
    width = len(cosine)
    n, t, _, pairs = responses.shape
    taps = np.zeros((2, t - width + 1, t), np.float32)
    for window in range(t - width + 1):
        taps[:, window, window : window + width] = cosine[::-1], sine[::-1]  # a convolution runs backwards
    moved = (taps.reshape(-1, t) @ responses.reshape(n, t, 2 * pairs)).reshape(n, 2, -1, 2, pairs)
    (cc, cs), (sc, ss) = (moved[:, k].transpose(2, 0, 1, 3) for k in (0, 1))
    return (cc + ss) ** 2 + (cs - sc) ** 2, (cc - ss) ** 2 + (cs + sc) ** 2


def temporal_pair(fps: float, frequency: float) -> tuple[Array, Array]:
    """Cosine and sine along time, as pymoten defines them: float32 (frames of 2/3 s,) each."""
    width = max(1, int(fps * WINDOW_S))
    time = np.arange(width) / width - 0.5
    envelope = np.exp(-(time**2) / (2 * _TEMPORAL_SD**2))
    phase = 2 * np.pi * frequency * width / fps * time
    return (envelope * np.cos(phase)).astype(np.float32), (envelope * np.sin(phase)).astype(np.float32)


def spatial_parameters() -> list[dict[str, float]]:
    """Position, direction, frequency and envelope of every spatial pair, in pymoten's words and units.

    Directions are those of the motion that is answered: 0 right, 90 up.
    """
    listed = []
    for frequency, grid in zip(SPATIAL_FREQUENCIES, GRIDS, strict=True):
        centres = (np.arange(grid) + 0.5) / grid
        envelope = min(_ENVELOPE_CYCLES / frequency, _WIDEST)
        for direction in ORIENTATIONS:
            for down in centres:
                for across in centres:
                    listed.append(
                        {
                            "centerh": float(across),
                            "centerv": float(down),
                            "direction": direction,
                            "spatial_freq": frequency,
                            "spatial_env": envelope,
                        }
                    )
    return listed


@cache
def _spatial_pairs() -> Array:
    """All spatial pairs as columns, cosine then sine: float32 (56 * 56, 2 * pairs)."""
    place = np.linspace(0, 1, SIDE)
    columns: list[npt.NDArray[np.float64]] = []
    for pair in spatial_parameters():
        across, down = place[None, :] - pair["centerh"], place[:, None] - pair["centerv"]
        angle = np.deg2rad(pair["direction"])
        phase = 2 * np.pi * pair["spatial_freq"] * (np.sin(angle) * down - np.cos(angle) * across)
        envelope = np.exp(-(across**2 + down**2) / (2 * pair["spatial_env"] ** 2))
        columns.append(np.stack([envelope * np.cos(phase), envelope * np.sin(phase)]).reshape(2, -1))
    stacked = np.stack(columns, axis=1).astype(np.float32)
    return np.ascontiguousarray(stacked.reshape(-1, SIDE * SIDE).T)


@cache
def _spatial_gain() -> Array:
    """Sum of every pair's envelope: a response divided by it is in lightness units. float32 (pairs,)."""
    sizes = [2 * np.pi * (pair["spatial_env"] * (SIDE - 1)) ** 2 for pair in spatial_parameters()]
    return np.array(sizes, np.float32)


def _pooled(responses: Array, fps: float) -> Array:
    """(n, t, 2, pairs) -> (n, channels): see `MotionEnergyEncoder.encode`."""
    kept = []
    if (lacking := len(temporal_pair(fps, 0.0)[0]) - responses.shape[1]) > 0:  # a short clip stops on its last frame
        responses = np.concatenate([responses, np.repeat(responses[:, -1:], lacking, axis=1)], axis=1)
    moving = responses - responses.mean(axis=1, keepdims=True)
    gain = _spatial_gain() * temporal_pair(fps, 0.0)[0].sum()
    still = np.log(np.sqrt(moving_energy(responses, fps, 0.0)[0].mean(axis=1)) / gain + _FLOOR)
    for frequency in TEMPORAL_FREQUENCIES:
        along, against = (np.sqrt(energy.mean(axis=1)) / gain for energy in moving_energy(moving, fps, frequency))
        # What stands still must be exactly zero: rounding would look like a signal once it is standardised.
        along, against = (np.maximum(amplitude - _ROUNDING, 0) for amplitude in (along, against))
        kept.append(np.log(np.hypot(along, against) + _FLOOR) - still)
        kept.append((along - against) / (along + against + _FLOOR))
    return np.concatenate(kept, axis=1).astype(np.float32)
