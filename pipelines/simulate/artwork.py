"""The pictures of things: outlines drawn here, reliefs and cut-outs from the photographs.

Every variant is written `name` or `name:area`; the area (see `materials`) lends its relief or is what is cut out.
All things are drawn facing right, in units of their size, and lit from above left.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate import materials
from pipelines.simulate.drawing import PX_PER_SIZE, Canvas, Colour, soft_shadow
from pipelines.simulate.textures import Texture, fractal, mix, premultiplied, smoothstep

BIRDS: dict[str, tuple[Colour, Colour, Colour, Colour]] = {
    "gull": ((238, 238, 234), (168, 176, 186), (60, 62, 70), (236, 170, 60)),
    "crow": ((50, 50, 60), (62, 62, 74), (28, 28, 36), (70, 68, 70)),
    "swallow": ((226, 206, 190), (42, 58, 104), (24, 32, 62), (60, 54, 54)),
    "eagle": ((92, 62, 40), (112, 78, 50), (52, 36, 26), (240, 186, 60)),
}
"""Body, wing, wing tip and beak of each bird."""

PAINTS: tuple[Colour, ...] = (
    (206, 52, 44),
    (38, 92, 160),
    (236, 178, 52),
    (46, 128, 96),
    (226, 226, 220),
    (122, 60, 126),
    (230, 112, 54),
    (70, 164, 196),
)


def _variant(variant: str) -> tuple[str, str]:
    name, _, area = variant.partition(":")
    return name, area


def moved(texture: Texture, x: float, y: float) -> Texture:
    """Return a texture whose own origin lies at a point of the thing."""
    left = texture.origin[0] - x * texture.px_per_unit
    top = texture.origin[1] - y * texture.px_per_unit
    return Texture(texture.rgba, texture.px_per_unit, (left, top))


def bird(variant: str, seed: int) -> tuple[Texture, Texture, Texture, tuple[float, float]]:
    """Return body, far wing, near wing and the shoulder; the wings are drawn raised."""
    name, area = _variant(variant)
    plumage, wing, tip, beak = BIRDS[name]
    body = Canvas(0.62, 0.3)
    tail = [(-0.22, -0.01), (-0.40, -0.045), (-0.57, -0.06), (-0.60, -0.01), (-0.55, 0.05), (-0.38, 0.05)]
    white = (242, 240, 232)
    body.fill(body.mask(tail), white if name == "eagle" else wing, area, 0.10, 8)
    trunk = [(-0.34, 0.0), (-0.15, -0.065), (0.10, -0.09), (0.27, -0.075), (0.36, -0.02), (0.24, 0.06), (0.0, 0.095)]
    body.fill(body.mask([*trunk, (-0.2, 0.06)]), plumage, area, 0.10, 12)
    head = [(0.24, -0.085), (0.34, -0.115), (0.44, -0.095), (0.47, -0.05), (0.42, -0.005), (0.30, 0.005)]
    body.fill(
        body.mask([(0.455, -0.075), (0.53, -0.05), (0.55, -0.015), (0.50, -0.028), (0.45, -0.03)]), beak, light=0.3
    )
    body.fill(body.mask(head), white if name == "eagle" else plumage, area, 0.06, 7)
    body.fill(body.ellipse(0.415, -0.065, 0.013, 0.013), (20, 18, 18), light=0)
    return (
        body.texture(),
        _wing(np.array(wing) * 0.72, np.array(tip) * 0.8, area, 0.06),
        _wing(np.array(wing), np.array(tip), area, 0.0),
        (0.06, -0.04),
    )


def _wing(colour: NDArray, tip: NDArray, area: str, lean: float) -> Texture:
    sheet = Canvas(0.62, 0.75)
    outline = [(0.17, -0.03), (0.16, -0.22), (0.10 + lean, -0.44), (-0.02 + lean, -0.64), (-0.10 + lean, -0.70)]
    feathers = [(-0.135, -0.645), (-0.165, -0.575), (-0.20, -0.49), (-0.215, -0.40), (-0.225, -0.30), (-0.22, -0.2)]
    trail = [(x + lean * (-y), y) for x, y in feathers]
    cover = sheet.mask([*outline, *trail, (-0.18, -0.09), (-0.10, -0.01)])
    _, y = sheet.grid()
    reach = smoothstep(0.30, 0.62, -y) * np.ones((1, sheet.shape[1]), dtype=np.float32)
    sheet.fill(cover, mix(colour, tip, reach), area, 0.12, 14, 0.4)
    for k in range(9):
        share = k / 8
        root = (0.10 - 0.10 * share + lean * 0.4 * share, -0.10 - 0.42 * share)
        end = (-0.20 + 0.03 * share + lean * share, -0.12 - 0.52 * share)
        sheet.fill(sheet.line([root, end], 0.008), colour * 0.55, light=0, clip=0.55 * cover)
    return sheet.texture()


def car(variant: str, seed: int) -> tuple[Texture, Texture, Texture, tuple[tuple[float, float], ...], float]:
    """Return shadow, body, wheel (in its own middle), wheel centres and wheel radius; `variant` = a colour's number."""
    name, _ = _variant(variant)
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


