"""Low-rank float16 weights: as good as promised, kept and read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from encoding_world import fitted_world
from sklearn.linear_model import Ridge

from brainviz.errors import DataProblem
from pipelines.encoding.delays import scaled_design
from pipelines.encoding.low_rank import leading_components, low_rank
from pipelines.encoding.weights import EncoderWeights


def test_rank_is_the_smallest_that_reproduces_the_predictions():
    draw = np.random.default_rng(0)
    u, _, vt = np.linalg.svd(draw.normal(size=(50, 200)), full_matrices=False)
    predictions = (u * np.geomspace(1, 1e-3, 50)) @ vt
    kept = leading_components(torch.from_numpy(predictions), 0.99)
    basis = kept.basis.numpy().astype(np.float64)

    def median(k: int) -> float:
        near = basis[:, :k] @ (basis[:, :k].T @ predictions)
        lengths = np.linalg.norm(near, axis=0) * np.linalg.norm(predictions, axis=0)
        return float(np.median((near * predictions).sum(0) / lengths))

    k = basis.shape[1]
    assert median(k) >= 0.99 > median(k - 1)
    assert kept.agreement == pytest.approx(median(k), abs=1e-5)


def test_explicit_weights_are_cut_as_the_svd_does():
    weights = np.random.default_rng(0).normal(size=(30, 40))
    left, right = low_rank(weights, 10)
    u, s, vt = np.linalg.svd(weights)
    best = (u[:, :10] * s[:10]) @ vt[:10]
    assert left.dtype == right.dtype == np.float16
    np.testing.assert_allclose(left.astype(float) @ right.astype(float), best, atol=1e-2)


def test_kept_weights_predict_other_films_as_the_full_model(tmp_path):
    world, fitted, predicted = fitted_world()
    fitted.weights.save(tmp_path / "w.npz")
    weights = EncoderWeights.load(tmp_path / "w.npz")
    assert weights.low_rank.left.dtype == weights.low_rank.right.dtype == np.float16
    film = world.features[fitted.layer]["test1"]
    near = weights.predict(film)
    full = predicted[: len(film)]
    good = fitted.cv_r > 0.3
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(near.T[good], full.T[good], strict=True)]
    assert np.median(r) > 0.96  # of new films; the promise is about training films, below
    np.testing.assert_allclose(near[:, good].mean(), full[:, good].mean(), atol=0.02)
    np.testing.assert_allclose(weights.predict(film, columns=slice(3, 9)), near[:, 3:9], atol=1e-5)


def test_agreement_on_training_films_is_as_stated():
    world, fitted, _ = fitted_world()
    films = world.features[fitted.layer]
    design = scaled_design(films, fitted.weights.moments, {film: len(bold) for film, bold in world.train.items()})
    rows, y = (np.vstack(list(parts.values())).astype(np.float64) for parts in (design, world.train))
    near = fitted.weights.low_rank.predict(rows)
    good = np.flatnonzero(fitted.cv_r > 0.1)
    full = [Ridge(alpha=float(fitted.alpha[v])).fit(rows, y[:, v]).predict(rows) for v in good]
    r = [np.corrcoef(near[:, v], one)[0, 1] for v, one in zip(good, full, strict=True)]
    assert np.median(r) == pytest.approx(fitted.weights.low_rank.agreement, abs=1e-3)
    assert fitted.weights.low_rank.agreement >= 0.995


def test_other_features_and_broken_files_are_refused(tmp_path):
    _, fitted, _ = fitted_world()
    with pytest.raises(DataProblem, match="channels"):
        fitted.weights.predict(np.zeros((5, 3)))
    (tmp_path / "w.npz").write_bytes(b"nothing")
    with pytest.raises(DataProblem, match="cannot be read"):
        EncoderWeights.load(tmp_path / "w.npz")
