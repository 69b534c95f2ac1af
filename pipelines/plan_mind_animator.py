"""The Mind-Animator part of a plan: targets of all films, then one task per subject and form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Cost, Task
from pipelines.mind_animator.config import EMBEDDED, PUBLISHED
from pipelines.mind_animator.forms import CORRECTED, CORRECTIONS, RELEASED
from pipelines.mind_animator.pretrained import BLIP, GENERATOR, found_networks
from pipelines.request import RunRequest
from pipelines.sources import Source
from pipelines.weights import find

SHUFFLED_DEMO_CLIPS = 120
"""Test clips of the demo in the frame-shuffle test: each takes 126 flows."""

FORMS = (CORRECTED.name, RELEASED.name)
ABLATIONS = tuple(f"{CORRECTED.name}-minus-{correction}" for correction in CORRECTIONS)
"""The corrected form with one correction undone: what each is worth. Of the first subject, as each is trained anew; in
the demo always, on real data where `--corrections` asks for it."""


def mind_animator_tasks(source: Source, request: RunRequest, named: Mapping[str, Task]) -> dict[str, Task]:
    """Tasks by name, given those of films and scans; none where the films have no captions and nothing makes them."""
    networks = {} if source.simulated else found_networks(find)
    if not (source.simulated or source.captions or BLIP in networks):
        return {}
    made: dict[str, Task] = {}
    for film in source.clips:
        task = _film_targets(source, named, film, networks)
        made[task.name] = task
    if not networks:
        task = _embedded_targets(source, named, tuple(made.values()))
        made[task.name] = task
    for subject in source.subjects:
        wanted = (source.simulated or request.corrections) and subject == source.subjects[0]
        for form in (*FORMS, *(ABLATIONS if wanted else ())):
            task = _trained(source, request, {**named, **made}, f"{subject}.{form}", networks)
            made[task.name] = task
        made |= _shuffle_test(source, {**named, **made}, subject)
    return made


def target_tasks(named: Mapping[str, Task], films: Iterable[str]) -> list[Task]:
    """The tasks that hold the films' targets: what was learnt from all of them, or each film's own."""
    learnt = named.get(f"mind_animator_targets/{SHARED_UNIT}")
    return [learnt] if learnt is not None else [named[f"mind_animator_targets/{film}"] for film in films]


def _film_targets(source: Source, named: Mapping[str, Task], film: str, networks: Mapping[str, str]) -> Task:
    """A film's frames; with published networks also its targets."""
    n, own = source.clips[film], (source.film_tasks[film],) if film in source.film_tasks else ()
    config = {"film": source.film_prints[film], "n_clips": n}
    if not networks:
        cost = Cost(0.02 * n * max(source.frame_rate / 15, 1), 0.5, 8e-5 * n)
        return source.task("mind_animator_targets", film, config, own, cost)
    needs, cost = (*own, named["catalogue/all"]), Cost(4.0 * n, 18.0 if BLIP in networks else 3.0, 4e-4 * n)
    return source.task("mind_animator_targets", film, config | {"networks": dict(networks)}, needs, cost)


def _embedded_targets(source: Source, named: Mapping[str, Task], films: Sequence[Task]) -> Task:
    """What stands in for published networks, learnt from all training films."""
    features = (named[f"frame_features/{film}"] for film in source.clips)
    clips, settings = sum(source.clips.values()), EMBEDDED.to_mapping()
    config, needs = {"seed": settings["seed"], "threads": settings["threads"]}, (*films, *features)
    cost = Cost(5 + 0.02 * clips, 1.0, 2e-5 * clips)
    return source.task("mind_animator_targets", SHARED_UNIT, config, (*needs, named["catalogue/all"]), cost)


def _trained(
    source: Source, request: RunRequest, named: Mapping[str, Task], unit: str, networks: Mapping[str, str]
) -> Task:
    """One subject's parts in one form, and what they decode."""
    subject, form = unit.split(".", 1)
    settings, clips = (PUBLISHED if networks else EMBEDDED).to_mapping(), sum(source.clips.values())
    settings.pop("device")
    config: dict[str, Any] = {"training": source.training, "test": source.test, "settings": settings, "form": form}
    needs = [*target_tasks(named, source.clips), named[f"bold/{subject}"]]
    if not networks:
        return source.task("mind_animator", unit, config, tuple(needs), Cost(5 + 0.02 * clips, 0.9, 2e-4 * clips))
    config |= {"generator": networks[GENERATOR], "n_films": request.reanimate_clips}
    needs += [named[f"flow_labels/{film}"] for film in source.test]
    cost = Cost(2 * clips + 60 * request.reanimate_clips, 12.0)
    return source.task("mind_animator", unit, config, tuple(needs), cost)


def _shuffle_test(source: Source, named: Mapping[str, Task], subject: str) -> dict[str, Task]:
    """The frame-shuffle test of the corrected form's films."""
    films = (named[f"mind_animator_targets/{film}"] for film in source.test)
    needs = (named[f"mind_animator/{subject}.{CORRECTED.name}"], *films, named["catalogue/all"])
    n = SHUFFLED_DEMO_CLIPS if source.simulated else 0
    clips = n or sum(source.clips[film] for film in source.test)
    task = source.task("shuffle_test", subject, {"n_clips": n, "seed": 0}, needs, Cost(1 + 0.15 * clips, 0.5))
    return {task.name: task}
