"""Mind-Animator for a fake workspace: planted errors and scores through the real tables, planted maps.

Subject 1's films beat those from shifted fMRI and the frozen film, subject 2's beat neither. By SSIM the whole window
costs; by end-point error it helps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from brainviz.cortex.regions import glasser
from brainviz.results import ResultStore
from brainviz.storage import write_array, write_table
from brainviz.workspace import open_workspace
from pipelines.evaluate.corrections import worth_of_corrections
from pipelines.evaluate.frame_shuffle import frame_shuffle
from pipelines.mind_animator.embedded import LABEL
from pipelines.mind_animator.forms import CORRECTED, CORRECTIONS, RELEASED
from pipelines.mind_animator.shuffle_test import StepErrors

CLIPS, FRAMES = 24, 8
BLOCKS = np.arange(CLIPS) // 2
GIVEN = {"V1": 60, "MT": 20, "V4": 20, "V3A": 4}  # vertices of each side that the decoder was given
PEAKS = {  # part, kind -> the region with the largest mean
    ("semantic", "pattern"): "L_V1",
    ("semantic", "filter"): "R_V1",
    ("structure", "pattern"): "R_V4",
    ("structure", "filter"): "L_V4",
    ("motion", "pattern"): "L_MT",
    ("motion", "filter"): "R_V4",
}
ERROR = {"1": (1.0, 1.1), "2": (1.1, 1.1)}  # of the shown and of the shifted fMRI's films, px
FROZEN = 1.05
WORTH = {  # form -> error and SSIM that the correction is worth
    RELEASED.name: (0.1, 0.002),
    "corrected-minus-augment_in_place": (0.0, 0.05),
    "corrected-minus-whole_window": (0.08, -0.06),
}


def write_mind_animator(folder: Path) -> None:
    """Publish Mind-Animator's results for every subject, and the worth of the corrections for the first."""
    workspace, store = open_workspace(folder), ResultStore(folder)
    clips = list(workspace.clips.query("split == 'test'")["clip"])
    for subject in workspace.subjects:
        errors = {name: planted_errors(subject, i) for i, name in enumerate(("shown", "shifted"))}
        _publish(store, "shuffle_test", subject, {}, frame_shuffle(subject, errors, BLOCKS), {})
        maps = {f"mind-animator/{part}/{kind}": planted_map(peak) for (part, kind), peak in PEAKS.items()}
        facts = {"maps": list(maps), "clips": clips, "fps": 4.0, "form": "corrected", "generator": LABEL}
        facts |= {"shift_s": 60.0, "vertices": 2 * sum(GIVEN.values())}
        arrays = {f"map.{name}": values for name, values in maps.items()}
        _publish(store, "mind_animator", f"{subject}.corrected", facts, {}, arrays)
    first = workspace.subjects[0]
    _publish(store, "corrections", first, {}, {"corrections": planted_corrections(first, clips)}, {})


def planted_errors(subject: str, which: int) -> StepErrors:
    """Steps cost more the farther they jump; of the shown fMRI in a subject that it helps also if they go back."""
    rng = np.random.default_rng(10 * int(subject) + which)
    step = np.arange(FRAMES)[None] - np.arange(FRAMES)[:, None]
    level = ERROR.get(subject, ERROR["2"])
    back = 0.1 if which == 0 and level[0] < level[1] else 0.0
    cost = level[which] + 0.05 * np.maximum(np.abs(step) - 1, 0) + back * (step < 0)
    error = cost + 0.01 * rng.standard_normal((CLIPS, FRAMES - 1, FRAMES, FRAMES))
    error[:, :, np.arange(FRAMES), np.arange(FRAMES)] = np.nan
    return StepErrors(error, np.full(CLIPS, FROZEN))


def planted_map(peak: str) -> np.ndarray:
    """0.3 at the vertices that were given, 0.8 in one region, 0 and 1 somewhere."""
    values = np.full(64984, np.nan, np.float32)
    for area, n in GIVEN.items():
        for side in "LR":
            name = f"{side}_{area}"
            values[glasser().vertices(name)[:n]] = 0.8 if name == peak else 0.3
    low, high = glasser().vertices("L_V3A")[:2]
    values[[low, high]] = 0.0, 1.0
    return values


def planted_corrections(subject: str, clips: list[str]) -> pd.DataFrame:
    """The table, from scores in which every clip is a block of its own."""
    rng = np.random.default_rng(7)
    own = rng.standard_normal(len(clips))
    forms = [RELEASED.name, *(f"{CORRECTED.name}-minus-{name}" for name in CORRECTIONS)]
    scores = {}
    for form in (CORRECTED.name, *forms):
        epe, ssim = WORTH.get(form, (0.0, 0.0))
        values = {"epe": 1.4 + epe + 0.1 * own, "ssim": 0.4 - ssim + 0.02 * own}
        parts = [
            pd.DataFrame({"clip": clips, "metric": name, "value": value + 0.003 * rng.standard_normal(len(clips))})
            for name, value in values.items()
        ]
        scores[form] = pd.concat(parts, ignore_index=True)
    catalogue = pd.DataFrame({"clip": clips, "segment": "test1", "duration_s": 30.0})
    catalogue = catalogue.assign(onset_s=30.0 * np.arange(len(clips)), shot=clips)
    return worth_of_corrections(subject, scores, CORRECTED.name, catalogue)


def _publish(store: ResultStore, stage: str, unit: str, facts: dict, tables: dict, arrays: dict) -> None:
    with store.writing(stage, unit, "fake") as (folder, manifest):
        manifest["facts"] = facts
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table.assign(simulated=True))
        for name, values in arrays.items():
            write_array(folder / "arrays.zarr", name, values)
    store.point(stage, unit, "fake")
