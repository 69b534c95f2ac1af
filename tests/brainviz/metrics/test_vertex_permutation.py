from itertools import permutations

import numpy as np
import pytest

from brainviz.metrics.block_bootstrap import Resampling
from brainviz.metrics.block_permutation import block_orders, block_products, true_order
from brainviz.metrics.block_sums import centred_pair, volume_blocks
from brainviz.metrics.region_means import Regions
from brainviz.metrics.vertex_tests import assess_encoder


def courses(n: int, v: int, strength: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, v)).astype(np.float32)
    return (strength * y + rng.standard_normal((n, v))).astype(np.float32), y


def one_region(v: int) -> Regions:
    return Regions.of(np.zeros(v, int), 1)


def reordered(p: np.ndarray, orders: tuple[tuple[int, ...], ...], n: int = 4) -> np.ndarray:
    """Prediction with the blocks of each film in another order: 3 blocks of n volumes per film."""
    films = p.reshape(len(orders), 3, n, -1)
    return np.concatenate([films[k][list(order)].reshape(3 * n, -1) for k, order in enumerate(orders)])


def test_all_orders_of_few_blocks_are_tried_and_p_is_exact():
    p, y = courses(24, 6, 0.3)
    blocks = volume_blocks({"a": 12, "b": 12}, 4)
    result = assess_encoder(p, y, blocks, one_region(6), Resampling(n_permutations=100))
    cp, cy = centred_pair(p, y, blocks, slice(0, 6))
    scale = np.sqrt((cp**2).sum(0) * (cy**2).sum(0))
    tried = [(a, b) for a in permutations(range(3)) for b in permutations(range(3))]
    null = np.array([(reordered(cp, orders) * cy).sum(0) / scale for orders in tried])
    assert result.vertices.value == pytest.approx(null[0], abs=1e-5)
    assert result.vertices.p == pytest.approx((null >= null[0] - 1e-6).mean(0), abs=1e-6)
    assert result.minimum_p == pytest.approx(1 / 36)
    assert result.regions.p[0] == pytest.approx((null.mean(1) >= null[0].mean() - 1e-6).mean(), abs=1e-6)
    t = null / null.std(0)
    assert result.p_max == pytest.approx([(t.max(1) >= each - 1e-5).mean() for each in t[0]], abs=1e-6)


def test_random_orders_keep_to_their_film_and_use_each_block_once():
    blocks = volume_blocks({"a": 75, "b": 90})
    orders = block_orders(blocks, 300, seed=1)
    assert not orders.exact
    assert orders.minimum_p == pytest.approx(1 / 301)
    first = orders.choice[:, :25].reshape(-1, 5, 5)
    assert (first.sum(1) == 1).all() and (first.sum(2) == 1).all()
    assert (orders.choice[:, 25:].reshape(-1, 6, 6).sum(1) == 1).all()
    assert first.mean(0) == pytest.approx(np.full((5, 5), 0.2), abs=0.08)


def test_unequal_blocks_meet_stretches_of_their_own_length():
    p, y = courses(11, 3, 0.0)
    blocks = volume_blocks({"a": 11}, 5)  # 6 and 5 volumes
    products = block_products(p, y, blocks)
    expected = [
        (y[:6] * p[:6]).sum(0),
        (y[:6] * p[[6, 7, 8, 9, 10, 0]]).sum(0),
        (y[6:] * p[:5]).sum(0),
        (y[6:] * p[6:]).sum(0),
    ]
    assert products == pytest.approx(np.array(expected), abs=1e-5)
    assert true_order(blocks) @ products == pytest.approx((p * y).sum(0), abs=1e-4)


def test_a_single_block_per_film_can_show_nothing():
    p, y = courses(32, 4, 2.0)
    result = assess_encoder(p, y, volume_blocks({"a": 16, "b": 16}), one_region(4))
    assert result.minimum_p == 1
    assert result.vertices.p.tolist() == [1, 1, 1, 1]
    assert np.isfinite(result.vertices.high).all()


def test_clear_prediction_is_found_and_noise_is_not():
    p, y = courses(360, 200, 0.0)
    p[:, :20] += y[:, :20]
    result = assess_encoder(p, y, volume_blocks({"a": 120, "b": 120, "c": 120}), one_region(200))
    assert (result.vertices.q[:20] < 1e-3).all()
    assert (result.p_max[:20] < 0.01).all()
    assert (result.vertices.q[20:] < 0.05).sum() <= 3
    assert (result.p_max[20:] >= result.vertices.p[20:] - 1e-3).all()


def test_p_is_uniform_where_there_is_nothing():
    p, y = courses(240, 3000, 0.0, seed=3)
    p_values = assess_encoder(p, y, volume_blocks({"a": 120, "b": 120}), one_region(3000)).vertices.p
    for level in (0.01, 0.05, 0.5):
        assert (p_values < level).mean() == pytest.approx(level, abs=4 * np.sqrt(level / 3000))


def test_unusable_vertices_pass_through_without_a_trace():
    p, y = courses(120, 10, 0.5)
    blocks, labels = volume_blocks({"a": 60, "b": 60}), np.repeat([0, 1], 5)
    clean = assess_encoder(p[:, 1:], y[:, 1:], blocks, Regions.of(labels[1:], 2))
    p[:, 0] = np.nan
    result = assess_encoder(p, y, blocks, Regions.of(labels, 2))
    for name in ("value", "low", "high", "p", "q"):
        assert np.isnan(getattr(result.vertices, name)[0])
        assert np.isfinite(getattr(result.vertices, name)[1:]).all()
    assert np.isnan(result.p_max[0])
    assert result.regions.n_vertices.tolist() == [4, 5]
    assert result.regions.value == pytest.approx(clean.regions.value)
    assert result.regions.p == pytest.approx(clean.regions.p)


def test_the_same_seed_gives_the_same_numbers():
    p, y = courses(240, 30, 0.1)
    blocks = volume_blocks({"a": 120, "b": 120})
    first, again, other = (assess_encoder(p, y, blocks, one_region(30), Resampling(seed=s)) for s in (4, 4, 5))
    assert np.array_equal(first.vertices.p, again.vertices.p)
    assert np.array_equal(first.vertices.low, again.vertices.low)
    assert not np.array_equal(first.vertices.p, other.vertices.p)


def test_the_null_is_as_wide_as_that_of_whole_courses_that_have_nothing_in_common():
    rng = np.random.default_rng(6)
    courses = rng.standard_normal((2, 400, 1500))
    for k in range(1, 400):
        courses[:, k] = 0.8 * courses[:, k - 1] + 0.6 * courses[:, k]
    p, y = courses[0, 40:].astype(np.float32), courses[1, 40:].astype(np.float32)
    blocks = volume_blocks({"a": 120, "b": 120, "c": 120})
    result = assess_encoder(p, y, blocks, one_region(1500))
    assert (result.vertices.p < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    short = assess_encoder(p, y, volume_blocks({"a": 120, "b": 120, "c": 120}, 2), one_region(1500))
    assert (short.vertices.p < 0.05).mean() < 0.09
