"""Usable bits against conditional mutual information, pair bits, and intervals that know the luck of training."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mutual_info_score

from brainviz.errors import DataProblem
from brainviz.metrics.usable_bits import entropy_bits, interval_with_training, log2_of, pair_bits, usable_bits


def everyone(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, brain and direction of every clip of a table of counts (image, brain, direction)."""
    at = np.argwhere(counts > 0)
    rows = np.repeat(at, counts[tuple(at.T)], axis=0)
    return rows[:, 0], rows[:, 1], rows[:, 2]


def test_ideal_decoders_find_the_conditional_mutual_information() -> None:
    counts = np.random.default_rng(0).integers(1, 12, (3, 4, 5))
    image, brain, direction = everyone(counts)
    q_brain = counts[image, brain] / counts[image, brain].sum(-1, keepdims=True)
    q_image = counts.sum(1)[image] / counts.sum(1)[image].sum(-1, keepdims=True)
    found = usable_bits(direction, q_brain, q_image, q_image[None])
    share = [np.mean(image == i) for i in range(3)]
    expected = sum(p * mutual_info_score(brain[image == i], direction[image == i]) for i, p in enumerate(share))
    assert np.isclose(found.usable.mean(), expected / np.log(2))
    assert np.allclose(found.shifted, 0)


def test_shifted_decoders_are_subtracted_on_average_over_draws() -> None:
    rng = np.random.default_rng(1)
    q = rng.dirichlet(np.ones(9), (5, 40))
    direction = rng.integers(0, 9, 40)
    found = usable_bits(direction, q[0], q[1], q[2:])
    rows = np.arange(40)
    by_hand = np.log2(q[0][rows, direction]) - np.mean([np.log2(draw[rows, direction]) for draw in q[2:]], axis=0)
    np.testing.assert_allclose(found.usable, by_hand)
    assert found.usable.min() < 0 < found.usable.max(), "nothing is clipped"


def test_unknown_direction_gives_nan_and_nothing_else() -> None:
    q = np.full((2, 9), 1 / 9)
    bits = usable_bits(np.array([3, -1]), q, q, q[None])
    assert bits.usable[0] == 0 and np.isnan(bits.usable[1])


@pytest.mark.parametrize(
    ("direction", "q"),
    [([0, 9], np.full((2, 9), 1 / 9)), ([0], np.full((2, 9), 1 / 9)), ([0, 1], np.full((2, 9), 0.5))],
)
def test_what_is_no_probability_or_direction_is_refused(direction: list[int], q: np.ndarray) -> None:
    with pytest.raises(DataProblem):
        usable_bits(np.array(direction), q, q, q[None])
    with pytest.raises(DataProblem):
        log2_of(np.array([0]), np.array([[1.0, 0.0]]))


def test_pair_bits_are_those_of_a_binary_channel() -> None:
    """A decoder right with chance p about fair pairs gets 1 - H(p) bits on average, when it says so."""
    p = 0.8
    q = np.array([[p, 1 - p, 1e-9]] * 8 + [[1 - p, p, 1e-9]] * 2)
    bits = pair_bits(np.zeros(10, int), np.ones(10, int), q)
    assert np.isclose(bits.mean(), 1 - stats.entropy([p, 1 - p], base=2))
    assert bits.max() <= 1


def test_pair_bits_ignore_all_other_directions() -> None:
    q = np.array([[0.2, 0.05, 0.75], [0.4, 0.1, 0.5]])
    bits = pair_bits(np.array([0, 0]), np.array([1, 1]), q)
    assert np.isclose(bits[0], bits[1])
    assert np.isnan(pair_bits(np.array([0, 0]), np.array([-1, 0]), q)).all()


def test_entropy() -> None:
    q = np.random.default_rng(2).dirichlet(np.ones(9), 6)
    np.testing.assert_allclose(entropy_bits(q), stats.entropy(q, base=2, axis=1))
    assert entropy_bits(np.array([1.0, 0.0])) == 0


def test_interval_without_spread_of_training_is_that_of_the_clips() -> None:
    assert interval_with_training(0.3, 0.1, 0.6, np.full(5, 0.02)) == pytest.approx((0.1, 0.6))
    assert interval_with_training(0.3, 0.1, 0.6, np.array([0.4])) == (0.1, 0.6)


def test_interval_of_training_alone_covers_as_a_prediction_interval_does() -> None:
    """Null decoders: the one in question and ten shifted ones differ by the luck of training only."""
    rng = np.random.default_rng(3)
    means = rng.normal(0, 1, (4000, 11))
    covered = 0
    for one in means:
        usable = one[0] - one[1:].mean()
        low, high = interval_with_training(usable, usable, usable, one[1:])
        covered += low <= 0 <= high
    assert abs(covered / len(means) - 0.95) < 0.012
