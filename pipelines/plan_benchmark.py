"""The benchmark's part of a plan: films that are not scored yet, then one comparison per subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brainviz.imported import END_TO_END, end_to_end
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Cost, Task
from pipelines.plan_mind_animator import ABLATIONS, target_tasks
from pipelines.plan_reanimation import IMPORTED
from pipelines.request import RunRequest
from pipelines.sources import Source

DEMO_CLIPS = 120
"""Test clips of the demo on which all systems are compared, every film and speed in proportion: a third of them."""

SYSTEMS = {"corrected": "mind-animator", "released": "mind-animator-released"}
FORM_OF_FRAMES = "corrected"  # whose first frames the end-to-end form moves


def benchmark_tasks(source: Source, request: RunRequest, named: Mapping[str, Task]) -> dict[str, Task]:
    """Tasks by name, given those of films, decoders, reanimations and, where there are any, of Mind-Animator."""
    made: dict[str, Task] = {}
    for subject in source.subjects:
        films = [
            _films_task(source, named, subject, system, {"searched": list(source.clips)}, form)
            for form, system in (*SYSTEMS.items(), (FORM_OF_FRAMES, END_TO_END))
            if f"mind_animator/{subject}.{form}" in named
        ]
        films += [
            _films_task(source, named, subject, end_to_end(frames["system"]), {"first_frames": frames})
            for frames in _imported(named, subject)
        ]
        usual = _usual(named, subject)
        config = {name: usual[name] for name in ("size", "labeller")}
        config |= {"networks": bool(usual.get("networks")), "seed": 0}
        needs = (*films, named[f"evaluate_reanimation/{subject}"], named["catalogue/all"])
        task = source.task("benchmark", subject, config, needs, Cost(4, 0.5))
        made |= {task.name: task for task in (*films, task)}
        made |= _corrections(source, named, made, subject)
    return made


def _corrections(source: Source, named: Mapping[str, Task], made: Mapping[str, Task], subject: str) -> dict[str, Task]:
    """What each of Mind-Animator's corrections is worth, for the subject whose forms are trained."""
    forms = [form for form in ABLATIONS if f"mind_animator/{subject}.{form}" in named]
    if not forms:
        return {}
    searched = {"searched": list(source.clips)}
    undone = [_films_task(source, named, subject, f"mind-animator-{form}", searched, form) for form in forms]
    whole = [made[f"benchmark_films/{subject}.{system}"] for system in SYSTEMS.values()]
    needs = (*whole, *undone, named["catalogue/all"])
    task = source.task("corrections", subject, {"seed": 0}, needs, Cost(2, 0.4))
    return {one.name: one for one in (*undone, task)}


def _usual(named: Mapping[str, Task], subject: str) -> dict[str, Any]:
    """How the subject's reanimations are scored."""
    return named[f"reanimation/{subject}.brain"].config


def _imported(named: Mapping[str, Task], subject: str) -> list[dict[str, str]]:
    """System, owner and key of the films that were imported for the subject; its own stand before those for all."""
    found = {}
    for owner in (SHARED_UNIT, subject):
        for task in named.values():
            if (task.stage, task.unit.split(".")[0], task.config.get("backend")) == ("reanimation", owner, IMPORTED):
                system = str(task.config["system"])
                found[system] = {"system": system, "owner": owner, "films": str(task.config["films"])}
    return list(found.values())


def _films_task(
    source: Source, named: Mapping[str, Task], subject: str, system: str, own: Mapping[str, Any], form: str = ""
) -> Task:
    """Films of one system: Mind-Animator's of one form, or first frames, its or imported, under the flow from them."""
    moved = system.startswith(END_TO_END)
    usual = _usual(named, subject)
    config: dict[str, Any] = {k: v for k, v in usual.items() if k in ("size", "labeller", "networks", "mask")}
    config |= {"system": system, **own} | ({"form": form} if form else {})
    config |= {"n_clips": DEMO_CLIPS} if source.simulated else {}
    needs = [named[f"mind_animator/{subject}.{form}"], *target_tasks(named, source.clips)] if form else []
    needs += [named[f"{stage}/{s}"] for stage in ("reference_frames", "flow_labels") for s in source.test]
    if moved:
        features = [named[f"frame_features/{s}"] for s in source.test]
        config |= {"encoder": features[0].config["encoder"], "test": source.test}
        needs += [named[f"motion_decoder/{subject}.brain"], named[f"bold/{subject}"], *features]
    n = sum(source.clips[s] for s in source.test)
    seconds = (0.05 if moved else 0.03) * min(n, config.get("n_clips", n))
    cost = Cost(2 + (seconds if config["labeller"] == "dis" else 100 * seconds), 0.7)
    return source.task("benchmark_films", f"{subject}.{system}", config, tuple(needs), cost)
