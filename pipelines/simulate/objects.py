"""Pictures of other objects: balls, coins, leaves, rocks, planets and the temple tower.

A variant is `name` or `name:area`; the area (see `materials`) lends its relief or is what is cut out.
All face right, in units of their size, lit from above left.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.simulate import materials
from pipelines.simulate.drawing import PAINTS, PX_PER_SIZE, Canvas, moved, name_and_area, soft_shadow
from pipelines.simulate.textures import Texture, fractal, mix, premultiplied, smoothstep


def ball(variant: str, seed: int) -> tuple[Texture, Texture]:
    """Return shadow and picture of a striped ball; `variant` = a colour's number."""
    name, area = name_and_area(variant)
    first, second = (np.array(PAINTS[(int(name) + k) % len(PAINTS)], dtype=np.float32) for k in (0, 3))
    sheet = Canvas()
    cover = sheet.ellipse(0, 0, 0.5, 0.5)
    x, y = sheet.grid()
    angle = np.arctan2(y - 0.08, x + 0.1) / np.pi * 3
    panel = (np.floor(angle) % 3).astype(int)
    panels = np.stack([first, np.array([246, 242, 230], dtype=np.float32), second])[panel]
    cap = smoothstep(0.09, 0.10, np.hypot(x + 0.1, y - 0.08))
    shade = 1.12 - 0.5 * smoothstep(0.25, 0.5, np.hypot(x, y)) * 0.9
    sheet.fill(cover, mix((246, 242, 230), panels, cap) * shade[..., None], area, 0.05, 10, 0.0)
    return moved(soft_shadow(cover, 14, 0.44), 0.10, 0.14), sheet.texture()


