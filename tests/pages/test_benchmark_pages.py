"""The Benchmark page: what it says of planted values, what a wrong link does, what is taken away."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from brainviz.components import benchmark_exports
from brainviz.components.benchmark_view import benchmark_view
from brainviz.components.benchmark_words import label
from support.fake_benchmark import LEVELS, write_benchmark
from support.page_words import assert_clean, words


@pytest.fixture(scope="module")
def compared(workspace_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake workspace with a benchmark, beside the same data set."""
    root = tmp_path_factory.mktemp("compared")
    shutil.copytree(workspace_folder, root / "workspace")
    (root / "dataset").symlink_to(workspace_folder.parent / "dataset")
    write_benchmark(root / "workspace")
    return root / "workspace"


def test_without_results_it_says_when_they_come(open_page, workspace_folder: Path) -> None:
    app = open_page("benchmark", workspace_folder)
    assert_clean(app)
    assert "is not there yet" in words(app)


def test_the_first_of_a_metric_is_named_and_simulated_data_are_marked(open_page, compared: Path) -> None:
    app = open_page("benchmark", compared)
    assert_clean(app)
    text = words(app)
    assert "By end-point error, <b>Frame + fMRI</b> comes first of 7" in text
    assert "not told apart from End to end from fMRI" in text, "two blocks cannot tell"
    assert "Simulated data" in text
    assert "End to end from fMRI is better in" in text and "of 24 clips" in text
    assert "decoded from the brain" not in text


def test_a_frozen_frame_that_wins_is_called_a_control(open_page, compared: Path) -> None:
    app = open_page("benchmark", compared, metric="warping-error")
    assert_clean(app)
    assert "the <b>frozen first frame</b> wins" in words(app)
    assert "a control that may win" in words(app)


def test_retrieval_shows_chance_and_who_finds_the_clip(open_page, compared: Path) -> None:
    app = open_page("benchmark", compared, metric="retrieval-large", subject="2")
    assert_clean(app)
    assert "Dashed: chance, 0.312" in words(app)
    assert "Mind-Animator p < .001" in words(app)
    assert sum(app.dataframe[0].value["Clips"]) == 24


def test_published_values_stand_apart_with_their_protocol(open_page, compared: Path) -> None:
    text = words(open_page("benchmark", compared))
    assert "protocol `neurons`" in text and "protocol `mind-animator`" in text
    assert "They stand apart from ours" in text
    assert "Needs the weights of imagenet-classifier" in text, "what is absent has its reason"


def test_a_wrong_link_is_taken_kindly(open_page, compared: Path) -> None:
    app = open_page("benchmark", compared, metric="best", a="../etc", b="nobody", clip="none", subject="9")
    assert_clean(app)
    assert len(app.toast) == 5
    assert "comes first" in words(app)


def test_the_same_system_twice_asks_for_another(open_page, compared: Path) -> None:
    app = open_page("benchmark", compared, a="brain", b="brain")
    assert_clean(app)
    assert "Choose two different systems" in words(app)


class Outline(HTMLParser):
    """Tags and addresses of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "data")]


@pytest.fixture
def visited(compared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAINVIZ_WORKSPACE", str(compared))
    return compared


def test_the_report_needs_no_network_and_holds_everything(visited: Path) -> None:
    report = benchmark_exports.report(benchmark_view())
    outline = Outline()
    outline.feed(report)
    assert outline.addresses == []
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert "url(" not in report and "@import" not in report
    drawings = [part.split("</svg>")[0] + "</svg>" for part in report.split("<svg")[1:]]
    assert len(drawings) == 7
    for drawing in drawings:
        ElementTree.fromstring("<svg" + drawing)
    # A system's name stands once per drawing, a dot per subject and a title on each.
    assert drawings[0].count("<title>Subject") == 2 * len(LEVELS)
    for said in ("Simulated data", "128 × 128 px, unpadded", "flow-32-dis", "Holm", "Seed", "numpy", "Not scored"):
        assert said in report
    assert all(label(system) in report for system in LEVELS)


def test_the_latex_table_has_a_cell_for_every_system_and_metric(visited: Path) -> None:
    text = benchmark_exports.latex(benchmark_view(), "1")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count(" & ") for line in rows} == {7}
    assert len(rows) == 1 + len(LEVELS) + 1
    assert text.count(r"\textbf") == 7, "one best value per metric"
    assert text.count("{") == text.count("}")
    assert r"\toprule" in text and "SIMULATED DATA" in text and r"95 \%" in text
    frozen = next(line for line in rows if line.startswith("Frozen"))
    assert frozen.count(r"\textbf") == 1, "the control wins one metric, and that is shown"


def test_tables_come_out_whole(visited: Path) -> None:
    table = pd.read_csv(StringIO(benchmark_exports.table_csv("benchmark")), dtype={"subject": str})
    assert set(table["system"]) == set(LEVELS) and set(table["subject"]) == {"1", "2"}
    assert table["simulated"].all() and {"low", "high", "protocol", "chance", "n"} <= set(table)
    assert len(benchmark_exports.table_csv("benchmark_clips").splitlines()) == 1 + 2 * 24 * (5 * len(LEVELS) + 2 * 2)
