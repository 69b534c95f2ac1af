"""Encoding and In silico under AppTest: what they say, what links do, what happens while results are missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from support.fake_encoding import BETTER, WORSE

PAIR = {"a": "motion-energy", "b": "gabor-colour"}


def words(app: AppTest) -> str:
    """Everything a visitor can read."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.error, app.success)
    html = [str(getattr(element.proto, "body", "")) for element in app.get("html")]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def assert_clean(app: AppTest) -> None:
    assert not app.exception
    assert "Something went wrong" not in words(app), words(app)


def test_message_counts_the_regions_that_were_tested(open_page, workspace_folder: Path) -> None:
    app = open_page("encoding", workspace_folder)
    assert_clean(app)
    text = words(app)
    better, worse = 2 * len(BETTER), 2 * len(WORSE)
    assert f"Motion energy predicts better than Gabor and colour in <b>{better} of 360 regions</b>" in text
    assert f"worse in <b>{worse}</b>" in text
    assert "Simulated data" in text
    assert "VideoMAE" not in text.split("Published")[0]


def test_swapped_encoders_swap_better_and_worse(open_page, workspace_folder: Path) -> None:
    app = open_page("encoding", workspace_folder, a=PAIR["b"], b=PAIR["a"])
    text = words(app)
    assert f"Gabor and colour predicts better than motion energy in <b>{2 * len(WORSE)} of 360" in text
    assert f"worse in <b>{2 * len(BETTER)}</b>" in text


def test_table_puts_the_largest_difference_first_and_counts_subjects(open_page, workspace_folder: Path) -> None:
    table = open_page("encoding", workspace_folder).dataframe[0].value
    assert len(table) == 360
    assert set(table["region"].head(2 * len(BETTER))) == set(BETTER)
    assert (table["k"].head(2 * len(BETTER)) == "2 of 2").all()
    assert (table["k"].tail(300) == "0 of 2").all()
    np.testing.assert_allclose(table["r_a"] - table["r_b"], table["difference"], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("contrast", "predicts better than"),
        ("r", "predicts <b>"),
        ("best", "the map is not a test"),
        ("ceiling", "A perfect model could reach"),
        ("unique", "Motion energy explains variance beyond Gabor and colour at <b>"),
        ("shared", "Motion energy and Gabor and colour share explained variance at <b>"),
    ],
)
def test_every_kind_of_map_has_its_words(open_page, workspace_folder: Path, kind: str, said: str) -> None:
    app = open_page("encoding", workspace_folder, map=kind)
    assert_clean(app)
    assert said in words(app)


def test_region_panel_says_in_how_many_subjects(open_page, workspace_folder: Path) -> None:
    text = words(open_page("encoding", workspace_folder, region="L_MT"))
    assert "Region MT, left" in text
    assert "· MT, left" in text.split("Region MT")[0], "a vertex of the region is shown until one is pinned"
    assert "predicts better than Gabor and colour **in 2 of 2 subjects**, worse **in 0 of 2 subjects**" in text
    both = words(open_page("encoding", workspace_folder, region="V4"))
    assert "V4, both sides" in both and both.count("worse **in 2 of 2 subjects**") == 2


def test_pinned_vertex_shows_difference_and_penalty(open_page, workspace_folder: Path) -> None:
    from brainviz.cortex import glasser
    from brainviz.workspace import open_workspace

    vertex = int(glasser().vertices("L_MT")[5])
    text = words(open_page("encoding", workspace_folder, vertex=str(vertex)))
    workspace = open_workspace(workspace_folder)
    difference = workspace.map("1", "contrast/motion-energy|gabor-colour")[vertex]
    assert f"Vertex {vertex} · MT, left" in text
    assert f"Δr = {difference:+.3f}" in text
    assert "ridge penalty α = 100" in text


def test_vertex_of_the_medial_wall_is_explained(open_page, workspace_folder: Path) -> None:
    from brainviz.cortex import load_surface

    wall = int(np.flatnonzero(~load_surface().mask)[0])
    app = open_page("encoding", workspace_folder, vertex=str(wall))
    assert_clean(app)
    assert "medial wall" in words(app)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", "videomae-large"),
        ("b", "../../etc/passwd"),
        ("map", "flow"),
        ("vertex", "64984"),
        ("vertex", "-1"),
        ("region", "L_Nowhere"),
        ("subject", "9"),
        ("testfilm", "test9"),
        ("side", "2"),
    ],
)
def test_bad_link_gives_the_default_and_a_notice(open_page, workspace_folder: Path, name: str, value: str) -> None:
    app = open_page("encoding", workspace_folder, **{name: value})
    assert_clean(app)
    assert len(app.toast) == 1
    assert "predicts better than" in words(app)


@pytest.mark.parametrize(
    ("name", "value"),
    [("dim", "NaN"), ("fdr", "[]"), ("limit", "-3"), ("mode", "4-D"), ("opacity", "1e999"), ("x", "")],
)
def test_impossible_settings_of_the_cortex_are_ignored(
    open_page, workspace_folder: Path, name: str, value: str
) -> None:
    app = open_page("encoding", workspace_folder, **{name: value})
    assert_clean(app)
    assert not app.toast


def test_same_encoder_twice_gives_another_b(open_page, workspace_folder: Path) -> None:
    app = open_page("encoding", workspace_folder, a="gabor-colour", b="gabor-colour")
    assert_clean(app)
    assert "Gabor and colour predicts better than motion energy" in words(app)


def test_before_the_encoders_are_fitted_the_pages_say_so(open_page, workspace_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "half"
    shutil.copytree(workspace_folder, copy)
    for stage in ("encoding", "encoding_maps"):
        shutil.rmtree(copy / "current" / stage)
    for page in ("encoding", "insilico"):
        app = open_page(page, copy)
        assert_clean(app)
        assert "No encoder has been fitted to subject 1 yet" in words(app)


def test_fits_without_comparison_show_single_maps(open_page, workspace_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "half"
    shutil.copytree(workspace_folder, copy)
    shutil.rmtree(copy / "current" / "encoding_maps")
    app = open_page("encoding", copy)
    assert_clean(app)
    assert "Motion energy predicts <b>" in words(app)


def test_in_silico_plays_a_film_of_the_data_set(open_page, workspace_folder: Path) -> None:
    app = open_page("insilico", workspace_folder, source="test2", length="10", **{"from": "6"})
    assert_clean(app)
    text = words(app)
    assert "Predicted activity is highest in" in text
    assert "training film" not in text
    trained = words(open_page("insilico", workspace_folder, source="seg1", length="10"))
    assert "This is a training film" in trained


def test_in_silico_offers_the_extraction_for_an_uploaded_film(
    open_page, workspace_folder: Path, tmp_path: Path
) -> None:
    from brainviz.uploads import add_film

    copy = tmp_path / "own"
    shutil.copytree(workspace_folder, copy)
    shutil.copytree(workspace_folder.parent / "dataset", tmp_path / "dataset")
    film = add_film(copy, "my <b>film</b>.mp4", (tmp_path / "dataset" / "stimuli" / "seg1.mp4").read_bytes())
    app = open_page("insilico", copy, source=f"upload-{film.key}")
    assert_clean(app)
    assert "are not extracted yet" in words(app)
    assert "Extract features" in [button.label for button in app.button]
