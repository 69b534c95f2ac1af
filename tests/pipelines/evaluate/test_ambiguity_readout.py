"""The softmax families against scikit-learn, their symmetry, their nesting, their temperature."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from pipelines.evaluate.ambiguity_readout import (
    Inputs,
    Readout,
    best_frame_model,
    best_sharpness,
    calibrated_readout,
    fit_readout,
    log_softmax,
    mean_loss,
)

N = 9


def drawn(logits: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(logits.shape[1], p=np.exp(row)) for row in log_softmax(logits)])


def test_frame_alone_is_penalised_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    frame, penalty = rng.normal(size=(150, 3)), 4.0
    direction = drawn(frame @ rng.normal(size=(3, N)), 1)
    direction[:N] = np.arange(N)
    mine = fit_readout(Inputs(frame), direction, penalty, 1.0)
    # A constant column of height sqrt(penalty) is an intercept with penalty 1.
    columns = np.column_stack([frame, np.full(len(frame), np.sqrt(penalty))])
    peer = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=5000).fit(columns, direction)
    np.testing.assert_allclose(mine.probabilities(Inputs(frame)), peer.predict_proba(columns), atol=2e-4)


def test_without_fmri_weights_the_family_is_the_frame_alone() -> None:
    rng = np.random.default_rng(2)
    frame, reading = rng.normal(size=(20, 2)), rng.normal(size=(20, 3))
    intercept, weights = rng.normal(size=N), rng.normal(size=(2, N))
    alone, both = Readout(intercept, weights, np.zeros(0)), Readout(intercept, weights, np.zeros(4))
    np.testing.assert_allclose(alone.probabilities(Inputs(frame)), both.probabilities(Inputs(frame, reading)))


def test_turned_reading_turns_the_probabilities() -> None:
    rng = np.random.default_rng(3)
    reading = rng.normal(size=(30, 3))
    c = s = np.sqrt(0.5)
    turned = reading.copy()
    turned[:, :2] = reading[:, :2] @ np.array([[c, s], [-s, c]])  # by 45 degrees from right towards down
    model = Readout(np.zeros(N), np.zeros((1, N)), np.array([1.2, 0.4, 0.7, 0.2]))
    first, second = (model.probabilities(Inputs(np.zeros((30, 1)), r)) for r in (reading, turned))
    np.testing.assert_allclose(np.roll(first[:, :8], 1, axis=1), second[:, :8])
    np.testing.assert_allclose(first[:, 8], second[:, 8])
    right = model.probabilities(Inputs(np.zeros((1, 1)), np.array([[3.0, 0.0, 1.0]])))
    assert right.argmax() == 0


def test_reading_is_learned_and_calibrated_on_held_out_folds() -> None:
    rng = np.random.default_rng(4)
    reading = rng.normal(size=(600, 3)) * [1.5, 1.5, 1]
    truth = Readout(np.zeros(N), np.zeros((1, N)), np.array([1.0, 0.3, 0.5, 0.2]))
    inputs = Inputs(np.zeros((600, 1)), reading)
    direction = drawn(truth.logits(inputs), 5)
    model = calibrated_readout(inputs, direction, np.arange(600) // 100, 10.0, 1.0)
    assert abs(model.fmri[0] - 1.0) < 0.25
    assert 0.85 < model.sharpness < 1.15
    assert mean_loss(model.logits(inputs), direction) < mean_loss(np.zeros((600, N)), direction) - 0.3


def test_overconfident_logits_are_cooled() -> None:
    logits = np.random.default_rng(6).normal(size=(3000, N)) * 1.5
    direction = drawn(logits, 7)
    assert abs(best_sharpness(3 * logits, direction) - 1 / 3) < 0.04


def test_search_finds_the_component_that_tells() -> None:
    rng = np.random.default_rng(8)
    frame = rng.normal(size=(400, 6))
    direction = np.where(frame[:, 3] > 0, 0, 4)
    components, penalty = best_frame_model(frame, direction, np.arange(400) // 100, (2, 4, 60), (1.0, 300.0))
    assert (components, penalty) == (4, 1.0)
