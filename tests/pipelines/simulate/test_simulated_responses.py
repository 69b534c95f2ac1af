"""Noise-free responses: when they come, what they depend on in each world, and how they are scaled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_film import random_drives

from pipelines.simulate import channels
from pipelines.simulate.areas import DRIVES
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import FilmDrive
from pipelines.simulate.hrf import volume_times_s
from pipelines.simulate.responses import noise_free
from pipelines.simulate.vertices import Subject, draw_subject


def part_of(subject: Subject, rows: np.ndarray) -> Subject:
    """The same subject with some of its vertices."""
    whole = {"fields": subject.fields}
    return Subject(
        **{name: whole.get(name, getattr(subject, name)[rows]) for name in vars(subject) if name != "fields"}, **whole
    )


@pytest.fixture(scope="module")
def subject() -> Subject:
    drawn = draw_subject(0, "1")
    return part_of(drawn, np.arange(0, len(drawn.vertices), 40))


@pytest.fixture(scope="module")
def drives() -> dict[str, FilmDrive]:
    return random_drives(SimulationConfig(size="tiny"))


def config(world: str) -> SimulationConfig:
    return SimulationConfig(size="tiny", world=world)


def without_motion(drive: FilmDrive) -> FilmDrive:
    camera = drive.camera.copy()
    camera[:, :5] = 0
    return replace(drive, velocity=0 * drive.velocity, moving=0 * drive.moving, camera=camera)


def test_mixed_responses_have_unit_variance_over_the_film(subject: Subject, drives: dict[str, FilmDrive]) -> None:
    responses = noise_free(config("mixed"), subject, drives)
    assert {name: part.shape[1] for name, part in responses.items()} == {
        name: len(volume_times_s(config("mixed"), name)) for name in drives
    }
    everything = np.concatenate(list(responses.values()), 1)
    assert everything.dtype == np.float32 and np.isfinite(everything).all()
    np.testing.assert_allclose(everything.std(1), 1, atol=1e-3)


@pytest.mark.parametrize("world", ["static", "flicker"])
def test_worlds_without_motion_do_not_depend_on_it(world: str, subject: Subject, drives: dict[str, FilmDrive]) -> None:
    still = {name: without_motion(drive) for name, drive in drives.items()}
    moving = noise_free(config(world), subject, drives)
    resting = noise_free(config(world), subject, still)
    for name in drives:
        np.testing.assert_array_equal(moving[name], resting[name])
        assert moving[name].std() > 0.3


def test_the_mixed_world_depends_on_motion(subject: Subject, drives: dict[str, FilmDrive]) -> None:
    still = {name: without_motion(drive) for name, drive in drives.items()}
    moving, resting = (noise_free(config("mixed"), subject, each) for each in (drives, still))
    assert np.abs(moving["seg1"] - resting["seg1"]).mean() > 0.2


def test_the_static_world_cannot_tell_a_shot_from_its_reverse(subject: Subject) -> None:
    """Frames that change within a shot would tell where things go, were they not averaged over it."""
    rng = np.random.default_rng(0)
    forth = random_drives(config("static"))
    for name, drive in forth.items():
        forth[name] = replace(drive, colour=rng.random(drive.colour.shape).astype(np.float32))
    back = {name: replace(drive, colour=reversed_in_shots(drive)) for name, drive in forth.items()}
    responses = [noise_free(config("static"), subject, each) for each in (forth, back)]
    for name in forth:
        np.testing.assert_allclose(responses[0][name], responses[1][name], atol=2e-3)


def reversed_in_shots(drive: FilmDrive) -> np.ndarray:
    """Colours with the order of frames reversed in each shot, in whole seconds where the shot's seconds lie."""
    film = channels.with_stills(drive)
    colour = drive.colour.copy()
    shot = np.repeat(film.shot[film.on], channels.PER_SECOND)
    for number in np.unique(shot):
        inside = np.flatnonzero(shot == number)
        colour[inside] = colour[inside[::-1]]
    # The stills before and after the film repeat its first and last second, so keep those in place.
    second = channels.PER_SECOND
    colour[:second], colour[-second:] = drive.colour[:second], drive.colour[-second:]
    first, last = np.flatnonzero(shot == shot[0]), np.flatnonzero(shot == shot[-1])
    colour[first[-second:]], colour[last[:second]] = drive.colour[first[-second:]], drive.colour[last[:second]]
    return colour


