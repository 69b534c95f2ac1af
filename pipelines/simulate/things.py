"""The things that move: their parts, joints and limbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import UnknownName
from pipelines.simulate import animals, objects, vehicles
from pipelines.simulate.drawing import moved
from pipelines.simulate.textures import Texture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One picture of a thing and how it moves on it.

    Attributes
    ----------
    texture : Texture
        In units of the thing's size.
    joint : (x, y)
        Where it is hinged.
    motion : str
        `fixed`; `turn`: swings by `gain` radians; `flap`: its height is scaled by bias + gain * sine (a wing seen from
        the side); `narrow`: the same across (a wing seen from above); `bend`: sheared by gain * sine (a tail); `roll`:
        rolls without slipping, `gain` = its radius; `upright`: does not turn with the thing (a shadow).
    gain, bias, lag : float
        Amplitude, rest value and phase (radians) of that motion.
    """

    texture: Texture
    joint: tuple[float, float] = (0.0, 0.0)
    motion: str = "fixed"
    gain: float = 0.0
    bias: float = 0.0
    lag: float = 0.0

    def matrices(self, turn: Floats, swing: float, way: Floats) -> Floats:
        """Return the matrices (n, 3, 3) of the part on its thing.

        `turn` = phase of the limbs in radians (n,), `swing` = their amplitude, `way` = distance gone in units of the
        thing's size (n,).
        """
        value = self.bias + swing * self.gain * np.sin(turn + self.lag)
        inner = np.tile(np.eye(3), (len(turn), 1, 1))
        if self.motion == "turn":
            inner = turned(value)
        elif self.motion == "roll":
            inner = turned(way / self.gain)
        elif self.motion == "flap":
            inner[:, 1, 1] = _away_from_zero(value)
        elif self.motion == "narrow":
            inner[:, 0, 0] = _away_from_zero(value)
        elif self.motion == "bend":
            inner[:, 1, 0] = value
        joint = np.array(self.joint)
        inner[:, :2, 2] = joint - inner[:, :2, :2] @ joint
        return inner


def turned(angle: Floats) -> Floats:
    """Return the matrices (n, 3, 3) of clockwise turns on screen by angles (n,) in radians."""
    c, s = np.cos(angle), np.sin(angle)
    matrices = np.tile(np.eye(3), (len(angle), 1, 1))
    matrices[:, 0, 0], matrices[:, 0, 1] = c, -s
    matrices[:, 1, 0], matrices[:, 1, 1] = s, c
    return matrices


def _away_from_zero(value: Floats) -> Floats:
    """Return scales that can be undone: at least .04 in size."""
    return np.asarray(np.copysign(np.maximum(np.abs(value), 0.04), value))


def _bird(variant: str, seed: int) -> tuple[Part, ...]:
    body, far, near, joint = animals.bird(variant, seed)
    return (
        Part(far, joint, "flap", 0.95, 0.12),
        Part(body),
        Part(near, joint, "flap", 1.0, 0.15),
    )


def _car(variant: str, seed: int) -> tuple[Part, ...]:
    shadow, body, wheel, centres, radius = vehicles.car(variant, seed)
    wheels = tuple(Part(moved(wheel, x, y), (x, y), "roll", radius) for x, y in centres)
    return (Part(shadow), Part(body), *wheels)


def _fish(variant: str, seed: int) -> tuple[Part, ...]:
    tail, body, fin = animals.fish(variant, seed)
    return (
        Part(tail, (-0.22, 0.0), "bend", 0.42),
        Part(body, (0.35, 0.0), "bend", 0.07, 0.0, 0.9),
        Part(fin, (0.06, 0.05), "turn", 0.35, 0.1, 0.4),
    )


def _butterfly(variant: str, seed: int) -> tuple[Part, ...]:
    shadow, left, right, body = animals.butterfly(variant, seed)
    return (
        Part(shadow, (0.0, 0.0), "narrow", 0.36, 0.62),
        Part(left, (0.0, 0.0), "narrow", 0.38, 0.62),
        Part(right, (0.0, 0.0), "narrow", 0.38, 0.62),
        Part(body),
    )


def _walker(variant: str, seed: int) -> tuple[Part, ...]:
    shadow, leg, trunk, arm = animals.walker(variant, seed)
    hip, shoulder = (0.0, 0.07), (0.0, -0.20)
    return (
        Part(shadow),
        Part(arm, shoulder, "turn", 0.55, 0.0, 0.0),
        Part(leg, hip, "turn", 0.46, 0.0, np.pi),
        Part(leg, hip, "turn", 0.46, 0.0, 0.0),
        Part(trunk),
        Part(arm, shoulder, "turn", 0.55, 0.0, np.pi),
    )


def _with_shadow(make: Callable[[str, int], tuple[Texture, Texture]]) -> Callable[[str, int], tuple[Part, ...]]:
    def parts(variant: str, seed: int) -> tuple[Part, ...]:
        shadow, picture = make(variant, seed)
        return (Part(shadow, motion="upright"), Part(picture))

    return parts


def _alone(make: Callable[[str, int], Texture]) -> Callable[[str, int], tuple[Part, ...]]:
    def parts(variant: str, seed: int) -> tuple[Part, ...]:
        return (Part(make(variant, seed)),)

    return parts


KINDS: dict[str, Callable[[str, int], tuple[Part, ...]]] = {
    "asteroid": _alone(objects.asteroid),
    "ball": _with_shadow(objects.ball),
    "balloon": _alone(vehicles.balloon),
    "bird": _bird,
    "boat": _alone(vehicles.boat),
    "butterfly": _butterfly,
    "car": _car,
    "carrier": _alone(vehicles.carrier),
    "coin": _with_shadow(objects.coin),
    "fish": _fish,
    "leaf": _with_shadow(objects.leaf),
    "plane": _alone(vehicles.plane),
    "planet": _alone(objects.planet),
    "tower": _alone(objects.tower),
    "walker": _walker,
}


@lru_cache(maxsize=160)
def parts(kind: str, variant: str, seed: int) -> tuple[Part, ...]:
    """Return the parts of a thing from back to front; `UnknownName` for an unknown kind."""
    if kind not in KINDS:
        raise UnknownName(f"No thing is called {kind!r}.", kind, f"There are {', '.join(KINDS)}.")
    return KINDS[kind](variant, seed)


def graded(group: tuple[Part, ...], grade: str) -> tuple[Part, ...]:
    """Return the parts in a colour grade."""
    if grade == "neutral":
        return group
    return tuple(replace(part, texture=part.texture.graded(grade)) for part in group)
