"""Regions under AppTest: what it says of measures, sets and ways, and what a wrong link does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from brainviz.workspace import open_workspace
from pipelines.interactive.regions import lesioned
from support.fake_regions import DECODED
from support.page_words import assert_clean, words


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("unique", "Refitted, this decoder loses most without <b>MT</b>: .050 px"),
        ("reliance", "As it stands, this decoder relies most on <b>MT</b>: .025 px"),
        ("alone", "Alone, <b>MT</b> takes most error away: .200 px"),
    ],
)
def test_message_names_the_foremost_region_of_a_measure(
    open_page, workspace_folder: Path, measure: str, said: str
) -> None:
    app = open_page("regions", workspace_folder, measure=measure)
    assert_clean(app)
    assert said in words(app)
    assert "1 of 4 regions contribute more than random patches" in words(app)
    assert "Simulated data" in words(app)
    assert "region codes" not in words(app)


def test_table_holds_all_regions_and_why_some_have_no_value(open_page, workspace_folder: Path) -> None:
    table = open_page("regions", workspace_folder).dataframe[0].value
    assert len(table) == 180
    assert list(table["region"][:4]) == ["MT", "V1", "V3A", "V4"]
    assert table["gain"][4:].isna().all()
    assert table["reason"][4:].str.contains("no vertex").all()


@pytest.mark.parametrize("way", ["without", "conditional"])
def test_a_set_of_regions_is_left_out_and_said_in_numbers(open_page, workspace_folder: Path, way: str) -> None:
    app = open_page("regions", workspace_folder, set="MT,V1", way=way, clip="test1-0003")
    assert_clean(app)
    lesion = lesioned(open_workspace(workspace_folder), "1", "test1-0003", ["V1", "MT"], way)
    change = lesion.mean_epe - lesion.mean_epe_full
    size = f"{abs(change):.{3 if abs(change) >= 0.0095 else 4}f}".removeprefix("0")
    assert f"this decoder {'loses' if change >= 0 else 'gains'} {size} px" in words(app)
    assert "<b>V1 and MT</b>" in words(app)
    assert f"{2 * (DECODED['V1'] + DECODED['MT'])} of {2 * sum(DECODED.values())} vertices" in words(app)
    assert "One clip's change is descriptive" in words(app)


def test_keeping_only_a_region_says_what_is_kept(open_page, workspace_folder: Path) -> None:
    app = open_page("regions", workspace_folder, set="V3A", way="only")
    assert_clean(app)
    assert "Fitted to <b>V3A</b> only, this decoder keeps" in words(app)


def test_a_region_that_is_not_decoded_from_changes_nothing(open_page, workspace_folder: Path) -> None:
    app = open_page("regions", workspace_folder, set="A1")
    assert_clean(app)
    assert "Of A1 the decoder uses no vertex" in words(app)


def test_a_wrong_link_is_taken_kindly(open_page, workspace_folder: Path) -> None:
    app = open_page("regions", workspace_folder, set="V1,../../etc", measure="best", way="cut", clip="no")
    assert_clean(app)
    assert app.query_params["set"] in (["V1"], "V1")
    assert len(app.toast) == 4


def test_without_results_it_says_when_they_come(open_page, workspace_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    shutil.copytree(workspace_folder, folder, copy_function=lambda a, b: Path(b).hardlink_to(a))
    shutil.copytree(workspace_folder.parent / "dataset", tmp_path / "dataset")
    shutil.rmtree(folder / "current" / "leave_out")
    app = open_page("regions", folder)
    assert_clean(app)
    assert "is not there yet" in words(app)


def test_exports_hold_the_table_and_say_simulated(workspace_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from brainviz.components import regions_exports

    monkeypatch.setenv("BRAINVIZ_WORKSPACE", str(workspace_folder))
    lines = regions_exports.table_csv("1").splitlines()
    assert len(lines) == 1 + 3 * 180
    assert "simulated" in lines[0]
    shown = regions_exports.shown("1", "alone", {})
    assert np.nanmax(np.asarray(shown.values)) == pytest.approx(0.2)
    assert regions_exports.as_png(shown)[:4] == b"\x89PNG"
    assert '"simulated": true' in regions_exports.settings("1", "alone", {})
