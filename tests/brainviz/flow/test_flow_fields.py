"""Frames, steps, units and resampling of flow."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import block_reduce

from brainviz.errors import BrainvizError
from brainviz.flow.fields import axis_weights, frame_numbers, resample, resample_plane, resample_valid, step_seconds


@pytest.mark.parametrize(("fps", "expected"), [(30, [0, 20, 40, 59]), (15, [0, 10, 20, 29]), (29.97, [0, 20, 40, 59])])
def test_frames_of_a_clip(fps: float, expected: list[int]) -> None:
    assert frame_numbers(fps).tolist() == expected


def test_steps_are_the_true_gaps() -> None:
    np.testing.assert_allclose(step_seconds(15), [10 / 15, 10 / 15, 9 / 15])
    assert step_seconds(30).sum() == pytest.approx(59 / 30)


@pytest.mark.parametrize("fps", [0, -3, np.nan, 1])
def test_impossible_rates_are_refused(fps: float) -> None:
    with pytest.raises(BrainvizError):
        frame_numbers(fps)


@pytest.mark.parametrize("size", [(32, 32), (7, 50), (128, 13), (64, 64), (1, 1)])
def test_a_constant_field_stays_constant_and_is_rescaled(size: tuple[int, int]) -> None:
    flow = np.broadcast_to(np.float32([1.5, -2.0]), (3, 64, 48, 2))
    out = resample(flow, *size)
    expected = [1.5 * size[1] / 48, -2 * size[0] / 64]
    assert out.shape == (3, *size, 2)
    np.testing.assert_allclose(out, np.broadcast_to(expected, out.shape), rtol=2e-6)


def test_whole_factors_are_block_means() -> None:
    flow = np.random.default_rng(0).normal(size=(64, 96, 2)).astype(np.float32)
    expected = block_reduce(flow, (2, 3, 1), np.mean) * [1 / 3, 1 / 2]
    np.testing.assert_allclose(resample(flow, 32, 32), expected, atol=1e-6)


@pytest.mark.parametrize(("n", "m"), [(224, 32), (100, 32), (33, 32), (7, 3)])
def test_area_weights_keep_the_integral(n: int, m: int) -> None:
    values = np.random.default_rng(1).normal(size=n)
    fine = np.repeat(values, m)  # lcm grid: every old pixel is m cells, every new one n cells
    np.testing.assert_allclose(axis_weights(n, m) @ values, fine.reshape(m, n).mean(axis=1), atol=1e-5)


def test_affine_fields_survive_the_round_trip_away_from_the_border() -> None:
    y, x = np.mgrid[:32, :32].astype(np.float32)
    flow = np.stack([0.1 * x - 0.05 * y + 1, 0.03 * x + 0.2 * y - 2], axis=-1)
    back = resample(resample(flow, 128, 96), 32, 32)
    np.testing.assert_allclose(back[2:-2, 2:-2], flow[2:-2, 2:-2], atol=1e-4)


def test_there_and_back_on_the_same_grid_is_exact() -> None:
    flow = np.random.default_rng(2).normal(size=(2, 9, 11, 2)).astype(np.float32)
    np.testing.assert_array_equal(resample(flow, 9, 11), flow)


def test_a_shrunk_mask_is_a_fraction() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[0, 0] = mask[4:, 4:] = True
    np.testing.assert_allclose(resample_plane(mask, 2, 2), [[1 / 16, 0], [0, 1]])


def test_untrusted_pixels_never_count() -> None:
    flow = np.full((4, 4, 2), 2.0, dtype=np.float32)
    flow[:2, :2] = np.nan
    flow[0, 2] = 1000
    trust = np.isfinite(flow[..., 0])
    trust[0, 2] = False
    out, fraction = resample_valid(flow, trust, 2, 2)
    np.testing.assert_allclose(out[..., 0], [[0, 1], [1, 1]])
    np.testing.assert_allclose(fraction, [[0, 0.75], [1, 1]])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(BrainvizError, match="height, width, 2"):
        resample(np.zeros((4, 4, 3)), 2, 2)
