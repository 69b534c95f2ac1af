"""Pictures of what carries people: cars, boats, balloons, aircraft.

A variant is `name` or `name:area`; the area (see `materials`) lends its relief or is what is cut out.
All face right, in units of their size, lit from above left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.drawing import PAINTS, Canvas, name_and_area, soft_shadow
from pipelines.simulate.textures import Texture, mix, smoothstep


def car(variant: str, seed: int) -> tuple[Texture, Texture, Texture, tuple[tuple[float, float], ...], float]:
    """Return shadow, body, wheel (in its own middle), wheel centres and wheel radius; `variant` = a colour's number."""
    name, _ = name_and_area(variant)
    paint = np.array(PAINTS[int(name) % len(PAINTS)])
    radius, floor = 0.088, 0.13
    centres = ((-0.285, floor), (0.285, floor))
    body = Canvas(0.62, 0.34)
    hull = [(-0.50, 0.10), (-0.505, 0.0), (-0.47, -0.045), (-0.36, -0.07), (-0.22, -0.175), (-0.08, -0.205)]
    front = [(0.06, -0.195), (0.19, -0.085), (0.38, -0.05), (0.485, 0.0), (0.50, 0.08), (0.47, 0.125), (-0.47, 0.125)]
    cover = body.mask([*hull, *front])
    for x, y in centres:
        cover = cover * (1 - body.ellipse(x, y, radius + 0.016, radius + 0.016))
    _, rows = body.grid()
    sheen = 1.0 + 0.30 * np.exp(-(((rows + 0.03) / 0.03) ** 2)) - 0.25 * smoothstep(0.03, 0.13, rows)
    body.fill(cover, (paint[None, None, :] * (sheen[..., None] * np.ones((1, body.shape[1], 1)))), "", 0, 10, 0.5)
    glass = [(-0.30, -0.075), (-0.20, -0.158), (-0.08, -0.182), (0.05, -0.172), (0.145, -0.085)]
    pane = body.mask(glass) * (1 - body.line([(-0.055, -0.2), (-0.05, -0.07)], 0.018))
    body.fill(
        pane, mix((150, 186, 206), (48, 66, 84), smoothstep(-0.18, -0.07, rows) * np.ones((1, body.shape[1]))), light=0
    )
    body.fill(body.line([(-0.05, -0.06), (-0.045, 0.11)], 0.006), paint * 0.6, light=0, clip=cover)
    body.fill(body.ellipse(0.475, 0.03, 0.02, 0.022), (255, 244, 200), light=0.2, clip=cover)
    body.fill(body.ellipse(-0.49, 0.01, 0.015, 0.025), (196, 40, 36), light=0.2, clip=cover)
    wheel = Canvas(0.12, 0.12)
    wheel.fill(wheel.ellipse(0, 0, radius, radius), (34, 34, 38), light=0.3, round_px=5)
    wheel.fill(wheel.ellipse(0, 0, radius * 0.62, radius * 0.62), (196, 200, 206), light=0.3, round_px=4)
    for k in range(5):
        angle = 2 * np.pi * k / 5
        spoke = [(0.014 * np.cos(angle), 0.014 * np.sin(angle)), (0.05 * np.cos(angle), 0.05 * np.sin(angle))]
        wheel.fill(wheel.line(spoke, 0.02), (74, 78, 86), light=0)
    ground = Canvas(0.72, 0.34)
    return soft_shadow(ground.ellipse(0, 0.215, 0.52, 0.035), 7, 0.75), body.texture(), wheel.texture(), centres, radius


