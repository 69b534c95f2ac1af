"""Detrending, scaling and averaging against numpy's own polynomial fit."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.data.preprocess import average_runs, clean_run, detrend
from brainviz.errors import BrainvizError


@pytest.fixture
def values() -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.linspace(-1, 1, 120)[:, None]
    trend = sum(rng.normal(0, 300, (1, 50)) * time**power for power in range(5))
    return 10_000 + trend + rng.normal(0, 100, (120, 50))


def fitted(values: np.ndarray, order: int) -> np.ndarray:
    time = np.linspace(-1, 1, len(values))
    return np.stack([np.polyval(np.polyfit(time, column, order), time) for column in values.T], axis=1)


@pytest.mark.parametrize("order", [0, 1, 4])
def test_detrend_subtracts_the_fit_of_polyfit(values: np.ndarray, order: int) -> None:
    expected = values - fitted(values, order)
    np.testing.assert_allclose(detrend(values, order), expected, atol=1e-3)
    np.testing.assert_allclose(detrend(values.astype(np.float32), order), expected, atol=0.02)


def test_clean_run_is_the_z_score_of_what_polyfit_leaves(values: np.ndarray) -> None:
    rest = values - fitted(values, 4)
    z, unusable = clean_run(values)
    np.testing.assert_allclose(z, rest / rest.std(axis=0), atol=1e-5)
    assert z.dtype == np.float32 and unusable == 0


def test_constant_and_broken_vertices_become_zero_and_are_counted(values: np.ndarray) -> None:
    values[:, 3] = 7.0
    values[5, 10] = np.nan
    values[7, 11] = np.inf
    z, unusable = clean_run(values.astype(np.float32))
    assert unusable == 3
    assert not z[:, [3, 10, 11]].any() and np.isfinite(z).all()
    others = np.delete(z, [3, 10, 11], axis=1)
    np.testing.assert_allclose(others.std(axis=0), 1, atol=1e-5)


def test_a_vertex_that_only_drifts_is_constant() -> None:
    drift = np.linspace(0, 5000, 100)[:, None] ** 1.0 + 20_000
    z, unusable = clean_run(drift)
    assert unusable == 1 and not z.any()


def test_integers_are_cleaned_like_floats(values: np.ndarray) -> None:
    whole = np.round(values).astype(np.int16)
    np.testing.assert_allclose(clean_run(whole)[0], clean_run(whole.astype(np.float64))[0], atol=1e-6)


def test_average_is_not_scaled_again() -> None:
    rng = np.random.default_rng(1)
    runs = [rng.normal(size=(60, 40)).astype(np.float32) for _ in range(4)]
    mean = average_runs(iter(runs))
    np.testing.assert_allclose(mean, np.mean(runs, axis=0), atol=1e-6)
    assert 0.4 < mean.std() < 0.6


def test_average_leaves_its_input_alone() -> None:
    runs = [np.ones((6, 2), np.float32), np.zeros((6, 2), np.float32)]
    average_runs(runs)
    assert runs[0].all() and not runs[1].any()


def test_runs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BrainvizError, match="shapes"):
        average_runs([np.zeros((6, 2), np.float32), np.zeros((5, 2), np.float32)])
    with pytest.raises(BrainvizError, match="no run"):
        average_runs([])
    with pytest.raises(BrainvizError, match="too few"):
        clean_run(np.zeros((5, 2)))
