"""Roses and strips say what their numbers say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainviz.figures.ambiguity import instances, rose
from brainviz.flow.summary import DIRECTIONS

CHANCES = np.array([0.3, 0.05, 0.2, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1])


def test_petals_stand_where_flow_points() -> None:
    figure = rose(CHANCES, "brain", "down", False, True, ["down", "up"], np.array([2, 0, 0, 0, 0, 0, 1, 0, 3]))
    petals, crosses, hollow, true = figure.data
    np.testing.assert_allclose(petals.r, CHANCES[:8])
    assert figure.layout.polar.angularaxis.direction == "clockwise"
    assert list(petals.customdata) == list(DIRECTIONS[:8])
    assert sorted(crosses.theta) == [0.0, 0.0, 270.0]
    assert (list(hollow.theta), list(true.theta)) == ([270.0], [90.0])
    texts = [note.text for note in figure.layout.annotations]
    assert "none<br><b>10 %</b>" in texts and "simulated data" in texts


def test_still_clip_has_no_mark_on_the_rim() -> None:
    assert len(rose(CHANCES, "image-only", "none", True, False).data) == 1


def test_every_instance_and_every_mean_is_drawn() -> None:
    dots = pd.DataFrame(
        {
            "subject": ["1", "1", "2", "2"],
            "clip": ["a", "b", "a", "b"],
            "continuation": ["glide", "flap", "glide", "flap"],
            "bits": [1.4, -0.3, 0.2, 0.9],
        }
    )
    means = pd.DataFrame({"usable_bits": [0.5, 0.6], "low": [0.1, -0.1], "high": [0.9, 1.2], "n": [2, 2]}, ["1", "2"])
    figure = instances(dots, means, ("1", "a"), {"glide": "it glides"}, False, True)
    marks = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in marks] == ["it glides", "flap"]
    assert sorted(x for trace in marks for x in trace.x) == sorted(dots["bits"])
    assert {line.x0 for line in figure.layout.shapes} == {0.0, 1.0}
    assert [0.5] in [list(trace.x) for trace in figure.data]
    low, high = figure.layout.xaxis.range
    assert low < -0.3 and high > 1.4
