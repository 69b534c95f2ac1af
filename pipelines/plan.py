"""From a request to a plan: which tasks, in which order, with what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainviz.data.catalogue import split_of
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Cost, Task
from pipelines.plan_ambiguity import ambiguity_tasks
from pipelines.plan_benchmark import benchmark_tasks
from pipelines.plan_drawing import DRAWN, drawn_tasks
from pipelines.plan_encoding import encoding_tasks, upload_tasks
from pipelines.plan_leave_out import leave_out_tasks
from pipelines.plan_mind_animator import mind_animator_tasks
from pipelines.plan_reanimation import reanimation_tasks, render_tasks
from pipelines.request import TARGETS, RunRequest
from pipelines.sources import Source, find_source

SUBJECT_SYSTEMS = ("brain", "ridge", "brain-reference", "shuffled")
SHARED_SYSTEMS = ("image-only", "mean", "zero", "persistence", "prior")


@dataclass(frozen=True)
class Plan:
    """Tasks in order of work (first subject first), and what the workspace says of its data set.

    Without facts (an uploaded film) the workspace keeps its own plan.
    """

    tasks: tuple[Task, ...]
    facts: dict[str, Any] = field(default_factory=dict)


def build_plan(request: RunRequest, workspace: Path) -> Plan:
    """All tasks that the request needs, complete or not.

    Raises
    ------
    BrainvizError
        The data set cannot be read, or the request names subjects, segments or encoders that do not exist.
    """
    if request.film:
        return Plan(upload_tasks(workspace, request.film, request.encoders))
    if request.render:
        tasks = drawn_tasks if request.render.get("system") == DRAWN else render_tasks
        return Plan(tasks(workspace, request.render))
    source = find_source(request)
    named = _film_tasks(source, request)
    _motion_tasks(source, request, named)
    if TARGETS.index(request.until) >= TARGETS.index("encoding"):
        named |= encoding_tasks(source, request.encoders, request.joint, named)
    if TARGETS.index(request.until) >= TARGETS.index("reanimation"):
        named |= ambiguity_tasks(source, request, named)
        named |= leave_out_tasks(source, request, named)
        named |= reanimation_tasks(source, request, named, workspace)
    if TARGETS.index(request.until) >= TARGETS.index("benchmark"):
        named |= mind_animator_tasks(source, request, named)
        named |= benchmark_tasks(source, request, named)
    facts = {
        "dataset": source.dataset,
        "dataset_name": source.name,
        "simulated": source.simulated,
        "subjects": list(source.subjects),
    }
    return Plan(tuple(_in_order(named, source.subjects)), facts)


def _film_tasks(source: Source, request: RunRequest) -> dict[str, Task]:
    """Per-film tasks and what is fitted on the training films, by task name."""
    from pipelines.features.first_frame import resolve_frame_encoder
    from pipelines.flow_labels import resolve_labeller

    labeller, encoder = resolve_labeller(request.labeller), resolve_frame_encoder(request.frame_encoder)
    tasks: list[Task] = list(source.film_tasks.values())
    for segment, n in source.clips.items():
        film = (source.film_tasks[segment],) if segment in source.film_tasks else ()
        base = {"film": source.film_prints[segment], "n_clips": n}
        frames = 2 * source.frame_rate * n
        cuts = source.task("cuts", segment, base, film, Cost(5e-4 * frames, 0.4))
        cost = Cost(frames * (1.5 if labeller == "raft" else 1.6e-3), 0.6)
        labels = source.task("flow_labels", segment, base | {"labeller": labeller}, (cuts,), cost)
        features = source.task(
            "frame_features", segment, base | {"encoder": encoder}, film, Cost(0.01 * n, 0.6, 3e-4 * n)
        )
        tasks += [cuts, labels, features]
        if source.simulated and split_of(segment) == "test":
            tasks.append(source.task("label_error", segment, {}, (labels,), Cost(0.04 * n)))
    named = {task.name: task for task in tasks}
    cuts_tasks = tuple(named[f"cuts/{s}"] for s in source.clips)
    catalogue = source.task("catalogue", SHARED_UNIT, {"captions": source.captions}, cuts_tasks, Cost(1))
    twins = source.task("near_duplicates", SHARED_UNIT, {}, (catalogue,), Cost(4e-3 * sum(source.clips.values())))
    training = tuple(named[f"flow_labels/{s}"] for s in source.training)
    codebook = source.task("codebook", SHARED_UNIT, {"k": 40, "seed": 0}, training, Cost(3))
    return named | {task.name: task for task in (catalogue, twins, codebook)}


def _motion_tasks(source: Source, request: RunRequest, named: dict[str, Task]) -> None:
    """Scans, decoders and evaluation, added by task name."""
    from pipelines.motion_decoder.config import DecoderConfig

    settings = {k: v for k, v in DecoderConfig().to_mapping().items() if k not in ("device", "threads")}
    base = {"training": source.training, "test": source.test, "settings": settings}
    shared = [*SHARED_SYSTEMS] if not request.svd else [*SHARED_SYSTEMS, "svd"]
    labeller = named[f"flow_labels/{source.training[0]}"].config["labeller"]
    for system in shared:
        config = base | {"system": system} | ({"weights": request.svd, "labeller": labeller} if system == "svd" else {})
        _add(named, _decoder_task(source, f"{SHARED_UNIT}.{system}", config, _film_needs(source, named, system)))
    for subject in source.subjects:
        _subject_tasks(source, named, subject, base, shared)
    prints = {"films": source.film_prints, "scans": source.scan_prints}
    everything = (*source.film_tasks.values(), *source.scan_tasks.values())
    _add(named, source.task("check", SHARED_UNIT, prints, everything, Cost(20)))


def _film_needs(source: Source, named: dict[str, Task], system: str) -> tuple[Task, ...]:
    """What a decoder reads of the films: labels of test films only where it is told the truth."""
    labelled = list(source.clips) if system == "persistence" else source.training
    labels = (named[f"flow_labels/{s}"] for s in labelled)
    return (*labels, *(named[f"frame_features/{s}"] for s in source.clips))


def _subject_tasks(
    source: Source, named: dict[str, Task], subject: str, base: dict[str, Any], shared: Sequence[str]
) -> None:
    clips = sum(source.clips.values())
    scan = (source.scan_tasks[subject],) if subject in source.scan_tasks else ()
    _add(named, *scan)
    config = {"scans": source.scan_prints[subject], "segments": list(source.clips)}
    bold = source.task("bold", subject, config, scan, Cost(0.01 * clips, 0.9, 4e-4 * clips))
    _add(named, bold)
    for system in SUBJECT_SYSTEMS:
        needs = (*_film_needs(source, named, system), bold)
        _add(named, _decoder_task(source, f"{subject}.{system}", base | {"system": system}, needs))
    decoders = [f"{subject}.{system}" for system in SUBJECT_SYSTEMS] + [f"{SHARED_UNIT}.{s}" for s in shared]
    needs = (
        *(named[f"motion_decoder/{unit}"] for unit in decoders),
        bold,
        named["catalogue/all"],
        named["codebook/all"],
        *(named[f"flow_labels/{s}"] for s in source.clips),
    )
    _add(named, source.task("evaluate_motion", subject, {"test": source.test}, needs, Cost(0.01 * clips)))


def _decoder_task(source: Source, unit: str, config: dict[str, Any], needs: tuple[Task, ...]) -> Task:
    clips = sum(source.clips.values())
    per_clip = {"brain": 0.014, "brain-reference": 0.02, "shuffled": 0.014, "image-only": 0.009, "svd": 60.0}
    cost = Cost(1.0 + per_clip.get(config["system"], 0.002) * clips, 0.8, 5e-5 * clips)
    return source.task("motion_decoder", unit, config, needs, cost)


def _add(named: dict[str, Task], *tasks: Task) -> None:
    named.update({task.name: task for task in tasks})


def _in_order(named: dict[str, Task], subjects: Sequence[str]) -> list[Task]:
    """The first subject's decoded flow as early as can be, then subject by subject; every task after its needs.

    A depth-first walk from these goals. The scans come before the flow labels because they take long and need all
    films; what only reports on the data set comes last.
    """
    first = subjects[0]
    goals = [f"bold/{first}", "catalogue/all", f"motion_decoder/{first}.brain"]
    for stage in (
        "evaluate_motion",
        "encoding_maps",
        "joint_encoding",
        "evaluate_reanimation",
        "ambiguity",
        "leave_out",
        "benchmark",
        "shuffle_test",
        "corrections",
    ):
        goals += [name for subject in subjects for name in named if name.split(".")[0] == f"{stage}/{subject}"]
    ordered: dict[Task, None] = {}

    def visit(task: Task) -> None:
        if task not in ordered:
            for need in task.needs:
                visit(need)
            ordered[task] = None

    for name in [*goals, *named]:
        visit(named[name])
    return list(ordered)
