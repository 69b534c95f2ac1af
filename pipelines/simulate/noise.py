"""Noise of the scanner and the body: what one run adds to the noise-free response.

After the model of neuroim2's `simulate_fmri` (local AR(1) of .45 blurred to 6 mm, a global signal, low-rank components)
and the reviews of Murphy, Birn & Bandettini (2013) and Liu (2016): thermal and physiological noise, a global signal of
about a tenth of the variance, slow drift of a few percent, gain that changes from run to run. Averaging over vertices
does not remove what is shared between them, and nuisance that is locked to the film does not average out over runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import N_GRAYORDINATES
from pipelines.simulate.channels import with_stills
from pipelines.simulate.cifti import grayordinate_positions
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import FilmDrive
from pipelines.simulate.hrf import sampling_matrix, volume_times_s
from pipelines.simulate.smoothness import blur, node_positions, smooth_fields, unit_variance
from pipelines.simulate.streams import stream

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float32 = npt.NDArray[np.float32]

BASELINE = 10_000.0
BASELINE_SPREAD = 0.12
"""Raw BOLD varies by about this fraction over the cortex after bias correction."""
NOISE_SD = 160.0
"""Median noise in raw units: temporal signal-to-noise of 60, usual at 3 T (Murphy, Bodurka & Bandettini 2007)."""
NOISE_SPREAD = 0.25
AR1 = 0.45
"""Lag-one autocorrelation of the local noise at TR 2 s (neuroim2's default; Woolrich et al. 2001: .2 to .5)."""
N_COMPONENTS = (4, 20)
COMPONENT_AR1 = (0.5, 0.9)
COMPONENT_MM = (12.0, 45.0)
GLOBAL_AR1 = 0.7
DRIFT_PERCENT = (1.0, 3.0)
"""Size of drift over a run in percent of the baseline (Smith et al. 1999; Tanabe et al. 2002)."""
RUN_GAIN_SD = 0.10
SCANNER_GAIN_SD = 0.02

# Shares of a vertex's noise variance.
SHARES = {"local": 0.62, "components": 0.24, "global": 0.10, "locked": 0.04}
LOCKED_IN_NUISANCE_WORLD = 0.30
"""In the `nuisance` world the locked share is this large, so that runs agree as they do in `mixed`."""
N_LOCKED = 4  # cuts, gaze right, gaze down, arousal
LOCKED_PEAK_S = 5.0
_DRIFT_ORDER = 3
_BURN_IN = 12
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """The spatial part of a subject's noise over all 91,282 grayordinates.

    Attributes
    ----------
    baseline, sd : float32 (91282,)
        Mean level and noise standard deviation in raw units.
    local : sparse (91282, m)
        From independent nodes to smooth unit-variance noise.
    components, drift : float32 (91282, k)
        Maps of the low-rank components and of drift; a row of `components` has sum of squares 1.
    whole : float32 (91282, 1)
        Map of the global signal, about 1.
    locked : float32 (91282, 4)
        Maps of the film-locked nuisance; a row has mean square 1 / 4.
    locked_share : float
        Share of noise variance that is locked to the film.
    """

    baseline: Float32
    sd: Float32
    local: csr_array
    components: Float32
    drift: Float32
    whole: Float32
    locked: Float32
    locked_share: float


def draw_noise_model(config: SimulationConfig, subject: str) -> NoiseModel:
    """Draw a subject's noise maps."""
    rng = stream(config.seed, "noise maps", subject)
    where = grayordinate_positions()
    levels = smooth_fields(where, 20.0, 2, rng)
    n_components = int(rng.integers(N_COMPONENTS[0], N_COMPONENTS[1] + 1))
    lengths = np.sort(rng.uniform(*COMPONENT_MM, 3))
    maps = np.concatenate(
        [smooth_fields(where, length, n_components, rng)[:, k::3] for k, length in enumerate(lengths)], 1
    )
    maps /= np.sqrt((maps**2).sum(1, keepdims=True))
    locked = smooth_fields(where, 30.0, N_LOCKED, rng)
    locked /= np.sqrt((locked**2).sum(1, keepdims=True))
    share = {"nuisance": LOCKED_IN_NUISANCE_WORLD, "noise": 0.0}.get(config.world, SHARES["locked"])
    return NoiseModel(
        baseline=(BASELINE * np.clip(1 + BASELINE_SPREAD * levels[:, 0], 0.6, 1.4)).astype(np.float32),
        sd=(NOISE_SD * np.exp(NOISE_SPREAD * levels[:, 1])).astype(np.float32),
        local=unit_variance(blur(where, node_positions(where))),
        components=maps,
        drift=smooth_fields(where, 25.0, _DRIFT_ORDER, rng),
        whole=1 + 0.3 * smooth_fields(where, 25.0, 1, rng),
        locked=locked,
        locked_share=share,
    )


def locked_courses(config: SimulationConfig, subject: str, segment: str, drive: FilmDrive) -> Float32:
    """Film-locked nuisance of one subject and segment, the same in every run, float32 (4, n_volumes).

    Responses to cuts, two gaze coordinates that wander and jump at cuts, and arousal that rises and falls over a
    minute. None of them depends on how anything in the film moves.
    """
    film = with_stills(drive)
    rng = stream(config.seed, "locked", subject, segment)
    t = len(film.times_s)
    aim = rng.standard_normal((int(film.shot.max()) + 1, 2))[film.shot].T
    wander = autoregressive(rng, 2, t, np.exp(-1 / 3.0))
    arousal = autoregressive(rng, 1, t, np.exp(-1 / 40.0))
    fast = np.concatenate([film.cut[None], aim + wander, arousal]).astype(np.float32)
    courses = fast @ sampling_matrix(volume_times_s(config, segment), film.times_s, LOCKED_PEAK_S)
    courses -= courses.mean(1, keepdims=True)
    courses /= np.maximum(courses.std(1, keepdims=True), 1e-6)
    return courses.astype(np.float32)


def autoregressive(rng: np.random.Generator, n: int, t: int, coefficient: float | npt.NDArray[np.float64]) -> Float32:
    """n independent first-order processes of variance 1 over t samples, float32 (n, t)."""
    rho = np.broadcast_to(np.asarray(coefficient, np.float32), n)
    shocks = rng.standard_normal((t, n), np.float32)
    shocks[1:] *= np.sqrt(1 - rho**2)
    for k in range(1, t):
        shocks[k] += rho * shocks[k - 1]
    return np.ascontiguousarray(shocks.T)


def run_bold(
    model: NoiseModel,
    signal: Float32,
    vertices: npt.NDArray[np.intp],
    locked: Float32,
    rng: np.random.Generator,
) -> Float32:
    """Raw BOLD of one run in scanner units, float32 (91282, n_volumes).

    Parameters
    ----------
    signal : float32 (n, n_volumes)
        Noise-free response in units of each vertex's noise standard deviation.
    vertices : intp (n,)
        Where it belongs in cortex order.
    locked : float32 (4, n_volumes)
        From `locked_courses`.
    rng : Generator
        The run's own stream.
    """
    t = signal.shape[1]
    scale = np.sqrt(1 - model.locked_share) / np.sqrt(1 - SHARES["locked"])
    courses = _shared_courses(model, locked, t, scale, rng)
    run_gain, scanner_gain = np.exp(RUN_GAIN_SD * rng.standard_normal()), 1 + SCANNER_GAIN_SD * rng.standard_normal()
    nodes = autoregressive(rng, model.local.shape[1], t + _BURN_IN, AR1)[:, _BURN_IN:]
    nodes = np.ascontiguousarray(nodes) * np.float32(scale * np.sqrt(SHARES["local"]))
    drift = rng.uniform(*DRIFT_PERCENT) / 100 * BASELINE * _drift_courses(t, rng)
    maps = np.concatenate([model.components, model.whole, model.locked], 1)
    bold: Float32 = model.local @ nodes
    own = np.full(N_GRAYORDINATES, -1)
    own[vertices] = np.arange(len(vertices))
    for start in range(0, N_GRAYORDINATES, _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, N_GRAYORDINATES))
        block = bold[rows]
        block += maps[rows] @ courses
        here = own[rows]
        block[here >= 0] += np.float32(run_gain) * signal[here[here >= 0]]
        block *= model.sd[rows, None]
        block += model.drift[rows] @ drift + model.baseline[rows, None]
        block *= np.float32(scanner_gain)
    return bold