def balloon(variant: str, seed: int) -> Texture:
    """Return a hot-air balloon; `variant` = a colour's number."""
    name, area = name_and_area(variant)
    first, second = (np.array(PAINTS[(int(name) + k) % len(PAINTS)], dtype=np.float32) for k in (0, 2))
    sheet = Canvas(0.55, 0.66)
    for side in (-1, 1):
        sheet.fill(sheet.line([(side * 0.10, 0.33), (side * 0.05, 0.50)], 0.008), (70, 56, 44), light=0)
    top = [(0.0, -0.60), (0.22, -0.56), (0.38, -0.40), (0.42, -0.19), (0.34, 0.04), (0.20, 0.22), (0.11, 0.345)]
    cover = sheet.mask([*top, *((-x, y) for x, y in top[::-1][:-1])])
    x, y = sheet.grid()
    reach = 0.42 * np.sqrt(np.clip(1 - ((y + 0.19) / 0.45) ** 2, 0.04, 1)) + 0.10 * smoothstep(0.05, 0.34, y)
    around = np.arcsin(np.clip(x / reach, -1, 1))
    gore = smoothstep(-0.06, 0.06, np.sin(around * 5.0 + 0.8))
    belt = smoothstep(-0.24, -0.23, y + 0 * x) * (1 - smoothstep(-0.10, -0.09, y + 0 * x))
    cloth = mix(mix(first, (248, 242, 226), gore), second, 0.9 * belt)
    seams = 1 - 0.16 * np.exp(-((np.sin(around * 10.0 + 1.6) / 0.25) ** 2))
    glow = 0.62 + 0.46 * np.cos(around + 0.7) * (1 - 0.25 * smoothstep(-0.2, 0.3, y))
    sheet.fill(cover, cloth * (seams * glow)[..., None], area, 0.04, 22, 0.35)
    basket = sheet.mask([(-0.065, 0.49), (0.065, 0.49), (0.055, 0.60), (-0.055, 0.60)], smooth=False)
    sheet.fill(basket, (128, 84, 46), "", 0, 6)
    return sheet.texture()


def boat(variant: str, seed: int) -> Texture:
    """Return a sailing boat; `variant` = a colour's number."""
    name, area = name_and_area(variant)
    paint = np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32)
    sheet = Canvas(0.62, 0.8)
    sheet.fill(sheet.line([(0.04, -0.70), (0.04, 0.30)], 0.018), (92, 64, 44), light=0)
    main = [(0.02, -0.66), (-0.14, -0.40), (-0.30, -0.02), (-0.38, 0.22), (0.02, 0.22)]
    jib = [(0.065, -0.58), (0.22, -0.22), (0.44, 0.20), (0.065, 0.20)]
    x, y = sheet.grid()
    cloth = mix((252, 248, 238), (206, 206, 206), smoothstep(-0.4, 0.1, x + 0 * y))
    sheet.fill(sheet.mask(main, smooth=False), cloth, area, 0.03, 18, 0.5)
    sheet.fill(sheet.mask(jib, smooth=False), paint, area, 0.03, 14, 0.5)
    hull = [(-0.48, 0.27), (0.54, 0.25), (0.44, 0.38), (0.34, 0.42), (-0.36, 0.42), (-0.45, 0.36)]
    sheet.fill(sheet.mask(hull, smooth=False), (74, 46, 34), area, 0.06, 8)
    sheet.fill(sheet.line([(-0.475, 0.285), (0.525, 0.268)], 0.016), (244, 238, 226), light=0)
    glint = 0.8 * sheet.ellipse(0.0, 0.43, 0.5, 0.018)
    sheet.fill(glint.astype(np.float32), (226, 234, 238), light=0)
    return sheet.texture()


