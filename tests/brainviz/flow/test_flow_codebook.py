"""The codebook against scikit-learn and against planted words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans

from brainviz.errors import BrainvizError, DataProblem
from brainviz.flow.codebook import Codebook, fit_codebook


def _vectors(n: int = 6000) -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.standard_t(3, size=(n, 2)) * [1.0, 0.4]).astype(np.float32)


def test_planted_words_are_found() -> None:
    rng = np.random.default_rng(0)
    planted = np.stack([np.cos(np.arange(8)), np.sin(np.arange(8))], axis=1) * np.arange(3, 11)[:, None]
    points = np.repeat(planted, 200, axis=0) + rng.normal(scale=0.05, size=(1600, 2))
    words = fit_codebook(points, k=8).words
    np.testing.assert_allclose(words, planted, atol=0.03)  # both slowest first


def test_error_is_as_low_as_scikit_learns() -> None:
    points = _vectors()
    ours = np.mean((fit_codebook(points, k=40).quantised(points) - points) ** 2) * 2
    theirs = KMeans(40, n_init=1, random_state=0).fit(points).inertia_ / len(points)
    assert ours < 1.05 * theirs


def test_assignment_is_the_nearest_word() -> None:
    points = _vectors(5000)
    codebook = fit_codebook(points, k=20)
    index = codebook.assign(points.reshape(10, 500, 2))
    assert index.dtype == np.uint8
    np.testing.assert_array_equal(index.ravel(), cKDTree(codebook.words).query(points)[1])


def test_same_input_same_words_and_subsample_is_close() -> None:
    points = _vectors()
    assert fit_codebook(points, seed=4).words.tobytes() == fit_codebook(points, seed=4).words.tobytes()
    full, part = fit_codebook(points), fit_codebook(points, max_vectors=3000)
    error = [np.mean((c.quantised(points) - points) ** 2) for c in (full, part)]
    assert error[0] < error[1] < 2 * error[0]


def test_expected_is_the_weighted_sum() -> None:
    codebook = Codebook(np.float32([[0, 0], [2, -4]]))
    np.testing.assert_allclose(codebook.expected([[0.25, 0.75], [1, 0]]), [[1.5, -3], [0, 0]])


def test_too_few_or_spoiled_vectors_are_refused() -> None:
    with pytest.raises(DataProblem, match="distinct"):
        fit_codebook(np.zeros((500, 2)))
    with pytest.raises(DataProblem, match="NaN"):
        fit_codebook([[np.nan, 1]] * 50)
    with pytest.raises(BrainvizError, match="words"):
        fit_codebook(_vectors(), k=300)
