"""Marks of visitors: kept whole, checked, removable, not lost when several mark at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from brainviz.errors import BrainvizError, UnknownName
from brainviz.marked_cases import FILE, mark_case, marked_cases, unmark_case
from brainviz.results import ResultStore
from brainviz.storage import write_table
from brainviz.workspace import Workspace, create_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    facts = {"dataset": "data", "dataset_name": "x", "simulated": True, "subjects": ["1"]}
    made = create_workspace(tmp_path, facts)
    clips = [f"test1-{i:04d}" for i in range(30)]
    table = pd.DataFrame({"clip": clips, "segment": "test1", "index": range(30), "split": "test"})
    with ResultStore(tmp_path).writing("catalogue", "all", "k") as (folder, _):
        write_table(folder / "clips.parquet", table)
    ResultStore(tmp_path).point("catalogue", "all", "k")
    return made


def test_marks_are_kept_in_the_order_of_the_film_and_removed(workspace: Workspace) -> None:
    mark_case(workspace, "test1-0007", "  Cat: jumps or sits  ")
    mark_case(workspace, "test1-0002", "Adler, gleitet (oder nicht)")
    assert marked_cases(Workspace(workspace.path)) == {
        "test1-0002": "Adler, gleitet (oder nicht)",
        "test1-0007": "Cat: jumps or sits",
    }
    mark_case(workspace, "test1-0007", "Cat 2")
    unmark_case(workspace, "test1-0002")
    unmark_case(workspace, "test1-0002")
    assert marked_cases(workspace) == {"test1-0007": "Cat 2"}


@pytest.mark.parametrize("name", ["", "   ", "<b>x</b>", "../../etc", "a" * 61, "a\nb", "_x", "a\x00"])
def test_names_that_no_case_needs_are_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(BrainvizError, match="cannot be kept"):
        mark_case(workspace, "test1-0007", name)
    assert not (workspace.path / FILE).exists()


def test_unknown_clip_is_refused_and_a_stale_mark_ignored(workspace: Workspace) -> None:
    with pytest.raises(UnknownName):
        mark_case(workspace, "../secret", "x")
    (workspace.path / FILE).write_text('{"seg9-0001": "gone", "test1-0001": "here"}')
    assert marked_cases(workspace) == {"test1-0001": "here"}


def test_marking_at_once_loses_none(workspace: Workspace) -> None:
    clips = list(workspace.clips["clip"])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda clip: mark_case(workspace, clip, f"Case {clip[-2:]}"), clips))
    assert list(marked_cases(workspace)) == clips
    assert [p.name for p in workspace.path.glob(f"*{FILE}*")] == [FILE]
