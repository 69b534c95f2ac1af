"""What the film offers to a vertex: motion, form, self-motion and unseen channels, from the scene's exact parameters.

Nothing here filters the rendered film's pixels over time, so that a video encoder meets a brain that is not its copy.
Channels have one value a second, over the film and the stills before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipelines.simulate.drive import DRIVE_HZ, VELOCITY_GRID, FilmDrive
from pipelines.simulate.hrf import STILL_S
from pipelines.simulate.streams import stream

Float32 = npt.NDArray[np.float32]

PER_SECOND = int(DRIVE_HZ)
N_CELLS = VELOCITY_GRID**2

N_DIRECTIONS = 8
DIRECTION_CONCENTRATION = 1.5
"""Von Mises concentration: full width at half height about 115 degrees (Albright 1984: mean 95 in macaque MT)."""
SPEEDS = (0.03, 0.08, 0.2, 0.5)
"""Preferred speeds in film widths per second: .6 to 10 degrees per second on a film 20 degrees wide."""
SPEED_OFFSET, SPEED_WIDTH = 0.0165, 1.16
"""Log-Gaussian speed tuning, offset .33 degrees/s, width 1.16 in natural log (Nover, Anderson & DeAngelis 2005)."""
STILL_SPEED = 0.01
"""Speed in widths per second at which a moving point gives half its motion response."""
NORMALISATION = 0.02
"""Constant of the divisive normalisation (Simoncelli & Heeger 1998), against the field's mean over all channels."""
N_MOTION = N_DIRECTIONS * len(SPEEDS)

# Static features of a cell, with the offset and scale that bring them to about zero mean and unit spread.
STATIC_FEATURES = ("luminance", "red-green", "blue-yellow", "contrast", "0 deg", "45 deg", "90 deg", "135 deg")
_OFFSET = np.array([0.45, 0.0, 0.0, 0.05, 0.012, 0.012, 0.012, 0.012], np.float32)
_SCALE = np.array([0.20, 0.08, 0.12, 0.04, 0.012, 0.012, 0.012, 0.012], np.float32)
CONTRAST = STATIC_FEATURES.index("contrast")
N_RANDOM = 15
N_STATIC = N_RANDOM + 1

# Half-saturation of the camera terms: pan x, pan y (widths/s), zoom (1/s), roll (rad/s), shake (widths/s).
_CAMERA_SCALE = np.array([0.08, 0.08, 0.10, 0.15, 0.05], np.float32)
N_SELF = 10
N_UNSEEN = 48


@dataclass(frozen=True, eq=False)
class Film:
    """One segment's drive with the stills around it; still frames stand with no motion.

    Attributes
    ----------
    times_s : float64 (t,)
        Film times of the seconds' middles, from -11.5 s.
    velocity : float32 (4 t, 16, 16, 2)
        As in `FilmDrive`, four samples a second: fast to-and-fro must not average out before it is squared.
    colour : float32 (t, 32, 32, 3)
        The frame in the middle of each second.
    camera : float32 (t, 6)
        Mean over each second.
    cut : float32 (t,)
        1 where a shot begins within the second.
    shot : intp (t,)
        Number of the shot that each second belongs to.
    on : bool (t,)
        True while the film runs.
    """

    times_s: npt.NDArray[np.float64]
    velocity: Float32
    colour: Float32
    camera: Float32
    cut: Float32
    shot: npt.NDArray[np.intp]
    on: npt.NDArray[np.bool_]

    @cached_property
    def form(self) -> Float32:
        """`static_features` of the film, float32 (256, 8, t)."""
        return static_features(self)


