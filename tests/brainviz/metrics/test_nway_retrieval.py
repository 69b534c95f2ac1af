"""N-way accuracy, retrieval and the test on bootstrap means, against the original program's numbers and by counting."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.metrics.nway import accepted_classes, expected_nway_accuracy, nway_accuracy, nway_chance
from brainviz.metrics.resampled_means import wilcoxon_of_bootstrap_means
from brainviz.metrics.retrieval import best_first, retrieval_chance, top_k_accuracy, true_ranks


def arrays(golden: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(golden / "mind_animator" / f"{name}.npz", allow_pickle=False) as held:
        return {key: held[key] for key in held.files}


def test_nway_accuracy_golden(golden):
    held = arrays(golden, "nway_accuracy")
    accepted = accepted_classes(held["gt_logits"])
    assert (accepted == held["gt_class_ids"]).all()
    for name in [key for key in held if key.startswith("acc_")]:
        n_way, top_k, trials = (int("".join(c for c in part if c.isdigit())) for part in name.split("_")[1:])
        found = nway_accuracy(held["pred_prob"], accepted, n_way, top_k, trials, np.random.RandomState(42))
        assert np.allclose(found, held[name], atol=1e-12), name


def test_expected_accuracy_is_the_mean_of_what_the_released_program_draws(golden):
    held = arrays(golden, "nway_accuracy")
    accepted = accepted_classes(held["gt_logits"])
    for name in [key for key in held if key.startswith("acc_")]:
        n_way, top_k, trials = (int("".join(c for c in part if c.isdigit())) for part in name.split("_")[1:])
        expected = expected_nway_accuracy(held["pred_prob"], accepted, n_way, top_k)
        spread = np.sqrt(expected * (1 - expected) / trials)
        assert (np.abs(held[name][:, 0] - expected) < 4 * spread + 1e-12).all(), name


def test_expected_accuracy_by_counting_every_draw():
    scores = np.random.default_rng(2).random((5, 9))
    accepted = accepted_classes(np.random.default_rng(3).random((5, 9)))
    for n_way, top_k in ((2, 1), (4, 1), (4, 2), (7, 3), (3, 3)):
        counted = []
        for score, own in zip(scores, accepted, strict=True):
            draws = list(combinations(np.setdiff1d(np.arange(9), own), n_way - 1))
            counted.append(np.mean([sum(score[i] > score[own].max() for i in draw) < top_k for draw in draws]))
        assert np.allclose(expected_nway_accuracy(scores, accepted, n_way, top_k), counted, atol=1e-12)
    drawn = nway_accuracy(scores, accepted, 4, trials=4000)[:, 0]
    assert np.allclose(drawn, expected_nway_accuracy(scores, accepted, 4), atol=0.04)


def test_chance_of_nway_accuracy_is_not_one_in_n():
    assert np.isclose(nway_chance(2), 0.75) and np.isclose(nway_chance(50), 3 / 52)
    assert np.isclose(nway_chance(50, accepted=1), 1 / 50)
    rng = np.random.default_rng(0)
    for n_way, top_k in ((2, 1), (50, 1), (50, 5)):
        blind = nway_accuracy(
            rng.random((400, 100)), rng.permuted(np.tile(np.arange(100), (400, 1)), axis=1)[:, :3], n_way, top_k, 20
        )
        assert abs(blind[:, 0].mean() - nway_chance(n_way, top_k)) < 0.05
    triples = np.array(list(combinations(range(20), 3)))  # exactly: accepted classes of every rank, equally often
    one = np.repeat(np.arange(20.0)[None], len(triples), axis=0)
    assert np.isclose(expected_nway_accuracy(one, triples, 5, 2).mean(), nway_chance(5, 2))


def test_nway_refuses_more_candidates_than_classes():
    with pytest.raises(DataProblem):
        nway_accuracy(np.ones((1, 10)), [[0, 1, 2]], 50)
    with pytest.raises(DataProblem):
        expected_nway_accuracy(np.ones((1, 10)), [[0, 1, 2]], 9)


def test_retrieval_golden(golden):
    held = arrays(golden, "retrieval")
    queries, labels, ks = held["queries"], held["labels"], held["ks"].tolist()
    assert (best_first(queries, held["small_set"])[:, :10] == held["top10_small"]).all()
    for size in ("small", "large"):
        assert np.allclose(top_k_accuracy(queries, held[f"{size}_set"], labels, ks), held[f"acc_{size}"])


def test_ranks_and_chance_of_retrieval():
    gallery = np.eye(5)
    assert true_ranks(gallery[[3, 0]], gallery, [3, 0]).tolist() == [1, 1]
    assert true_ranks(np.zeros((1, 5)), gallery, [4]).tolist() == [5]
    rng = np.random.default_rng(0)
    blind = top_k_accuracy(rng.standard_normal((500, 8)), rng.standard_normal((50, 8)), rng.integers(0, 50, 500), [10])
    assert abs(blind[0] - retrieval_chance(10, 50)) < 0.06
    with pytest.raises(DataProblem):
        true_ranks(gallery, gallery, np.full(5, 9))


def test_wilcoxon_of_bootstrap_means_golden(golden):
    held = arrays(golden, "bootstrap_wilcoxon")
    x, y, statistic, p = wilcoxon_of_bootstrap_means(held["X"], held["Y"], np.random.RandomState(0))
    assert np.allclose(x, held["mean_X"]) and np.allclose(y, held["mean_Y"])
    assert statistic == held["stat"] and np.isclose(p, held["p"])


def test_the_test_on_bootstrap_means_rejects_a_true_null_most_of_the_time():
    rng = np.random.default_rng(0)
    p = [wilcoxon_of_bootstrap_means(*rng.standard_normal((2, 200)), np.random.RandomState(i))[3] for i in range(40)]
    assert np.mean(np.array(p) < 0.05) > 0.6
