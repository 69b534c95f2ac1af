"""The Mind-Animator page: what it says of planted results, what a wrong link does, what is taken away."""

from __future__ import annotations

import json
import re
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainviz.components import mind_animator_exports, mind_animator_words
from brainviz.components.mind_animator_view import mind_animator_view, regions_of
from brainviz.cortex.regions import glasser
from brainviz.workspace import open_workspace
from pipelines.mind_animator.embedded import LABEL
from pipelines.mind_animator.forms import CORRECTED, CORRECTIONS, RELEASED
from support.fake_mind_animator import GIVEN, write_mind_animator
from support.page_words import assert_clean, words


@pytest.fixture(scope="module")
def decoded(workspace_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake workspace with Mind-Animator's results, beside the same data set."""
    root = tmp_path_factory.mktemp("decoded")
    shutil.copytree(workspace_folder, root / "workspace")
    (root / "dataset").symlink_to(workspace_folder.parent / "dataset")
    write_mind_animator(root / "workspace")
    return root / "workspace"


@pytest.fixture
def visited(decoded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAINVIZ_WORKSPACE", str(decoded))
    return decoded


def test_without_results_it_says_what_they_need(open_page, workspace_folder: Path) -> None:
    app = open_page("mind_animator", workspace_folder)
    assert_clean(app)
    assert "Mind-Animator has not been trained on subject 1 yet" in words(app)
    assert "films that have captions" in words(app)


def test_the_message_counts_subjects_blocks_and_names_the_control(open_page, decoded: Path) -> None:
    app = open_page("mind_animator", decoded)
    assert_clean(app)
    text = words(app)
    assert "Shown fMRI beats shifted fMRI <b>in 1 of 2 subjects</b>" in text
    assert "; better in 1 of 2 subjects and worse in 1 of 2 subjects than a frozen film" in text
    assert "p &lt; .05 (sign flips over 12 blocks, Holm)." in text
    assert re.search(r"A frozen film errs 4\.\d % less to 5\.\d % more \(at best p (&lt;|=) \.0\d\d\)\.", text), text[
        text.find("A frozen") :
    ][:90]
    assert "films from the shown fMRI pass in 2 of 2 subjects, films from shifted fMRI in 2 of 2" in text
    assert "Any smooth film passes" in text
    assert "Too few blocks for claims below p = .001" in text
    assert "by 60 s" in text and f"Targets and generator: {LABEL}" in text
    assert "Simulated data" in text
    assert "decoded from the brain" not in text


def test_each_measure_counts_its_own_subjects(open_page, decoded: Path) -> None:
    text = words(open_page("mind_animator", decoded))
    table = open_workspace(decoded).table("shuffle_test_shift")
    for measure, (name, _, _) in mind_animator_words.MEASURES.items():
        rows = table[table["measure"] == measure]
        hits = int(((rows["p_holm"] < 0.05) & (rows["difference"] > 0)).sum())
        panel = next(part for part in text.splitlines() if f"<b>{name}</b>" in part)
        assert f"shown fMRI better in {hits} of 2 subjects" in panel
    reversed_rows = table[table["measure"] == "reversed"].set_index("subject")["p_holm"]
    assert reversed_rows["1"] < 0.05 < reversed_rows["2"], "only subject 1's films know the direction of time"


def test_the_pattern_says_where_and_the_filter_does_not(open_page, decoded: Path) -> None:
    pattern = words(open_page("mind_animator", decoded))
    assert "strongest in **MT (left) and" in pattern
    assert "Patterns show where the decoded signal is (Haufe et al. 2014)" in pattern
    given = 2 * sum(GIVEN.values())
    assert f"{given} vertices of subject 1" in pattern and "all others have no value" in pattern
    filtered = words(open_page("mind_animator", decoded, part="structure", kind="filter"))
    assert "weighs **V4 (left) and" in filtered
    assert "only the pattern may be read as “where”" in filtered


def test_a_pinned_vertex_tells_its_region_and_every_map(open_page, decoded: Path) -> None:
    vertex = int(glasser().vertices("L_MT")[0])
    app = open_page("mind_animator", decoded, vertex=str(vertex))
    assert_clean(app)
    assert f"Vertex {vertex} · MT, left" in words(app)
    table = next(frame.value for frame in app.dataframe if "Part" in frame.value)
    told = table.set_index("Part")
    assert told.loc["Motion", "Pattern"].startswith("0.80") and told.loc["Motion", "Filter"].startswith("0.30")
    outside = int(glasser().vertices("L_4")[0])
    assert "was not given this vertex" in words(open_page("mind_animator", decoded, vertex=str(outside)))


def test_regions_are_means_over_the_vertices_that_were_given(visited: Path) -> None:
    rows = regions_of(mind_animator_view("1"), "motion", "pattern").set_index("name")
    values = open_workspace(visited).map("1", "mind-animator/motion/pattern")
    assert len(rows) == 2 * len(GIVEN)
    for name in ("L_MT", "L_V3A", "R_V1"):
        assert rows.loc[name, "mean"] == pytest.approx(np.nanmean(values[glasser().vertices(name)]))
        assert rows.loc[name, "n_vertices"] == GIVEN[name[2:]]


def test_corrections_help_and_cost_as_the_data_say(open_page, decoded: Path) -> None:
    app = open_page("mind_animator", decoded, subject="2")
    assert_clean(app)
    text = words(app)
    assert "Of subject 1 only" in text
    assert "By end-point error, whole window read (+.08" in text and "All four together **help**" in text
    assert "Not everything helps. What costs: whole window read (SSIM)." in text
    by_ssim = words(open_page("mind_animator", decoded, metric="ssim"))
    assert "By SSIM, augmentation on copies (+.0" in by_ssim
    assert "whole window read (−.0" in by_ssim and "**costs**" in by_ssim


def test_every_correction_has_a_name_in_plain_words() -> None:
    forms = {RELEASED.name, *(f"{CORRECTED.name}-minus-{name}" for name in CORRECTIONS)}
    assert set(mind_animator_words.CORRECTIONS) == forms
    assert mind_animator_words.in_order(sorted(forms))[-1] == RELEASED.name


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([0.99, 0.98], "A frozen film errs 1.0 to 2.0 % more (at best p = .200)."),
        ([1.01, 1.03], "A frozen film errs 1.0 to 2.9 % less (at best p = .200)."),
        ([0.99, 1.03], "A frozen film errs 2.9 % less to 1.0 % more (at best p = .200)."),
    ],
)
def test_the_frozen_film_may_win(errors: list[float], said: str) -> None:
    shown = pd.DataFrame({"error": errors, "frozen": 1.0, "frozen_low": -0.1, "frozen_high": 0.1, "frozen_p": 0.2})
    assert mind_animator_words.frozen_words(shown) == said
    assert mind_animator_words.against_frozen(shown) == "not told apart from a frozen film"
    surely = shown.assign(frozen_high=-0.01, frozen_p=0.001)
    assert mind_animator_words.against_frozen(surely) == "worse in 2 of 2 subjects than a frozen film"


