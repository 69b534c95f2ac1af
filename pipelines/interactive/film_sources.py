"""The results that a film is made of: flow, masks, and the error below which nothing is moved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.errors import NotReady
from brainviz.results import Result
from brainviz.workspace import Workspace

AT_ONCE = "warp"
NO_FLOW = "none"


def flow_source(workspace: Workspace, subject: str, clip: str, system: str, backend: str = AT_ONCE) -> str:
    """The result that the flow comes from, as ``stage/unit:key``; `NO_FLOW` where the backend makes its own motion.

    Raises `NotReady` where there is no flow.
    """
    place = workspace.place(clip)
    if backend == system and not _follows_motion(backend):
        return NO_FLOW
    if system not in workspace.systems(subject):
        raise NotReady(f"There is no flow of {system!r} yet.", f"subject {subject}", "See systems() for what there is.")
    if system == "truth":
        return label_source(workspace, place.segment)
    return _named(workspace.decoded(subject, system))


def label_source(workspace: Workspace, segment: str) -> str:
    """The result that holds a film's true flow, as ``stage/unit:key``; raises `NotReady`."""
    labels = workspace.results.current("flow_labels", segment)
    if labels is None:
        raise NotReady("True flow is not there yet.", segment, "It appears during the run.")
    return _named(labels)


def film_objects(workspace: Workspace, clip: str, mask: str) -> npt.NDArray[np.bool_] | None:
    """The objects of the film that a mask needs: bool (3, 32, 32), or None; raises `NotReady`."""
    from pipelines.reanimate.drive import uses_film

    if not uses_film(mask):
        return None
    return workspace.object_mask(clip) if mask == "film-objects" else workspace.flowsam_mask(clip)


def mask_source(workspace: Workspace, clip: str, mask: str) -> str:
    """The result that FlowSAM's masks come from, as ``stage/unit:key``; "" for other masks, or where there is none."""
    if mask != "flowsam":
        return ""
    found = workspace.results.current("object_masks", workspace.place(clip).segment)
    return "" if found is None else _named(found)


def held_out_error(workspace: Workspace, subject: str, system: str) -> float:
    """The system's end-point error on held-out training clips, grid pixels per step; 0 where it is not known.

    A clip with less predicted motion is shown still (`pipelines.reanimate.drive`).
    """
    if system == "truth":
        return 0.0
    return float(workspace.decoded(subject, system).manifest["facts"].get("held_out_error", 0.0))


def _follows_motion(backend: str) -> bool:
    from pipelines.reanimate.registry import BACKENDS

    return BACKENDS[backend].follows_motion


def _named(result: Result) -> str:
    return f"{result.stage}/{result.unit}:{result.folder.name}"
