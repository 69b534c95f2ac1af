"""Figures of the Mind-Animator page: intervals where they belong, signs that are not colours alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.figures import mind_animator as figures


def shift_rows() -> pd.DataFrame:
    table = pd.DataFrame({"subject": ["1", "2"], "shown": [1.0, 1.2], "shifted": [1.3, 1.25]})
    table = table.assign(difference=[0.3, 0.05], low=[0.2, -0.1], high=[0.4, 0.2], p_holm=[0.001, 0.4])
    return table.assign(n=120, n_blocks=21)


def drawn(turn: int, frozen: dict[str, float]) -> tuple[dict, list]:
    figure = figures.against_shifted(shift_rows(), turn, frozen, "px", ["p < .001", "p = .4"], "2", False, True)
    return {trace.name: trace for trace in figure.data if trace.name}, [t for t in figure.data if t.mode == "lines"]


@pytest.mark.parametrize(("turn", "ends"), [(-1, [1.1, 0.9]), (1, [1.5, 1.7])])
def test_the_interval_of_the_difference_is_drawn_from_the_shifted_mark(turn: int, ends: list[float]) -> None:
    _, lines = drawn(turn, {})
    np.testing.assert_allclose(lines[1].x, ends)


def test_marks_say_what_they_are_and_whether_the_difference_is_sure() -> None:
    marks, _ = drawn(-1, {"1": 1.05, "2": 1.1})
    assert list(marks["shown fMRI"].x) == [1.0, 1.2] and list(marks["shifted fMRI"].x) == [1.3, 1.25]
    assert list(marks["frozen film"].x) == [1.05, 1.1]
    assert list(marks["shown fMRI"].marker.symbol) == ["hexagon", "hexagon-open"]
    assert "21 blocks" in marks["shown fMRI"].customdata[0]
    assert "frozen film" not in drawn(1, {})[0], "where it means nothing it is not drawn"


def test_p_stands_beside_each_row_and_simulated_above_all() -> None:
    figure = figures.against_shifted(shift_rows(), -1, {}, "px", ["p < .001", "p = .4"], "2", True, True)
    assert [(note.text, note.y) for note in figure.layout.annotations] == [
        ("p < .001", 0),
        ("p = .4", 1),
        ("simulated data", 1),
    ]
    assert figure.layout.annotations[-1].yanchor == "bottom"
    assert list(figure.layout.yaxis.ticktext) == ["Subject 1", "<b>Subject 2</b>"]


def test_the_chosen_region_has_another_colour() -> None:
    rows = pd.DataFrame({"name": ["L_MT", "R_V1"], "words": ["MT, left", "V1, right"]})
    figure = figures.region_bars(rows.assign(mean=[0.6, 0.4], n_vertices=[20, 60]), "R_V1", "Mean", False, False)
    bars = figure.data[0]
    assert list(bars.text) == [".60", ".40"]
    assert bars.marker.color[0] != bars.marker.color[1] == figures.ORANGE[0]
    assert not figure.layout.annotations


@pytest.mark.parametrize(
    ("gain", "p", "symbol"),
    [
        (0.1, 0.01, "triangle-up"),
        (-0.1, 0.01, "triangle-down"),
        (0.1, 0.2, "circle-open"),
        (0.1, np.nan, "circle-open"),
    ],
)
def test_a_verdict_is_a_shape_too(gain: float, p: float, symbol: str) -> None:
    assert figures.verdict_look(gain, p, dark=False)[1] == symbol


def correction_rows() -> pd.DataFrame:
    table = pd.DataFrame({"form": ["x", "released"] * 2, "metric": ["epe", "epe", "ssim", "ssim"]})
    table = table.assign(gain=[0.1, -0.2, 0.0, 0.3], low=[0.05, -0.4, -0.1, 0.1], high=[0.2, -0.1, 0.1, 0.5])
    return table.assign(p_holm=[0.01, 0.02, 0.9, 0.03], mean_whole=1.0, mean_undone=1.1)


def test_gains_have_their_own_intervals() -> None:
    rows = correction_rows().query("metric == 'epe'")
    figure = figures.corrections(rows, ["X", "All"], "Gain", ["p = .010", "p = .020"], False, True)
    assert [trace.x[0] for trace in figure.data] == [0.1, -0.2]
    np.testing.assert_allclose([figure.data[0].error_x.array[0], figure.data[0].error_x.arrayminus[0]], [0.1, 0.05])
    np.testing.assert_allclose([figure.data[1].error_x.array[0], figure.data[1].error_x.arrayminus[0]], [0.1, 0.2])
    assert [trace.marker.symbol for trace in figure.data] == ["triangle-up", "triangle-down"]


def test_all_metrics_stand_in_their_columns_and_the_chosen_one_is_bold() -> None:
    metrics = {"epe": "EPE", "ssim": "SSIM"}
    figure = figures.all_corrections(correction_rows(), ["x", "released"], ["X", "All"], metrics, "ssim", True, True)
    places = {(trace.x[0], trace.y[0]): trace.marker.symbol for trace in figure.data}
    expected = {(0, 0): "triangle-up", (0, 1): "triangle-down", (1, 0): "circle-open", (1, 1): "triangle-up"}
    assert places == expected
    assert list(figure.layout.xaxis.ticktext) == ["EPE", "<b>SSIM</b>"]
