"""Reanimation and Draw motion with no data, with results, under bad links, and with films that do not exist yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_reanimation import write_reanimation

CLIP = "test1-0004"


def words(app: AppTest) -> str:
    """Everything a visitor can read."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.error, app.code)
    html = [str(getattr(element.proto, "body", "")) for element in app.get("html")]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def assert_clean(app: AppTest) -> None:
    assert not app.exception
    assert "Something went wrong" not in words(app)


@pytest.fixture(scope="module")
def scored(workspace_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake workspace with tables of scored reanimations, beside the same data set."""
    root = tmp_path_factory.mktemp("scored")
    shutil.copytree(workspace_folder, root / "workspace")
    (root / "dataset").symlink_to(workspace_folder.parent / "dataset")
    write_reanimation(root / "workspace")
    return root / "workspace"


@pytest.mark.parametrize("page", ["reanimation", "draw"])
def test_no_workspace_says_what_comes_next(open_page, tmp_path: Path, page: str) -> None:
    app = open_page(page, tmp_path / "nothing")
    assert_clean(app)
    assert "There is nothing to show yet" in words(app)


@pytest.mark.parametrize(("page", "title"), [("reanimation", "Reanimation"), ("draw", "Draw motion")])
def test_page_without_scores_stands_and_says_so(open_page, workspace_folder: Path, page: str, title: str) -> None:
    app = open_page(page, workspace_folder, clip=CLIP)
    assert_clean(app)
    assert app.title[0].value == title
    assert "Simulated data" in words(app)
    expected = "appears when every film" if page == "reanimation" else "nobody’s brain"
    assert expected in words(app)


def test_scores_become_message_verdict_and_figure(open_page, scored: Path) -> None:
    app = open_page("reanimation", scored, clip=CLIP)
    assert_clean(app)
    text = words(app)
    assert "% closer to the film" in text
    assert "In 2 of 2 subjects the reanimation with fMRI has the better EPE" in text
    assert "It beats the frozen first frame on EPE in 2 of 2, SSIM in 2 of 2" in text
    assert "decoded from the brain" not in text.lower()
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip", "../../etc/passwd"),
        ("backend", "warp9"),
        ("objects", "everything"),
        ("sample", "two"),
        ("subject", "17"),
    ],
)
def test_bad_link_gives_default_and_a_notice(open_page, workspace_folder: Path, name: str, value: str) -> None:
    app = open_page("reanimation", workspace_folder, **{name: value})
    assert_clean(app)
    assert len(app.toast) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("films", "nobody,nothing"), ("split", "-4"), ("compare", "spin"), ("left", "<script>"), ("frame", "9" * 40)],
)
def test_harmless_nonsense_in_the_link_is_ignored(open_page, workspace_folder: Path, name: str, value: str) -> None:
    assert_clean(open_page("reanimation", workspace_folder, clip=CLIP, **{name: value}))


def test_backend_without_weights_says_size_and_commands(open_page, workspace_folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(workspace_folder / "no-hub"))
    app = open_page("reanimation", workspace_folder, clip=CLIP, backend="dragnuwa", films="film,brain")
    assert_clean(app)
    assert "needs weights that are not here: 8.0 GB" in words(app)
    assert "python -m pipelines weights dragnuwa" in words(app)


def test_film_that_is_not_rendered_becomes_one_run(open_page, workspace_folder: Path, monkeypatch) -> None:
    """With weights there, one button asks for all films that are missing."""
    import streamlit as st

    from pipelines import runs
    from pipelines.interactive import backends

    st.cache_resource.clear()
    facts = backends.available_backends()
    ready = [type(one)(**{**vars(one), "missing": ""}) for one in facts]
    monkeypatch.setattr(backends, "available_backends", lambda: ready)
    asked = []
    monkeypatch.setattr(runs, "submit", lambda workspace, request: asked.append(dict(request.render)))
    app = open_page("reanimation", workspace_folder, clip=CLIP, backend="motionpro", films="film,brain,image-only")
    assert_clean(app)
    app.button(key="render:motionpro").click().run()
    assert_clean(app)
    assert [(wish["system"], wish["backend"], wish["clip"]) for wish in asked] == [
        ("brain", "motionpro", CLIP),
        ("image-only", "motionpro", CLIP),
    ]
    st.cache_resource.clear()


def test_unreadable_arrows_of_a_link_are_left_out_with_a_notice(open_page, workspace_folder: Path) -> None:
    app = open_page("draw", workspace_folder, clip=CLIP, arrows="not-arrows!")
    assert_clean(app)
    assert len(app.toast) == 1


def test_a_preset_draws_arrows_into_the_link(open_page, workspace_folder: Path) -> None:
    app = open_page("draw", workspace_folder, clip=CLIP)
    app.button(key="preset:brain").click().run()
    assert_clean(app)
    code = app.query_params["arrows"]
    assert len(code if isinstance(code, str) else code[0]) == 16 * 8
