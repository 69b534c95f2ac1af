"""The Mind-Animator part of a plan: targets of all films, then one task per subject and form."""

from __future__ import annotations

from collections.abc import Mapping

from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Cost, Task
from pipelines.mind_animator.config import EMBEDDED
from pipelines.mind_animator.forms import CORRECTED, CORRECTIONS, RELEASED
from pipelines.request import RunRequest
from pipelines.sources import Source

SHUFFLED_DEMO_CLIPS = 120
"""Test clips of the demo in the frame-shuffle test: each takes 126 flows."""

FORMS = (CORRECTED.name, RELEASED.name)
ABLATIONS = tuple(f"{CORRECTED.name}-minus-{correction}" for correction in CORRECTIONS)
"""The corrected form with one correction undone: what each is worth. Of the first subject, as each is trained anew."""


def mind_animator_tasks(
    source: Source, request: RunRequest, named: Mapping[str, Task], forms: tuple[str, ...] = FORMS
) -> dict[str, Task]:
    """Tasks by name, given those of films and scans; none where the films have no captions."""
    if not (source.simulated or source.captions):
        return {}
    made: dict[str, Task] = {}
    for film, n in source.clips.items():
        own = (source.film_tasks[film],) if film in source.film_tasks else ()
        config = {"film": source.film_prints[film], "n_clips": n}
        cost = Cost(0.02 * n * max(source.frame_rate / 15, 1), 0.5, 8e-5 * n)
        task = source.task("mind_animator_targets", film, config, own, cost)
        made[task.name] = task
    films = (named[f"frame_features/{film}"] for film in source.clips)
    needs = (*made.values(), *films, named["catalogue/all"])
    clips = sum(source.clips.values())
    settings = EMBEDDED.to_mapping()
    settings.pop("device")
    config = {"seed": settings["seed"], "threads": settings["threads"]}
    targets = source.task(
        "mind_animator_targets", SHARED_UNIT, config, needs, Cost(5 + 0.02 * clips, 1.0, 2e-5 * clips)
    )
    made[targets.name] = targets
    base = {"training": source.training, "test": source.test, "settings": settings}
    for subject in source.subjects:
        undone = ABLATIONS if subject == source.subjects[0] else ()
        for form in (*forms, *undone):
            cost = Cost(5 + 0.02 * clips, 0.9, 2e-4 * clips)
            task = source.task(
                "mind_animator", f"{subject}.{form}", base | {"form": form}, (targets, named[f"bold/{subject}"]), cost
            )
            made[task.name] = task
        made |= _shuffle_test(source, {**named, **made}, subject)
    return made


def _shuffle_test(source: Source, named: Mapping[str, Task], subject: str) -> dict[str, Task]:
    """The frame-shuffle test of the corrected form's films."""
    films = (named[f"mind_animator_targets/{film}"] for film in source.test)
    needs = (named[f"mind_animator/{subject}.{CORRECTED.name}"], *films, named["catalogue/all"])
    n = SHUFFLED_DEMO_CLIPS if source.simulated else 0
    clips = n or sum(source.clips[film] for film in source.test)
    task = source.task("shuffle_test", subject, {"n_clips": n, "seed": 0}, needs, Cost(1 + 0.15 * clips, 0.5))
    return {task.name: task}
