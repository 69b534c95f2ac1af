"""The frame-shuffle test on the shown and on shifted fMRI, with planted films."""

from __future__ import annotations

import numpy as np

from pipelines.evaluate.frame_shuffle import frame_shuffle
from pipelines.mind_animator.shuffle_test import step_errors

CLIPS, FRAMES, SIDE = 44, 5, 48
BLOCKS = np.arange(CLIPS) // 2


def drifting(directions: np.ndarray) -> np.ndarray:
    """Smooth noise that drifts 2 px a frame: uint8 (clips, frames, side, side)."""
    import cv2

    films = np.empty((len(directions), FRAMES, SIDE, SIDE), np.uint8)
    for clip, (x, y) in enumerate(directions):
        noise = np.random.default_rng(clip).random((SIDE + 16, SIDE + 16)).astype(np.float32)
        picture = cv2.GaussianBlur(noise, (0, 0), 2)
        picture = (255 * (picture - picture.min()) / np.ptp(picture)).astype(np.uint8)
        for t in range(FRAMES):
            films[clip, t] = np.roll(picture, (2 * t * y, 2 * t * x), (0, 1))[8:-8, 8:-8]
    return films


def directions(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice([-1, 1], (CLIPS, 2))


def test_true_motion_beats_the_same_test_on_other_motion() -> None:
    shown = directions(0)
    true = drifting(shown)
    errors = {"shown": step_errors(true, true), "shifted": step_errors(true, drifting(np.roll(shown, 7, axis=0)))}
    tables = frame_shuffle("1", errors, BLOCKS)
    own = tables["shuffle_test"].set_index("fmri")
    assert own.loc["shown", "p"] < 0.05 and own.loc["shown", "gain"] > 0 and own.loc["shown", "low"] > 0
    assert own.loc["shown", "frozen_p"] < 0.001 and own.loc["shown", "frozen_low"] > 0
    assert own.loc["shifted", "frozen_high"] < 0, "wrong motion is worse than none"
    assert own.loc["shown", "error"] < own.loc["shown", "frozen"] < own.loc["shown", "reversed"]
    shift = tables["shuffle_test_shift"].set_index("measure")
    assert list(shift.index) == ["error", "shuffled", "reversed"]
    assert (shift["difference"] > 0).all() and (shift["low"] > 0).all()
    assert (shift["p_holm"] < 0.001).all() and (shift["n_blocks"] == 22).all() and shift["enough_blocks"].all()


def test_films_of_other_motion_alike_are_not_told_apart() -> None:
    true = drifting(directions(0))
    errors = {fmri: step_errors(true, drifting(directions(seed))) for fmri, seed in (("shown", 1), ("shifted", 2))}
    shift = frame_shuffle("1", errors, BLOCKS)["shuffle_test_shift"]
    assert (shift["p"] > 0.01).all() and ((shift["low"] < 0) & (shift["high"] > 0)).all()
