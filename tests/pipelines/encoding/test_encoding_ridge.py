"""Voxel-wise ridge against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding import alphas
from pipelines.encoding.alphas import choose_alphas
from pipelines.encoding.decomposition import decompose
from pipelines.encoding.ridge import fit
from pipelines.encoding.scoring import exhaustive
from pipelines.encoding.targets import as_targets

ALPHAS = np.logspace(0, 4, 12)


def world(n: int = 96, p: int = 150, v: int = 40, segments: int = 6, seed: int = 0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p)).astype(np.float32) * np.linspace(3, 0.3, p, dtype=np.float32)
    y = x @ draw.normal(size=(p, v)) * draw.uniform(0, 0.2, v) + draw.normal(size=(n, v)) + 3
    return x, y.astype(np.float32), np.repeat([f"seg{i + 1}" for i in range(segments)], n // segments)


def searched_with_scikit_learn(decomposition, x, y, grid=ALPHAS):
    """Mean over folds of Pearson r within the fold, for every alpha: (v, a)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    scores = np.zeros((y.shape[1], len(grid)))
    for fold in decomposition.folds:
        for i, alpha in enumerate(grid):
            model = Ridge(alpha=alpha).fit(x[fold.train], y[fold.train])
            predicted = model.predict(x[fold.held])
            scores[:, i] += [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, y[fold.held].T, strict=True)]
    return scores / len(decomposition.folds)


@pytest.mark.parametrize("p", [20, 150], ids=["primal", "dual"])
def test_alphas_and_scores_are_those_of_the_exhaustive_search(p):
    x, y, groups = world(p=p)
    decomposition = decompose(x, groups)
    scores = searched_with_scikit_learn(decomposition, x, y)
    choice = choose_alphas(decomposition, y, ALPHAS)
    np.testing.assert_array_equal(choice.alpha, ALPHAS[scores.argmax(1)].astype(np.float32))
    np.testing.assert_allclose(choice.cv_r, scores.max(1), atol=1e-4)
    assert choice.error < 1e-4


@pytest.mark.parametrize("p", [20, 150], ids=["primal", "dual"])
def test_predictions_are_those_of_scikit_learn(p):
    x, y, groups = world(p=p)
    test = world(p=p, seed=1)[0]
    fitted = fit(decompose(x, groups), y, ALPHAS)
    predicted = fitted.predict(x, test)
    for v in range(y.shape[1]):
        model = Ridge(alpha=float(fitted.alpha[v])).fit(x.astype(np.float64), y[:, v].astype(np.float64))
        np.testing.assert_allclose(predicted[:, v], model.predict(test.astype(np.float64)), atol=2e-3)
        np.testing.assert_allclose(fitted.weights(x)[:, v], model.coef_, atol=2e-4)


def test_vertices_without_a_usable_time_course_give_nan_and_leave_the_others_alone():
    x, y, groups = world()
    decomposition = decompose(x, groups)
    clean = choose_alphas(decomposition, y, ALPHAS)
    y[:, 3], y[5, 7], y[:, 9] = 4.0, np.nan, 1e4
    y[0, 11] = np.inf
    choice = choose_alphas(decomposition, y, ALPHAS)
    bad = [3, 7, 9, 11]
    assert np.isnan(choice.alpha[bad]).all() and np.isnan(choice.cv_r[bad]).all()
    good = np.delete(np.arange(40), bad)
    np.testing.assert_array_equal(choice.alpha[good], clean.alpha[good])


def test_all_predictions_stand_on_the_scale_of_the_bold():
    x, y, groups = world()
    fitted = fit(decompose(x, groups), 1000 * y + 5000, ALPHAS)
    plain = fit(decompose(x, groups), y, ALPHAS)
    np.testing.assert_array_equal(fitted.alpha, plain.alpha)
    np.testing.assert_allclose(fitted.predict(x, x), 1000 * plain.predict(x, x) + 5000, rtol=1e-3)


def test_bold_of_another_length_is_refused():
    x, y, groups = world()
    with pytest.raises(DataProblem, match=r"95 volumes.*96 rows"):
        choose_alphas(decompose(x, groups), y[:-1], ALPHAS)
    with pytest.raises(BrainvizError, match="positive"):
        choose_alphas(decompose(x, groups), y, [0.0, 1.0])


def test_where_float32_does_not_serve_the_search_goes_on_in_float64(monkeypatch):
    x, y, groups = world()
    y[:, 4] = 0
    decomposition = decompose(x, groups)
    scores = searched_with_scikit_learn(decomposition, x, np.delete(y, 4, axis=1))
    monkeypatch.setattr(alphas, "ACCURACY", 0.0)
    choice = choose_alphas(decomposition, y, ALPHAS)
    assert choice.error == 0 and np.isnan(choice.alpha[4])
    np.testing.assert_array_equal(np.delete(choice.alpha, 4), ALPHAS[scores.argmax(1)].astype(np.float32))


def test_fewer_products_than_alphas_settle_most_vertices():
    x, y, groups = world(n=240, p=400, v=900)
    y += 2 * np.random.default_rng(3).normal(size=y.shape).astype(np.float32)
    decomposition = decompose(x, groups)
    grid = np.logspace(0, 6, 20)
    choice = choose_alphas(decomposition, y, grid)
    block, _ = as_targets(y).tensor(slice(None), "cpu")
    scores = np.mean([exhaustive(fold, block, grid).numpy() for fold in decomposition.folds], axis=0)
    assert choice.products < choice.full < len(grid) and choice.searched_again < 0.5
    assert (choice.alpha == grid[scores.argmax(1)].astype(np.float32)).mean() >= 0.995
    np.testing.assert_allclose(choice.cv_r, scores.max(1), atol=1e-4)
