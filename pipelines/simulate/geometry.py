"""Where every layer of a shot lies at an instant: one affine matrix per picture, from the parameters alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.plan import Scenery, Shot, Thing
from pipelines.simulate.scenery import paint
from pipelines.simulate.textures import Texture
from pipelines.simulate.things import Part, parts

Matrix = NDArray[np.float64]
Hold = list[tuple[float, float]]
"""How many periods each layer was shifted, so that a later instant can be compared with an earlier one."""


@dataclass(frozen=True)
class Placement:
    """One picture in the frame.

    Attributes
    ----------
    texture : Texture
    matrix : float64 (3, 3)
        From the texture's pixels to the frame in image widths, origin at its centre.
    thing : int
        Which thing of the shot it belongs to, -1 for scenery.
    depth : (parallax, lens)
        How it would follow the camera if it stood still.
    """

    texture: Texture
    matrix: Matrix
    thing: int
    depth: tuple[float, float]


def view(camera: NDArray[np.float64], parallax: float, lens: float) -> Matrix:
    """Return the matrix from the world to the frame for a camera state (x, y, log zoom, angle)."""
    zoom = np.exp(camera[2] * lens)
    c, s = zoom * np.cos(camera[3]), zoom * np.sin(camera[3])
    x, y = -parallax * camera[0], -parallax * camera[1]
    return np.array([[c, -s, c * x - s * y], [s, c, s * x + c * y], [0.0, 0.0, 1.0]])


def to_pixels(size: int) -> Matrix:
    """Return the matrix from image widths (origin at the centre) to pixel positions of a square frame."""
    half = (size - 1) / 2
    return np.array([[size, 0.0, half], [0.0, size, half], [0.0, 0.0, 1.0]])


class Stage:
    """A shot whose pictures are painted; gives their places at any time of the shot."""

    def __init__(self, shot: Shot, grade: str = "neutral") -> None:
        self.shot = shot
        self.grade = grade
        self._back = [self._painted(layer) for layer in shot.back]
        self._front = [self._painted(layer) for layer in shot.front]
        self._parts: list[tuple[Part, ...]] = [parts(t.kind, t.variant, t.seed, grade) for t in shot.things]
        self._planes = [[part.texture.to_plane() for part in group] for group in self._parts]

    def _painted(self, layer: Scenery) -> tuple[Scenery, Texture, Matrix]:
        texture = paint(layer.kind, layer.variant, layer.seed)
        if self.grade != "neutral":
            texture = texture.graded(self.grade)
        place = texture.to_plane()
        place[:2, 2] -= layer.origin
        return layer, texture, place

    def camera(self, time_s: float) -> NDArray[np.float64]:
        """Return the camera's state: float64 (4,) of x, y, log zoom, angle."""
        return self.shot.camera.at(time_s)

    def places(self, time_s: float, hold: Hold | None = None) -> tuple[list[Placement], Hold]:
        """Return every picture from back to front, and the periods used (pass them on to follow the same points)."""
        camera = self.camera(time_s)
        shifts: Hold = []
        placed: list[Placement] = []
        for layers in (self._back, None, self._front):
            if layers is None:
                self._place_things(time_s, camera, hold, shifts, placed)
                continue
            for layer, texture, place in layers:
                matrix = view(camera, layer.parallax, layer.lens) @ place
                shift = _periods(matrix, texture) if hold is None else hold[len(shifts)]
                shifts.append(shift)
                matrix[:2, 2] += matrix[:2, :2] @ (np.array(shift) * texture.period)
                placed.append(Placement(texture, matrix, -1, (layer.parallax, layer.lens)))
        return placed, shifts

    def _place_things(
        self, time_s: float, camera: NDArray[np.float64], hold: Hold | None, shifts: Hold, placed: list[Placement]
    ) -> None:
        for number, thing in enumerate(self.shot.things):
            moved = thing.path.at(time_s)
            gone = moved[:2] + thing.follow * thing.parallax * camera[:2]
            place = np.array(thing.start) + gone - thing.parallax * camera[:2]
            shift = _turns(place, thing.wrap) if hold is None else hold[len(shifts)]
            shifts.append(shift)
            place = place - np.array(shift) * thing.wrap
            body = view(np.array([0.0, 0.0, camera[2], camera[3]]), 0.0, thing.lens)
            body[:2, 2] = body[:2, :2] @ place
            body = body @ _pose(thing, moved)
            turn = 2 * np.pi * thing.hz * time_s + thing.phase
            way = thing.facing * gone[0] / thing.size
            for part, plane in zip(self._parts[number], self._planes[number], strict=True):
                inner = part.matrix(turn, thing.swing, way)
                if part.motion == "upright":
                    inner = _turned(-thing.facing * (thing.angle + moved[3]))
                placed.append(Placement(part.texture, body @ inner @ plane, number, (thing.parallax, thing.lens)))


def _turned(angle: float) -> Matrix:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _pose(thing: Thing, moved: NDArray[np.float64]) -> Matrix:
    size = thing.size * np.exp(moved[2])
    return _turned(thing.angle + moved[3]) @ np.diag([size * thing.facing, size, 1.0])


def _turns(place: NDArray[np.float64], wrap: tuple[float, float]) -> tuple[float, float]:
    x, y = (float(np.floor(v / w + 0.5)) if w else 0.0 for v, w in zip(place, wrap, strict=True))
    return x, y


def _periods(matrix: Matrix, texture: Texture) -> tuple[float, float]:
    """Return how many periods bring the point at the frame's centre into the middle of the picture."""
    if not any(texture.period):
        return 0.0, 0.0
    centre = np.linalg.solve(matrix[:2, :2], -matrix[:2, 2])
    middle = np.array(texture.rgba.shape[1::-1]) / 2
    x, y = (
        float(np.floor((c - m) / p + 0.5)) if p else 0.0 for c, m, p in zip(centre, middle, texture.period, strict=True)
    )
    return x, y
