"""Figures show the numbers they are given, and say that data are simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.figures import motion
from brainviz.figures.palette import look
from brainviz.published import published

ERRORS = pd.DataFrame(
    {"mean": [0.3, 0.9, np.nan, 0.6], "best": [0.3, 0.5, np.nan, 0.6], "worst": [0.3, 1.4, np.nan, 0.6]},
    index=["brain", "prior", "ridge", "image-only"],
)


def texts(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_dots_stand_at_the_errors_best_on_top() -> None:
    figure = motion.clip_errors(ERRORS, {"prior": 10}, dark=False, simulated=True)
    dots = figure.data[-1]
    assert list(dots.x) == [0.9, 0.6, 0.3]
    assert list(figure.layout.yaxis.categoryarray) == [look(s).label for s in ("prior", "image-only", "brain")]
    (bar,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert list(bar.x) == [0.5, 1.4]
    assert "best 0.500" in dots.customdata[0]
    assert "grid" in figure.layout.xaxis.title.text


def test_simulated_mark_is_in_the_figure_itself() -> None:
    assert "simulated data" in texts(motion.clip_errors(ERRORS, {}, dark=False, simulated=True))
    assert "simulated data" not in texts(motion.clip_errors(ERRORS, {}, dark=False, simulated=False))


def test_points_carry_their_clip_and_leave_out_what_was_not_scored() -> None:
    epe = pd.DataFrame(
        {"image-only": [1.0, 2.0, np.nan], "brain": [0.5, 2.5, 1.0]}, index=["test1-0000", "test1-0001", "test1-0002"]
    )
    figure = motion.all_clips(epe, "test1-0001", "image-only", "brain", dark=True, simulated=False)
    points = next(trace for trace in figure.data if trace.name == "clips")
    assert list(points.customdata) == ["test1-0000", "test1-0001"]
    assert list(points.x) == [1.0, 2.0]
    assert list(figure.data[-1].x) == [2.0]


def test_bars_and_intervals_of_subjects() -> None:
    rows = [
        {"subject": s, "system": system, "value": v, "low": v - 0.1, "high": v + 0.2, "skill": 0.5}
        | {"n_clips": 10, "n_blocks": 4}
        for s, system, v in (("1", "brain", 0.5), ("2", "brain", 0.6), ("1", "zero", 1.0))
    ]
    figure = motion.subject_bars(pd.DataFrame(rows), dark=False, simulated=True)
    brain, zero = figure.data
    assert brain.name == look("brain").label
    assert list(brain.y) == [0.5, 0.6]
    assert np.allclose(brain.error_y.array, 0.2)
    assert np.allclose(brain.error_y.arrayminus, 0.1)
    assert zero.y[0] == 1.0
    assert np.isnan(zero.y[1])


@pytest.mark.parametrize("dark", [False, True])
def test_published_values_have_an_axis_that_claims_no_unit(dark: bool) -> None:
    table = published("brainnrds_motion")
    figure = motion.published_errors(table, dark)
    assert "unit not stated" in figure.layout.yaxis.title.text
    assert list(figure.data[0].y) == [0.543, 0.572, 0.634]
    assert len({trace.marker.color for trace in figure.data}) == len(figure.data)
