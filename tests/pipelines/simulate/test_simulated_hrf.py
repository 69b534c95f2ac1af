"""Haemodynamics and the times of volumes, against scipy's gamma densities and the data set's own rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gamma

from brainviz.errors import DataProblem
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.hrf import double_gamma, n_volumes, sampling_matrix, volume_times_s


@pytest.mark.parametrize("peak_s", [4.0, 4.75, 5.5, 6.25, 7.0])
def test_the_response_peaks_where_asked(peak_s: float) -> None:
    times = np.arange(-2, 32, 0.01)
    response = double_gamma(times, peak_s)
    assert abs(times[response.argmax()] - peak_s) < 0.05
    assert response.max() == pytest.approx(1, abs=1e-3)
    assert (response[times <= 0] == 0).all()
    assert response.min() < -0.03  # the undershoot


def test_the_five_second_response_is_the_canonical_one() -> None:
    times = np.arange(0.1, 30, 0.1)
    canonical = gamma.pdf(times, 6) - gamma.pdf(times, 16) / 6
    ours = double_gamma(times, 5.0)
    np.testing.assert_allclose(ours / ours.max(), canonical / canonical.max(), atol=1e-9)


@pytest.mark.parametrize("peak_s", [3.9, 7.1, float("nan")])
def test_a_peak_outside_its_range_is_refused(peak_s: float) -> None:
    with pytest.raises(DataProblem, match="peak"):
        double_gamma([1.0], peak_s)


@pytest.mark.parametrize("segment", ["seg1", "test1", "test2", "test3"])
def test_kept_volume_k_is_at_two_k_plus_four_seconds(segment: str) -> None:
    """The authors' cut of the released runs: 1 or 2 volumes off the front, 4 off the back."""
    config = SimulationConfig()
    n = config.segments[segment]
    times = volume_times_s(config, segment)
    front = {n + 5: 1, n + 6: 2}[n_volumes(config, segment)]
    np.testing.assert_array_equal(times[front:-4], 4 + 2 * np.arange(n))


def test_a_constant_drive_settles_at_one() -> None:
    samples = np.arange(-40, 60) + 0.5
    matrix = sampling_matrix(np.array([0.0, 10.0, 20.0]), samples, 5.25)
    np.testing.assert_allclose(np.ones((1, 100), np.float32) @ matrix, 1, atol=5e-3)


def test_a_volume_knows_nothing_of_the_future() -> None:
    samples = np.arange(0, 60) + 0.5
    matrix = sampling_matrix(np.array([10.0, 20.0]), samples, 4.0)
    assert (matrix[samples > 10, 0] == 0).all() and (matrix[samples < 10, 0] != 0).any()
