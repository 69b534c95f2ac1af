"""Bits of direction of the fake workspace: written through the real evaluation, from invented probabilities."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from brainviz.results import ResultStore
from brainviz.storage import write_table
from pipelines.evaluate.ambiguity import evaluate_ambiguity
from pipelines.evaluate.ambiguity_families import Families
from pipelines.evaluate.ambiguity_reading import directions

RUNS = ("all", "odd", "even")
STILL = 0.05


def chances(direction: np.ndarray, strength: float, seed: str, draws: tuple[int, ...] = ()) -> np.ndarray:
    """Probabilities that favour the true direction by `strength` logits, with noise of their own."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    logits = rng.normal(0, 0.4, (*draws, len(direction), 9))
    logits[..., np.arange(len(direction)), np.maximum(direction, 0)] += strength
    odds = np.exp(logits)
    return odds / odds.sum(-1, keepdims=True)


def partners(clips: pd.DataFrame) -> np.ndarray:
    """The clip of the same number in the other test film, where both belong to a case."""
    place = {clip: i for i, clip in enumerate(clips["clip"])}
    other = {"test1": "test2", "test2": "test1"}
    rows = zip(clips["segment"], clips["clip"], clips["case"], strict=True)
    return np.array([place[f"{other[s]}-{clip[-4:]}"] if case else -1 for s, clip, case in rows])


def write_ambiguity(store: ResultStore, subjects: Sequence[str], clips: pd.DataFrame, truth: Mapping) -> None:
    tests = clips[clips["split"] == "test"].reset_index(drop=True)
    flow, valid = (np.stack([truth[clip][k] for clip in tests["clip"]]) for k in (0, 1))
    direction = directions(flow, valid, STILL)
    for subject in subjects:
        families = Families(
            chances(direction, 0.2, "image"),
            {runs: chances(direction, 1.8, f"{subject}{runs}") for runs in RUNS},
            {runs: chances(direction, 0.2, f"{subject}{runs}s", (4,)) for runs in RUNS},
            STILL,
        )
        tables = evaluate_ambiguity(subject, tests, direction, partners(tests), families)
        with store.writing("ambiguity", subject, "fake") as (folder, manifest):
            manifest["facts"] = {"still_below": STILL}
            for name, table in tables.items():
                write_table(folder / f"{name}.parquet", table.assign(simulated=True))
        store.point("ambiguity", subject, "fake")