def _shared_courses(model: NoiseModel, locked: Float32, t: int, scale: float, rng: np.random.Generator) -> Float32:
    """Time courses of components, global signal and locked nuisance, in noise units, (k + 1 + 4, t)."""
    k = model.components.shape[1]
    components = autoregressive(rng, k, t, rng.uniform(*COMPONENT_AR1, k)) * (scale * np.sqrt(SHARES["components"]))
    whole = autoregressive(rng, 1, t, GLOBAL_AR1) * (scale * np.sqrt(SHARES["global"]))
    return np.concatenate([components, whole, locked * np.sqrt(model.locked_share)]).astype(np.float32)


def _drift_courses(t: int, rng: np.random.Generator) -> Float32:
    """Slow polynomials of order 1 to 3 over a run, with random size and sign, (3, t)."""
    time = np.linspace(-1, 1, t)
    courses = np.polynomial.legendre.legvander(time, _DRIFT_ORDER)[:, 1:].T
    sizes = rng.standard_normal((_DRIFT_ORDER, 1)) / np.arange(1, _DRIFT_ORDER + 1)[:, None]
    return (courses * sizes).astype(np.float32)


def amplitude(reliability: Float32) -> Float32:
    """Signal standard deviation, in units of the noise's, for which two runs correlate by `reliability`.

    r = s^2 / (s^2 + n^2), so s / n = sqrt(r / (1 - r)); locked nuisance adds a little to it.
    """
    ratio: Float32 = np.sqrt(reliability / (1 - reliability)).astype(np.float32)
    return ratio
