"""The reanimation part of a plan: every system's films with each backend and mask, scores, one film on demand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainviz.errors import BrainvizError, NotReady
from brainviz.imported import STAGE
from brainviz.results import ResultStore
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Cost, Task
from pipelines.reanimate.units import reanimation_unit, render_unit
from pipelines.request import RunRequest
from pipelines.sources import Source

AT_ONCE, IMPORTED = "warp", "imported"
SUBJECT_SYSTEMS = ("brain",)
SHARED_SYSTEMS = ("truth", "image-only", "prior", "zero")
SAMPLES = {"prior": 3, "svd": 3}
DEMO_PX, REAL_PX = 128, 256
SLOW_CLIPS = 100
FLOWSAM = "flowsam"
_FLOWSAM_SECONDS = (60.0, 1.0)  # of one clip, without and with a GPU: twelve pictures of 1024 px through SAM's ViT-B
_SLOW_SECONDS = 60.0  # of one film of a diffusion backend on a GPU; on a processor it is an hour


def reanimation_tasks(
    source: Source, request: RunRequest, named: Mapping[str, Task], workspace: Path
) -> dict[str, Task]:
    """Tasks by name, given those of films, labels and decoders; films of imported systems are scored too.

    Raises
    ------
    BrainvizError
        An unknown backend or mask.
    NotReady
        A backend or FlowSAM lacks its weights.
    """
    made: dict[str, Task] = {}
    for segment in source.test:
        film = (source.film_tasks[segment],) if segment in source.film_tasks else ()
        n, size = source.clips[segment], DEMO_PX if source.simulated else REAL_PX
        config = {"film": source.film_prints[segment], "n_clips": n, "size": size}
        cost = Cost(0.04 * n, 0.6, 1.2e-8 * size**2 * n)
        _add(made, source.task("reference_frames", segment, config, film, cost))
    choices = _choices(request)
    if any(mask == FLOWSAM for *_, mask in choices):
        for segment in source.test:
            _add(made, _masks_task(source, request, named, segment))
    for backend, weights, mask in choices:
        for owner, system in _systems(source, backend, mask):
            _add(made, _task(source, request, {**named, **made}, owner, system, (backend, weights, mask)))
    for owner, system, key in _imported(source, workspace):
        _add(made, _imported_task(source, {**named, **made}, owner, system, key))
    for subject in source.subjects:
        units = [task for task in made.values() if task.unit.split(".")[0] in (subject, SHARED_UNIT)]
        needs = (*(task for task in units if task.stage == "reanimation"), named["catalogue/all"])
        _add(made, source.task("evaluate_reanimation", subject, {}, needs, Cost(5)))
    return made


def render_tasks(workspace: Path, wish: Mapping[str, Any]) -> tuple[Task, ...]:
    """The task that renders one film on demand; raises as `pipelines.interactive.reanimation.render_request`."""
    from brainviz import open_workspace
    from pipelines.interactive.film_sources import film_objects, flow_source, mask_source
    from pipelines.reanimate.registry import make_backend

    names = ("subject", "clip", "system", "backend", "mask", "sample", "seed")
    missing, unknown = [name for name in names if name not in wish], sorted(set(wish) - {*names, "weights", "svd"})
    if missing or unknown:
        raise BrainvizError(
            f"A rendering needs {', '.join(names)}.", ", ".join([*missing, *unknown]), "Give all of them."
        )
    weights = Path(wish["weights"]) if wish.get("weights") else None
    backend = make_backend(wish["backend"], weights, svd=wish.get("svd", ""))
    if problem := backend.missing():
        raise NotReady(f"The backend {backend.id!r} cannot run.", "render", problem)
    opened = open_workspace(workspace)
    flow = flow_source(opened, wish["subject"], wish["clip"], wish["system"], wish["backend"])
    film_objects(opened, wish["clip"], wish["mask"])  # refused now where it is not there
    masks = mask_source(opened, wish["clip"], wish["mask"])
    config = {**wish, "flow": flow} | ({"objects": masks} if masks else {})
    unit = render_unit(*(wish[name] for name in names))
    seconds = 1.0 if backend.id == AT_ONCE else _SLOW_SECONDS
    cost = Cost(seconds, max(0.5, backend.memory_gb), 0.002)
    return (Task("render", unit, config, (), "", opened.simulated, cost),)


def _choices(request: RunRequest) -> list[tuple[str, str, str]]:
    """Backend, folder of its weights, and mask of everything that is rendered; the warp always."""
    from pipelines.reanimate.drive import uses_film
    from pipelines.reanimate.registry import BACKENDS

    asked = dict.fromkeys([AT_ONCE, *request.reanimate_with])
    masks = tuple(dict.fromkeys(["none", *request.object_masks]))
    for mask in masks:
        uses_film(mask)  # refuses an unknown one
    choices = []
    for entry in asked:
        backend, _, folder = entry.partition(":")
        if backend not in BACKENDS:
            known = f"There are: {', '.join(BACKENDS)}."
            raise BrainvizError(f"There is no backend {backend!r}.", "--reanimate-with", known)
        own = masks if BACKENDS[backend].follows_motion else ("none",)
        choices += [(backend, folder, mask) for mask in own]
    return choices


def _masks_task(source: Source, request: RunRequest, named: Mapping[str, Task], segment: str) -> Task:
    """FlowSAM's objects of one test film; raises `NotReady` where its weights are missing."""
    from pipelines.weights import find

    place = find(FLOWSAM)
    if place is None:
        remedy = "Get them: python -m pipelines weights flowsam --file FILE. Or choose predicted-objects."
        raise NotReady("FlowSAM's weights are not here.", "--object-masks flowsam", remedy)
    film = (source.film_tasks[segment],) if segment in source.film_tasks else ()
    n = source.clips[segment]
    config = {"film": source.film_prints[segment], "n_clips": n, "weights": str(place)}
    config |= {"labeller": _labeller(source, named)}
    seconds = _FLOWSAM_SECONDS[request.device != "cpu"] * n
    return source.task("object_masks", segment, config, film, Cost(seconds, 6.0))


