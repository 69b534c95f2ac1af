"""Joint models: against scikit-learn on scaled features, and on planted variance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding.banded import joint_design, partition_variance

GROUPS = np.repeat([f"seg{i}" for i in range(5)], 48)


def world(seed: int = 0):
    draw = np.random.default_rng(seed)
    n, n_test = len(GROUPS), 400
    a = draw.normal(size=(n + n_test, 20)).astype(np.float32)
    b = draw.normal(size=(n + n_test, 30)).astype(np.float32)
    common = draw.normal(size=(n + n_test, 5)).astype(np.float32)
    a[:, :5] = common
    b[:, :5] = common
    signal = {
        "a": a[:, 5:] @ draw.normal(size=(15, 8)),
        "b": b[:, 5:] @ draw.normal(size=(25, 8)),
        "both": common @ draw.normal(size=(5, 8)),
    }
    y = np.hstack([s / s.std(0) + 0.7 * draw.normal(size=s.shape) for s in signal.values()]).astype(np.float32)
    return (a[:n], b[:n]), (a[n:], b[n:]), y[:n], y[n:]


def test_planted_variance_is_given_to_whom_it_belongs():
    train, test, y, y_test = world()
    found = partition_variance(joint_design(train, test, list(GROUPS)), y, y_test, np.logspace(-1, 4, 12))
    explained = 1 / 1.49
    means = [[part[i : i + 8].mean() for part in (found.unique_a, found.unique_b, found.shared)] for i in (0, 8, 16)]
    np.testing.assert_allclose(means, np.eye(3) * explained, atol=0.12)
    np.testing.assert_allclose(found.unique_a + found.unique_b + found.shared, found.r2_joint, atol=1e-5)
    assert found.share[:8].min() >= 0.5 and found.share[8:16].max() <= 0.5


def test_joint_predictions_are_ridge_on_weighted_features():
    train, test, y, y_test = world()
    found = partition_variance(joint_design(train, test, list(GROUPS)), y, y_test, np.logspace(-1, 4, 12))
    for v in range(0, 24, 3):
        weight = np.sqrt([found.share[v], 1 - found.share[v]])
        both, held = (np.hstack([part[0] * weight[0], part[1] * weight[1]]) for part in (train, test))
        predicted = Ridge(alpha=float(found.alpha[v])).fit(both, y[:, v]).predict(held)
        assert found.r2_joint[v] == pytest.approx(r2_score(y_test[:, v], predicted), abs=1e-4)
        assert found.r[v] == pytest.approx(np.corrcoef(y_test[:, v], predicted)[0, 1], abs=1e-4)


def test_unusable_vertices_stay_nan():
    train, test, y, y_test = world()
    y[:, 2] = 0
    y_test[4, 5] = np.nan
    found = partition_variance(joint_design(train, test, list(GROUPS)), y, y_test, np.logspace(-1, 4, 6))
    assert np.isnan(found.unique_a[[2, 5]]).all() and np.isfinite(np.delete(found.unique_a, [2, 5])).all()


def test_designs_of_other_rows_and_odd_shares_are_refused():
    train, test, y, y_test = world()
    with pytest.raises(DataProblem, match="same rows"):
        joint_design((train[0][:-1], train[1]), test, list(GROUPS))
    with pytest.raises(BrainvizError, match="ascend from 0 to 1"):
        partition_variance(joint_design(train, test, list(GROUPS)), y, y_test, shares=(0.2, 1.0))
