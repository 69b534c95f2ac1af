"""The Ambiguity page under AppTest: what it says, what links do, what is there without results."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brainviz.marked_cases import mark_case, marked_cases
from brainviz.workspace import open_workspace
from support.page_words import assert_clean, words

KEEP = "mark-keep"


@pytest.fixture
def own_folder(workspace_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(workspace_folder.parent, tmp_path / "own", symlinks=True)
    return tmp_path / "own" / workspace_folder.name


def test_case_is_told_with_its_interval_and_in_how_many_subjects(open_page, workspace_folder: Path) -> None:
    app = open_page("ambiguity", workspace_folder, ambiguity="bird")
    assert_clean(app)
    text = words(app)
    row = open_workspace(workspace_folder).table("ambiguity_cases").query("case == 'bird' and runs == 'all'").iloc[0]
    assert f"<b>{row['usable_bits']:.2f} usable bits</b>" in text
    assert f"{row['low']:.2f} to {row['high']:.2f}" in text
    assert "of 2 subjects above 0" in text
    assert "Simulated data" in text
    assert "All instances, all subjects" in text
    assert text.count("Frame + fMRI</b>") == 2, "both continuations of the frame are told"


def test_single_clip_is_called_one_clip(open_page, workspace_folder: Path) -> None:
    app = open_page("ambiguity", workspace_folder, ambiguity="clip", clip="test1-0003")
    assert_clean(app)
    text = words(app)
    assert "n = 1 clip; even test runs; ranked on odd ones" in text
    assert "All instances" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("ambiguity", "../../etc"), ("clip", "seg1-0000"), ("clip", "nothing"), ("subject", "9")],
)
def test_bad_link_gives_the_default_and_a_notice(open_page, workspace_folder: Path, name: str, value: str) -> None:
    app = open_page("ambiguity", workspace_folder, **{name: value})
    assert_clean(app)
    assert len(app.toast) == 1


def test_clip_is_marked_listed_and_forgotten(open_page, own_folder: Path) -> None:
    app = open_page("ambiguity", own_folder, ambiguity="clip", clip="test1-0003")
    app.text_input(key="mark-name").set_value("Cat: jumps or sits")
    app.button(key=KEEP).click().run()
    assert_clean(app)
    workspace = open_workspace(own_folder)
    assert marked_cases(workspace) == {"test1-0003": "Cat: jumps or sits"}
    linked = open_page("ambiguity", own_folder, ambiguity="marked")
    assert_clean(linked)
    assert "an illustration, n = 1 clip" in words(linked)
    linked.button(key="mark-remove:test1-0003").click().run()
    assert_clean(linked)
    assert marked_cases(workspace) == {}


def test_bad_name_is_explained_and_not_kept(open_page, own_folder: Path) -> None:
    app = open_page("ambiguity", own_folder, ambiguity="clip", clip="test1-0003")
    app.text_input(key="mark-name").set_value("<script>")
    app.button(key=KEEP).click().run()
    assert "This name cannot be kept." in words(app)
    assert marked_cases(open_workspace(own_folder)) == {}


def test_paper_positions_are_proposed_for_the_real_film_only(own_folder: Path) -> None:
    from brainviz.components.ambiguity_cases import cases_of

    workspace = open_workspace(own_folder)
    ids = [case.id for case in cases_of(workspace, ["test1-0010"])]
    assert ids == ["clip"] or "soldier" not in ids
    workspace.facts["dataset_name"] = "cc2017"
    soldier = next(case for case in cases_of(workspace, ["test1-0009", "test1-0010"]) if case.id == "soldier")
    assert soldier.clips == ("test1-0010",)
    assert soldier.kind == "proposed"


def test_marked_clip_that_was_not_measured_is_left_out(own_folder: Path) -> None:
    from brainviz.components.ambiguity_cases import cases_of

    workspace = open_workspace(own_folder)
    mark_case(workspace, "test1-0001", "Other")
    assert "marked" not in [case.id for case in cases_of(workspace, ["test1-0010"])]


def test_page_waits_for_its_results(open_page, own_folder: Path) -> None:
    shutil.rmtree(own_folder / "current" / "ambiguity")
    app = open_page("ambiguity", own_folder)
    assert_clean(app)
    assert "The table 'ambiguity' is not there yet." in words(app)
