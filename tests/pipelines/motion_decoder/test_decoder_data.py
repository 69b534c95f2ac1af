"""Windows, folds, vertex choice, the shifted control."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from pipelines.motion_decoder import BoldWindows, DecoderData, choose_vertices
from pipelines.motion_decoder.data import segment_folds, shift_against_film


def test_windows_are_the_volumes_they_name_and_zero_where_there_is_none() -> None:
    first, second = np.arange(8, dtype=np.float32).reshape(4, 2), 100 + np.arange(6, dtype=np.float32).reshape(3, 2)
    bold = BoldWindows.from_segments([first, second], [np.array([[-1, 0], [2, 3]]), np.array([[0, 2], [1, -1]])])
    expected = [[[0, 0], [0, 1]], [[4, 5], [6, 7]], [[100, 101], [104, 105]], [[102, 103], [0, 0]]]
    np.testing.assert_array_equal(bold.gather(), expected)
    np.testing.assert_array_equal(bold.select(np.array([2])).gather(), expected[2:3])
    np.testing.assert_array_equal(BoldWindows.from_array(bold.gather()).gather(), expected)
    only_second = BoldWindows.from_segments([first], [np.array([[1, 2]])], np.array([1]))
    np.testing.assert_array_equal(only_second.gather(), [[[3], [5]]])


def test_a_window_outside_the_recording_is_refused() -> None:
    with pytest.raises(BrainvizError, match="outside"):
        BoldWindows(np.zeros((3, 2), np.float32), np.array([[2, 3]]))


def test_vertices_are_chosen_by_reliability_within_bounds() -> None:
    reliability = np.array([0.5, np.nan, 0.05, 0.3, 0.2])
    assert choose_vertices(reliability, 0.1, most=10, least=1).tolist() == [0, 3, 4]
    assert choose_vertices(reliability, 0.1, most=2, least=1).tolist() == [0, 3]
    assert choose_vertices(reliability, 0.9, most=10, least=2).tolist() == [0, 3]
    with pytest.raises(BrainvizError, match="reliability"):
        choose_vertices(np.full(3, np.nan))


def test_folds_hold_whole_segments() -> None:
    segment = np.repeat(["a", "b", "c", "d", "e"], [3, 4, 2, 5, 1])
    fold = segment_folds(segment, max_folds=3)
    assert set(fold) == {0, 1, 2}
    assert all(len(set(fold[segment == name])) == 1 for name in "abcde")


def test_one_segment_alone_is_cut_with_gaps() -> None:
    fold = segment_folds(np.repeat(["a"], 90), gap=4)
    assert set(fold) == {-1, 0, 1, 2}
    kept = np.flatnonzero(fold >= 0)
    assert all(b - a >= 8 for a, b in pairwise(kept) if fold[a] != fold[b])


def test_shifted_control_stays_in_its_segment_and_moves_more_than_30_s(world: DecoderData) -> None:
    shifted = shift_against_film(world, seed=3)
    for name in np.unique(world.segment):
        rows = np.flatnonzero(world.segment == name)
        centre = world.bold.index[rows, 1]
        moved = np.array([np.flatnonzero(centre == c)[0] for c in shifted.bold.index[rows, 1]])
        distance = np.abs(moved - np.arange(len(rows)))
        assert np.minimum(distance, len(rows) - distance).min() * world.clip_s > 30
    np.testing.assert_array_equal(shifted.flow, world.flow)


@pytest.mark.parametrize("fault", ["nan", "count", "invalid", "grid"])
def test_bad_training_data_are_refused(world: DecoderData, fault: str) -> None:
    bold, flow, valid, features = world.bold, world.flow, world.valid, world.features
    if fault == "nan":
        bold = BoldWindows(np.full_like(bold.volumes, np.nan), bold.index)
    elif fault == "count":
        features = features[1:]
    elif fault == "invalid":
        valid = np.zeros_like(valid)
    else:
        features = features[:, :4]
    with pytest.raises(BrainvizError):
        DecoderData(bold, features, flow, valid, world.segment)
