"""The encoding part of a plan: features of all films, one model per subject and encoder, their comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from brainviz.errors import BrainvizError
from pipelines.features.registry import DEMO_ENCODERS, encoder_spec, weights_of
from pipelines.features.spec import EncoderSpec
from pipelines.graph import Cost, Task
from pipelines.sources import Source

RIDGE = {
    "alphas": np.logspace(0, 6, 20).round(6).tolist(),
    "max_folds": 5,
    "shares": [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0],
}
DEMO_RIDGE = {"alphas": np.logspace(1, 6, 10).round(6).tolist(), "max_folds": 3, "shares": [0.0, 0.25, 0.5, 0.75, 1.0]}
"""What is searched: penalties, folds of whole films, shares of the first encoder in a joint model. The demo searches a
coarser grid, in half the time."""

EMBEDDED = "embedded"
"""Encoders without weights share one decoding of each film."""


def encoding_tasks(
    source: Source, encoders: Sequence[str], joint: Sequence[str], named: Mapping[str, Task]
) -> dict[str, Task]:
    """Tasks by name, given those of the films and scans.

    Parameters
    ----------
    encoders : names of the registry, each alone or as ``name:FOLDER`` with the folder of its weights; the embedded
        ones where none is given.
    joint : pairs ``a+b`` whose variance is partitioned; the first encoder that moves with the first that does not,
        where none is given.

    Raises
    ------
    BrainvizError
        An unknown encoder, weights that are not here, or a pair of encoders that are not in the run.
    """
    weights = dict(_split(entry) for entry in encoders or DEMO_ENCODERS)
    specs = [encoder_spec(name) for name in weights]
    made: dict[str, Task] = {}
    for group, members in _groups(specs).items():
        for segment in source.clips:
            task = _features_task(source, named, group, members, weights, segment)
            made[task.name] = task
    pairs = [_pair(entry, weights) for entry in joint] or _usual_pair(specs)
    for subject in source.subjects:
        _subject_tasks(source, named, made, subject, specs, pairs)
    return made


def upload_tasks(workspace: Path, key: str, encoders: Sequence[str]) -> tuple[Task, ...]:
    """Features of an uploaded film, for the prediction of what cortex would do; as `encoding_tasks` raises."""
    from brainviz import open_workspace
    from brainviz.uploads import uploaded_film

    film = uploaded_film(workspace, key)
    weights = dict(_split(entry) for entry in encoders)
    simulated = open_workspace(workspace).simulated
    tasks = []
    for group, members in _groups([encoder_spec(name) for name in weights]).items():
        config = {"film": key, "n_clips": film.n_clips, "encoders": _prints(members, weights)}
        unit = f"{group}.{key}"
        tasks.append(Task("film_features", unit, config, (), "", simulated, Cost(0.1 * film.n_clips * len(members))))
    return tuple(tasks)


def group_of(spec: EncoderSpec) -> str:
    """Encoders of one group are extracted together: the embedded ones, or a network with its controls."""
    return EMBEDDED if spec.source == EMBEDDED else spec.base or spec.id


def _split(entry: str) -> tuple[str, str]:
    name, _, folder = entry.partition(":")
    return name, folder


def _groups(specs: Sequence[EncoderSpec]) -> dict[str, list[EncoderSpec]]:
    groups: dict[str, list[EncoderSpec]] = {}
    for spec in specs:
        groups.setdefault(group_of(spec), []).append(spec)
    return groups


def _features_task(
    source: Source,
    named: Mapping[str, Task],
    group: str,
    members: Sequence[EncoderSpec],
    weights: Mapping[str, str],
    segment: str,
) -> Task:
    film = (source.film_tasks[segment],) if segment in source.film_tasks else ()
    n = source.clips[segment]
    config = {"film": source.film_prints[segment], "n_clips": n, "encoders": _prints(members, weights)}
    seconds = (0.04 if group == EMBEDDED else 2.0) * n * len(members)
    memory = max(spec.memory_gb for spec in members)
    return source.task("clip_features", f"{group}.{segment}", config, film, Cost(seconds, memory, 2e-5 * n))


def _prints(members: Sequence[EncoderSpec], weights: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Where each encoder's weights are, and the fingerprint of encoder and weights."""
    prints = {}
    for spec in members:
        folder = weights[spec.id]
        place = weights_of(spec, _path(folder)) if spec.source != EMBEDDED else None
        prints[spec.id] = {"weights": folder, "print": spec.fingerprint(place)}
    return prints


def _path(folder: str) -> Path | None:
    return Path(folder) if folder else None


def _pair(entry: str, weights: Mapping[str, str]) -> tuple[str, str]:
    a, _, b = entry.partition("+")
    if a not in weights or b not in weights or a == b:
        raise BrainvizError(
            f"The pair {entry!r} is not two encoders of this run.", "--joint", f"Encoders: {', '.join(weights)}."
        )
    return a, b


def _usual_pair(specs: Sequence[EncoderSpec]) -> list[tuple[str, str]]:
    moving = [spec.id for spec in specs if spec.moves and not spec.control]
    still = [spec.id for spec in specs if not spec.moves and not spec.control]
    return [(moving[0], still[0])] if moving and still else []


def _subject_tasks(
    source: Source,
    named: Mapping[str, Task],
    made: dict[str, Task],
    subject: str,
    specs: Sequence[EncoderSpec],
    pairs: Sequence[tuple[str, str]],
) -> None:
    bold = named[f"bold/{subject}"]
    volumes = sum(source.clips.values())
    ridge = DEMO_RIDGE if source.simulated else RIDGE
    films = {"training": source.training, "test": source.test, "ridge": ridge}

    def features(*names: str) -> tuple[Task, ...]:
        groups = dict.fromkeys(group_of(encoder_spec(name)) for name in names)
        return tuple(made[f"clip_features/{group}.{segment}"] for group in groups for segment in source.clips)

    for spec in specs:
        cost = Cost(4 + 4e-3 * volumes, 1.0, 3e-5 * volumes)
        task = source.task(
            "encoding", f"{subject}.{spec.id}", films | {"encoder": spec.id}, (*features(spec.id), bold), cost
        )
        made[task.name] = task
    fitted = tuple(made[f"encoding/{subject}.{spec.id}"] for spec in specs)
    for a, b in pairs:
        alone = tuple(made[f"encoding/{subject}.{name}"] for name in (a, b))
        task = source.task(
            "joint_encoding",
            f"{subject}.{a}_with_{b}",
            films | {"a": a, "b": b},
            (*features(a, b), *alone, bold),
            Cost(10 + 0.01 * volumes, 1.0),
        )
        made[task.name] = task
    compared = source.task("encoding_maps", subject, {}, (*fitted, bold), Cost(1.5 * len(specs) ** 2 / 2, 0.8))
    made[compared.name] = compared
