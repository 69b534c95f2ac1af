"""Films that runs have rendered, read from results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainviz.results import Result
from brainviz.storage import read_json
from brainviz.workspace import Workspace
from pipelines.interactive.film_cache import Fact
from pipelines.interactive.film_sources import flow_source, mask_source


@dataclass(frozen=True)
class StoredFilm:
    """A film that a run has rendered."""

    path: Path
    provenance: Mapping[str, Fact]


def stored_film(
    workspace: Workspace, subject: str, clip: str, system: str, backend: str, mask: str, sample: int = 0, seed: int = 0
) -> StoredFilm | None:
    """The film that a run has rendered from the flow that is current now; None where there is none."""
    from pipelines.reanimate.units import film_name, reanimation_unit, render_unit

    flow = flow_source(workspace, subject, clip, system, backend)
    objects = mask_source(workspace, clip, mask)
    inputs = {task: key for task, _, key in (source.partition(":") for source in (flow, objects)) if key}
    unit = render_unit(subject, clip, system, backend, mask, sample, seed)
    found = workspace.results.current("render", unit)
    if found is not None and _made_with(found.manifest["config"], {"flow": flow, "objects": objects}):
        return _stored(found, "film.mp4")
    if seed:
        return None
    for owner in (subject, "all"):
        unit = reanimation_unit(owner, system, backend, mask)
        found = workspace.results.current("reanimation", unit)
        if found is not None and _made_with(found.manifest["inputs"], inputs):
            name = film_name(clip, sample)
            if (found.folder / name).exists():
                return _stored(found, name)
    return None


def _made_with(stated: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(stated.get(name, "") == value for name, value in wanted.items())


def _stored(result: Result, name: str) -> StoredFilm:
    path = result.folder / name
    facts: dict[str, Any] = result.manifest["facts"].get("provenance", {})
    own = read_json(path.with_suffix(".json"), {})
    return StoredFilm(path, {**facts, **own, "simulated": result.manifest["simulated"]})
