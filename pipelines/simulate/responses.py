"""Noise-free BOLD of the responsive vertices: tuned drives, mixed, blurred in time by haemodynamics and in space.

Each kind of drive is brought to unit variance over the whole film before it is mixed by the vertex's shares, so that
"a third of the signal" means a third of its variance whatever the film shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import load_surface
from pipelines.simulate import channels
from pipelines.simulate.areas import DRIVES
from pipelines.simulate.channels import Film
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import FilmDrive
from pipelines.simulate.hrf import sampling_matrix, volume_times_s
from pipelines.simulate.smoothness import blur, unit_sum
from pipelines.simulate.vertices import Subject

Float32 = npt.NDArray[np.float32]
Responses = dict[str, Float32]
DriveOf = Callable[[Film, str], Float32]
Haemodynamics = Callable[[str], list[tuple[npt.NDArray[np.intp], Float32]]]

_FIELDS_AT_ONCE = 64
_SILENT = 1e-6


@dataclass(frozen=True)
class Source:
    """One kind of drive in this world: its name, the share of variance (n,), and how a film segment drives it."""

    name: str
    share: Float32
    drive: DriveOf


def noise_free(config: SimulationConfig, subject: Subject, drives: Mapping[str, FilmDrive]) -> Responses:
    """Response of every vertex to every segment, without noise.

    Parameters
    ----------
    config : SimulationConfig
        Its world decides what drives the cortex.
    subject : Subject
        n responsive vertices.
    drives : mapping of str to FilmDrive
        All segments of the film: the whole of it sets each vertex's scale.

    Returns
    -------
    dict of str to float32 (n, n_volumes)
        At the raw volumes' times. Over all segments a vertex has variance 1, or 0 in worlds without a stimulus drive.
    """
    films = {name: channels.with_stills(drive) for name, drive in drives.items()}
    total = {name: np.zeros((len(subject.vertices), len(volume_times_s(config, name))), np.float32) for name in drives}
    haemodynamics = _haemodynamics(config, subject, films)
    for source in sources(config, subject):
        part = _standardised(_sampled(config, subject, films, source.drive, haemodynamics))
        for name in total:
            total[name] += np.sqrt(source.share)[:, None] * part[name]
    if not sources(config, subject):
        return total
    where = load_surface().midthickness[load_surface().cortex[subject.vertices]]
    smooth = unit_sum(blur(where, where))
    return _standardised({name: smooth @ response for name, response in total.items()}, centre=False)


def sources(config: SimulationConfig, subject: Subject) -> list[Source]:
    """What drives the cortex in this world.

    `static`: form alone, as the mean over the shot and the whole film frame, so that neither where a thing is nor how
    it goes on can be read; `flicker`: the light's changes alone; `nuisance` and `noise`: nothing.
    """
    share = dict(zip(DRIVES, subject.shares.T, strict=True))
    seen = share["static"] + share["motion"] + share["self"]

    def static(film: Film, _: str) -> Float32:
        return _by_field(subject, film.form, subject.static, _random_features(config.seed))

    def motion(film: Film, _: str) -> Float32:
        return _by_field(subject, channels.motion_energy(film), subject.motion, channels.normalised)

    def own_motion(film: Film, _: str) -> Float32:
        return subject.self_motion @ channels.self_motion(film)

    def shot_form(film: Film, _: str) -> Float32:
        frame = _frame_mean(film, held=True)
        return subject.static @ channels.random_features(frame[None], config.seed)[0]

    def light(film: Film, _: str) -> Float32:
        return subject.light @ channels.light_changes(film)

    def unseen(film: Film, segment: str) -> Float32:
        inputs = _unseen_inputs(config.world, film)
        return subject.unseen @ channels.unseen_network(inputs, film, config.seed, segment)

    worlds = {
        "mixed": [
            Source("static", share["static"], static),
            Source("motion", share["motion"], motion),
            Source("self", share["self"], own_motion),
            Source("unseen", share["unseen"], unseen),
        ],
        "static": [Source("static", seen, shot_form), Source("unseen", share["unseen"], unseen)],
        "flicker": [Source("light", seen, light), Source("unseen", share["unseen"], unseen)],
    }
    return worlds.get(config.world, [])


def _random_features(seed: int) -> Callable[[Float32], Float32]:
    return lambda pooled: channels.random_features(pooled, seed)


def _frame_mean(film: Film, held: bool) -> Float32:
    """Static features of the whole frame, float32 (8, t); `held`: the mean over each shot."""
    mean: Float32 = film.form.mean(0)
    return channels.shot_mean(mean, film.shot) if held else mean


def _unseen_inputs(world: str, film: Film) -> Float32:
    """What the unseen network sees: form and motion, or only what the world allows."""
    if world == "static":
        return _frame_mean(film, held=True)
    if world == "flicker":
        return channels.light_changes(film)
    return np.concatenate([_frame_mean(film, held=False), 2 * channels.self_motion(film)])


def _by_field(
    subject: Subject, cells: Float32, weights: Float32, nonlinearity: Callable[[Float32], Float32]
) -> Float32:
    """Pool cells (256, c, t) over each receptive field, apply a nonlinearity, weigh by vertex: float32 (n, t)."""
    n_channels, t = cells.shape[1:]
    flat = cells.reshape(len(cells), -1)
    pools = channels.pooling(subject.fields)
    order = np.argsort(subject.field_of, kind="stable")
    ends = np.searchsorted(subject.field_of[order], np.arange(len(pools) + 1))
    response = np.empty((len(subject.vertices), t), np.float32)
    for start in range(0, len(pools), _FIELDS_AT_ONCE):
        block = nonlinearity((pools[start : start + _FIELDS_AT_ONCE] @ flat).reshape(-1, n_channels, t))
        for k, pooled in enumerate(block, start):
            members = order[ends[k] : ends[k + 1]]
            response[members] = weights[members] @ pooled
    return response


def _haemodynamics(config: SimulationConfig, subject: Subject, films: Mapping[str, Film]) -> Haemodynamics:
    """For each segment: the vertices of each peak time, and the matrix from their drive to BOLD at the volumes."""
    members = {float(peak): np.flatnonzero(subject.peak_s == peak) for peak in np.unique(subject.peak_s)}
    known: dict[tuple[int, float], list[tuple[npt.NDArray[np.intp], Float32]]] = {}

    def of(segment: str) -> list[tuple[npt.NDArray[np.intp], Float32]]:
        volumes, samples = volume_times_s(config, segment), films[segment].times_s
        key = len(samples), float(volumes[0])
        if key not in known:
            known[key] = [(rows, sampling_matrix(volumes, samples, peak)) for peak, rows in members.items()]
        return known[key]

    return of


def _sampled(
    config: SimulationConfig,
    subject: Subject,
    films: Mapping[str, Film],
    drive: DriveOf,
    haemodynamics: Haemodynamics,
) -> Responses:
    """BOLD at the volumes of every segment; the drive's mean over the film is its resting level."""
    sampled: Responses = {}
    level = np.zeros(len(subject.vertices))
    n_samples = 0
    for name, film in films.items():
        response = drive(film, name)
        level += response[:, film.on].sum(1, dtype=np.float64)
        n_samples += int(film.on.sum())
        sampled[name] = np.empty((len(response), len(volume_times_s(config, name))), np.float32)
        for members, matrix in haemodynamics(name):
            sampled[name][members] = response[members] @ matrix
    rest = (level / n_samples).astype(np.float32)
    for name in films:
        for members, matrix in haemodynamics(name):
            sampled[name][members] -= rest[members, None] * matrix.sum(0)
    return sampled


def _standardised(parts: Responses, centre: bool = True) -> Responses:
    """Divide every vertex by its standard deviation over all segments (after taking off its mean)."""
    n = sum(part.shape[1] for part in parts.values())
    mean = sum(part.sum(1, dtype=np.float64) for part in parts.values()) / n
    power = sum((part.astype(np.float64) ** 2).sum(1) for part in parts.values()) / n
    spread = np.sqrt(np.maximum(power - mean**2, 0))
    factor = np.where(spread > _SILENT, 1 / np.maximum(spread, _SILENT), 0).astype(np.float32)[:, None]
    offset = np.asarray(mean if centre else 0 * mean, np.float32)[:, None]
    return {name: (part - offset) * factor for name, part in parts.items()}
