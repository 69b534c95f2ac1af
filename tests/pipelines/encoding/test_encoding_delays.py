"""Delays in seconds, standardisation by training moments."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding.delays import ROW_ENERGY, delayed, scaled_design, training_moments


def test_a_clip_drives_the_volumes_two_to_eight_seconds_after_its_onset():
    clips = np.arange(1, 11, dtype=np.float32)[:, None]
    rows = delayed({"seg1": clips}, {"seg1": 12})["seg1"]
    for k in range(12):
        film_time = 4 + 2 * k
        for column, delay in enumerate((2, 4, 6, 8)):
            clip = (film_time - delay) // 2
            assert rows[k, column] == (clips[clip, 0] if 0 <= clip < 10 else 0)


def test_delays_follow_another_tr_and_lag():
    clips = np.arange(1, 7, dtype=np.float32)[:, None]
    rows = delayed({"a": clips}, {"a": 6}, delays_s=(3.0, 4.0), tr_s=1.0, lag_s=3.0)["a"]
    np.testing.assert_array_equal(rows[:, 0], clips[:, 0])
    np.testing.assert_array_equal(rows[:, 1], [0, 1, 2, 3, 4, 5])


def test_segments_do_not_run_into_each_other():
    features = {"a": np.full((4, 1), 1.0), "b": np.full((4, 1), 2.0)}
    rows = delayed(features, {"a": 4, "b": 4})
    assert set(np.unique(rows["a"])) == {0, 1} and set(np.unique(rows["b"])) == {0, 2}


def test_standardised_by_training_alone_and_rows_of_one_length():
    draw = np.random.default_rng(0)
    train = draw.normal(5, [1, 10, 100], size=(500, 3)).astype(np.float32)
    constant = np.full((500, 1), 7, dtype=np.float32)
    train = np.hstack([train, constant])
    moments = training_moments([train[:200], train[200:]])
    np.testing.assert_allclose(moments(train).mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(moments(train).std(0), [1, 1, 1, 0], atol=1e-5)
    test = train[:50] + 3
    np.testing.assert_allclose(moments(test)[:, 0] * train[:, 0].std(), test[:, 0] - train[:, 0].mean(), rtol=1e-3)
    design = scaled_design({"a": train}, moments, {"a": 500})["a"]
    assert np.square(design[4:-4]).sum(1).mean() == pytest.approx(ROW_ENERGY, rel=0.05)


def test_errors_name_what_is_missing():
    with pytest.raises(BrainvizError, match="seg2"):
        delayed({"seg1": np.ones((4, 1))}, {"seg1": 4, "seg2": 4})
    with pytest.raises(BrainvizError, match="does not fall on volumes"):
        delayed({"seg1": np.ones((4, 1))}, {"seg1": 4}, delays_s=(3.0,))
    with pytest.raises(DataProblem, match="not finite"):
        training_moments([np.array([[1.0], [np.nan]])])
    with pytest.raises(DataProblem, match="no training clips"):
        training_moments([])