def _airliner(sheet: Canvas, y: float, paint: NDArray, area: str) -> None:
    """Draw an airliner whose axis is at height y."""
    fin = [(-0.50, y - 0.02), (-0.56, y - 0.20), (-0.48, y - 0.21), (-0.36, y - 0.05)]
    sheet.fill(sheet.mask(fin, smooth=False), paint, area, 0.03, 6)
    far = [(0.10, y + 0.02), (0.0, y - 0.035), (-0.10, y - 0.075), (-0.13, y - 0.07), (-0.04, y + 0.0)]
    sheet.fill(sheet.mask(far, smooth=False), (150, 156, 164), light=0.2)
    trunk = [(0.56, y + 0.025), (0.52, y - 0.025), (0.43, y - 0.055), (0.2, y - 0.062), (-0.3, y - 0.058)]
    belly = [(-0.56, y - 0.035), (-0.57, y - 0.02), (-0.36, y + 0.045), (0.1, y + 0.06), (0.42, y + 0.058)]
    cover = sheet.mask([*trunk, *belly])
    _, rows = sheet.grid()
    sheet.fill(
        cover,
        mix((250, 250, 248), (150, 158, 172), smoothstep(y - 0.03, y + 0.06, rows) * np.ones((1, sheet.shape[1]))),
        area,
        0.02,
        9,
        0.4,
    )
    band = sheet.line([(-0.55, y - 0.005), (0.60, y + 0.008)], 0.02)
    sheet.fill(band, paint, light=0, clip=cover)
    for k in range(22):
        sheet.fill(sheet.ellipse(-0.40 + 0.038 * k, y - 0.026, 0.007, 0.009), (52, 64, 82), light=0, clip=cover)
    sheet.fill(
        sheet.mask([(0.475, y - 0.035), (0.53, y - 0.012), (0.49, y - 0.008)]), (44, 54, 70), light=0, clip=cover
    )
    wing = [(0.16, y + 0.03), (0.03, y + 0.085), (-0.17, y + 0.185), (-0.23, y + 0.19), (-0.11, y + 0.045)]
    sheet.fill(sheet.ellipse(0.055, y + 0.115, 0.055, 0.026), (176, 182, 190), light=0.5, round_px=5)
    sheet.fill(sheet.mask(wing, smooth=False), (196, 202, 208), area, 0.02, 8, 0.3)
    stabiliser = [(-0.42, y), (-0.53, y + 0.055), (-0.565, y + 0.055), (-0.50, y - 0.005)]
    sheet.fill(sheet.mask(stabiliser, smooth=False), (186, 192, 200), light=0.2)


def plane(variant: str, seed: int) -> Texture:
    """Return an airliner; `variant` = a colour's number."""
    name, area = name_and_area(variant)
    sheet = Canvas(0.64, 0.3)
    _airliner(sheet, 0.02, np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32), area)
    return sheet.texture()


def carrier(variant: str, seed: int) -> Texture:
    """Return a shuttle orbiter on its carrier aircraft; `variant` = a colour's number : area."""
    name, area = name_and_area(variant)
    sheet = Canvas(0.64, 0.36)
    _airliner(sheet, 0.10, np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32), area)
    for x in (-0.24, 0.16):
        sheet.fill(sheet.line([(x, 0.06), (x + 0.02, -0.03)], 0.014), (120, 124, 130), light=0)
    fin = [(-0.34, -0.12), (-0.43, -0.29), (-0.36, -0.295), (-0.20, -0.125)]
    sheet.fill(sheet.mask(fin, smooth=False), (232, 232, 228), area, 0.05, 6)
    nozzle = sheet.ellipse(-0.385, -0.06, 0.035, 0.04)
    sheet.fill(nozzle, (70, 70, 76), light=0.5, round_px=5)
    trunk = [
        (0.335, -0.035),
        (0.30, -0.085),
        (0.20, -0.125),
        (-0.1, -0.132),
        (-0.36, -0.125),
        (-0.37, -0.02),
        (0.28, -0.015),
    ]
    cover = sheet.mask(trunk)
    sheet.fill(cover, (242, 242, 238), area, 0.05, 10, 0.45)
    sheet.fill(
        sheet.mask([(-0.38, -0.125), (-0.24, -0.165), (-0.18, -0.125), (-0.36, -0.095)]), (226, 226, 222), area, 0.04, 6
    )
    wing = [(0.12, -0.03), (-0.12, -0.03), (-0.37, -0.028), (-0.385, -0.008), (0.10, -0.008)]
    sheet.fill(sheet.mask(wing, smooth=False), (64, 66, 74), light=0.2)
    belly = [(0.338, -0.04), (0.30, -0.016), (0.1, -0.012), (0.12, -0.032), (0.30, -0.045)]
    sheet.fill(sheet.mask(belly), (58, 60, 68), light=0)
    glass = [(0.235, -0.095), (0.275, -0.078), (0.27, -0.066), (0.225, -0.08)]
    sheet.fill(sheet.mask(glass, smooth=False), (30, 34, 44), light=0)
    return sheet.texture()
