"""Pictures of what lives: birds, fish, butterflies, people.

A variant is `name` or `name:area`; the area (see `materials`) lends its relief or is what is cut out.
All face right, in units of their size, lit from above left.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.drawing import PAINTS, PX_PER_SIZE, Canvas, Colour, moved, name_and_area, soft_shadow
from pipelines.simulate.textures import Texture, mix, smoothstep

BIRDS: dict[str, tuple[Colour, Colour, Colour, Colour]] = {
    "gull": ((238, 238, 234), (168, 176, 186), (60, 62, 70), (236, 170, 60)),
    "crow": ((50, 50, 60), (62, 62, 74), (28, 28, 36), (70, 68, 70)),
    "swallow": ((226, 206, 190), (42, 58, 104), (24, 32, 62), (60, 54, 54)),
    "eagle": ((92, 62, 40), (112, 78, 50), (52, 36, 26), (240, 186, 60)),
}
"""Body, wing, wing tip and beak of each bird."""


def bird(variant: str, seed: int) -> tuple[Texture, Texture, Texture, tuple[float, float]]:
    """Return body, far wing, near wing and the shoulder; the wings are drawn raised."""
    name, area = name_and_area(variant)
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


def fish(variant: str, seed: int) -> tuple[Texture, Texture, Texture]:
    """Return tail, body and fin of a fish; `variant` = a colour's number : area."""
    name, area = name_and_area(variant)
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
    name, area = name_and_area(variant)
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
    name, _ = name_and_area(variant)
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
