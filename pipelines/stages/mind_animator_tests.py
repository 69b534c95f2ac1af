"""Stages that look into Mind-Animator: is motion decoded, and what is each correction worth?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.catalogue import clip_place
from brainviz.metrics.blocks import shot_blocks
from brainviz.storage import open_array, read_array, read_table
from pipelines.graph import Context, Progress

if TYPE_CHECKING:
    from pipelines.mind_animator.shuffle_test import StepErrors

CLIPS_AT_ONCE = 10


def shuffle_frames(context: Context) -> None:
    """Tables ``shuffle_test`` and ``shuffle_test_shift`` of one subject (`pipelines.evaluate.frame_shuffle`)."""
    from pipelines.evaluate.frame_shuffle import SHIFTED, SHOWN, frame_shuffle

    decoded, targets = context.input("mind_animator"), context.inputs("mind_animator_targets")
    names = decoded.manifest["facts"]["filmed"]
    rows = _sampled(context, names)
    places = [clip_place(names[row]) for row in rows]
    shown = {film: open_array(targets[film].arrays, "frames") for film in {film for film, _ in places}}
    true = _grey(np.stack([shown[film][index] for film, index in places]))
    errors = {}
    for part, (fmri, stored) in enumerate(((SHOWN, "frames"), (SHIFTED, "frames.shifted"))):
        films = _grey(read_array(decoded.arrays, stored)[rows], true.shape[-1])
        errors[fmri] = _errors(true, films, context.within(part / 2, 0.5))
    clips = read_table(context.input("catalogue").folder / "clips.parquet")
    block = dict(zip(clips["clip"], shot_blocks(clips), strict=True))
    blocks = np.array([block[names[row]] for row in rows])
    for name, table in frame_shuffle(context.unit, errors, blocks, context.config["seed"]).items():
        context.table(name, table)


def _sampled(context: Context, names: list[str]) -> list[int]:
    """Rows of the decoded clips to look at: all, or so many at equal distances, every film in proportion."""
    wanted = context.config.get("n_clips", 0)
    if not wanted or wanted >= len(names):
        return list(range(len(names)))
    return np.unique(np.linspace(0, len(names) - 1, wanted).round().astype(int)).tolist()


def _grey(films: np.ndarray, side: int = 0) -> np.ndarray:
    """uint8 (clips, frames, h, h, 3) -> (clips, frames, side, side); as they are without `side`."""
    import cv2

    side = side or films.shape[2]
    made = np.empty((*films.shape[:2], side, side), np.uint8)
    for place in np.ndindex(*films.shape[:2]):
        small = cv2.resize(films[place], (side, side), interpolation=cv2.INTER_AREA)
        made[place] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return made


def _errors(true: np.ndarray, films: np.ndarray, hears: Progress) -> StepErrors:
    from pipelines.mind_animator.shuffle_test import StepErrors, step_errors

    parts = []
    for start in range(0, len(true), CLIPS_AT_ONCE):
        part = slice(start, start + CLIPS_AT_ONCE)
        parts.append(step_errors(true[part], films[part]))
        hears(start / len(true), f"{start} of {len(true)} clips")
    return StepErrors(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("error", "frozen")))


def weigh_corrections(context: Context) -> None:
    """Table ``corrections`` of one subject (`pipelines.evaluate.corrections`).

    The corrected form is compared with itself with one correction undone, and with the released form, where all are.
    """
    from pipelines.evaluate.corrections import worth_of_corrections
    from pipelines.mind_animator.forms import CORRECTED

    films = context.inputs("benchmark_films")
    scores = {
        result.manifest["config"]["form"]: read_table(result.folder / "scores.parquet") for result in films.values()
    }
    clips = read_table(context.input("catalogue").folder / "clips.parquet")
    table = worth_of_corrections(context.unit, scores, CORRECTED.name, clips, context.config["seed"])
    context.table("corrections", table)