def fish(variant: str, seed: int) -> tuple[Texture, Texture, Texture]:
    """Return tail, body and fin of a fish; `variant` = a colour's number : area."""
    name, area = _variant(variant)
    paint = np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32)
    stripe = np.array(PAINTS[(int(name) + 4) % len(PAINTS)], dtype=np.float32)
    tail = Canvas(0.62, 0.4)
    fan = [(-0.20, -0.03), (-0.34, -0.12), (-0.50, -0.20), (-0.47, -0.08), (-0.44, 0.0), (-0.47, 0.08), (-0.50, 0.20)]
    tail.fill(tail.mask([*fan, (-0.34, 0.12), (-0.20, 0.03)]), stripe * 0.9, area, 0.12, 8)
    body = Canvas(0.62, 0.4)
    top = [(0.44, 0.0), (0.36, -0.08), (0.22, -0.15), (0.02, -0.19), (-0.14, -0.12), (-0.26, -0.045)]
    cover = body.mask([*top, *((x, -y * 0.85) for x, y in top[::-1][:-1])])
    crest = [(0.18, -0.13), (0.06, -0.27), (-0.10, -0.25), (-0.17, -0.10)]
    body.fill(body.mask(crest), stripe * 0.85, area, 0.1, 8)
    x, y = body.grid()
    bands = smoothstep(0.15, 0.45, np.sin(16 * x + 0.6 + 2.2 * y)) * smoothstep(0.34, 0.24, x + 0 * y)
    back = mix(paint, (250, 244, 226), smoothstep(0.0, 0.16, y + 0 * x))
    body.fill(cover, mix(back, stripe, 0.85 * bands), area, 0.09, 20, 0.7)
    body.fill(body.ellipse(0.335, -0.03, 0.032, 0.032), (250, 248, 236), light=0)
    body.fill(body.ellipse(0.342, -0.03, 0.018, 0.018), (14, 14, 22), light=0)
    fin = Canvas(0.4, 0.3)
    fin.fill(
        fin.mask([(0.10, 0.02), (0.02, 0.14), (-0.10, 0.18), (-0.07, 0.08), (0.0, 0.03)]), stripe * 0.8, area, 0.1, 6
    )
    return tail.texture(), body.texture(), fin.texture()


def butterfly(variant: str, seed: int) -> tuple[Texture, Texture, Texture, Texture]:
    """Return shadow, left wings, right wings and body from above, facing up; `variant` = a colour's number : area."""
    name, area = _variant(variant)
    paint = np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32)
    right = Canvas(0.6, 0.55)
    fore = [(0.01, -0.06), (0.16, -0.34), (0.36, -0.44), (0.50, -0.40), (0.47, -0.20), (0.34, -0.03), (0.05, 0.02)]
    hind = [(0.02, 0.0), (0.26, 0.0), (0.38, 0.10), (0.36, 0.28), (0.22, 0.40), (0.10, 0.28)]
    cover = np.maximum(right.mask(fore), right.mask(hind))
    inner = cv2.GaussianBlur(cover, (0, 0), 9)
    shade = mix((34, 26, 26), paint, smoothstep(0.62, 0.80, inner))
    right.fill(cover, shade, area, 0.10, 12, 0.35)
    for x, y, r in ((0.42, -0.36, 0.022), (0.44, -0.27, 0.016), (0.31, 0.24, 0.022), (0.24, 0.33, 0.016)):
        right.fill(right.ellipse(x, y, r, r), (252, 244, 224), light=0, clip=cover)
    for end in ((0.40, -0.36), (0.42, -0.2), (0.30, 0.1), (0.22, 0.3)):
        right.fill(right.line([(0.02, -0.02), end], 0.007), paint * 0.35, light=0, clip=0.7 * cover)
    picture = right.texture()
    mirrored_x = picture.rgba.shape[1] - 1 - picture.origin[0]
    left = Texture(np.ascontiguousarray(picture.rgba[:, ::-1]), PX_PER_SIZE, (mirrored_x, picture.origin[1]))
    body = Canvas(0.2, 0.4)
    body.fill(body.ellipse(0, 0.02, 0.028, 0.19), (44, 34, 30), area, 0.1, 5)
    for side in (-1, 1):
        body.fill(body.line([(0, -0.15), (side * 0.05, -0.25), (side * 0.09, -0.30)], 0.007), (30, 24, 22), light=0)
    shadow = soft_shadow(np.maximum(cover, cover[:, ::-1]), 7, 0.42)
    return moved(shadow, 0.06, 0.10), left, picture, body.texture()


