"""Ordinary scenes: what is in them and how it moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipelines.simulate import motion, stereo
from pipelines.simulate.cast import COLOURS, PHOTO_ROOM, PHOTO_WORDS, Draft
from pipelines.simulate.motion import Bounds, rounded
from pipelines.simulate.outdoors import HORIZON
from pipelines.simulate.plan import Scenery, Thing
from pipelines.simulate.tracks import Track

Scene = tuple[str, str, tuple[Scenery, ...], tuple[Thing, ...], tuple[Scenery, ...], Bounds]
"""Name, what is seen, back, things, front, how far the camera may go."""


def _sky(draft: Draft, *palettes: str) -> Scenery:
    palette = draft.pick(*(palettes or ("noon", "morning", "golden", "dusk", "overcast", "turquoise")))
    return draft.layer("sky", palette, 2, 0.25, 0.2)


def _hills(draft: Draft) -> Scenery:
    land = draft.pick("meadow:{0}:forest", "moor:{1}:bare", "autumn:{0}:forest")
    return draft.layer("hills", land.format(draft.material.grass, draft.material.gravel), 2, 0.55, 0.5)


def _many(number: int, one: str, several: str) -> str:
    return one if number == 1 else f"{('Two', 'Three', 'Four', 'Five')[number - 2]} {several}"


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def birds(draft: Draft) -> Scene:
    """Birds over hills."""
    rng, count = draft.rng, int(draft.rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1]))
    kind = draft.pick("gull", "crow", "swallow")
    facing, things = draft.facing(), []
    for x in draft.spread(count):
        size = float(rng.uniform(0.45, 0.75)) / np.sqrt(count)
        path = motion.forward(rng, draft.seconds, facing, 0.12, 0.4)
        more = {"hz": rng.uniform(0.6, 1.3), "swing": rng.uniform(0.6, 1.0), "facing": facing}
        more["follow"] = rng.choice([0.0, 0.9], p=[0.4, 0.6])
        at = (float(x), float(rng.uniform(-0.30, 0.02)))
        things.append(draft.thing("bird", f"{kind}:{draft.material.grass}", size, at, path, tall=1.0, **more))
    front = (draft.layer("reeds", draft.pick("meadow", "autumn"), 2, 1.5, 1.3),) if rng.random() < 0.3 else ()
    words = _many(count, f"A {kind} flies", f"{kind}s fly") + " over hills"
    return "birds", words, (_sky(draft), _hills(draft)), tuple(things), front, Bounds(y=0.24)


def balloons(draft: Draft) -> Scene:
    """Hot-air balloons."""
    rng, count = draft.rng, int(draft.rng.integers(1, 4))
    things = []
    for k, x in enumerate(draft.spread(count)):
        size = float(rng.uniform(0.42, 0.68)) / np.sqrt(count) * (0.8 + 0.25 * k)
        path = motion.free(rng, draft.seconds, 0.11, grow=0.07)
        at = (float(x), float(rng.uniform(-0.28, 0.05)))
        things.append(draft.thing("balloon", str(rng.integers(8)), size, at, path, tall=1.0, parallax=0.6 + 0.15 * k))
    words = _many(count, "A hot-air balloon drifts", "hot-air balloons drift") + " over the hills"
    sky = _sky(draft, "morning", "golden", "noon", "turquoise")
    return "balloons", words, (sky, _hills(draft)), tuple(things), (), Bounds(y=0.24)


def planes(draft: Draft) -> Scene:
    """An airliner among clouds."""
    rng, facing = draft.rng, draft.facing()
    path = motion.forward(rng, draft.seconds, facing, 0.13, 0.3)
    colour = int(rng.integers(8))
    tilt = float(rng.normal(0, 0.08))
    at = (float(rng.uniform(-0.15, 0.15)), float(rng.uniform(-0.25, 0.05)))
    more = {"facing": facing, "follow": rng.choice([0.0, 0.8]), "angle": tilt, "tall": 1.0}
    thing = draft.thing("plane", str(colour), float(rng.uniform(0.6, 0.9)), at, path, **more)
    words = f"An airliner with {_article(COLOURS[colour])} tail flies among clouds"
    return "plane", words, (_sky(draft), _hills(draft)), (thing,), (), Bounds(y=0.28, angle=0.14)


def road(draft: Draft) -> Scene:
    """Cars on a road, sometimes behind pillars."""
    rng, count = draft.rng, int(draft.rng.integers(1, 4))
    things, colours = [], []
    for k, x in enumerate(draft.spread(count)):
        facing, size = (1 if k % 2 else -1), float(rng.uniform(0.44, 0.6))
        colours.append(int(rng.integers(8)))
        path = _level(motion.forward(rng, draft.seconds, facing, 0.17, 0.0))
        lane = 0.285 + 0.075 * k
        more = {"facing": facing, "follow": rng.choice([0.0, 1.0], p=[0.7, 0.3])}
        things.append(draft.thing("car", str(colours[-1]), size, (float(x), lane - 0.21 * size), path, **more))
    land = draft.pick("sand:{1}:road", "meadow:{0}:road", "autumn:{0}:road")
    ground = draft.layer("ground", land.format(draft.material.grass, draft.material.gravel), 2, 1.0, 1.0)
    front = (draft.layer("pillars", f"{draft.material.brick}:sandstone", 2, 1.5, 1.3),) if rng.random() < 0.3 else ()
    words = _many(count, f"{_article(COLOURS[colours[0]]).capitalize()} car drives", "cars drive") + " along a road"
    words += " behind pillars" if front else ""
    return "road", words, (_sky(draft), _hills(draft), ground), tuple(things), front, Bounds(y=0.16, out=0.06)


def _level(track: Track) -> Track:
    return replace(track, rates=tuple((x, 0.0, 0.0, 0.0) for x, _, _, _ in track.rates))


def walk(draft: Draft) -> Scene:
    """People walking on open land."""
    rng, count = draft.rng, int(draft.rng.integers(1, 3))
    things, facing, colour = [], draft.facing(), int(draft.rng.integers(8))
    for k, x in enumerate(draft.spread(count)):
        size = float(rng.uniform(0.5, 0.62)) + 0.08 * k
        path = _level(motion.forward(rng, draft.seconds, facing, 0.11, 0.0))
        more = {"facing": facing, "hz": rng.uniform(0.7, 1.0), "follow": rng.choice([0.0, 0.9], p=[0.4, 0.6])}
        at = (float(x), 0.30 + 0.07 * k - 0.51 * size)
        things.append(draft.thing("walker", str((colour + 3 * k) % 8), size, at, path, **more))
    land = draft.pick("meadow:{0}:plain", "snow:{1}:plain", "sand:{1}:plain", "autumn:{0}:plain")
    ground = draft.layer("ground", land.format(draft.material.grass, draft.material.gravel), 2, 1.0, 1.0)
    place = {"m": "a meadow", "s": "snow" if land[1] == "n" else "sand", "a": "an autumn field"}[land[0]]
    grass = land[0] in "ma" and rng.random() < 0.5
    front = (draft.layer("reeds", land.split(":")[0], 2, 1.5, 1.3),) if grass else ()
    words = _many(count, f"A person in {_article(COLOURS[colour])} coat walks", "people walk") + f" over {place}"
    return "walk", words, (_sky(draft), _hills(draft), ground), tuple(things), front, Bounds(y=0.16, out=0.06)


def sailing(draft: Draft) -> Scene:
    """Sailing boats."""
    rng, count = draft.rng, int(draft.rng.integers(1, 4))
    palette = draft.pick("noon", "golden", "dusk", "morning", "turquoise")
    sea = draft.layer("sea", palette, 2, 1.0, 1.0)
    things = []
    for k, x in enumerate(draft.spread(count)):
        size, facing = float(rng.uniform(0.30, 0.42)) * (0.8 + 0.25 * k), draft.facing()
        path = _level(motion.forward(rng, draft.seconds, facing, 0.10, 0.0))
        path = replace(path, shake=motion.bob(rng, 0.008))
        at = (float(x), HORIZON + 0.04 + 0.08 * k - 0.40 * size)
        things.append(draft.thing("boat", str(rng.integers(8)), size, at, path, facing=facing))
    words = _many(count, "A sailing boat crosses", "sailing boats cross") + " the water"
    return "sailing", words, (_sky(draft, palette), sea), tuple(things), (), Bounds(y=0.18)


def overhead(draft: Draft) -> Scene:
    """Small things on a surface seen from above."""
    rng, material = draft.rng, draft.material
    surface = draft.pick("grass", "gravel", "brick", "moon")
    prints = {
        "grass": ("grass", "clover"),
        "gravel": ("gravel", "slate"),
        "brick": ("brick", "sandstone"),
        "moon": ("moon", "rust"),
    }
    area = {"grass": material.grass, "gravel": material.gravel, "brick": material.brick, "moon": material.moon}[surface]
    back = draft.layer("flat", f"{area}:{draft.pick(*prints[surface])}", 2, 1.0, 1.0)
    back = replace(back, origin=(back.origin[0], rounded(rng.uniform(-1, 1))))
    name = draft.pick("leaf", "ball", "butterfly", "coin", "none") if surface != "moon" else draft.pick("none", "ball")
    count = 0 if name == "none" else int(rng.integers(1, 5))
    things = [_small_thing(draft, name, float(x), count) for x in draft.spread(count)]
    floor = {"grass": "grass", "gravel": "gravel", "brick": "a brick pavement", "moon": "moon dust"}[surface]
    plural = {
        "leaf": ("A leaf is blown", "leaves are blown"),
        "ball": ("A ball rolls", "balls roll"),
        "butterfly": ("A butterfly flutters", "butterflies flutter"),
        "coin": ("A coin rolls", "coins roll"),
        "none": ("", ""),
    }[name]
    words = f"{_many(count, *plural)} over {floor}" if count else f"{floor[:1].upper()}{floor[1:]} seen from above"
    return "overhead", words, (back,), tuple(things), (), Bounds(y=np.inf, out=0.15, into=0.3, angle=0.25)


def _small_thing(draft: Draft, name: str, x: float, count: int) -> Thing:
    rng, area = draft.rng, draft.material.grass
    y = float(rng.uniform(-0.38, 0.38))
    size = float(rng.uniform(0.26, 0.44)) / np.sqrt(max(count - 1, 1)) * (0.75 if name == "coin" else 1.0)
    if name in ("ball", "coin"):
        metal = draft.pick("gold", "silver", "copper")
        variant = f"{metal}:{draft.material.coins}" if name == "coin" else str(rng.integers(8))
        return draft.thing(name, variant, size, (x, y), motion.rolling(rng, draft.seconds, 0.14, size), tall=1.0)
    if name == "butterfly":
        path = motion.free(rng, draft.seconds, 0.12, spin=0.4)
        more = {"hz": rng.uniform(0.8, 1.6), "angle": rng.uniform(-0.6, 0.6)}
        return draft.thing(name, f"{rng.integers(8)}:{area}", size, (x, y), path, tall=1.0, **more)
    path = motion.free(rng, draft.seconds, 0.13, spin=0.8)
    return draft.thing(name, f"{rng.integers(5)}:{area}", size, (x, y), path, tall=1.0, angle=rng.uniform(0, 6.2))


def space(draft: Draft) -> Scene:
    """Planets and rocks before galaxies."""
    rng, material = draft.rng, draft.material
    back = replace(draft.layer("flat", material.hubble, 1, 0.3, 0.2), origin=(rounded(rng.uniform(-1, 1)), 0.3))
    things, seen = [], []
    if rng.random() < 0.65:
        tone = draft.pick("moon", "mars", "ice")
        path = motion.free(rng, draft.seconds, 0.06, grow=0.05)
        at = (float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.2, 0.2)))
        planet = draft.thing("planet", f"{tone}:{material.moon}", rng.uniform(0.5, 0.8), at, path, parallax=0.6, tall=1)
        things.append(planet)
        seen.append({"moon": "a moon", "mars": "a red planet", "ice": "an icy planet"}[tone])
    count = int(rng.integers(1, 4)) if things else int(rng.integers(2, 5))
    for x in draft.spread(count):
        path = motion.free(rng, draft.seconds, 0.14, spin=0.7, grow=0.06)
        at = (float(x), float(rng.uniform(-0.35, 0.35)))
        rock = draft.thing("asteroid", f"rock:{material.gravel}", rng.uniform(0.16, 0.36), at, path, tall=1.0)
        things.append(rock)
    seen.append("a tumbling rock" if count == 1 else "tumbling rocks")
    words = f"{' and '.join(seen)} before distant galaxies"
    return "space", words[:1].upper() + words[1:], (back,), tuple(things), (), Bounds(y=np.inf, angle=0.3)


def underwater(draft: Draft) -> Scene:
    """Fish over a bed of stones."""
    rng, count = draft.rng, int(draft.rng.integers(1, 6))
    things, colour = [], int(draft.rng.integers(8))
    school, facing = rng.random() < 0.5, draft.facing()
    for k, x in enumerate(draft.spread(count)):
        size = float(rng.uniform(0.4, 0.6)) / np.sqrt(count) * (1.25 if count > 2 else 1.0)
        way = facing if school else draft.facing()
        path = motion.forward(rng, draft.seconds, way, 0.12, 0.5)
        at = (float(x), float(rng.uniform(-0.3, 0.28)))
        more = {"hz": rng.uniform(0.7, 1.4), "facing": way, "parallax": 0.7 + 0.12 * k, "tall": 1.0}
        variant = f"{(colour + (0 if school else k)) % 8}:{draft.material.grass}"
        things.append(draft.thing("fish", variant, size, at, path, **more))
    back = draft.layer("deep", draft.material.gravel, 3, 0.55, 0.5)
    words = _many(count, f"{_article(COLOURS[colour]).capitalize()} fish swims", "fish swim") + " over a bed of stones"
    return "underwater", words, (back,), tuple(things), (), Bounds(y=0.28, angle=0.12)


def still_life(draft: Draft) -> Scene:
    """A photograph under the camera."""
    rng = draft.rng
    variant = draft.pick(*draft.material.photos)
    origin = (rounded(rng.uniform(-0.04, 0.04)), 0.0)
    back: tuple[Scenery, ...] = (Scenery("photo", variant, 0, 1.0, 1.0, origin),)
    if variant == "motorcycle":
        # Only a camera that travels sees parallax; then the nearer layer also grows faster.
        depths = {layer: stereo.PARALLAX[layer] if draft.travel else 1.0 for layer in ("far", "near")}
        back = tuple(Scenery("depth", layer, 0, depth, depth, origin) for layer, depth in depths.items())
    things: list[Thing] = []
    words = PHOTO_WORDS[variant]
    if variant in ("flower", "coffee", "cat", "lake") and rng.random() < 0.6:
        path = motion.free(rng, draft.seconds, 0.12, spin=0.4)
        more = {"hz": rng.uniform(0.8, 1.5), "angle": rng.uniform(-0.5, 0.5), "tall": 1.0}
        at = (float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.3, 0.1)))
        insect = f"{rng.integers(8)}:{draft.material.grass}"
        things.append(draft.thing("butterfly", insect, rng.uniform(0.2, 0.3), at, path, **more))
        words += " and a butterfly"
    limit = Bounds(
        x=PHOTO_ROOM.get(variant, (0.4, 0.15))[0], y=PHOTO_ROOM.get(variant, (0.4, 0.15))[1], out=0.0, into=0.45
    )
    return "photograph", words[:1].upper() + words[1:], back, tuple(things), (), limit


SCENES: tuple[tuple[Callable[[Draft], Scene], float], ...] = (
    (birds, 0.14),
    (balloons, 0.10),
    (planes, 0.07),
    (road, 0.13),
    (walk, 0.10),
    (sailing, 0.08),
    (overhead, 0.16),
    (space, 0.07),
    (underwater, 0.09),
    (still_life, 0.06),
)
"""Scenes and how often they come."""