def test_a_wrong_link_is_taken_kindly(open_page, decoded: Path) -> None:
    link = {"part": "../etc", "kind": "best", "metric": "luck", "vertex": "minus", "region": "V99", "subject": "9"}
    app = open_page("mind_animator", decoded, **link)
    assert_clean(app)
    assert len(app.toast) == 6
    assert "MT (left)" in words(app)


def test_what_is_missing_does_not_hide_the_rest(open_page, decoded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    shutil.copytree(decoded, folder, copy_function=lambda a, b: Path(b).hardlink_to(a))
    for stage in ("shuffle_test", "corrections"):
        shutil.rmtree(folder / "current" / stage)
    app = open_page("mind_animator", folder)
    assert_clean(app)
    assert "The table 'shuffle_test_shift' is not there yet" in words(app)
    assert "The corrections have not been weighed" in words(app) and "--corrections" in words(app)
    assert "strongest in **MT (left)" in words(app)


def test_exports_are_whole_and_say_simulated(visited: Path) -> None:
    for name in mind_animator_exports.CSV:
        table = pd.read_csv(StringIO(mind_animator_exports.table_csv(name)))
        assert len(table) == len(open_workspace(visited).table(name)) and table["simulated"].all()
    regions = pd.read_csv(StringIO(mind_animator_exports.regions_csv("1", "motion", "pattern")))
    assert regions["simulated"].all() and regions.iloc[0]["region"] == "MT"
    seen = mind_animator_exports.shown("1", "motion", "pattern", {})
    assert seen.simulated and LABEL in seen.caption
    assert mind_animator_exports.as_png(seen)[:4] == b"\x89PNG"
    told = json.loads(mind_animator_exports.settings_json({"subject": "1", "part": "motion"}))
    assert told["data"]["simulated"] is True and told["data"]["generator"] == LABEL
