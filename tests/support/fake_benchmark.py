"""A benchmark for a fake workspace: planted values through the real tables, Mind-Animator films as plain gradients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainviz.results import ResultStore
from brainviz.storage import write_array, write_table
from brainviz.workspace import open_workspace
from pipelines.evaluate.benchmark import Protocol, evaluate_benchmark

LEVELS = {
    "truth": 0.1,
    "brain": 0.4,
    "brain-e2e": 0.55,
    "mind-animator": 0.7,
    "mind-animator-released": 0.85,
    "image-only": 0.75,
    "prior": 1.0,
    "zero": 0.8,
}
METRICS = {"epe": 1.0, "ssim": -0.4, "psnr": -9.0, "hue-correlation": -0.3, "warping-error": 0.01}
FROZEN_WINS = "warping-error"
RETRIEVED = {"mind-animator": 0.7, "mind-animator-released": 0.6}
GALLERIES = {"retrieval-small": 24, "retrieval-large": 32}
RULES = {"size": 128, "labeller": "dis", "seed": 0}


def write_benchmark(folder: Path, others: Sequence[str] = ()) -> None:
    """Publish the tables of the benchmark for every subject, `others` (imported systems) among the systems."""
    workspace = open_workspace(folder)
    store = ResultStore(folder)
    clips = workspace.clips.query("split == 'test'").reset_index(drop=True)
    for subject in workspace.subjects:
        values = planted(subject, list(clips["clip"]), others)
        p_chance = {(system, metric): 0.0004 for system in RETRIEVED for metric in GALLERIES}
        rules = Protocol(128, "dis", tuple(others), GALLERIES, p_chance)
        tables = evaluate_benchmark(subject, values, clips, rules)
        with store.writing("benchmark", subject, "fake") as (place, manifest):
            manifest["facts"] = {**RULES, "galleries": GALLERIES, "imported": list(others)}
            manifest["made_with"] = {"brainviz": "0.1.0", "python": "3.11", "numpy": "2.0", "device": "cpu"}
            for name, table in tables.items():
                write_table(place / f"{name}.parquet", table.assign(simulated=True))
        store.point("benchmark", subject, "fake")
        for form in ("corrected", "released"):
            _films(store, f"{subject}.{form}", list(clips["clip"]))


def planted(subject: str, clips: Sequence[str], others: Sequence[str] = ()) -> pd.DataFrame:
    """Per-clip values: a level per system, a clip's own share, a little noise."""
    rng = np.random.default_rng(int(subject))
    own = 0.1 * rng.standard_normal(len(clips))
    parts = []
    for system, level in {**LEVELS, **dict.fromkeys(others, 0.95)}.items():
        for metric, slope in METRICS.items():
            at = 0.0 if metric == FROZEN_WINS and system == "zero" else level
            value = 1.0 + slope * (at + own + 0.03 * rng.standard_normal(len(clips)))
            parts.append(pd.DataFrame({"system": system, "clip": clips, "metric": metric, "value": value}))
    for system, share in RETRIEVED.items():
        for metric in GALLERIES:
            found = (rng.random(len(clips)) < share).astype(float)
            parts.append(pd.DataFrame({"system": system, "clip": clips, "metric": metric, "value": found}))
    return pd.concat(parts, ignore_index=True)


def _films(store: ResultStore, unit: str, clips: list[str]) -> None:
    """Eight frames of 64 px per clip: a gradient that moves, another one for each clip."""
    x = np.arange(64)
    frames = np.empty((len(clips), 8, 64, 64, 3), np.uint8)
    for clip in range(len(clips)):
        for frame in range(8):
            frames[clip, frame] = np.roll(x * 3, 4 * frame)[None, :, None] + np.array([0, 2 * clip, 30])
    with store.writing("mind_animator", unit, "fake") as (place, manifest):
        manifest["facts"] = {"clips": clips, "filmed": clips, "fps": 4.0, "form": unit.split(".")[1]}
        write_array(place / "arrays.zarr", "frames", frames)
    store.point("mind_animator", unit, "fake")
