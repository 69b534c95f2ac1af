"""The three ambiguity cases: two continuations of the very same first frame.

After Yeung et al. 2025 (an eagle that glides or flaps; a space shuttle on its carrier under a moving camera; the
Eiffel Tower under either pan). The two shots of a pair share every pixel of their first frame and nothing in it tells
which continuation follows, so a pair holds one bit. Cases stand in test segments only; their bird, aircraft and tower
are in no other shot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.simulate.cast import MATERIAL
from pipelines.simulate.motion import rounded
from pipelines.simulate.plan import Scenery, Shot, Thing
from pipelines.simulate.tracks import Track

CONTINUATIONS = {"action": ("glide", "flap"), "camera": ("object", "camera"), "static": ("left", "right")}
"""The two continuations of each case."""

CASE_CLIPS = 2
"""Clips of each instance: 4 s, as the test shots of the real film."""


@dataclass(frozen=True)
class Instance:
    """One continuation of one pair, without its place in the film."""

    case: str
    continuation: str
    pair: int
    shot: Shot


def instances(rng: np.random.Generator, pairs: int, n_frames: int) -> list[tuple[Instance, Instance]]:
    """Return `pairs` pairs of each case."""
    makers = {"action": _action, "camera": _camera, "static": _static}
    found, number = [], 0
    for case, maker in makers.items():
        for k in range(pairs):
            shots = maker(rng, k, n_frames)
            first, second = (
                Instance(case, name, number, replace(shot, case=case, continuation=name, pair=number))
                for name, shot in zip(CONTINUATIONS[case], shots, strict=True)
            )
            found.append((first, second))
            number += 1
    return found


def _path(x: float, y: float) -> Track:
    return Track(rates=((rounded(x), rounded(y), 0.0, 0.0),))


def _backdrop(rng: np.random.Generator, grade_pool: tuple[str, ...]) -> tuple[Scenery, Scenery, str]:
    seed = MATERIAL["test"].seeds
    palette = str(rng.choice(["noon", "morning", "golden", "dusk", "turquoise", "overcast"]))
    origin = rounded(rng.uniform(-1.3, 1.3))
    sky = Scenery("sky", palette, seed + int(rng.integers(2)), 1.0, 1.0, (origin, 0.0))
    land = str(rng.choice(["meadow:grass-right:forest", "moor:gravel-right:bare"]))
    hills = Scenery("hills", land, seed + int(rng.integers(2)), 1.0, 1.0, (rounded(rng.uniform(-1.3, 1.3)), 0.0))
    return sky, hills, str(rng.choice(grade_pool))


def _shot(
    n_frames: int, scene: str, caption: str, back: tuple[Scenery, ...], thing: Thing, front: tuple[Scenery, ...],
    camera: Track, grade: str,
) -> Shot:  # fmt: skip
    return Shot(0, 0, n_frames, scene, caption, back, (thing,), front, camera, grade)


def _action(rng: np.random.Generator, k: int, n_frames: int) -> tuple[Shot, Shot]:
    sky, hills, grade = _backdrop(rng, ("neutral", "warm", "rich"))
    facing = 1 if k % 2 else -1
    ahead = rng.uniform(0.02, 0.05) * facing
    sink, climb = rng.uniform(0.07, 0.10), rng.uniform(0.07, 0.10)
    start = (rounded(rng.uniform(-0.1, 0.1) - 2 * ahead), rounded(rng.uniform(-0.06, 0.06)))
    eagle = Thing(
        "bird", "eagle:grass-right", 0, start, rounded(rng.uniform(0.72, 0.9)), facing=facing, phase=0.45, swing=0.95
    )
    glide = replace(eagle, path=_path(ahead, sink))
    flap = replace(eagle, path=_path(ahead, -climb), hz=rounded(rng.uniform(0.5, 0.62)))
    back, still = (sky, hills), Track()
    return (
        _shot(
            n_frames, "eagle", "An eagle glides down over hills; the camera holds still.", back, glide, (), still, grade
        ),
        _shot(
            n_frames,
            "eagle",
            "An eagle flaps and climbs over hills; the camera holds still.",
            back,
            flap,
            (),
            still,
            grade,
        ),
    )


def _camera(rng: np.random.Generator, k: int, n_frames: int) -> tuple[Shot, Shot]:
    sky, hills, grade = _backdrop(rng, ("neutral", "cool", "faded"))
    facing = 1 if k % 2 else -1
    pace, slip = rng.uniform(0.10, 0.15), rng.uniform(0.05, 0.08)
    start = (rounded(rng.uniform(-0.08, 0.08)), rounded(rng.uniform(-0.16, -0.02)))
    colour = int(rng.integers(4))
    carrier = Thing(
        "carrier", f"{colour}:gravel-right", 0, start, rounded(rng.uniform(0.62, 0.78)), facing=facing,
        angle=rounded(rng.normal(0, 0.03)),
    )  # fmt: skip
    flies = replace(carrier, path=_path(facing * pace, 0.0))
    hangs = replace(carrier, path=_path(facing * slip, 0.0))
    pan = Track(rates=((rounded(facing * (pace + slip)), 0.0, 0.0, 0.0),))
    back = (sky, hills)
    moves = "A space shuttle on its carrier aircraft flies forward; the camera holds still."
    passed = "A space shuttle on its carrier aircraft slips backward as the camera pans past it."
    return (
        _shot(n_frames, "shuttle", moves, back, flies, (), Track(), grade),
        _shot(n_frames, "shuttle", passed, back, hangs, (), pan, grade),
    )


def _static(rng: np.random.Generator, k: int, n_frames: int) -> tuple[Shot, Shot]:
    sky, hills, grade = _backdrop(rng, ("neutral", "warm", "golden"))
    sky, hills = replace(sky, parallax=0.5), replace(hills, parallax=0.7)
    size = float(rng.uniform(0.78, 0.92))
    start = (rounded(rng.uniform(-0.06, 0.06)), rounded(0.5 - 0.42 * size))
    tower = Thing("tower", "temple:temple", 0, start, rounded(size), facing=1 if k % 2 else -1)
    origin = (rounded(rng.uniform(-1, 1)), -0.04)
    front = Scenery("reeds", "meadow", MATERIAL["test"].seeds, 1.3, 1.0, origin)
    pace = rounded(rng.uniform(0.10, 0.15))
    shots = []
    for word, way in (("left", -pace), ("right", pace)):
        camera = Track(rates=((way, 0.0, 0.0, 0.0),))
        caption = f"A temple tower above the trees; the camera pans {word}."
        shots.append(_shot(n_frames, "tower", caption, (sky, hills), tower, (front,), camera, grade))
    return shots[0], shots[1]
