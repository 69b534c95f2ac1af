"""Painters of the open land: skies, hills, ground and sea."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate import materials
from pipelines.simulate.textures import PX_PER_WIDTH, Texture, fractal, mix, opaque, premultiplied, smoothstep, wrap_pad

PERIOD = round(2.6 * PX_PER_WIDTH)


HEIGHT = round(2.4 * PX_PER_WIDTH)


MIDDLE = HEIGHT // 2


HORIZON = 0.16
"""Height of the horizon below the frame's centre, image widths."""


SKIES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "noon": ((52, 116, 196), (186, 219, 240), (255, 255, 255), (176, 192, 212)),
    "morning": ((92, 140, 190), (250, 222, 190), (255, 246, 232), (188, 176, 184)),
    "golden": ((84, 104, 150), (255, 196, 120), (255, 226, 176), (176, 124, 110)),
    "dusk": ((38, 44, 92), (236, 132, 104), (250, 170, 140), (92, 70, 112)),
    "overcast": ((132, 148, 164), (206, 212, 214), (236, 238, 238), (142, 152, 162)),
    "turquoise": ((30, 120, 160), (190, 230, 224), (255, 255, 250), (150, 190, 200)),
}
"""Colours of each sky: zenith, horizon, lit cloud, shaded cloud."""


LANDS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "meadow": ((58, 92, 38), (142, 164, 82)),
    "autumn": ((110, 70, 34), (206, 150, 74)),
    "sand": ((158, 122, 84), (232, 206, 160)),
    "snow": ((168, 184, 206), (246, 250, 254)),
    "moor": ((70, 66, 58), (140, 126, 98)),
}
"""Dark and light colour of each land."""


def world_rows(height: int = HEIGHT) -> NDArray[np.float32]:
    """Return the world height of each row, image widths, (h, 1)."""
    return np.asarray((np.arange(height) - MIDDLE) / PX_PER_WIDTH, dtype=np.float32)[:, None]


def panorama(rgba: materials.Image, soft_rows: tuple[float, float] | None, solid: bool) -> Texture:
    """Return a painted tile as scenery that repeats across; rows as `Texture.soft_rows`, `solid` = opaque."""
    padded, (x, _) = wrap_pad(rgba)
    return Texture(padded, PX_PER_WIDTH, (x + PERIOD / 2, MIDDLE), (PERIOD, 0), soft_rows, solid)


def sky(variant: str, seed: int) -> Texture:
    """Sky with lit clouds; `variant` is one of `SKIES`."""
    zenith, horizon, lit, shade = (np.array(colour, dtype=np.float32) for colour in SKIES[variant])
    y = world_rows()
    height = smoothstep(-0.75, HORIZON + 0.02, y) * np.ones((1, PERIOD), dtype=np.float32)
    base = mix(zenith, horizon, height)
    rng = np.random.default_rng(seed)
    noise = fractal(HEIGHT, PERIOD, seed + 1, (9, 5), octaves=6, fall=0.58)
    cover = smoothstep(float(rng.uniform(-0.1, 0.5)), 1.6, noise - 0.9 * smoothstep(-0.1, 0.25, y))
    billow = cv2.GaussianBlur(noise, (0, 0), 3)
    relief = smoothstep(-1.2, 1.2, 6 * (billow - np.roll(billow, 7, axis=0)))
    cloud = mix(shade, lit, 0.25 + 0.75 * relief)
    painted = base + (cloud - base) * (0.94 * cover)[..., None]
    return panorama(opaque(painted), None, True)


def _ridge(seed: int, rough: float, level: float) -> NDArray[np.float32]:
    """Return the height of a skyline in rows, float32 (PERIOD,)."""
    line = fractal(4, PERIOD, seed, (1, 3), octaves=6, fall=0.5)[1]
    return np.asarray(MIDDLE + PX_PER_WIDTH * (level - rough * line), dtype=np.float32)


