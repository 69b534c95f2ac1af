"""Painters of scenery: under water, from above, photographs, what stands before the camera; and the list of all."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from brainviz.errors import UnknownName
from pipelines.simulate import materials
from pipelines.simulate.outdoors import HEIGHT, LANDS, MIDDLE, PERIOD, ground, hills, panorama, sea, sky, world_rows
from pipelines.simulate.stereo import depth_layer
from pipelines.simulate.textures import PX_PER_WIDTH, Texture, fractal, mix, opaque, premultiplied, smoothstep, wrap_pad

FLATS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "grass": ((34, 66, 22), (104, 142, 54), (206, 218, 130)),
    "clover": ((18, 62, 48), (70, 128, 84), (178, 214, 160)),
    "gravel": ((66, 58, 54), (150, 138, 126), (238, 230, 218)),
    "slate": ((32, 42, 58), (104, 120, 138), (214, 224, 232)),
    "brick": ((96, 42, 32), (168, 88, 64), (226, 176, 140)),
    "sandstone": ((122, 88, 58), (196, 158, 112), (246, 226, 186)),
    "moon": ((46, 46, 54), (126, 124, 126), (236, 232, 224)),
    "rust": ((64, 28, 20), (172, 90, 52), (246, 190, 130)),
}
"""Shadow, middle and light colour that a grey photograph is printed in, seen from above."""


def deep(variant: str, seed: int) -> Texture:
    """Under water: rays of light over a bed of stones; `variant` = area of a photograph."""
    y = world_rows() * np.ones((1, PERIOD), dtype=np.float32)
    colour = mix((70, 186, 196), (6, 42, 82), smoothstep(-0.75, 0.55, y))
    slanted = fractal(HEIGHT, PERIOD, seed, (2, 18), octaves=3)
    rays = np.stack([np.roll(row, int(-0.45 * k)) for k, row in enumerate(slanted)])
    colour = colour + (38 * np.clip(rays, -0.4, 2) * (1 - smoothstep(-0.8, 0.35, y)))[..., None]
    relief = materials.texture_of(variant, HEIGHT, PERIOD, seed)
    soft = fractal(HEIGHT, PERIOD, seed + 2, (8, 8), octaves=5)
    bed = mix((20, 70, 92), (120, 176, 164), np.clip(0.34 + 0.2 * relief + 0.1 * soft, 0, 1))
    line = 0.24 + 0.04 * fractal(4, PERIOD, seed + 4, (1, 4), octaves=4)[1]
    share = smoothstep(0.0, 0.22, y - line[None, :])
    return panorama(opaque(mix(colour, bed, 0.85 * share)), None, True)


def flat(variant: str, seed: int) -> Texture:
    """A textured plane seen from above; `variant` = area:colour of `FLATS`, or an area in its own colours."""
    area, _, print_name = variant.partition(":")
    picture = materials.area(area)
    grey_scale = 1.0
    if area.startswith("moon"):
        picture, grey_scale = picture[:, :448], 2.2
    picture = np.asarray(cv2.resize(picture, None, fx=1.2, fy=1.2, interpolation=cv2.INTER_CUBIC))
    if print_name:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        slow = cv2.GaussianBlur(grey, (0, 0), 40)
        grey = np.clip(0.5 + grey_scale * (grey - 0.75 * slow - 0.25 * slow.mean()) / 190.0, 0, 1)
        dark, middle, light = FLATS[print_name]
        rgb = np.where(
            grey[..., None] < 0.5, mix(dark, middle, np.minimum(2 * grey, 1)), mix(middle, light, 2 * grey - 1)
        )
    else:
        rgb = picture.astype(np.float32)
    tile = _seamless(_seamless(np.asarray(rgb, dtype=np.float32), 0), 1)
    glow = 1 + 0.08 * fractal(tile.shape[0], tile.shape[1], seed, (2, 2), octaves=2)
    seam = np.hanning(tile.shape[0])[:, None] ** 0.25
    padded, (x, y) = wrap_pad(opaque(tile * (1 + (glow - 1) * seam)[..., None]), True, True)
    return Texture(padded, PX_PER_WIDTH, (x, y), (float(tile.shape[1]), float(tile.shape[0])), None, True)


def _seamless(picture: NDArray[np.float32], axis: int, overlap: int = 44) -> NDArray[np.float32]:
    """Return a picture that repeats along an axis: its end fades into its beginning."""
    turned = np.moveaxis(picture, axis, 0)
    share = smoothstep(0, 1, np.linspace(0, 1, overlap))[:, None, None]
    joined = turned[-overlap:] * (1 - share) + turned[:overlap] * share
    # The average of two unlike textures is flatter than either; restore the contrast around the local mean.
    gain = 1 / np.sqrt(share**2 + (1 - share) ** 2)
    mean = joined.mean(axis=(0, 1), keepdims=True)
    return np.moveaxis(np.concatenate([mean + (joined - mean) * gain, turned[overlap:-overlap]]), 0, axis)


PHOTO_PX: dict[str, float] = {"temple": 300.0, "rocket-right": 300.0, "rocket-left": 250.0, "cat": 240.0, "lake": 205.0}
"""Photograph pixels per image width; 300 where nothing is said."""


def photo(variant: str, seed: int) -> Texture:
    """A photograph as the whole scenery, continued by its mirror image beyond its border."""
    picture = materials.area(variant).astype(np.float32)
    factor = PX_PER_WIDTH * 1.1 / PHOTO_PX.get(variant, 300.0)
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    picture = np.clip(np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=interpolation)), 0, 255)
    if variant == "camera":
        picture = mix((24, 22, 30), (255, 244, 222), picture.mean(axis=2) / 255.0)
    height, width = picture.shape[:2]
    tile = np.vstack([np.hstack([picture, picture[:, ::-1]]), np.hstack([picture, picture[:, ::-1]])[::-1]])
    padded, (x, y) = wrap_pad(opaque(tile), True, True)
    period = (float(tile.shape[1]), float(tile.shape[0]))
    return Texture(padded, PX_PER_WIDTH * 1.1, (x + width / 2, y + height / 2), period, None, True)


def reeds(variant: str, seed: int) -> Texture:
    """Tall grass close to the camera; `variant` = one of `LANDS`."""
    dark, light = LANDS[variant]
    rng = np.random.default_rng(seed)
    fine = 3
    blades = np.zeros((HEIGHT * fine // 2, PERIOD * fine, 4), dtype=np.uint8)
    for _ in range(210):
        x, tall = rng.uniform(0, PERIOD), rng.uniform(30, 100) * rng.uniform(0.6, 1.0)
        lean, thick = rng.normal(0, 22), rng.uniform(1.6, 3.6)
        u = np.linspace(0, 1, 14)
        spine = np.stack([x + lean * u**2, HEIGHT / 2 - 26 - tall * u], axis=1)
        side = np.stack([thick * (1 - u), np.zeros(14)], axis=1)
        outline = np.vstack([spine - side, (spine + side)[::-1]])
        shade = 0.35 + 0.4 * rng.random()
        colour = [*(np.array(dark) * 0.55 + (np.array(light) - dark) * 0.45 * shade), 255.0]
        for shift in (-PERIOD, 0, PERIOD):
            points = np.round((outline + np.array([shift, 0.0])) * fine * 16).astype(np.int32)
            cv2.fillPoly(blades, [points], colour, cv2.LINE_8, 4)
    blades[-27 * fine :, :] = [*(np.array(dark) * 0.6), 255]
    small = cv2.resize(blades, (PERIOD, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    rgba = np.zeros((HEIGHT, PERIOD, 4), dtype=np.uint8)
    lower = cv2.GaussianBlur(small, (0, 0), 0.7)
    top = MIDDLE - round(0.18 * PX_PER_WIDTH)
    rgba[top : top + HEIGHT // 2] = lower[: HEIGHT - top]
    rgba[top + HEIGHT // 2 :] = [*(np.array(dark) * 0.6).astype(np.uint8), 255]
    return panorama(rgba, (top + HEIGHT / 2 - 140.0, top + HEIGHT / 2 - 20.0), False)


def pillars(variant: str, seed: int) -> Texture:
    """Brick or stone pillars close to the camera; `variant` = area:colour of `FLATS`."""
    area, print_name = variant.split(":")
    dark, middle, light = FLATS[print_name]
    relief = materials.texture_of(area, HEIGHT, PERIOD, seed)
    colour = mix(mix(dark, middle, np.clip(0.5 + 0.3 * relief, 0, 1)), light, 0.15 * np.clip(relief, 0, 1))
    rng = np.random.default_rng(seed)
    wide = round(PX_PER_WIDTH * rng.uniform(0.13, 0.17))
    x = (np.arange(PERIOD, dtype=np.float32) + PERIOD / 6) % (PERIOD / 3)
    inside = np.clip(x - 40, 0, 1) * np.clip(40 + wide - x, 0, 1)
    turn = np.clip((x - 40) / wide, 0, 1)
    round_light = 0.35 + 0.75 * np.sin(np.pi * (0.12 + 0.8 * turn)) ** 1.5 * (1.1 - 0.6 * turn)
    alpha = np.repeat(inside[None, :], HEIGHT, axis=0)
    return panorama(premultiplied(colour * round_light[None, :, None] * 0.85, alpha), None, False)


PAINTERS: dict[str, Callable[[str, int], Texture]] = {
    "sky": sky,
    "hills": hills,
    "ground": ground,
    "sea": sea,
    "deep": deep,
    "depth": depth_layer,
    "flat": flat,
    "photo": photo,
    "reeds": reeds,
    "pillars": pillars,
}


@lru_cache(maxsize=48)
def paint(kind: str, variant: str, seed: int) -> Texture:
    """Return the texture of a scenery layer; `UnknownName` if nobody paints that kind."""
    if kind not in PAINTERS:
        raise UnknownName(f"No painter of {kind!r}.", kind, f"There are {', '.join(PAINTERS)}.")
    return PAINTERS[kind](variant, seed)
