"""Errors between flow fields against plain loops and textbook cases."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from brainviz.flow.errors import angular_error, end_point_error, flow_correlation

RNG = np.random.default_rng(0)
A = RNG.normal(size=(5, 3, 4, 6, 2)).astype(np.float32)
B = RNG.normal(size=(5, 3, 4, 6, 2)).astype(np.float32)
VALID = RNG.random((5, 3, 4, 6)) < 0.6
VALID[3] = False


def test_end_point_error_is_the_masked_mean_length() -> None:
    expected = [
        np.linalg.norm(A[i][VALID[i]] - B[i][VALID[i]], axis=-1).mean() if VALID[i].any() else np.nan for i in range(5)
    ]
    np.testing.assert_allclose(end_point_error(A, B, VALID), expected, rtol=1e-6)


def test_angular_error_is_the_space_time_angle() -> None:
    def angle(a: np.ndarray, b: np.ndarray) -> float:
        p, q = np.append(a, 1.0), np.append(b, 1.0)
        return float(np.degrees(np.arccos(p @ q / np.linalg.norm(p) / np.linalg.norm(q))))

    expected = [
        np.mean([angle(a, b) for a, b in zip(A[i][VALID[i]], B[i][VALID[i]], strict=True)]) for i in (0, 1, 2, 4)
    ]
    np.testing.assert_allclose(angular_error(A, B, VALID)[[0, 1, 2, 4]], expected, rtol=1e-5)


def test_textbook_angles() -> None:
    a = np.float32([[[1, 0]], [[0, 0]], [[1000, 0]]])
    b = np.float32([[[0, 0]], [[0, 0]], [[-1000, 0]]])
    np.testing.assert_allclose(angular_error(a, b), [45, 0, 180 - 2 * np.degrees(np.arctan(1 / 1000))], atol=1e-3)


def test_correlation_is_pearsons() -> None:
    expected = [np.corrcoef(A[i][VALID[i]].ravel(), B[i][VALID[i]].ravel())[0, 1] for i in (0, 1, 2, 4)]
    np.testing.assert_allclose(flow_correlation(A, B, VALID)[[0, 1, 2, 4]], expected, rtol=1e-5)


@pytest.mark.parametrize("measure", [end_point_error, angular_error, flow_correlation])
def test_nothing_valid_is_nan_and_masked_nans_do_not_leak(measure) -> None:
    spoiled = A.copy()
    spoiled[~VALID] = np.nan
    values = measure(spoiled, B, VALID)
    assert np.isnan(values[3])
    assert np.isfinite(np.delete(values, 3)).all()


def test_a_constant_field_has_no_correlation() -> None:
    assert np.isnan(flow_correlation(np.full((1, 2, 2, 2), 0.3), A[:1, 0, :2, :2])).all()


def test_shapes_are_checked() -> None:
    with pytest.raises(BrainvizError, match="one shape"):
        end_point_error(A, B[:, :2])
    with pytest.raises(BrainvizError, match="mask"):
        end_point_error(A, B, VALID[:, :2])
