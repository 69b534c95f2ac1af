"""A small cortex with known correlations, to see whether tests and intervals keep their promises. No film is needed.

A sheet of vertices with smooth, autocorrelated noise; two encoders that share some features; patches of signal that
both, either or neither of them can predict. Signal is blurred as noise is, and the truth is taken after the blur: a
vertex is null where its exact correlation is zero, not where no patch was meant to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.metrics.block_sums import Float32
from brainviz.metrics.region_means import Regions

Float64 = npt.NDArray[np.float64]

AR1 = 0.45
GLOBAL_AR1 = 0.7
GLOBAL_SHARE = 0.1
FEATURE_AR1 = 0.5
_HRF = np.array([0.0, 0.09, 0.62, 1.0, 0.85, 0.51, 0.22, 0.03, -0.07, -0.09, -0.08, -0.05])
"""Haemodynamic response every 2 s, peak 6 s after the event (shape of Glover 1999)."""
_BURN_IN = 30
_REACH_SIGMAS = 3.0
_EACH = 2  # features of a kind
_KINDS = ("both", "first", "second", "neither")


@dataclass(frozen=True)
class WorldConfig:
    """Size of a calibration world.

    Attributes
    ----------
    films : tuple of int
        Volumes of each test film.
    side : int
        The sheet has side x side vertices; a multiple of 5, since regions are 5 x 5.
    spacing_mm, fwhm_mm : float
        Distance of neighbours, and smoothness.
    strength : float
        Standard deviation of the signal at the middle of a patch, in units of the noise's. 0: nothing to find.
    radius_mm : float
        Of the patches.
    misfit : float
        Size of the features that an encoder wrongly weighs, in the same units.
    """

    films: tuple[int, ...] = (120, 120, 120)
    side: int = 30
    spacing_mm: float = 2.0
    fwhm_mm: float = 6.0
    strength: float = 0.45
    radius_mm: float = 8.0
    misfit: float = 0.15


@dataclass(frozen=True, eq=False)
class World:
    """One data set and its truth.

    Attributes
    ----------
    measured : float32 (volumes, v)
    predictions : two float32 (volumes, v)
    true_r : two float64 (v,)
        Correlation of the stationary processes; exactly 0 at a null vertex.
    regions : Regions
        Squares of 5 x 5 vertices; all vertices are chosen.
    """

    measured: Float32
    predictions: tuple[Float32, Float32]
    true_r: tuple[Float64, Float64]
    regions: Regions


def draw_world(config: WorldConfig, seed: int) -> World:
    """Draw features, weights and noise."""
    rng = np.random.default_rng(seed)
    kernel = _blur_kernel(config)
    drive = _drive(config, kernel, rng)
    weights = _encoder_weights(config, drive, kernel, rng)
    features = [np.concatenate([_features(n, _EACH, rng) for n in config.films]) for _ in _KINDS]
    noise = np.concatenate([_noise(config, n, kernel, rng) for n in config.films])
    measured = noise + _weighted(features, drive)
    predictions, true_r = [], []
    spread = np.sqrt(1 + sum((w**2).sum(0) for w in drive))
    for own in weights:
        predictions.append(_weighted(features, own).astype(np.float32))
        shared = sum((w * d).sum(0) for w, d in zip(own, drive, strict=True))
        true_r.append(shared / (np.sqrt(sum((w**2).sum(0) for w in own)) * spread))
    return World(
        measured.astype(np.float32), (predictions[0], predictions[1]), (true_r[0], true_r[1]), _squares(config)
    )


def _weighted(features: list[Float64], weights: list[Float64]) -> Float64:
    return np.concatenate(features, axis=1) @ np.concatenate(weights)


def _drive(config: WorldConfig, kernel: Float64, rng: np.random.Generator) -> list[Float64]:
    """Weights of the measured signal on each kind of feature, (features, v): a patch per kind, blurred."""
    place = np.arange(config.side) * config.spacing_mm
    quarter = place[-1] / 4
    centres = [(quarter, quarter), (quarter, 3 * quarter), (3 * quarter, quarter), (3 * quarter, 3 * quarter)]
    weights = []
    for down, right in centres:
        inside = (place[:, None] - down) ** 2 + (place - right) ** 2 <= config.radius_mm**2
        patch = _blurred_map(inside.astype(float), kernel)
        direction = rng.standard_normal(_EACH)
        direction /= np.linalg.norm(direction)
        weights.append(config.strength * direction[:, None] * (patch / max(patch.max(), 1e-9)).ravel())
    return weights


def _encoder_weights(
    config: WorldConfig, drive: list[Float64], kernel: Float64, rng: np.random.Generator
) -> list[list[Float64]]:
    """Two encoders' weights: the true ones on the features they have, plus smooth misfit of the same size in both.

    Misfit on shared features is shared, and misfit on own features has the same length everywhere, so that in the patch
    of shared features the two correlate equally well with the measurement though their predictions differ.
    """
    misfit = [_directions(config, kernel, rng) for _ in range(3)]
    nothing = np.zeros_like(drive[0])
    both, first, second = (config.misfit * each for each in misfit)
    return [
        [drive[0] + both, drive[1] + first, nothing, nothing],
        [drive[0] + both, nothing, drive[2] + second, nothing],
    ]


def _directions(config: WorldConfig, kernel: Float64, rng: np.random.Generator) -> Float64:
    """Smooth fields of unit vectors, (features, v)."""
    fields = np.stack(
        [_blurred_map(rng.standard_normal((config.side, config.side)), kernel).ravel() for _ in range(_EACH)]
    )
    return np.asarray(fields / np.linalg.norm(fields, axis=0))


def _features(n: int, count: int, rng: np.random.Generator) -> Float64:
    """Autocorrelated features seen through the haemodynamic response, unit variance, (n, count)."""
    slow = _autoregressive(n + _BURN_IN + len(_HRF), count, FEATURE_AR1, rng)
    seen = np.stack([np.convolve(course, _HRF, "valid") for course in slow.T], axis=1)[-n:]
    lags = np.abs(np.subtract.outer(np.arange(len(_HRF)), np.arange(len(_HRF))))
    return np.asarray(seen / np.sqrt(_HRF @ FEATURE_AR1**lags @ _HRF))


def _noise(config: WorldConfig, n: int, kernel: Float64, rng: np.random.Generator) -> Float64:
    """Smooth local noise and a global signal, unit variance, (n, v)."""
    local = _autoregressive(n, config.side**2, AR1, rng).reshape(n, config.side, config.side)
    smooth = (kernel @ local @ kernel.T).reshape(n, -1)
    smooth /= np.outer(np.linalg.norm(kernel, axis=1), np.linalg.norm(kernel, axis=1)).ravel()
    whole = _autoregressive(n, 1, GLOBAL_AR1, rng)
    return np.asarray(np.sqrt(1 - GLOBAL_SHARE) * smooth + np.sqrt(GLOBAL_SHARE) * whole)


def _autoregressive(n: int, count: int, coefficient: float, rng: np.random.Generator) -> Float64:
    shocks = rng.standard_normal((n + _BURN_IN, count))
    shocks[1:] *= np.sqrt(1 - coefficient**2)
    for k in range(1, len(shocks)):
        shocks[k] += coefficient * shocks[k - 1]
    return shocks[_BURN_IN:]


def _blur_kernel(config: WorldConfig) -> Float64:
    """Gaussian weights between positions along one side, zero beyond three standard deviations, (side, side)."""
    sigma = config.fwhm_mm / np.sqrt(8 * np.log(2))
    away = config.spacing_mm * np.abs(np.subtract.outer(np.arange(config.side), np.arange(config.side)))
    return np.where(away <= _REACH_SIGMAS * sigma, np.exp(-0.5 * (away / sigma) ** 2), 0.0)


def _blurred_map(values: Float64, kernel: Float64) -> Float64:
    return kernel @ values @ kernel.T


def _squares(config: WorldConfig) -> Regions:
    at = np.arange(config.side) // 5
    n = config.side // 5
    return Regions.of((at[:, None] * n + at).ravel(), n * n)
