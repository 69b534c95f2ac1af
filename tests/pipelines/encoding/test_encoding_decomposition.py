"""Folds of whole segments, decompositions kept and shared."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding.decomposition import Decomposition, cached_decomposition, decompose, fold_of_rows


def design(n: int = 60, p: int = 90, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(2, 1, size=(n, p)).astype(np.float32)


def test_folds_are_whole_segments_and_balanced():
    groups = np.repeat([f"seg{i}" for i in range(1, 8)], [30, 10, 10, 10, 10, 10, 10])
    fold = fold_of_rows(groups)
    assert all(len(set(fold[groups == name])) == 1 for name in set(groups))
    assert len(set(fold)) == 5
    assert sorted(np.bincount(fold)) == [10, 10, 20, 20, 30]


def test_two_segments_are_left_out_one_by_one_and_one_is_refused():
    assert len(set(fold_of_rows(["a"] * 4 + ["b"] * 4))) == 2
    with pytest.raises(BrainvizError, match="only one training segment"):
        fold_of_rows(["a"] * 8)


@pytest.mark.parametrize("p", [12, 90], ids=["primal", "dual"])
def test_each_fold_predicts_as_the_normal_equations_do(p):
    x = design(p=p).astype(np.float64)
    y = np.random.default_rng(1).normal(size=60)
    for fold in decompose(x, np.repeat(list("abcde"), 12)).folds:
        centred = x[fold.train] - x[fold.train].mean(0)
        target = y[fold.train] - y[fold.train].mean()
        weights = scipy.linalg.solve(centred.T @ centred + 5 * np.eye(p), centred.T @ target, assume_a="pos")
        expected = (x[fold.held] - x[fold.train].mean(0)) @ weights
        got = fold.left @ ((fold.right.T @ y[fold.train]) / (fold.eigenvalues + 5))
        np.testing.assert_allclose(got - got.mean(), expected - expected.mean(), atol=1e-5)


def test_saved_and_loaded_alike(tmp_path):
    made = decompose(design(), np.repeat(list("abc"), 20))
    made.save(tmp_path / "d.npz")
    again = Decomposition.load(tmp_path / "d.npz")
    np.testing.assert_array_equal(again.vectors, made.vectors)
    for a, b in zip(again.folds, made.folds, strict=True):
        np.testing.assert_array_equal(a.left, b.left)
        np.testing.assert_array_equal(a.held, b.held)


def test_the_cache_tells_designs_and_segments_apart(tmp_path):
    x, groups = design(), [*"a" * 20, *"b" * 20, *"c" * 20]
    cached_decomposition(x, groups, tmp_path)
    cached_decomposition(x, groups, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    fewer = cached_decomposition(x[:40], groups[:40], tmp_path)
    assert fewer.n_rows == 40 and len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(fewer.vectors, decompose(x[:40], groups[:40]).vectors)


def test_broken_files_and_designs_are_named(tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(DataProblem, match="cannot be read"):
        Decomposition.load(path)
    np.savez(path, format=np.asarray(99))
    with pytest.raises(DataProblem, match="format"):
        Decomposition.load(path)
    x = design()
    x[3, 4] = np.nan
    with pytest.raises(DataProblem, match="not finite"):
        decompose(x, np.repeat(list("abc"), 20))
    with pytest.raises(DataProblem, match="shape"):
        decompose(x[:-1], np.repeat(list("abc"), 20))
