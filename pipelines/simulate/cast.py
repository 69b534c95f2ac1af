"""What ordinary shots are made of: the materials of training and test, words for captions, a shot in the making."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.motion import rounded
from pipelines.simulate.plan import Scenery, Thing
from pipelines.simulate.tracks import Track

COLOURS = ("red", "blue", "yellow", "green", "white", "purple", "orange", "light blue")
"""Names of `drawing.PAINTS`."""


@dataclass(frozen=True)
class Material:
    """Which areas of the photographs and which seeds a split may use: training and test share none."""

    grass: str
    gravel: str
    brick: str
    moon: str
    hubble: str
    coins: str
    photos: tuple[str, ...]
    seeds: int


MATERIAL = {
    "training": Material(
        "grass-left", "gravel-left", "brick-left", "moon-top", "hubble-left", "coins-top",
        ("astronaut", "cat", "coffee", "motorcycle", "rocket-left", "lake"), 1000,
    ),
    "test": Material(
        "grass-right", "gravel-right", "brick-right", "moon-bottom", "hubble-right", "coins-bottom",
        ("camera", "flower", "rocket-right"), 2000,
    ),
}  # fmt: skip


PHOTO_WORDS = {
    "astronaut": "an astronaut's portrait",
    "cat": "a tabby cat",
    "coffee": "a cup of coffee on a wooden table",
    "motorcycle": "a red motorcycle in a garage",
    "rocket-left": "lattice towers of a launch site at dusk",
    "lake": "a lake behind trees",
    "camera": "a cameraman in a park",
    "flower": "a dahlia in bloom",
    "rocket-right": "a rocket on its pad at dusk",
}


PHOTO_ROOM = {
    "rocket-right": (0.05, 0.2),
    "rocket-left": (0.04, 0.25),
    "lake": (0.05, 0.4),
    "cat": (0.4, 0.1),
    "motorcycle": (0.35, 0.08),
}
"""How far a camera may go over a photograph before it meets the mirrored border, widths."""


@dataclass
class Draft:
    """A shot in the making."""

    rng: np.random.Generator
    material: Material
    seconds: float
    travel: bool

    def pick(self, *choices: str) -> str:
        """Return one of the choices."""
        return str(choices[self.rng.integers(len(choices))])

    def seed(self, pool: int) -> int:
        """Return a seed out of a small pool, so that paintings are reused."""
        return self.material.seeds + int(self.rng.integers(pool))

    def layer(self, kind: str, variant: str, pool: int, parallax: float, lens: float) -> Scenery:
        """Return scenery that follows a travelling camera by its depth, a turning camera fully."""
        x = rounded(self.rng.uniform(-1.3, 1.3))
        depth = (parallax, lens) if self.travel else (1.0, 1.0)
        return Scenery(kind, variant, self.seed(pool), depth[0], depth[1], (x, 0.0))

    def thing(self, kind: str, variant: str, size: float, at: tuple[float, float], path: Track, **more: float) -> Thing:
        """Return a thing that comes back from the other side when it has left the frame."""
        wrap = (rounded(1.5 + size), rounded(1.5 + size) if more.pop("tall", 0.0) else 0.0)
        turn = rounded(more.pop("phase", float(self.rng.uniform(0, 2 * np.pi))))
        facing = int(more.pop("facing", 1))
        numbers = {name: rounded(value) for name, value in more.items()}
        place = (rounded(at[0]), rounded(at[1]))
        return Thing(
            kind,
            variant,
            self.seed(3),
            place,
            rounded(size),
            facing=facing,
            wrap=wrap,
            phase=turn,
            path=path,
            **numbers,
        )

    def facing(self) -> int:
        """Return left or right."""
        return int(self.rng.choice([-1, 1]))

    def spread(self, count: int) -> np.ndarray:
        """Return places across the frame that do not crowd."""
        places = (np.arange(count) + self.rng.uniform(0.25, 0.75, count)) / count - 0.5
        return self.rng.permutation(places) * 1.15
