"""Figures of the benchmark: order, chance, control, and the same numbers in the plain drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from brainviz.figures import benchmark as figures
from brainviz.figures.benchmark_latex import escaped
from brainviz.figures.benchmark_svg import intervals_svg

ORDER = ["brain", "zero", "truth"]
NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


def rows(chance: float = np.nan) -> pd.DataFrame:
    values = {"brain": 1.0, "zero": 1.5, "truth": 0.2}
    table = pd.DataFrame([(s, name, v + 0.1 * int(s)) for s in ("1", "2") for name, v in values.items()])
    table.columns = ["subject", "system", "value"]
    ends = {"low": table["value"] - 0.1, "high": table["value"] + 0.2}
    return table.assign(**ends, chance=chance, n=180, n_blocks=21)


def test_ranking_has_a_dot_and_an_interval_per_subject_and_numbers_the_ranked() -> None:
    figure = figures.ranking(rows(), ORDER, "Error", str.upper, dark=False, simulated=True)
    assert list(figure.layout.yaxis.ticktext) == ["1  BRAIN", "2  ZERO", "TRUTH"]
    assert [list(trace.x) for trace in figure.data] == [[1.1, 1.2], [1.6, 1.7], pytest.approx([0.3, 0.4])]
    np.testing.assert_allclose(figure.data[0].error_x.array, 0.2)
    np.testing.assert_allclose(figure.data[0].error_x.arrayminus, 0.1)
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([1.65]), "the control's mean, no chance line"
    assert any(note.text == "simulated data" for note in figure.layout.annotations)


def test_chance_is_a_line_with_its_name() -> None:
    figure = figures.ranking(rows(0.5), ORDER, "Share", str, dark=True, simulated=False)
    assert sorted(shape.x0 for shape in figure.layout.shapes) == pytest.approx([0.5, 1.65])
    assert [note.text for note in figure.layout.annotations] == ["chance"]


@pytest.mark.parametrize(("better", "arrow"), [(1.0, "↖"), (-1.0, "↘")])
def test_per_clip_has_equal_axes_and_says_where_the_second_is_better(better: float, arrow: str) -> None:
    values = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": [3.0, 1.0, 2.0]}, index=["c1", "c2", "c3"])
    figure = figures.per_clip(values, ("a", "b"), ("A", "B"), "px", better, "c2", False, True)
    assert list(figure.data[1].customdata) == ["c1", "c2"], "a clip that one lacks is left out"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert list(figure.data[2].x) == [2.0]
    assert [note.text for note in figure.layout.annotations] == [f"B better {arrow}", "simulated data"]


def test_the_plain_drawing_stands_on_one_scale() -> None:
    drawing = ElementTree.fromstring(intervals_svg(rows(0.5), ORDER, str.upper, "simulated data"))
    words = ["".join(text.itertext()) for text in drawing.findall("svg:text", NAMESPACE)]
    assert [name for name in words if name.isupper()] == ["BRAIN", "ZERO", "TRUTH"]
    assert "chance" in words and "simulated data" in words
    dots = drawing.findall("svg:g", NAMESPACE)
    places = [float(dot.get("transform").split("(")[1].split()[0]) for dot in dots]
    values = rows().set_index("system").loc[ORDER, "value"].to_numpy()
    slope, start = np.polyfit(values, places, 1)
    assert slope > 0
    np.testing.assert_allclose(places, start + slope * values, atol=0.1)


def test_equal_values_still_make_a_drawing() -> None:
    same = rows().assign(value=1.0, low=np.nan, high=np.nan)
    assert ElementTree.fromstring(intervals_svg(same, ORDER, str, "")) is not None


def test_latex_is_escaped() -> None:
    assert escaped("a_b & 5 % {x}") == r"a\_b \& 5 \% \{x\}"