def _forest(seed: int, rows: NDArray[np.float32], count: int, tall: tuple[float, float]) -> NDArray[np.float32]:
    """Return the coverage of firs that stand along a skyline, float32 (HEIGHT, PERIOD)."""
    rng = np.random.default_rng(seed)
    fine = 4
    top = int(rows.min() - tall[1]) - 2
    band = int(rows.max()) + 4 - top
    sheet = np.zeros((band * fine, PERIOD * fine), dtype=np.uint8)
    for x in rng.uniform(0, PERIOD, count):
        height = rng.uniform(*tall)
        foot = float(rows[int(x)]) - top + 2
        tiers = np.linspace(0, 1, 6)[1:]
        left = [(x - w * (0.62 if k % 2 else 1.0), foot - height * (1 - t)) for k, (t, w) in _branches(tiers, height)]
        right = [(2 * x - px, py) for px, py in left[::-1]]
        outline = np.array([(x, foot - height), *left, *right])
        for shift in (-PERIOD, 0, PERIOD):
            points = np.round((outline + np.array([shift, 0.0])) * fine * 16).astype(np.int32)
            cv2.fillPoly(sheet, [points], 255, cv2.LINE_8, 4)
    cover = np.zeros((HEIGHT, PERIOD), dtype=np.float32)
    cover[top : top + band] = cv2.resize(sheet, (PERIOD, band), interpolation=cv2.INTER_AREA) / np.float32(255)
    return cover


def _branches(tiers: NDArray[np.float64], height: float) -> list[tuple[int, tuple[float, float]]]:
    """Return each branch's number, height along the trunk (0 top, 1 foot) and reach; notches between the tiers."""
    found: list[tuple[int, tuple[float, float]]] = []
    for t in tiers:
        found.append((len(found), (float(t), 0.17 * height * float(t) + 0.8)))
        found.append((len(found), (float(t) - 0.03, 0.17 * height * float(t))))
    return found


def hills(variant: str, seed: int) -> Texture:
    """Two ranges of hills in haze; `variant` = land:area of a photograph:forest or bare."""
    land, area, cover = variant.split(":")
    dark, light = (np.array(colour, dtype=np.float32) for colour in LANDS[land])
    relief = materials.texture_of(area, HEIGHT, PERIOD, seed)
    soft = fractal(HEIGHT, PERIOD, seed + 3, (10, 8), octaves=5)
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    far = _ridge(seed, 0.06, HORIZON - 0.13)
    near = _ridge(seed + 9, 0.035, HORIZON - 0.015)
    far_depth, near_depth = rows - far[None, :], rows - near[None, :]
    slope = np.clip(0.5 + 0.035 * np.gradient(cv2.GaussianBlur(soft, (0, 0), 3), axis=1) * 30, 0, 1)
    tone = np.clip(0.30 + 0.30 * slope + 0.05 * relief, 0, 1)
    back = mix(mix(dark, light, tone), (158, 184, 212), 0.52 + 0.26 * smoothstep(0, 60, far_depth))
    alpha = np.clip(far_depth + 0.5, 0, 1)
    if cover == "forest":
        trees = np.maximum(_forest(seed + 1, near, 150, (16.0, 34.0)), np.clip(near_depth + 0.5, 0, 1))
        tone = np.clip(0.16 + 0.10 * relief + 0.08 * soft, 0, 1)
    else:
        trees = np.clip(near_depth + 0.5, 0, 1)
        tone = np.clip(0.30 + 0.12 * relief + 0.12 * soft, 0, 1)
    front = mix(mix(dark * 0.8, light, tone), (150, 172, 190), 0.16 + 0.44 * smoothstep(0, 90, near_depth))
    colour = mix(back, front, trees)
    solid = min(float(far.max()), float(near.max())) + 1
    alpha = np.maximum(alpha, trees)
    top = min(float(far.min()), float(near.min()) - (36 if cover == "forest" else 0)) - 1
    return panorama(premultiplied(colour, alpha), (top, solid), False)


def _receding(area: str, seed: int, first_row: int) -> NDArray[np.float32]:
    """Return a photograph's relief as a plain that recedes to its first row, float32 (HEIGHT, PERIOD)."""
    relief = materials.texture_of(area, 1024, PERIOD, seed)
    down = np.maximum(np.arange(HEIGHT) - first_row, 0).astype(np.float32)
    near = 150.0 * np.log1p(down / 26.0)
    flat_rows = np.repeat((near * 1.8)[:, None], PERIOD, axis=1).astype(np.float32)
    columns = np.repeat(np.arange(PERIOD, dtype=np.float32)[None, :], HEIGHT, axis=0)
    plain = cv2.remap(relief, columns, np.minimum(flat_rows, 1022), cv2.INTER_LINEAR)
    return np.asarray(plain * smoothstep(0, 70, down)[:, None])


