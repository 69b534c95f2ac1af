"""What a workspace holds: its data set, subjects, clips, tables, and how far the plan is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from brainviz.data.timing import LAG_S, TR_S
from brainviz.errors import NotReady, UnknownName
from brainviz.results import ResultStore, check_schema
from brainviz.storage import read_json, read_table
from brainviz.tables import TABLE_STAGES

if TYPE_CHECKING:
    import pandas as pd

SHARED_UNIT = "all"  # results that do not depend on a subject


@dataclass(frozen=True)
class ClipPlace:
    """Where a clip stands in the arrays of its segment."""

    segment: str
    index: int
    split: str


class Catalogue:
    """The part of `brainviz.workspace.Workspace` on which its other parts stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts = check_schema(path)
        self.results = ResultStore(path)

    @property
    def version(self) -> str:
        """Changes whenever any current result changes; use it as a cache key."""
        return self.results.version()

    @property
    def simulated(self) -> bool:
        """Whether the data set is simulated; every panel and export must say so."""
        return bool(self.facts["simulated"])

    @property
    def dataset_name(self) -> str:
        return str(self.facts["dataset_name"])

    @property
    def dataset_path(self) -> Path:
        """The folder of the data set, relative paths being relative to the workspace."""
        return (self.path / self.facts["dataset"]).resolve()

    @property
    def subjects(self) -> list[str]:
        return list(self.facts["subjects"])

    @cached_property
    def clips(self) -> pd.DataFrame:
        """One row per clip: clip, segment, index, onset_s, duration_s, split, shot, caption, shot_onset, case."""
        return self.table("clips")

    @property
    def segments(self) -> list[str]:
        return list(dict.fromkeys(self.clips["segment"]))

    @cached_property
    def _places(self) -> dict[str, ClipPlace]:
        rows = zip(self.clips["clip"], self.clips["segment"], self.clips["index"], self.clips["split"], strict=True)
        return {clip: ClipPlace(segment, int(index), split) for clip, segment, index, split in rows}

    def place(self, clip: str) -> ClipPlace:
        """Segment, index and split of a clip; raises `UnknownName`."""
        if clip not in self._places:
            raise UnknownName(f"There is no clip called {clip!r}.", self.dataset_name, "Clips look like test1-0042.")
        return self._places[clip]

    # ---- tables

    def has_table(self, name: str) -> bool:
        """Whether at least one part of the table exists."""
        return name in TABLE_STAGES and bool(self._table_files(name))

    def table(self, name: str) -> pd.DataFrame:
        """A tidy table, its parts of all units put together. Columns are those of ARCHITECTURE.md, "Tables"."""
        import pandas as pd

        if name not in TABLE_STAGES:
            raise UnknownName(f"There is no table called {name!r}.", "", f"Tables: {', '.join(TABLE_STAGES)}.")
        files = self._table_files(name)
        if not files:
            raise NotReady(f"The table {name!r} is not there yet.", TABLE_STAGES[name], "It appears during the run.")
        return pd.concat([read_table(file) for file in files], ignore_index=True)

    def _table_files(self, name: str) -> list[Path]:
        folders = (result.folder for result in self.results.all_current(TABLE_STAGES[name]))
        return [path for folder in folders if (path := folder / f"{name}.parquet").exists()]

    # ---- the state of things

    @property
    def problems(self) -> pd.DataFrame:
        """What was wrong with the data set and what was left out."""
        return self.table("problems")

    def timing(self, subject: str) -> pd.DataFrame:
        """One row per run: volumes, recording start, lag check, whether it was used."""
        self._check_subject(subject)
        table = self.table("timing")
        return table[table["subject"] == subject].reset_index(drop=True)

    def clock(self, subject: str) -> tuple[float, float]:
        """Repetition time (0 where there is no time axis) and film time of kept volume 0, in s; CC2017's until read."""
        self._check_subject(subject)
        result = self.results.current("bold", subject)
        facts = result.manifest["facts"] if result is not None else {}
        return float(facts.get("tr_s", TR_S)), float(facts.get("lag_s", LAG_S))

    def stages(self) -> pd.DataFrame:
        """What the current plan holds: stage, unit, status (done or waiting), in the order of work."""
        import pandas as pd

        plan = read_json(self.path / "plan.json", [])
        rows = [(p["stage"], p["unit"], self.results.complete(p["stage"], p["unit"], p["key"])) for p in plan]
        status = ["done" if done else "waiting" for *_, done in rows]
        return pd.DataFrame({"stage": [r[0] for r in rows], "unit": [r[1] for r in rows], "status": status})

    def _check_subject(self, subject: str) -> None:
        if subject not in self.subjects:
            raise UnknownName(
                f"There is no subject called {subject!r}.", self.dataset_name, f"Subjects: {', '.join(self.subjects)}."
            )