def with_stills(drive: FilmDrive) -> Film:
    """Put the first frame's still before the film and the last frame's after it, and sort the drive into seconds."""
    n = drive.n_samples // PER_SECOND
    pad = int(STILL_S)
    middle = slice(PER_SECOND // 2 - 1, PER_SECOND // 2 + 1)
    seconds = {name: _seconds(getattr(drive, name), n) for name in ("colour", "camera", "cut")}
    around = {"colour": seconds["colour"][:, middle].mean(1), "camera": seconds["camera"].mean(1)}
    cut = np.pad(seconds["cut"].max(1), pad)
    return Film(
        times_s=np.arange(-pad, n + pad, dtype=np.float64) + 0.5,
        velocity=np.pad(drive.velocity[: n * PER_SECOND], ((pad * PER_SECOND,) * 2, (0, 0), (0, 0), (0, 0))),
        colour=np.pad(around["colour"], ((pad, pad), (0, 0), (0, 0), (0, 0)), mode="edge"),
        camera=np.pad(around["camera"], ((pad, pad), (0, 0))),
        cut=cut,
        shot=np.cumsum(cut > 0),
        on=np.pad(np.ones(n, bool), pad),
    )


def _seconds(values: Float32, n: int) -> Float32:
    """The samples of each second, (n, 4, ...)."""
    return values[: n * PER_SECOND].reshape(n, PER_SECOND, *values.shape[1:])


def pooling(fields: Float32) -> Float32:
    """Gaussian receptive fields on the 16x16 grid, float32 (m, 256), rows summing to 1.

    Parameters
    ----------
    fields : float32 (m, 3)
        Centre right, centre down and standard deviation in film widths.
    """
    centres = (np.arange(VELOCITY_GRID, dtype=np.float32) + 0.5) / VELOCITY_GRID
    along = np.exp(-0.5 * ((centres[None, :] - fields[:, :1]) / fields[:, 2:]) ** 2)
    down = np.exp(-0.5 * ((centres[None, :] - fields[:, 1:2]) / fields[:, 2:]) ** 2)
    weights = (down[:, :, None] * along[:, None, :]).reshape(len(fields), N_CELLS)
    rows: Float32 = weights / weights.sum(1, keepdims=True)
    return rows


def motion_energy(film: Film) -> Float32:
    """Direction- and speed-tuned responses of every cell, float32 (256, 32, t); channel = direction * 4 + speed."""
    t = len(film.times_s)
    velocity = np.ascontiguousarray(film.velocity.reshape(-1, N_CELLS, 2).transpose(2, 1, 0))
    speed = np.hypot(*velocity)
    course = velocity / np.maximum(speed, 1e-9)
    gate = speed**2 / (speed**2 + STILL_SPEED**2)
    log_speed = np.log(speed + SPEED_OFFSET)
    tuned = [gate * np.exp(-0.5 * ((log_speed - np.log(best + SPEED_OFFSET)) / SPEED_WIDTH) ** 2) for best in SPEEDS]
    energy = np.empty((N_CELLS, N_DIRECTIONS, len(SPEEDS), t), np.float32)
    for d in range(N_DIRECTIONS):
        angle = d * (2 * np.pi / N_DIRECTIONS)
        along = np.float32(np.cos(angle)) * course[0] + np.float32(np.sin(angle)) * course[1]
        towards = np.exp(np.float32(DIRECTION_CONCENTRATION) * (along - 1))
        for s, by_speed in enumerate(tuned):
            energy[:, d, s] = (towards * by_speed).reshape(N_CELLS, t, PER_SECOND).mean(2)
    return energy.reshape(N_CELLS, N_MOTION, t)


def normalised(pooled: Float32) -> Float32:
    """Divisive normalisation of pooled motion energy (m, 32, t) by its mean over channels."""
    divided: Float32 = pooled / (NORMALISATION + pooled.mean(1, keepdims=True))
    return divided


def static_features(film: Film) -> Float32:
    """Colour, contrast and orientation of every cell, standardised, float32 (256, 8, t)."""
    red, green, blue = (film.colour[..., k] for k in range(3))
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    down, right = np.gradient(luminance, axis=(1, 2))
    size = np.hypot(right, down)
    angle = np.arctan2(down, right)
    oriented = [size * np.cos(angle - k * np.pi / 4) ** 2 / 4 for k in range(4)]
    planes = np.stack([luminance, red - green, blue - (red + green) / 2, size, *oriented])
    t, grid = planes.shape[1], planes.shape[2] // VELOCITY_GRID
    cells = planes.reshape(len(planes), t, VELOCITY_GRID, grid, VELOCITY_GRID, grid).mean((3, 5))
    standard = (cells - _OFFSET[:, None, None, None]) / _SCALE[:, None, None, None]
    return np.ascontiguousarray(standard.transpose(2, 3, 0, 1).reshape(N_CELLS, len(planes), t))


def random_features(pooled: Float32, seed: int) -> Float32:
    """Contrast, then 15 random nonlinear features of the pooled static features; (m, 8, t) to (m, 16, t)."""
    rng = stream(seed, "static features")
    mixing = (rng.standard_normal((N_RANDOM, len(STATIC_FEATURES))) * 0.8).astype(np.float32)
    shift = (rng.standard_normal(N_RANDOM) * 0.5).astype(np.float32)
    features = np.empty((len(pooled), N_STATIC, pooled.shape[2]), np.float32)
    features[:, 0] = pooled[:, CONTRAST]
    features[:, 1:] = np.tanh(np.einsum("fk,mkt->mft", mixing, pooled, optimize=True) + shift[:, None])
    return features


def self_motion(film: Film) -> Float32:
    """Saturating camera terms of either sign, shake and total speed, float32 (10, t)."""
    scaled = film.camera[:, :5].T / _CAMERA_SCALE[:, None]
    signed = scaled[:4] / (1 + np.abs(scaled[:4]))
    shake = scaled[4] / (1 + np.abs(scaled[4]))
    pace = np.hypot(scaled[0], scaled[1])
    channels = [*np.maximum(signed, 0), *np.maximum(-signed, 0), shake, pace / (1 + pace)]
    return np.stack(channels).astype(np.float32)


def light_changes(film: Film) -> Float32:
    """Changes of the whole film's light, float32 (4, t): brighter, darker, how fast, and how bright it is.

    They hold nothing about where or whither anything moves; `flicker` worlds respond to nothing else.
    """
    rate = film.camera[:, 5]
    luminance = film.colour.mean((1, 2, 3))
    return np.stack([np.maximum(rate, 0), np.maximum(-rate, 0), np.abs(rate) / (0.2 + np.abs(rate)), luminance])


def shot_mean(values: Float32, shot: npt.NDArray[np.intp]) -> Float32:
    """Replace every sample of (..., t) by the mean over its shot."""
    numbers, position = np.unique(shot, return_inverse=True)
    member = (position[:, None] == np.arange(len(numbers))).astype(np.float32)
    mean = (values @ member) / member.sum(0)
    held: Float32 = mean[..., position]
    return held


def unseen_network(inputs: Float32, film: Film, seed: int, segment: str) -> Float32:
    """A random recurrent network driven by the film: what no encoder contains, float32 (48, t).

    48 leaky tanh units with time constants of .5 to 6 s and random wiring of spectral radius .9 (an echo state network,
    Jaeger 2001). A third of its input is random but fixed for each shot, so no feature of the film predicts it fully.

    Parameters
    ----------
    inputs : float32 (k, t)
        What it sees of the film, about unit variance.
    """
    rng = stream(seed, "unseen network")
    wiring = rng.standard_normal((N_UNSEEN, N_UNSEEN)) / np.sqrt(N_UNSEEN)
    wiring *= 0.9 / np.abs(np.linalg.eigvals(wiring)).max()
    leak = np.exp(rng.uniform(np.log(0.5), np.log(6.0), N_UNSEEN)) ** -1
    entry = rng.standard_normal((N_UNSEEN, len(inputs))) / np.sqrt(len(inputs))
    cut_entry = rng.standard_normal(N_UNSEEN)
    mood = stream(seed, "unseen mood", segment).standard_normal((int(film.shot.max()) + 1, N_UNSEEN))
    push = (entry @ inputs).T + 0.6 * mood[film.shot] + film.cut[:, None] * cut_entry
    leak = np.minimum(leak, 1.0)
    state = np.zeros(N_UNSEEN)
    states = np.empty((len(push), N_UNSEEN), np.float32)
    for k, forcing in enumerate(push):
        state = (1 - leak) * state + leak * np.tanh(wiring @ state + forcing)
        states[k] = state
    return states.T
