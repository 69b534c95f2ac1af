"""The part of a plan that leaves regions out: one task per subject."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.graph import Cost, Task
from pipelines.request import RunRequest
from pipelines.sources import Source

PATCHES = 200
"""Random patches of the null; with fewer, p values below 1 / 200 could not be told."""


def leave_out_tasks(source: Source, request: RunRequest, named: Mapping[str, Task]) -> dict[str, Task]:
    """Tasks by name, given those of films, scans and decoders."""
    made = {}
    for subject in source.subjects:
        ridge = named[f"motion_decoder/{subject}.ridge"]
        config = {name: ridge.config[name] for name in ("training", "test", "settings")}
        films = (named[f"{stage}/{s}"] for stage in ("flow_labels", "frame_features") for s in source.clips)
        needs = (ridge, named[f"bold/{subject}"], named["catalogue/all"], *films)
        n = sum(source.clips[s] for s in source.training)
        cost = Cost(10 + 2e-5 * n**2, 0.6 + 6e-8 * n**2, 3e-5 * n)
        task = source.task("leave_out", subject, config | {"patches": PATCHES, "seed": 0}, needs, cost)
        made[task.name] = task
    return made
