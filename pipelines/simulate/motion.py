"""Random motions of the camera and of things, with the spectrum of speeds of real films.

Sources of the ranges
---------------------
- Speeds are log-normal: speeds of natural image motion fall off with a heavy tail (Dong & Atick 1995; Roth &
  Black 2007, "On the spatial statistics of optical flow"); median and spread here are our own choice, tuned to nothing
  but frames that a viewer can follow (a tenth of the image's width per second).
- Pans are more often level, as in films and driving scenes (Calow & Lappe 2007: horizontal flow dominates).
- A fifth of the time the camera rests; a motion lasts 2.2 to 5.6 s, so that 8 to 10 s of fMRI see two or three.
- Shake of a hand: .5 to 3 Hz, a few thousandths of the width (hand tremor below the 8-12 Hz band; own choice).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.tracks import Track

Rate = tuple[float, float, float, float]


def rounded(value: float) -> float:
    """Return a parameter as it is stored: four decimals."""
    return round(float(value), 4)


@dataclass(frozen=True)
class Bounds:
    """How far a path may go from its start: x, y (widths), log scale, angle (radians)."""

    x: float = np.inf
    y: float = 0.2
    out: float = 0.10
    into: float = 0.34
    angle: float = 0.10

    def kept(self, place: np.ndarray, rate: np.ndarray, seconds: float) -> np.ndarray:
        """Return the rate, turned round or slowed so that the path stays inside."""
        low = np.array([-self.x, -self.y, -self.out, -self.angle])
        high = np.array([self.x, self.y, self.into, self.angle])
        end = place + rate * seconds
        turned = np.where((end < low) | (end > high), -rate, rate)
        end = place + turned * seconds
        limited = (np.clip(end, low, high) - place) / seconds
        return np.where((end < low) | (end > high), limited, turned)


def speed(rng: np.random.Generator, median: float = 0.11, spread: float = 0.55, top: float = 0.36) -> float:
    """Return a log-normal speed in widths per second, at most `top`."""
    return float(min(rng.lognormal(np.log(median), spread), top))


def phases(rng: np.random.Generator, seconds: float, shortest: float = 2.2, longest: float = 5.6) -> list[float]:
    """Return the lengths of the steady motions that fill a shot."""
    lengths: list[float] = []
    left = seconds
    while left > 0:
        length = float(rng.uniform(shortest, longest))
        if left - length < shortest:
            length = left
        lengths.append(length)
        left -= length
    return lengths


def heading(rng: np.random.Generator) -> tuple[float, float]:
    """Return a random direction, more often level than upright."""
    draw = rng.random()
    base = 0.0 if draw < 0.3 else (np.pi / 2 if draw < 0.5 else rng.uniform(0, 2 * np.pi))
    angle = base + rng.normal(0, 0.3) + np.pi * rng.integers(2)
    return float(np.cos(angle)), float(np.sin(angle))


@dataclass(frozen=True)
class Habit:
    """What a camera tends to do in a scene: the part of the motion that the first frame can tell.

    Attributes
    ----------
    way : (x, y)
        Usual direction of a pan.
    closer : float
        Share of zooms that go in.
    share : float
        Share of pans that go the usual way; the others go anywhere.
    """

    way: tuple[float, float] = (1.0, 0.0)
    closer: float = 0.5
    share: float = 0.65

    def heading(self, rng: np.random.Generator) -> np.ndarray:
        """Return the direction of one pan."""
        if rng.random() >= self.share:
            return np.array(heading(rng))
        angle = rng.normal(0, 0.35)
        c, s = np.cos(angle), np.sin(angle)
        return np.array([c * self.way[0] - s * self.way[1], s * self.way[0] + c * self.way[1]])


def _camera_rate(rng: np.random.Generator, habit: Habit) -> np.ndarray:
    draw = rng.random()
    rate = np.zeros(4)
    if draw < 0.72:
        rate[:2] = habit.heading(rng) * speed(rng, 0.13)
    if 0.60 < draw < 0.86:
        rate[2] = (1 if rng.random() < habit.closer else -1) * speed(rng, 0.06, 0.5, 0.16)
    if 0.50 < draw < 0.58 or 0.84 < draw < 0.88:
        rate[3] = rng.choice([-1, 1]) * speed(rng, 0.07, 0.4, 0.15)
    return rate


def camera(rng: np.random.Generator, seconds: float, bounds: Bounds, habit: Habit, style: str = "") -> Track:
    """Return a camera's path; `style` = `still`, `pan` (one uncut pan) or "" (anything)."""
    place = np.zeros(4)
    starts, rates, at = [], [], 0.0
    lengths = phases(rng, seconds) if not style else [seconds]
    for length in lengths:
        rate = np.zeros(4) if style == "still" else _camera_rate(rng, habit)
        if style == "pan":
            rate = np.array([*(habit.heading(rng) * speed(rng, 0.14, 0.4)), 0.0, 0.0])
        rate = bounds.kept(place, rate, length)
        place = place + rate * length
        starts.append(rounded(at))
        rates.append(_rate(rate))
        at += length
    shake = () if style == "still" or rng.random() < 0.55 else _shake(rng)
    return Track(tuple(starts), tuple(rates), rounded(rng.uniform(0.4, 0.9)), shake)


