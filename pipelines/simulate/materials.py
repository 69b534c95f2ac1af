"""Photographs that scikit-image and scikit-learn ship in their wheels, and which parts training and test may use.

Every photograph is divided into areas; an area belongs to training or to the test segments, never to both, and areas
of the two do not overlap. Licences and origins: `assets/PHOTOGRAPHS.md`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from brainviz.errors import DataProblem, UnknownName

Image = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]

PHOTOGRAPHS: dict[str, str] = {
    "astronaut": "skimage/data/astronaut.png",
    "brick": "skimage/data/brick.png",
    "camera": "skimage/data/camera.png",
    "cat": "skimage/data/chelsea.png",
    "coffee": "skimage/data/coffee.png",
    "coins": "skimage/data/coins.png",
    "grass": "skimage/data/grass.png",
    "gravel": "skimage/data/gravel.png",
    "hubble": "skimage/data/hubble_deep_field.jpg",
    "moon": "skimage/data/moon.png",
    "motorcycle": "skimage/data/motorcycle_left.png",
    "rocket": "skimage/data/rocket.jpg",
    "temple": "sklearn/datasets/images/china.jpg",
    "flower": "sklearn/datasets/images/flower.jpg",
}

TRAINING: dict[str, tuple[str, Rectangle]] = {
    "astronaut": ("astronaut", (0, 0, 512, 512)),
    "brick-left": ("brick", (0, 0, 256, 512)),
    "cat": ("cat", (0, 0, 451, 300)),
    "coffee": ("coffee", (0, 0, 600, 400)),
    "coins-top": ("coins", (0, 0, 384, 150)),
    "grass-left": ("grass", (0, 0, 256, 512)),
    "gravel-left": ("gravel", (0, 0, 256, 512)),
    "hubble-left": ("hubble", (0, 0, 500, 872)),
    "moon-top": ("moon", (0, 0, 512, 256)),
    "motorcycle": ("motorcycle", (0, 0, 741, 500)),
    "rocket-left": ("rocket", (0, 0, 290, 427)),
    "lake": ("temple", (404, 0, 640, 427)),
}
"""Areas of the training segments: photograph and (left, top, right, bottom) in pixels."""

TEST: dict[str, tuple[str, Rectangle]] = {
    "brick-right": ("brick", (256, 0, 512, 512)),
    "camera": ("camera", (0, 0, 512, 512)),
    "coins-bottom": ("coins", (0, 150, 384, 303)),
    "flower": ("flower", (0, 0, 640, 427)),
    "grass-right": ("grass", (256, 0, 512, 512)),
    "gravel-right": ("gravel", (256, 0, 512, 512)),
    "hubble-right": ("hubble", (500, 0, 1000, 872)),
    "moon-bottom": ("moon", (0, 256, 512, 512)),
    "rocket-right": ("rocket", (290, 0, 640, 427)),
    "temple": ("temple", (0, 0, 404, 427)),
}
"""Areas of the test segments."""


def location(file: str) -> Path:
    """Return where an installed package keeps a file, e.g. `skimage/data/brick.png`."""
    from importlib.util import find_spec

    package, _, rest = file.partition("/")
    found = find_spec(package)
    if found is None or found.origin is None:
        raise DataProblem(f"The package {package} is missing.", file, "Install what requirements.txt lists.")
    return Path(found.origin).parent / rest


@cache
def photograph(name: str) -> Image:
    """Return a whole photograph: uint8 (h, w, 3), RGB.

    Raises
    ------
    UnknownName
        No photograph is called so.
    DataProblem
        The installed package lacks it.
    """
    if name not in PHOTOGRAPHS:
        raise UnknownName(f"No photograph is called {name!r}.", name, f"There are {', '.join(PHOTOGRAPHS)}.")
    path = location(PHOTOGRAPHS[name])
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        remedy = "Install the versions of scikit-image and scikit-learn in requirements.txt."
        raise DataProblem("A photograph of the simulated film is missing.", str(path), remedy)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


@cache
def area(name: str) -> Image:
    """Return one area of a photograph: uint8 (h, w, 3), RGB. Raises as `photograph` does."""
    known = {**TRAINING, **TEST}
    if name not in known:
        raise UnknownName(f"No area of a photograph is called {name!r}.", name, f"There are {', '.join(known)}.")
    source, (left, top, right, bottom) = known[name]
    return np.ascontiguousarray(photograph(source)[top:bottom, left:right])


@cache
def _relief(name: str, magnify: float) -> NDArray[np.float32]:
    grey = cv2.cvtColor(area(name), cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey -= cv2.GaussianBlur(grey, (0, 0), 24)
    if magnify != 1.0:
        grey = np.asarray(cv2.resize(grey, None, fx=magnify, fy=magnify, interpolation=cv2.INTER_CUBIC))
    mirrored = np.vstack([np.hstack([grey, grey[:, ::-1]]), np.hstack([grey, grey[:, ::-1]])[::-1]])
    return np.asarray(mirrored / (mirrored.std() + 1e-6), dtype=np.float32)


def texture_of(name: str, height: int, width: int, seed: int, magnify: float = 1.0) -> NDArray[np.float32]:
    """Return the fine relief of an area, tiled by mirroring: float32 (height, width), mean 0, deviation 1.

    The slow shading of the photograph is taken out, so that the relief may be laid over any colour.
    """
    mirrored = _relief(name, magnify)
    rng = np.random.default_rng(seed)
    rows = (np.arange(height) + rng.integers(mirrored.shape[0])) % mirrored.shape[0]
    columns = (np.arange(width) + rng.integers(mirrored.shape[1])) % mirrored.shape[1]
    return np.ascontiguousarray(mirrored[np.ix_(rows, columns)])


GRADES: dict[str, tuple[tuple[float, float, float], float, float, float]] = {
    "neutral": ((1.00, 1.00, 1.00), 1.05, 1.00, 0.0),
    "warm": ((1.07, 1.00, 0.90), 1.10, 1.04, 4.0),
    "cool": ((0.93, 1.00, 1.08), 1.00, 1.02, 2.0),
    "golden": ((1.12, 1.01, 0.82), 1.12, 1.02, 6.0),
    "faded": ((1.02, 1.00, 0.97), 0.82, 0.92, 16.0),
    "rich": ((1.02, 1.00, 0.99), 1.28, 1.10, -2.0),
    "dusk": ((0.98, 0.92, 1.12), 1.08, 1.00, 3.0),
}
"""Colour grades: gains of R, G, B; saturation; contrast; lift of the shadows in grey levels."""


def grade(image: Image, name: str) -> Image:
    """Return a premultiplied RGBA picture uint8 (h, w, 4) in another colour grade."""
    gains, saturation, contrast, lift = GRADES[name]
    luma = np.array([0.299, 0.587, 0.114])
    matrix = np.zeros((4, 4), dtype=np.float32)
    mix = saturation * np.eye(3) + (1 - saturation) * luma[None, :]
    matrix[:3, :3] = contrast * np.diag(gains) @ mix
    # The grey point and the lift scale with alpha, so premultiplied pixels stay premultiplied.
    matrix[:3, 3] = (lift + 110.0 * (1 - contrast)) / 255.0
    matrix[3, 3] = 1.0
    graded = np.asarray(cv2.transform(image, matrix), dtype=np.uint8)
    if np.min(image[..., 3]) < 255:
        alpha = cv2.extractChannel(image, 3)
        graded = np.asarray(cv2.min(graded, cv2.merge((alpha, alpha, alpha, alpha))), dtype=np.uint8)
    return graded