def ground(variant: str, seed: int) -> Texture:
    """The plain in front; `variant` = land:area:plain or road."""
    land, area, kind = variant.split(":")
    dark, light = LANDS[land]
    rows = MIDDLE + PX_PER_WIDTH * HORIZON + 3.0 * fractal(4, PERIOD, seed, (1, 6), octaves=5)[1]
    depth = np.arange(HEIGHT, dtype=np.float32)[:, None] - rows[None, :]
    relief = _receding(area, seed, int(rows.min()))
    soft = fractal(HEIGHT, PERIOD, seed + 5, (20, 4), octaves=5)
    colour = mix(dark, light, np.clip(0.50 + 0.20 * relief + 0.15 * soft, 0, 1))
    colour = mix(colour, (196, 206, 206), 0.35 * np.exp(-np.maximum(depth, 0) / 14.0))
    if kind == "road":
        colour = _road(colour, area, seed)
    alpha = np.clip(depth + 0.5, 0, 1)
    return panorama(premultiplied(colour, alpha), (float(rows.min()) - 1, float(rows.max()) + 1), False)


def _road(colour: NDArray[np.float32], area: str, seed: int) -> NDArray[np.float32]:
    y = world_rows()
    asphalt = mix((78, 80, 86), (104, 106, 110), 0.5 + 0.22 * materials.texture_of(area, HEIGHT, PERIOD, seed, 0.5))
    lane = smoothstep(0.235, 0.245, y) * (1 - smoothstep(0.395, 0.41, y))
    colour = mix(colour, asphalt, lane * np.ones((1, PERIOD), dtype=np.float32))
    x = np.arange(PERIOD, dtype=np.float32)[None, :] % (PERIOD / 13)
    edge = (smoothstep(0.247, 0.251, y) - smoothstep(0.255, 0.259, y)) + (
        smoothstep(0.383, 0.388, y) - smoothstep(0.394, 0.399, y)
    )
    dash = (smoothstep(0.305, 0.310, y) - smoothstep(0.316, 0.321, y)) * smoothstep(0, 2, x) * smoothstep(0, 2, 26 - x)
    lines = np.clip(0.75 * edge + 0.9 * dash, 0, 1) * np.ones((1, PERIOD), dtype=np.float32)
    return mix(colour, (238, 234, 222), lines)


def sea(variant: str, seed: int) -> Texture:
    """Water to the horizon under one of `SKIES`."""
    zenith, horizon, lit, _ = (np.array(colour, dtype=np.float32) for colour in SKIES[variant])
    y = world_rows()
    depth = np.maximum(y - HORIZON, 0)
    waves = np.zeros((HEIGHT, PERIOD), dtype=np.float32)
    for k, (down, across) in enumerate(((150, 9), (80, 6), (44, 4))):
        swell = fractal(HEIGHT, PERIOD, seed + k, (down, across), octaves=3)
        waves += swell * smoothstep(-0.05 + 0.09 * k, 0.10 + 0.12 * k, depth) * (1.0 - 0.2 * k)
    near = smoothstep(0.0, 0.6, depth) * np.ones((1, PERIOD), dtype=np.float32)
    deep = 0.45 * zenith + np.array([0, 26, 34], dtype=np.float32)
    colour = mix(0.85 * horizon + 0.08 * zenith, deep, near) * (1 + 0.16 * waves)[..., None]
    colour = mix(colour, lit, 0.75 * smoothstep(1.1, 2.3, waves))
    alpha = np.clip((depth > 0) + 0.5 * (np.abs(y - HORIZON) < 0.003), 0, 1) * np.ones((1, PERIOD))
    first = MIDDLE + HORIZON * PX_PER_WIDTH
    return panorama(premultiplied(colour, alpha), (first - 2, first + 2), False)
