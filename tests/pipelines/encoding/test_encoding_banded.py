"""Joint models: against scikit-learn on scaled features, and on planted variance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from brainviz.errors import BrainvizError, DataProblem
from brainviz.metrics.block_sums import sum_blocks, volume_blocks
from brainviz.metrics.region_means import Regions
from brainviz.metrics.variance_partition import partition_variance
from pipelines.encoding.banded import fit_joint, joint_design

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
    found = fit_joint(joint_design(train, test, list(GROUPS)), y, np.logspace(-1, 4, 12))
    blocks = volume_blocks({"test1": len(y_test)})
    sums = [sum_blocks(predicted, y_test, blocks) for predicted in (found.joint, found.a, found.b)]
    shares = partition_variance(*sums, Regions.of(np.zeros(24, int), 1))
    explained = 1 / 1.49
    parts = [each.vertices.value for each in (shares.unique_a, shares.unique_b, shares.shared)]
    means = [[part[i : i + 8].mean() for part in parts] for i in (0, 8, 16)]
    np.testing.assert_allclose(means, np.eye(3) * explained, atol=0.12)
    np.testing.assert_allclose(sum(parts), sums[0].r2, atol=1e-5)
    assert found.share[:8].min() >= 0.5 and found.share[8:16].max() <= 0.5


def test_joint_predictions_are_ridge_on_weighted_features():
    train, test, y, _ = world()
    found = fit_joint(joint_design(train, test, list(GROUPS)), y, np.logspace(-1, 4, 12))
    for v in range(0, 24, 3):
        weight = np.sqrt([found.share[v], 1 - found.share[v]])
        both, held = (np.hstack([part[0] * weight[0], part[1] * weight[1]]) for part in (train, test))
        predicted = Ridge(alpha=float(found.alpha[v])).fit(both, y[:, v]).predict(held)
        np.testing.assert_allclose(found.joint[:, v], predicted, atol=1e-3)


def test_unusable_vertices_stay_nan():
    train, test, y, _ = world()
    y[:, 2] = 0
    y[4, 5] = np.nan
    found = fit_joint(joint_design(train, test, list(GROUPS)), y, np.logspace(-1, 4, 6))
    for predicted in (found.joint, found.a, found.b):
        assert np.isnan(predicted[:, [2, 5]]).all() and np.isfinite(np.delete(predicted, [2, 5], axis=1)).all()


def test_designs_of_other_rows_and_odd_shares_are_refused():
    train, test, y, _ = world()
    with pytest.raises(DataProblem, match="same rows"):
        joint_design((train[0][:-1], train[1]), test, list(GROUPS))
    with pytest.raises(BrainvizError, match="ascend from 0 to 1"):
        fit_joint(joint_design(train, test, list(GROUPS)), y, shares=(0.2, 1.0))