def walker(variant: str, seed: int) -> tuple[Texture, Texture, Texture, Texture]:
    """Return shadow, leg, trunk and arm of a person walking to the right; `variant` = a colour's number."""
    name, _ = _variant(variant)
    coat = np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32) * 0.8
    leg = Canvas(0.3, 0.62)
    limb = [(-0.05, 0.05), (0.055, 0.05), (0.05, 0.26), (0.045, 0.46), (0.10, 0.485), (0.11, 0.51), (-0.03, 0.51)]
    leg.fill(leg.mask([*limb, (-0.03, 0.44), (-0.045, 0.26)]), (46, 50, 66), light=0.5, round_px=6)
    trunk = Canvas(0.3, 0.62)
    trunk.fill(trunk.ellipse(0.015, -0.37, 0.066, 0.078), (206, 160, 130), light=0.5, round_px=7)
    hair = trunk.mask([(-0.055, -0.35), (-0.06, -0.42), (0.0, -0.465), (0.06, -0.44), (0.05, -0.405), (-0.01, -0.40)])
    trunk.fill(hair, (58, 40, 30), light=0.4, round_px=5)
    torso = [
        (-0.07, -0.24),
        (0.0, -0.29),
        (0.075, -0.24),
        (0.085, -0.05),
        (0.09, 0.13),
        (-0.085, 0.13),
        (-0.085, -0.05),
    ]
    trunk.fill(trunk.mask(torso), coat, light=0.6, round_px=9)
    arm = Canvas(0.3, 0.62)
    sleeve = [(-0.04, -0.22), (0.035, -0.22), (0.04, -0.06), (0.055, 0.07), (0.02, 0.09), (-0.03, -0.04)]
    arm.fill(arm.mask(sleeve), coat * 0.86, light=0.5, round_px=5)
    arm.fill(arm.ellipse(0.042, 0.095, 0.025, 0.028), (206, 160, 130), light=0.3, round_px=4)
    floor = Canvas(0.6, 0.62)
    return soft_shadow(floor.ellipse(0.02, 0.51, 0.26, 0.028), 6, 0.7), leg.texture(), trunk.texture(), arm.texture()


def balloon(variant: str, seed: int) -> Texture:
    """Return a hot-air balloon; `variant` = a colour's number."""
    name, area = _variant(variant)
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


def ball(variant: str, seed: int) -> tuple[Texture, Texture]:
    """Return shadow and picture of a striped ball; `variant` = a colour's number."""
    name, area = _variant(variant)
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
    name, area = _variant(variant)
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
    name, area = _variant(variant)
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
    _, area = _variant(variant)
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
    name, area = _variant(variant)
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


def boat(variant: str, seed: int) -> Texture:
    """Return a sailing boat; `variant` = a colour's number."""
    name, area = _variant(variant)
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
    name, area = _variant(variant)
    sheet = Canvas(0.64, 0.3)
    _airliner(sheet, 0.02, np.array(PAINTS[int(name) % len(PAINTS)], dtype=np.float32), area)
    return sheet.texture()


def carrier(variant: str, seed: int) -> Texture:
    """Return a shuttle orbiter on its carrier aircraft; `variant` = a colour's number : area."""
    name, area = _variant(variant)
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


def tower(variant: str, seed: int) -> Texture:
    """Return the temple tower cut out of its photograph (GrabCut, Rother et al. 2004); `variant` = temple:area."""
    _, area = _variant(variant)
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