def _rate(values: np.ndarray) -> Rate:
    x, y, scale, angle = (rounded(value) for value in values)
    return x, y, scale, angle


def _shake(rng: np.random.Generator) -> tuple[tuple[float, float, float, float, float], ...]:
    strength = float(rng.uniform(0.0006, 0.0022))
    sines = []
    for hz in (rng.uniform(0.5, 0.9), rng.uniform(1.1, 1.8), rng.uniform(2.1, 3.0)):
        amplitude = strength / hz
        px, py = rng.uniform(0, 2 * np.pi, 2)
        sines.append((rounded(amplitude), rounded(0.8 * amplitude), rounded(hz), rounded(px), rounded(py)))
    return tuple(sines)


def bob(rng: np.random.Generator, amplitude: float) -> tuple[tuple[float, float, float, float, float], ...]:
    """Return the slow rise and fall of a boat or a hovering thing."""
    px, py = rng.uniform(0, 2 * np.pi, 2)
    return ((0.0, rounded(amplitude), rounded(rng.uniform(0.3, 0.55)), rounded(px), rounded(py)),)


def forward(rng: np.random.Generator, seconds: float, facing: int, median: float, climb: float = 0.25) -> Track:
    """Return the path of what mostly moves where it faces (birds, cars, fish): backwards in one phase of seven."""
    starts: list[float] = []
    rates: list[Rate] = []
    at = 0.0
    for length in phases(rng, seconds, 2.5, 6.0):
        way = facing * (1 if rng.random() < 0.86 else -0.6) * speed(rng, median, 0.55, 0.42)
        rise = climb * speed(rng, median) * rng.choice([-1, 1])
        rise = -abs(rise) if rates and sum(r[1] for r in rates) > 0 else rise
        starts.append(rounded(at))
        rates.append(_rate(np.array([way, rise, 0.0, 0.0])))
        at += length
    return Track(tuple(starts), tuple(rates), rounded(rng.uniform(0.5, 0.9)))


def free(rng: np.random.Generator, seconds: float, median: float, spin: float = 0.0, grow: float = 0.0) -> Track:
    """Return the path of what may go anywhere (leaves, balloons, rocks), turning at up to `spin` rad/s."""
    starts, rates, at, size = [], [], 0.0, 0.0
    for length in phases(rng, seconds, 2.5, 6.0):
        x, y = np.array(heading(rng)) * speed(rng, median, 0.55, 0.42)
        swell = 0.0
        if grow and rng.random() < 0.4:
            swell = -np.sign(size + 1e-9) * rng.uniform(0.3, 1) * grow
            size += swell * length
        starts.append(rounded(at))
        rates.append(_rate(np.array([x, y, swell, rng.uniform(-spin, spin)])))
        at += length
    return Track(tuple(starts), tuple(rates), rounded(rng.uniform(0.5, 0.9)))


def rolling(rng: np.random.Generator, seconds: float, median: float, size: float) -> Track:
    """Return the path of a disc that rolls along x: its turn follows its way."""
    track = free(rng, seconds, median)
    rates = tuple(_rate(np.array([x, y, 0.0, x / (0.5 * size)])) for x, y, _, _ in track.rates)
    return Track(track.starts_s, rates, track.blend_s)
