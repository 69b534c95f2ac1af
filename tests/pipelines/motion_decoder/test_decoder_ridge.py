"""The linear half against scikit-learn and plain refits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from pipelines.motion_decoder import BoldWindows, DecoderConfig, DecoderData
from pipelines.motion_decoder.basis import FlowBasis, fill_invalid, from_planes, mean_field, to_planes
from pipelines.motion_decoder.data import segment_folds
from pipelines.motion_decoder.kernel import apply_weights, fit_ridge, primal_weights, window_gram
from pipelines.motion_decoder.motion_ridge import compressed, fit_motion_ridge, log_speed


@pytest.fixture
def windows() -> BoldWindows:
    draw = np.random.default_rng(0)
    index = np.arange(30)[:, None] + np.arange(-1, 2)
    index[index >= 30] = -1
    return BoldWindows(draw.normal(size=(30, 7)).astype(np.float32), index)


def _weighted(windows: BoldWindows, vertex: np.ndarray, delay: np.ndarray) -> np.ndarray:
    return (windows.gather() * vertex * delay[:, None]).reshape(len(windows), -1).astype(np.float64)


def test_kernel_and_weights_are_those_of_gathered_windows(windows: BoldWindows) -> None:
    draw = np.random.default_rng(1)
    vertex, delay = draw.uniform(0.5, 2, 7).astype(np.float32), np.array([0.5, 1, 2], np.float32)
    flat = _weighted(windows, vertex, delay)
    kernel = window_gram(windows, vertex, delay)
    np.testing.assert_allclose(kernel, flat @ flat.T, rtol=1e-5, atol=1e-5)
    dual = draw.normal(size=(30, 4))
    weights = primal_weights(windows, vertex, delay, dual)
    np.testing.assert_allclose(apply_weights(windows, weights), kernel @ dual, rtol=1e-4, atol=1e-4)


def test_held_out_predictions_are_those_of_refits_without_the_fold(windows: BoldWindows) -> None:
    draw = np.random.default_rng(2)
    flat = _weighted(windows, np.ones(7), np.ones(3))
    kernel, targets = flat @ flat.T, draw.normal(size=(30, 3)) + 5
    fold, penalty = np.arange(30) // 10, 3.0
    fit = fit_ridge(kernel, targets, fold, np.array([penalty]))
    constant = np.sqrt(np.trace(kernel) / 30)
    design = np.concatenate([flat, np.full((30, 1), constant)], 1)
    for number in range(3):
        seen = fold != number
        oracle = Ridge(alpha=penalty, fit_intercept=False, solver="svd").fit(design[seen], targets[seen])
        np.testing.assert_allclose(fit.held_out[~seen], oracle.predict(design[~seen]), rtol=1e-4, atol=1e-4)
    whole = Ridge(alpha=penalty, fit_intercept=False, solver="svd").fit(design, targets)
    np.testing.assert_allclose(kernel @ fit.dual + fit.intercept, whole.predict(design), rtol=1e-6, atol=1e-6)


def test_each_target_takes_the_penalty_with_the_least_held_out_error(windows: BoldWindows) -> None:
    flat = _weighted(windows, np.ones(7), np.ones(3))
    draw = np.random.default_rng(3)
    targets = np.stack([flat @ draw.normal(size=21), draw.normal(size=30)], 1)
    fold, penalties = np.arange(30) // 5, np.array([1e-3, 1.0, 1e5])
    fit = fit_ridge(flat @ flat.T, targets, fold, penalties)
    errors = [
        ((fit_ridge(flat @ flat.T, targets, fold, np.array([p])).held_out - targets) ** 2).sum(0) for p in penalties
    ]
    np.testing.assert_array_equal(fit.penalty, penalties[np.argmin(errors, 0)])
    assert fit.penalty[0] < fit.penalty[1]


def test_basis_is_the_principal_components(world: DecoderData) -> None:
    complete = fill_invalid(world.flow, world.valid)
    basis = FlowBasis.of_complete(complete, 5)
    oracle = PCA(5).fit(complete.reshape(len(complete), -1))
    overlap = np.abs(np.sum(basis.components * oracle.components_, 1))
    np.testing.assert_allclose(overlap, 1, atol=1e-3)
    scores = basis.scores(complete)
    np.testing.assert_allclose(basis.scores(basis.reconstruct(scores)), scores, atol=1e-3)


def test_invalid_vectors_enter_neither_mean_nor_filled_fields(world: DecoderData) -> None:
    changed = np.where(world.valid[..., None], world.flow, -1234.0).astype(np.float32)
    np.testing.assert_array_equal(mean_field(changed, world.valid), mean_field(world.flow, world.valid))
    np.testing.assert_array_equal(fill_invalid(changed, world.valid), fill_invalid(world.flow, world.valid))
    assert np.abs(fill_invalid(world.flow, world.valid)).max() < 77


def test_planes_and_fields_are_the_same_numbers() -> None:
    flow = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 2)).astype(np.float32)
    planes = to_planes(flow)
    np.testing.assert_array_equal(planes[1, [1, 3 + 1], 2 * 5 + 3], flow[1, 1, 2, 3])
    np.testing.assert_array_equal(from_planes(planes, (4, 5)), flow)


def test_compression_keeps_direction_and_order() -> None:
    flow = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], np.float32)
    squeezed = compressed(flow, 1.0)
    np.testing.assert_allclose(squeezed[0] / np.linalg.norm(squeezed[0]), [0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(squeezed, axis=1), [5 / np.sqrt(11), 0.5 / np.sqrt(2), 0], atol=1e-6)
    np.testing.assert_allclose(log_speed(flow.reshape(1, 3, 1, 1, 2), 1.0), np.log([6, 1.5, 1]).mean(), atol=1e-6)


def test_a_clips_held_out_reading_does_not_know_its_own_flow(world: DecoderData, quick: DecoderConfig) -> None:
    """One penalty, a basis of all dimensions: a fold's clips may exchange their flow, and its readings stay."""
    few = np.flatnonzero(np.isin(world.segment, ["seg1", "seg2", "seg3"]))
    bold, segment, valid = world.bold.select(few), world.segment[few], np.ones_like(world.valid[few])
    config = dataclasses.replace(quick, ridge=dataclasses.replace(quick.ridge, alphas=(1.0,), n_components=400))
    first = segment_folds(segment) == 0
    flow = fill_invalid(world.flow, world.valid)[few]
    exchanged = flow.copy()
    exchanged[first] = flow[first][::-1]
    readings = []
    for field in (flow, exchanged):
        ridge, held_out = fit_motion_ridge(DecoderData(bold, world.features[few], field, valid, segment), config, 1.0)
        readings.append(ridge.fields(held_out)[0])
    np.testing.assert_allclose(readings[0][first], readings[1][first], atol=2e-3)
    assert np.abs(readings[0] - readings[1])[~first].max() > 0.1
