"""Speed and direction of clips."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.flow.summary import DIRECTIONS, dominant_direction, mean_speed


@pytest.mark.parametrize(
    ("vector", "name"),
    [
        ((1, 0), "right"),
        ((1, 1), "down-right"),
        ((0, 1), "down"),
        ((-1, 0.1), "left"),
        ((0.1, -1), "up"),
        ((0.1, 0), "none"),
    ],
)
def test_pans_are_named(vector: tuple[float, float], name: str) -> None:
    flow = np.broadcast_to(np.float32(vector), (2, 3, 4, 4, 2))
    assert [DIRECTIONS[i] for i in dominant_direction(flow)] == [name, name]


def test_motion_votes_by_its_length_and_only_where_valid() -> None:
    flow = np.zeros((1, 1, 4, 4, 2), dtype=np.float32)
    flow[0, 0, :, :, 0] = 1
    flow[0, 0, 0, :, 1] = -9
    assert DIRECTIONS[dominant_direction(flow)[0]] == "up"
    valid = np.ones((1, 1, 4, 4), dtype=bool)
    valid[0, 0, 0] = False
    assert DIRECTIONS[dominant_direction(flow, valid)[0]] == "right"
    assert DIRECTIONS[dominant_direction(flow, np.zeros_like(valid))[0]] == "none"


def test_mean_speed() -> None:
    flow = np.float32([[[3, 4], [0, 0]], [[np.nan, 0], [6, 8]]])
    np.testing.assert_allclose(mean_speed(flow, [[True, True], [False, True]]), [2.5, 10])
    assert np.isnan(mean_speed(flow, np.zeros((2, 2), dtype=bool))).all()
