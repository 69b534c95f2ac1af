"""Ordinary shots: a scene under a camera, and the caption that says so."""

from __future__ import annotations

import numpy as np

from pipelines.simulate import motion
from pipelines.simulate.cast import MATERIAL, Draft
from pipelines.simulate.motion import Habit, rounded
from pipelines.simulate.plan import Shot, Thing
from pipelines.simulate.scenes import SCENES
from pipelines.simulate.tracks import Track

SKY_GRADES = ("neutral", "warm", "cool", "rich", "faded")


HABITS: dict[str, Habit] = {
    "balloons": Habit((-1.0, 0.0), 0.5),
    "road": Habit((1.0, 0.0), 0.5),
    "walk": Habit((-1.0, 0.0), 0.4),
    "sailing": Habit((1.0, 0.0), 0.4),
    "overhead": Habit((0.0, -1.0), 0.5),
    "space": Habit((0.7, 0.7), 0.85),
    "underwater": Habit((-0.9, 0.3), 0.6),
    "photograph": Habit((1.0, 0.0), 0.85),
}
"""Habits by scene; they cancel over the film. After birds and planes the camera follows the way they face.

Chosen so that a scene's mean motion explains 5 to 20 % of the flow's power, as the first frame of a real clip might
(own choice: the published decoder reports no such figure).
"""


def _habit(scene: str, things: tuple[Thing, ...]) -> Habit:
    return HABITS[scene] if scene in HABITS else Habit((float(things[0].facing), 0.0), 0.5)


def camera_words(track: Track, seconds: float) -> str:
    """Return the camera's main motion in words, for a caption."""
    ends = [*track.starts_s[1:], seconds]
    lengths = [end - start for start, end in zip(track.starts_s, ends, strict=True)]
    words = []
    for rate, _ in sorted(zip(track.rates, lengths, strict=True), key=lambda pair: -pair[1])[:2]:
        x, y, zoom, angle = rate
        if max(abs(x), abs(y), abs(zoom), abs(angle)) < 0.015:
            words.append("holds still")
        elif max(abs(zoom), 0.5 * abs(angle)) > max(abs(x), abs(y)):
            closer = "moves closer" if zoom > 0 else "moves back"
            words.append(closer if abs(zoom) > 0.5 * abs(angle) else "turns")
        elif abs(x) >= abs(y):
            words.append(f"pans {'right' if x > 0 else 'left'}")
        else:
            words.append(f"tilts {'down' if y > 0 else 'up'}")
    if len(words) == 2 and words[0] != words[1] and seconds > 6:
        return f"; the camera mostly {words[0]} and also {words[1]}."
    return f"; the camera {words[0]}."


def ordinary_shot(rng: np.random.Generator, split: str, number: int, onset_frame: int, n_frames: int, fps: int) -> Shot:
    """Return a random shot of a split ("training" or "test")."""
    seconds = n_frames / fps
    draft = Draft(rng, MATERIAL[split], seconds, bool(rng.random() < 0.6))
    makers = [maker for maker, _ in SCENES]
    maker = makers[rng.choice(len(makers), p=[share for _, share in SCENES])]
    scene, words, back, things, front, bounds = maker(draft)
    style = str(rng.choice(["", "still", "pan"], p=[0.74, 0.12, 0.14]))
    camera = motion.camera(rng, seconds, bounds, _habit(scene, things), style)
    grade = draft.pick(*SKY_GRADES) if scene not in ("photograph", "space") else draft.pick("neutral", "rich", "warm")
    fade_in, fade_out = (int(rng.integers(6, 12)) if rng.random() < 0.06 else 0 for _ in range(2))
    return Shot(
        number, onset_frame, n_frames, scene, words + camera_words(camera, seconds), back, things, front, camera, grade,
        fade_in, fade_out,
    )  # fmt: skip


def flickering(rng: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    """Return slow and fast changes of light: log amplitude, frequency in Hz, phase (own choice of ranges)."""
    sines = [(rng.uniform(0.05, 0.14), hz, rng.uniform(0, 2 * np.pi)) for hz in rng.uniform([0.2, 0.8, 2], [0.6, 2, 4])]
    return tuple((rounded(a), rounded(hz), rounded(p)) for a, hz, p in sines)
