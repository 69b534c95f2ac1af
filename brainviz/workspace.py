"""The one way to results: subjects, clips, systems, tables, flow fields, films, maps.

A page or a notebook asks the workspace and never touches a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from brainviz.errors import UnknownName
from brainviz.results import Result, check_schema
from brainviz.storage import read_array, write_json
from brainviz.tables import TABLE_STAGES
from brainviz.workspace_catalogue import SHARED_UNIT, ClipPlace
from brainviz.workspace_films import FilmResults
from brainviz.workspace_flow import FlowResults

__all__ = ["SHARED_UNIT", "TABLE_STAGES", "ClipPlace", "Workspace", "create_workspace", "open_workspace"]


class Workspace(FlowResults, FilmResults):
    """Read access to a workspace folder. Cheap to open; arrays are read when asked for.

    Raises
    ------
    NotReady
        A result that no finished stage has made yet.
    UnknownName
        A subject, clip, system, map or table that does not exist.
    """

    def maps(self, subject: str) -> list[str]:
        """Names of the subject's cortical maps, such as ``reliability``."""
        self._check_subject(subject)
        return sorted(self._maps(subject))

    def map(self, subject: str, name: str) -> np.ndarray:
        """A cortical map: float32 (64984,), left then right hemisphere, NaN on the medial wall."""
        self._check_subject(subject)
        found = self._maps(subject)
        if name not in found:
            raise UnknownName(f"There is no map called {name!r}.", f"subject {subject}", f"Maps: {', '.join(found)}.")
        return read_array(found[name].arrays, f"map.{name}").astype(np.float32)

    def _maps(self, subject: str) -> dict[str, Result]:
        units = [("bold", subject), ("encoding_maps", subject), ("leave_out", subject)]
        units += [("mind_animator", f"{subject}.corrected")]
        units += [(s, u) for s in ("encoding", "joint_encoding") for u in self.results.units(s) if _owner(u) == subject]
        results = [r for stage, unit in units if (r := self.results.current(stage, unit))]
        return {name: r for r in results for name in r.manifest["facts"].get("maps", [])}

    def encoders(self, subject: str) -> list[str]:
        """Encoders that were fitted to this subject."""
        self._check_subject(subject)
        return [unit.split(".", 1)[1] for unit in self.results.units("encoding") if _owner(unit) == subject]


def _owner(unit: str) -> str:
    """Subject of a unit such as ``1.brain``."""
    return unit.split(".", 1)[0]


def open_workspace(path: str | Path) -> Workspace:
    """Open the workspace in this folder.

    Raises
    ------
    BrainvizError
        The folder is no workspace, or one of another schema version.
    """
    return Workspace(Path(path))


def create_workspace(path: str | Path, facts: dict[str, Any]) -> Workspace:
    """Create the workspace, or update what it says of its data set (dataset, dataset_name, simulated, subjects)."""
    from brainviz.results import SCHEMA_VERSION

    folder = Path(path)
    if (folder / "workspace.json").exists():
        check_schema(folder)
    write_json(folder / "workspace.json", {**facts, "schema": SCHEMA_VERSION})
    return Workspace(folder)
