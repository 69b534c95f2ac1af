"""Where every layer of a shot lies at any instant: affine matrices from the parameters alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.plan import Scenery, Shot, Thing
from pipelines.simulate.scenery import paint
from pipelines.simulate.textures import Texture
from pipelines.simulate.things import Part, graded, parts, turned

Floats = NDArray[np.float64]
"""Arrays of float64; matrices are (n, 3, 3), one per instant."""


@dataclass(frozen=True)
class Picture:
    """One picture of a shot over n instants.

    A repeating layer is shown at its copy nearest to the frame; `base` places the first copy and `lever @ step` moves
    it to the one that is shown. To follow a point to another instant, keep the step of the instant it was seen at.

    Attributes
    ----------
    texture : Texture
    thing : int
        Which thing of the shot it belongs to, -1 for scenery.
    depth : (parallax, lens)
        How it would follow the camera if it stood still.
    base : float64 (n, 3, 3)
        From the texture's pixels to the frame in image widths, origin at its centre.
    lever : float64 (n, 2, 2)
    step : float64 (n, 2)
    """

    texture: Texture
    thing: int
    depth: tuple[float, float]
    base: Floats
    lever: Floats
    step: Floats

    def matrices(self) -> Floats:
        """Return the matrices from the texture's pixels to the frame as it is shown, (n, 3, 3)."""
        placed = self.base.copy()
        placed[:, :2, 2] += np.einsum("nij,nj->ni", self.lever, self.step)
        return placed

    def followed(self, seen_at: int, now: int) -> Floats:
        """Return the matrix (3, 3) at one instant of the copy that was shown at another."""
        placed = self.base[now].copy()
        placed[:2, 2] += self.lever[now] @ self.step[seen_at]
        return placed


def views(camera: Floats, parallax: float, lens: float) -> Floats:
    """Return the matrices (n, 3, 3) from the world to the frame for camera states (n, 4) of x, y, log zoom, angle."""
    zoom = np.exp(camera[:, 2] * lens)
    c, s = zoom * np.cos(camera[:, 3]), zoom * np.sin(camera[:, 3])
    x, y = -parallax * camera[:, 0], -parallax * camera[:, 1]
    matrices = np.zeros((len(camera), 3, 3))
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 0, 2] = c, -s, c * x - s * y
    matrices[:, 1, 0], matrices[:, 1, 1], matrices[:, 1, 2] = s, c, s * x + c * y
    matrices[:, 2, 2] = 1.0
    return matrices


def to_pixels(size: int) -> Floats:
    """Return the matrix (3, 3) from image widths (origin at the centre) to pixel positions of a square frame."""
    half = (size - 1) / 2
    return np.array([[size, 0.0, half], [0.0, size, half], [0.0, 0.0, 1.0]])


class Stage:
    """A shot whose pictures are painted in a colour grade; gives their places at chosen times."""

    def __init__(self, shot: Shot, grade: str = "neutral") -> None:
        self.shot = shot
        self._back = [self._painted(layer, grade) for layer in shot.back]
        self._front = [self._painted(layer, grade) for layer in shot.front]
        self._parts: list[tuple[Part, ...]] = [
            graded(parts(thing.kind, thing.variant, thing.seed), grade) for thing in shot.things
        ]

    def _painted(self, layer: Scenery, grade: str) -> tuple[Scenery, Texture]:
        texture = paint(layer.kind, layer.variant, layer.seed)
        return layer, texture if grade == "neutral" else texture.graded(grade)

    def pictures(self, times_s: Floats) -> list[Picture]:
        """Return every picture from back to front at the given times of the shot."""
        camera = self.shot.camera.at(times_s)
        back = [_scenery(layer, texture, camera) for layer, texture in self._back]
        front = [_scenery(layer, texture, camera) for layer, texture in self._front]
        middle: list[Picture] = []
        for number, (thing, group) in enumerate(zip(self.shot.things, self._parts, strict=True)):
            middle += _thing(number, thing, group, camera, times_s)
        return [*back, *middle, *front]


def _scenery(layer: Scenery, texture: Texture, camera: Floats) -> Picture:
    place = texture.to_plane()
    place[:2, 2] -= layer.origin
    base = views(camera, layer.parallax, layer.lens) @ place
    lever = base[:, :2, :2]
    centre = np.linalg.solve(lever, -base[:, :2, 2, None])[..., 0]
    middle = np.array(texture.rgba.shape[1::-1]) / 2
    period = np.array(texture.period)
    periods = np.floor((centre - middle) / np.where(period > 0, period, np.inf) + 0.5)
    return Picture(texture, -1, (layer.parallax, layer.lens), base, lever, periods * period)


def _thing(number: int, thing: Thing, group: tuple[Part, ...], camera: Floats, times_s: Floats) -> list[Picture]:
    moved = thing.path.at(times_s)
    gone = moved[:, :2] + thing.follow * thing.parallax * camera[:, :2]
    place = np.array(thing.start) + gone - thing.parallax * camera[:, :2]
    wrap = np.array(thing.wrap)
    step = -np.floor(place / np.where(wrap > 0, wrap, np.inf) + 0.5) * wrap
    body = views(np.column_stack([np.zeros((len(camera), 2)), camera[:, 2:]]), 0.0, thing.lens)
    lever = body[:, :2, :2].copy()
    body[:, :2, 2] = np.einsum("nij,nj->ni", lever, place)
    size = thing.size * np.exp(moved[:, 2])
    scale = np.zeros_like(body)
    scale[:, 0, 0], scale[:, 1, 1], scale[:, 2, 2] = size * thing.facing, size, 1.0
    angle = thing.angle + moved[:, 3]
    body = body @ turned(angle) @ scale
    limbs = 2 * np.pi * thing.hz * times_s + thing.phase
    way = thing.facing * gone[:, 0] / thing.size
    placed = []
    for part in group:
        upright = part.motion == "upright"
        inner = turned(-thing.facing * angle) if upright else part.matrices(limbs, thing.swing, way)
        base = body @ inner @ part.texture.to_plane()
        placed.append(Picture(part.texture, number, (thing.parallax, thing.lens), base, lever, step))
    return placed
