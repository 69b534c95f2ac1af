"""Tables of scored reanimations for a fake workspace, in the form that the stage writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from brainviz.results import ResultStore
from brainviz.storage import write_table
from brainviz.workspace import open_workspace

SYSTEMS = {"truth": 0.1, "brain": 0.4, "image-only": 0.7, "prior": 0.9, "zero": 0.8}
METRICS = {"epe": 1.0, "ssim": -0.4, "psnr": -9.0, "hue-correlation": -0.3, "warping-error": 0.01}


def write_reanimation(folder: Path) -> None:
    """Publish `reanimation`, its summary and its tests for every subject of the workspace."""
    workspace = open_workspace(folder)
    clips = list(workspace.clips.query("split == 'test'")["clip"])
    for subject in workspace.subjects:
        table = _scores(subject, clips)
        summary = _summary(table)
        store = ResultStore(folder)
        with store.writing("evaluate_reanimation", subject, "fake") as (place, manifest):
            manifest["facts"] = {}
            tables = {"reanimation": table, "reanimation_summary": summary, "reanimation_tests": _tests(summary)}
            for name, rows in tables.items():
                write_table(place / f"{name}.parquet", rows)
        store.point("evaluate_reanimation", subject, "fake")


def _scores(subject: str, clips: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(int(subject))
    rows = [
        (subject, clip, system, "warp", "none", 0, metric, 1.0 + slope * (level + 0.05 * rng.standard_normal()), True)
        for clip in clips
        for system, level in SYSTEMS.items()
        for metric, slope in METRICS.items()
    ]
    names = ["subject", "clip", "system", "backend", "mask", "sample", "metric", "value", "simulated"]
    return pd.DataFrame(rows, columns=names)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    keys = ["subject", "system", "backend", "mask", "metric"]
    rows = table.groupby(keys)["value"].agg(mean="mean", spread="sem").reset_index()
    rows = rows.assign(low=rows["mean"] - 2 * rows["spread"], high=rows["mean"] + 2 * rows["spread"])
    return rows.drop(columns="spread").assign(n_clips=24, n_blocks=8, simulated=True)


def _tests(summary: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (subject, metric), part in summary.groupby(["subject", "metric"]):
        mean = part.set_index("system")["mean"]
        for other in ("image-only", "zero"):
            gap = mean["brain"] - mean[other]
            rows.append(
                (subject, "brain", other, "warp", "none", metric, gap, gap - 0.1, gap + 0.1, 1e-3, 2e-3, 8, True)
            )
    names = [
        "subject",
        "a",
        "b",
        "backend",
        "mask",
        "metric",
        "difference",
        "low",
        "high",
        "p",
        "p_holm",
        "n_blocks",
        "simulated",
    ]
    return pd.DataFrame(rows, columns=names)
