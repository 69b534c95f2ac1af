"""The stage that scores every system of one subject on the test clips."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from brainviz.data.catalogue import clip_name
from brainviz.errors import BrainvizError
from brainviz.flow.codebook import Codebook
from brainviz.metrics.motion_scores import MotionTruth
from brainviz.results import Result
from brainviz.storage import read_array, read_table
from pipelines.evaluate.motion import ALL_RUNS, evaluate_motion
from pipelines.graph import Context

Predictions = dict[str, dict[str, np.ndarray]]


def evaluate(context: Context) -> None:
    """Tables of one subject: every system, mask and part on the same clips; tests, summaries, gains, nulls."""
    decoders = {unit.split(".", 1)[1]: result for unit, result in context.inputs("motion_decoder").items()}
    clips = _shared_clips(decoders)
    codebook = context.input("codebook")
    tables = evaluate_motion(
        context.unit,
        _truth(context, clips),
        _predictions(decoders, clips),
        read_array(codebook.arrays, "speed_edges").tolist(),
        Codebook(read_array(codebook.arrays, "words")).quantised,
        progress=context.progress,
    )
    for name, table in tables.items():
        context.table(name, table)


def _shared_clips(decoders: dict[str, Result]) -> list[str]:
    """Clips that every system was decoded on, in film order: the same clips for all, or no comparison is fair."""
    lists = [result.manifest["facts"]["clips"] for result in decoders.values()]
    common = set(lists[0]).intersection(*lists[1:])
    if not common:
        raise BrainvizError("The systems have no test clip in common.", "evaluation", "Check the subject's test runs.")
    return [clip for clip in lists[0] if clip in common]


def _truth(context: Context, clips: list[str]) -> MotionTruth:
    catalogue = read_table(context.input("catalogue").folder / "clips.parquet").set_index("clip", drop=False)
    labels = context.inputs("flow_labels")
    segments = list(dict.fromkeys(clip.rsplit("-", 1)[0] for clip in clips))
    names = [clip_name(s, i) for s in segments for i in range(len(read_array(labels[s].arrays, "consistency")))]
    rows = [names.index(clip) for clip in clips]

    def stack(name: str) -> np.ndarray:
        return np.asarray(np.concatenate([read_array(labels[s].arrays, name) for s in segments])[rows])

    facts = labels[segments[0]].manifest["facts"]
    return MotionTruth(
        catalogue.loc[clips].reset_index(drop=True),
        stack("flow"),
        stack("valid"),
        stack("moving"),
        np.asarray(facts["step_s"], np.float32),
        facts["labeller"],
        context.task.simulated,
    )


def _predictions(decoders: dict[str, Result], clips: list[str]) -> Predictions:
    found: Predictions = defaultdict(dict)
    for system, result in decoders.items():
        facts = result.manifest["facts"]
        rows = [facts["clips"].index(clip) for clip in clips]
        for runs in (ALL_RUNS, *facts.get("variants", [])):
            flow = read_array(result.arrays, "flow" if runs == ALL_RUNS else f"flow.{runs}")[rows]
            found[runs][system] = flow[:, 0] if flow.shape[1] == 1 else flow
    return dict(found)
