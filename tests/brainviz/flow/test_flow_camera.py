"""The camera fit recovers planted affine motion under objects, gaps and noise."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.flow.camera import camera_fit, camera_flow, moving_objects, residual_flow

RNG = np.random.default_rng(0)
PLANTED = (RNG.normal(size=(40, 3, 6)) * [2, 2, 0.04, 0.04, 0.04, 0.04]).astype(np.float32)


def _scene(parameters: np.ndarray, noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Camera flow with one object over a quarter of the frame; returns flow and object mask."""
    flow = camera_flow(parameters, 32, 32)
    where = np.zeros(flow.shape[:-1], dtype=bool)
    where[..., 6:22, 10:26] = True
    flow = flow + where[..., None] * np.float32([3.0, -2.0])
    return flow + np.random.default_rng(1).normal(scale=noise, size=flow.shape), where


def test_the_law_is_written_as_documented() -> None:
    flow = camera_flow([1, 2, 0.5, 0, 0, -0.25], 3, 5)
    np.testing.assert_allclose(flow[1, 2], [1, 2])  # the centre
    np.testing.assert_allclose(flow[2, 4], [1 + 0.5 * 2, 2 - 0.25 * 1])


def test_without_objects_it_is_least_squares() -> None:
    flow = camera_flow(PLANTED, 32, 32)
    parameters, camera = camera_fit(flow)
    np.testing.assert_allclose(parameters, PLANTED, atol=2e-3)
    np.testing.assert_allclose(camera, flow, atol=0.02)


def test_objects_do_not_pull_the_camera() -> None:
    flow, _ = _scene(PLANTED)
    parameters, camera = camera_fit(flow)
    assert np.abs(camera - camera_flow(PLANTED, 32, 32)).mean() < 0.03
    assert np.abs(parameters - PLANTED)[..., :2].max() < 0.1


def test_least_squares_would_be_pulled() -> None:
    """The robust fit is needed: plain least squares fails on the same scenes."""
    flow, _ = _scene(PLANTED)
    y, x = np.mgrid[:32, :32]
    basis = np.stack([np.ones(1024), x.ravel() - 15.5, y.ravel() - 15.5], axis=1)
    plain = np.linalg.lstsq(basis, flow[0, 0].reshape(-1, 2), rcond=None)[0]
    assert np.abs(plain[0] - PLANTED[0, 0, :2]).max() > 0.4


def test_masked_pixels_are_never_used() -> None:
    flow = camera_flow(PLANTED, 32, 32)
    valid = RNG.random(flow.shape[:-1]) < 0.5
    spoiled = np.where(valid[..., None], flow, np.nan)
    spoiled[..., :16, :, :] = np.where(valid[..., :16, :, None], flow[..., :16, :, :], 1e6)
    np.testing.assert_allclose(camera_fit(spoiled, valid)[0], PLANTED, atol=5e-3)


def test_nothing_valid_is_zero_and_few_pixels_are_a_pan() -> None:
    flow = camera_flow(PLANTED[0], 32, 32)
    valid = np.zeros((3, 32, 32), dtype=bool)
    assert not camera_fit(flow, valid)[0].any()
    valid[:, 15:17, 15:17] = True
    few = camera_fit(flow, valid)[0]
    np.testing.assert_allclose(few[:, :2], PLANTED[0, :, :2], atol=0.05)
    assert np.abs(few[:, 2:]).max() < 0.02


def test_other_grids_scale() -> None:
    parameters, _ = camera_fit(camera_flow([4.0, -8.0, 0.01, 0, 0, 0.01], 64, 64))
    np.testing.assert_allclose(parameters, [4, -8, 0.01, 0, 0, 0.01], atol=5e-3)


def test_moving_objects_are_found_and_specks_are_not() -> None:
    flow, where = _scene(PLANTED)
    flow[..., 28, 4, :] += 5
    found = moving_objects(flow, camera_fit(flow)[1])
    overlap = (found & where).sum(axis=(-1, -2)) / (found | where).sum(axis=(-1, -2))
    assert np.median(overlap) > 0.95
    assert not found[..., 28, 4].any()
    assert not moving_objects(flow, camera_fit(flow)[1], valid=~where).any()


@pytest.mark.parametrize("axis", [0, 1])
def test_patches_do_not_join_across_steps(axis: int) -> None:
    flow = np.zeros((2, 3, 32, 32, 2), dtype=np.float32)
    flow[:, :, 5, 5:8, axis] = 2  # three pixels in each of six fields
    assert not moving_objects(flow, np.zeros_like(flow), min_area=6).any()
    assert moving_objects(flow, np.zeros_like(flow), min_area=3).sum() == 18


def test_residual_is_the_rest() -> None:
    flow, where = _scene(PLANTED, noise=0)
    rest = residual_flow(flow)
    np.testing.assert_allclose(rest[where].mean(axis=0), [3, -2], atol=0.05)