def _systems(source: Source, backend: str, mask: str) -> list[tuple[str, str]]:
    """Owner and system of every film set; a backend without motion has one, and a frozen frame needs no backend."""
    from pipelines.reanimate.registry import BACKENDS

    if not BACKENDS[backend].follows_motion:
        return [(SHARED_UNIT, backend)]
    shared = [name for name in SHARED_SYSTEMS if name != "zero" or (backend, mask) == (AT_ONCE, "none")]
    own = [(subject, system) for system in SUBJECT_SYSTEMS for subject in source.subjects]
    return [(SHARED_UNIT, system) for system in shared] + own


def _task(
    source: Source,
    request: RunRequest,
    named: Mapping[str, Task],
    owner: str,
    system: str,
    choice: tuple[str, str, str],
) -> Task:
    from pipelines.reanimate.registry import make_backend

    backend, weights, mask = choice
    decoder = named.get(f"motion_decoder/{owner}.{system}")
    decoders = (decoder,) if decoder is not None and backend != "svd" else ()
    films = tuple(task for s in source.test for task in (named[f"reference_frames/{s}"], named[f"flow_labels/{s}"]))
    masks = tuple(named[f"object_masks/{s}"] for s in source.test) if mask == FLOWSAM else ()
    samples = SAMPLES.get(system, 1)
    config: dict[str, Any] = {"system": system, "backend": backend, "mask": mask, "samples": samples}
    config |= {"size": DEMO_PX if source.simulated else REAL_PX, "labeller": _labeller(source, named)}
    clips = sum(source.clips[s] for s in source.test)
    config |= _scored_by(source)
    if backend == AT_ONCE:
        seconds = (0.015 if system == "zero" else 0.07) * clips * samples
        cost = Cost(seconds if config["labeller"] == "dis" else seconds + 5.0 * clips * samples, 0.7)
    else:
        clips = min(request.reanimate_clips, clips)
        config |= {"n_clips": request.reanimate_clips, "weights": weights, "svd": request.svd}
        made = make_backend(backend, Path(weights) if weights else None, svd=request.svd)
        if problem := made.missing():  # said now, not after hours of other work
            raise NotReady(f"The backend {backend!r} cannot run.", "--reanimate-with", problem)
        cost = Cost(_SLOW_SECONDS * clips * samples, made.memory_gb, 0.001 * clips * samples)
    needs = (*films, *decoders, *masks)
    return source.task("reanimation", reanimation_unit(owner, system, backend, mask), config, needs, cost)


def _imported(source: Source, workspace: Path) -> list[tuple[str, str, str]]:
    """Owner, system and key of the films that `python -m pipelines import-system` has put here."""
    store = ResultStore(workspace)
    owners = (*source.subjects, SHARED_UNIT)
    found = [store.current(STAGE, unit) for unit in store.units(STAGE) if unit.split(".")[0] in owners]
    return [(*result.unit.split(".", 1), result.folder.name) for result in found if result is not None]  # type: ignore[misc]


def _imported_task(source: Source, named: Mapping[str, Task], owner: str, system: str, key: str) -> Task:
    films = tuple(task for s in source.test for task in (named[f"reference_frames/{s}"], named[f"flow_labels/{s}"]))
    config = {"system": system, "backend": IMPORTED, "mask": "none", "samples": 1, "films": key}
    config |= {"size": DEMO_PX if source.simulated else REAL_PX, "labeller": _labeller(source, named)}
    config |= _scored_by(source)
    cost = Cost(0.05 * sum(source.clips[s] for s in source.test), 0.7)
    return source.task("reanimation", reanimation_unit(owner, system, IMPORTED), config, films, cost)


def _scored_by(source: Source) -> dict[str, dict[str, str]]:
    """The networks that score films, for a task's config; nothing where there are none.

    The demo is scored without them: on a processor they take longer than all the rest of it.
    """
    found = {} if source.simulated else _networks()
    return {"networks": found} if found else {}


def _networks() -> dict[str, str]:
    """Folders of the networks that score films, those that are on this machine."""
    from pipelines.evaluate.video_embeddings import NETWORKS
    from pipelines.weights import find
    from pipelines.weights_catalogue import known_weights

    places = {name: find(name) for name in NETWORKS if name in known_weights()}
    return {name: str(place) for name, place in places.items() if place is not None}


def _labeller(source: Source, named: Mapping[str, Task]) -> str:
    return str(named[f"flow_labels/{source.test[0]}"].config["labeller"])


def _add(made: dict[str, Task], task: Task) -> None:
    made[task.name] = task