def coin(variant: str, seed: int) -> tuple[Texture, Texture]:
    """Return shadow and picture of a coin cut from the photograph; `variant` = metal:area."""
    name, area = name_and_area(variant)
    spots = {
        "coins-top": ((44, 51, 25), (101, 56, 23), (155, 52, 26), (215, 51, 26), (273, 54, 22), (333, 44, 30)),
        "coins-bottom": ((46, 44, 25), (110, 46, 23), (158, 46, 25), (218, 43, 28), (272, 44, 26), (335, 33, 34)),
    }
    cx, cy, r = spots[area][seed % 6]
    grey = cv2.cvtColor(materials.area(area), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    sheet = Canvas()
    zoom = r / (0.5 * PX_PER_SIZE)
    x, y = sheet.grid()
    map_x = np.repeat((cx + x * PX_PER_SIZE * zoom).astype(np.float32), sheet.shape[0], axis=0)
    map_y = np.repeat((cy + y * PX_PER_SIZE * zoom).astype(np.float32), sheet.shape[1], axis=1)
    face = cv2.remap(grey, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    metal = {"gold": (255, 204, 104), "silver": (226, 230, 236), "copper": (232, 146, 96)}[name]
    cover = sheet.ellipse(0, 0, 0.48, 0.48)
    tone = np.clip(1.25 * face - 0.02, 0, 1.1)[..., None] * np.array(metal, dtype=np.float32)
    sheet.fill(cover, tone.astype(np.float32), "", 0, 8, 0.35)
    return moved(soft_shadow(cover, 10, 0.46), 0.06, 0.09), sheet.texture()


def leaf(variant: str, seed: int) -> tuple[Texture, Texture]:
    """Return shadow and picture of a fallen leaf; `variant` = a tone's number : area."""
    name, area = name_and_area(variant)
    tones = ((198, 74, 30), (226, 158, 44), (150, 60, 34), (206, 116, 40), (120, 140, 52))
    paint = np.array(tones[int(name) % len(tones)], dtype=np.float32)
    sheet = Canvas(0.62, 0.45)
    top = [(0.50, 0.0), (0.34, -0.10), (0.16, -0.20), (-0.04, -0.235), (-0.24, -0.18), (-0.38, -0.07)]
    edge = [(x, y * (1 + 0.10 * ((-1) ** k))) for k, (x, y) in enumerate(top)]
    cover = sheet.mask([*edge, *((x, -y * 0.94) for x, y in edge[::-1][:-1])])
    blotch = fractal(*sheet.shape, seed, (4, 4), octaves=4)
    sheet.fill(cover, mix(paint, paint * 0.55, np.clip(0.35 + 0.3 * blotch, 0, 1)), area, 0.10, 16, 0.5)
    light = np.clip(paint * 1.35, 0, 255)
    sheet.fill(sheet.line([(-0.52, 0.03), (-0.36, 0.0), (0.46, 0.0)], 0.013), light, light=0)
    for k in range(6):
        root = -0.30 + 0.12 * k
        for side in (-1, 1):
            vein = sheet.line([(root, 0), (root + 0.15, side * (0.20 - 0.018 * k))], 0.007)
            sheet.fill(vein, light, light=0, clip=0.7 * cover)
    return moved(soft_shadow(cover, 7, 0.46), 0.045, 0.07), sheet.texture()


def asteroid(variant: str, seed: int) -> Texture:
    """Return a tumbling rock with the relief of an area; `variant` = rock:area."""
    _, area = name_and_area(variant)
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    reach = 0.43 + 0.035 * rng.standard_normal(14) + 0.03 * np.sin(2 * turn + seed)
    sheet = Canvas()
    cover = sheet.mask(list(zip(reach * np.cos(turn), 0.86 * reach * np.sin(turn), strict=True)))
    tone = np.array(((128, 116, 104), (142, 120, 100), (112, 114, 122))[seed % 3], dtype=np.float32)
    x, y = sheet.grid()
    lit = 1.05 - 0.75 * smoothstep(-0.35, 0.5, x * 0.55 + y * 0.8)
    sheet.fill(cover, tone * lit[..., None] * 1.25, area, 0.30, 22, 0.7)
    return sheet.texture()


def planet(variant: str, seed: int) -> Texture:
    """Return a planet wrapped in an area of the moon's photograph; `variant` = tone:area."""
    name, area = name_and_area(variant)
    tones = {
        "moon": ((58, 58, 64), (242, 236, 224)),
        "mars": ((70, 28, 18), (240, 168, 112)),
        "ice": ((26, 54, 88), (206, 236, 246)),
    }
    dark, light = tones[name]
    sheet = Canvas()
    cover = sheet.ellipse(0, 0, 0.5, 0.5)
    x, y = sheet.grid()
    radius = np.clip(np.hypot(x, y) / 0.5, 0, 0.999)
    bulge = (np.arcsin(radius) / np.maximum(radius, 1e-3)).astype(np.float32)
    picture = cv2.cvtColor(materials.area(area), cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = min(picture.shape) / 2 - 4
    map_x = (picture.shape[1] / 2 - 20 + x / 0.5 * bulge * side * 0.62).astype(np.float32)
    map_y = (picture.shape[0] / 2 + y / 0.5 * bulge * side * 0.62).astype(np.float32)
    face = cv2.remap(picture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    relief = np.clip(0.55 + (face - face.mean()) / (4.2 * face.std()), 0, 1)
    z = np.sqrt(1 - radius**2)
    sun = np.clip(-0.62 * x / 0.5 - 0.45 * y / 0.5 + 0.62 * z, 0, 1) ** 0.8
    sheet.fill(cover, mix(dark, light, relief) * (0.06 + 1.1 * sun)[..., None], "", 0, 1, 0.0)
    return sheet.texture()


def tower(variant: str, seed: int) -> Texture:
    """Return the temple tower cut out of its photograph (GrabCut, Rother et al. 2004); `variant` = temple:area."""
    _, area = name_and_area(variant)
    picture = materials.area(area)
    value = picture.astype(np.float32)
    pale = (value.mean(axis=2) > 165) & (value[..., 2] - value[..., 0] > -8)
    guess = np.where(pale, cv2.GC_PR_BGD, cv2.GC_PR_FGD).astype(np.uint8)
    guess[:90, :110] = guess[:20] = guess[:150, :60] = guess[:150, 330:] = cv2.GC_BGD
    dark = value.mean(axis=2) < 150
    for rows, columns in ((slice(80, 260), slice(120, 290)), (slice(10, 80), slice(180, 220))):
        guess[rows, columns][dark[rows, columns]] = cv2.GC_FGD
    guess[260:, 70:300][dark[260:, 70:300]] = cv2.GC_FGD
    guess[350:] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(picture[..., ::-1]), guess, (0, 0, 1, 1), *models, 4, cv2.GC_INIT_WITH_MASK)
    inside = ((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)).astype(np.float32)
    x = np.arange(inside.shape[1], dtype=np.float32)
    sides = smoothstep(0, 26, x) * smoothstep(0, 26, x[::-1])
    cover = cv2.GaussianBlur(inside, (0, 0), 0.8) * sides[None, :]
    rgba = premultiplied(value, cover)
    return Texture(rgba, float(rgba.shape[0]), (rgba.shape[1] / 2 - 0.5, rgba.shape[0] / 2 - 0.5))