def test_the_flicker_world_depends_on_the_light(subject: Subject, drives: dict[str, FilmDrive]) -> None:
    dark = {
        name: replace(drive, camera=drive.camera * np.array([1, 1, 1, 1, 1, 0], np.float32))
        for name, drive in drives.items()
    }
    lit, unlit = (noise_free(config("flicker"), subject, each) for each in (drives, dark))
    assert np.abs(lit["seg1"] - unlit["seg1"]).mean() > 0.2


@pytest.mark.parametrize("world", ["nuisance", "noise"])
def test_nothing_responds_in_empty_worlds(world: str, subject: Subject, drives: dict[str, FilmDrive]) -> None:
    assert not any(part.any() for part in noise_free(config(world), subject, drives).values())


@pytest.mark.parametrize("segment", ["seg1", "test1", "test2"])
def test_a_pulse_of_motion_appears_at_the_right_raw_volume(segment: str, subject: Subject) -> None:
    """One second of motion at film time 10 to 11 s peaks one haemodynamic delay later, for both recording starts."""
    drives = {name: without_motion(drive) for name, drive in random_drives(config("mixed")).items()}
    velocity = np.zeros_like(drives[segment].velocity)
    velocity[40:44, ..., 0] = 0.2
    drives[segment] = replace(drives[segment], velocity=velocity)
    shares = np.zeros_like(subject.shares)
    shares[:, DRIVES.index("motion")] = 1
    one_peak = replace(subject, shares=shares, peak_s=np.full_like(subject.peak_s, 5.5))
    response = noise_free(config("mixed"), one_peak, drives)[segment]
    times = volume_times_s(config("mixed"), segment)
    strongest = times[np.abs(response).argmax(1)]
    assert set(strongest) == {16.0}  # 10.5 + 5.5
    first = int(np.flatnonzero(times == 16.0)[0])
    assert first == {"seg1": 7, "test1": 7, "test2": 8}[segment]
    before = response[:, times < 10]
    assert np.ptp(before, 1).max() < 0.02 * np.abs(response).max()


def test_motion_energy_prefers_its_direction_and_speed() -> None:
    drive = random_drives(config("mixed"))["seg1"]
    velocity = np.zeros_like(drive.velocity)
    velocity[..., 1] = 0.2  # downwards, at the third preferred speed
    energy = channels.motion_energy(channels.with_stills(replace(drive, velocity=velocity)))
    mean = energy[:, :, 20].mean(0).reshape(channels.N_DIRECTIONS, len(channels.SPEEDS))
    assert np.unravel_index(mean.argmax(), mean.shape) == (2, 2)  # a quarter turn clockwise
    assert mean[6, 2] < 0.1 * mean[2, 2]
    assert (energy[:, :, :12] == 0).all()  # the still before the film


def test_the_stills_hold_the_first_and_last_frame() -> None:
    drive = random_drives(config("mixed"))["seg1"]
    film = channels.with_stills(drive)
    assert film.times_s[0] == -11.5 and film.times_s[-1] == 32 + 11.5
    np.testing.assert_array_equal(film.colour[:12], np.broadcast_to(film.colour[12], (12, 32, 32, 3)))
    np.testing.assert_array_equal(film.colour[-12:], np.broadcast_to(film.colour[-13], (12, 32, 32, 3)))
    assert not film.velocity[:48].any() and not film.camera[-12:].any()


def test_pooling_is_a_gaussian_around_the_field() -> None:
    weights = channels.pooling(np.array([[0.25, 0.75, 0.1]], np.float32)).reshape(16, 16)
    centre = (np.arange(16) + 0.5) / 16
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert (weights.sum(0) * centre).sum() == pytest.approx(0.25, abs=0.01)
    assert (weights.sum(1) * centre).sum() == pytest.approx(0.75, abs=0.01)
