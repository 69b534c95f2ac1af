"""The ambiguity part of a plan: one task per subject, on its scans, the first frames and the true flow."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.graph import Cost, Task
from pipelines.request import RunRequest
from pipelines.sources import Source


def ambiguity_tasks(source: Source, request: RunRequest, named: Mapping[str, Task]) -> dict[str, Task]:
    """Tasks by name, given those of the films and scans.

    `request` asks for nothing of its own here: the same for all requests that come as far.
    """
    from pipelines.evaluate.ambiguity_families import AmbiguityConfig
    from pipelines.motion_decoder.config import DecoderConfig

    ridge = {name: value for name, value in DecoderConfig().to_mapping().items() if name in ("max_folds", "ridge")}
    config = {
        "training": source.training,
        "test": source.test,
        "settings": ridge,
        "ambiguity": AmbiguityConfig().to_mapping(),
    }
    films = [named[f"{stage}/{segment}"] for stage in ("flow_labels", "frame_features") for segment in source.clips]
    clips, learned = sum(source.clips.values()), sum(source.clips[segment] for segment in source.training)
    # The ridge's eigendecompositions grow with the cube of the training clips.
    cost = Cost(1 + 6e-3 * clips + 4e-9 * learned**3, 0.9, 1e-6 * clips)
    tasks = {}
    for subject in source.subjects:
        needs = (*films, named[f"bold/{subject}"], named["catalogue/all"])
        task = source.task("ambiguity", subject, config, needs, cost)
        tasks[task.name] = task
    return tasks
