import numpy as np
import pytest
from scipy.stats import t as student

from brainviz.errors import DataProblem
from brainviz.metrics.block_bootstrap import Resampling, draw_pivot, resampling_counts
from brainviz.metrics.block_statistics import correlation, correlation_difference, ratio
from brainviz.metrics.block_sums import BlockSums, sum_blocks, volume_blocks
from brainviz.metrics.region_means import Regions
from brainviz.metrics.variance_partition import partition_variance
from brainviz.metrics.vertex_tests import compare_encoders

BLOCKS = volume_blocks({"a": 150, "b": 150})


def two_encoders(v: int = 6, n: int = 300, seed: int = 0, gain: float = 0.4) -> tuple[BlockSums, BlockSums]:
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, v))
    blocks = BLOCKS if n == 300 else volume_blocks({"a": n})
    shared = rng.standard_normal((n, v))
    a = (0.2 + gain) * y + shared + 0.3 * rng.standard_normal((n, v))
    b = 0.2 * y + shared + 0.3 * rng.standard_normal((n, v))
    return sum_blocks(a, y, blocks), sum_blocks(b, y, blocks)


def without(sums: BlockSums, block: int) -> BlockSums:
    return BlockSums(*(np.delete(part, block, axis=0) for part in (sums.pp, sums.py, sums.yy)))


def test_influences_foretell_what_leaving_a_block_out_does():
    a, b = two_encoders()
    for statistic, left_out in (
        (correlation(a), [without(a, k).r for k in range(20)]),
        (correlation_difference(a, b), [without(a, k).r - without(b, k).r for k in range(20)]),
    ):
        value, influence = statistic.influence(slice(0, 6))
        assert influence.sum(0) == pytest.approx(np.zeros(6), abs=1e-5)
        assert value - np.array(left_out) == pytest.approx(influence, abs=0.02)
        jackknife = np.sqrt(19 / 20 * ((np.array(left_out) - np.mean(left_out, axis=0)) ** 2).sum(0))
        assert np.sqrt((influence**2).sum(0) * 20 / 19) == pytest.approx(jackknife, rel=0.1)


def test_the_difference_is_that_of_the_two_maps():
    a, b = two_encoders()
    result = compare_encoders(a, b, Regions.of([0, 0, 1, 1, 1, -1], 2))
    assert result.vertices.value == pytest.approx(a.r - b.r, abs=1e-6)
    difference = a.r - b.r
    assert result.regions.value == pytest.approx([difference[:2].mean(), difference[2:5].mean()], abs=1e-6)
    assert result.regions.n_vertices.tolist() == [2, 3]
    assert result.mean.value == pytest.approx([difference.mean()], abs=1e-6)


def test_drawn_ratios_are_those_of_explicit_resamples():
    a, b = two_encoders(v=2)
    resampling = Resampling(n_draws=50, seed=3)
    pivot = draw_pivot(correlation_difference(a, b), resampling)
    expected = []
    for counts in resampling_counts(20, 50, 3):
        chosen = np.repeat(np.arange(20), counts.astype(int))
        drawn = [BlockSums(s.pp[chosen], s.py[chosen], s.yy[chosen]) for s in (a, b)]
        value, influence = correlation_difference(*drawn).influence(slice(0, 2))
        error = np.sqrt((influence.astype(float) ** 2).sum(0) * 20 / 19)
        expected.append(np.abs(value - (a.r - b.r)) / error)
    assert pivot.ratios == pytest.approx(np.sort(np.ravel(expected)), abs=2e-3)
    assert pivot.reach(0.9) == pytest.approx(np.quantile(expected, 0.9), abs=2e-3)


def test_p_falls_below_five_percent_where_the_interval_leaves_zero():
    result = compare_encoders(*two_encoders(v=400, gain=0.05), Regions.of(np.zeros(400), 1)).vertices
    outside = (result.low > 0) | (result.high < 0)
    assert 0 < outside.sum() < 400
    assert ((result.p < 0.05) == outside).mean() > 0.99


def test_few_blocks_fall_back_on_students_t():
    a, b = two_encoders(n=75)
    result = compare_encoders(a, b, Regions.of(np.zeros(6), 1)).vertices
    value, influence = correlation_difference(a, b).influence(slice(0, 6))
    error = np.sqrt((influence**2).sum(0) * 5 / 4)
    assert result.high - value == pytest.approx(student.ppf(0.975, 4) * error, rel=1e-3)
    assert result.p == pytest.approx(2 * student.sf(np.abs(value) / error, 4), rel=1e-3)


def test_one_block_gives_no_interval():
    a, b = two_encoders(n=20)
    result = compare_encoders(a, b, Regions.of(np.zeros(6), 1)).vertices
    assert np.isfinite(result.value).all()
    assert np.isnan(result.low).all() and np.isnan(result.p).all() and np.isnan(result.q).all()


def test_an_encoder_does_not_differ_from_itself():
    a, _ = two_encoders()
    result = compare_encoders(a, a, Regions.of(np.zeros(6), 1)).vertices
    assert result.value.tolist() == [0] * 6
    assert not (result.q < 0.05).any()


def test_a_regions_interval_counts_vertices_that_vary_together_once():
    a, b = two_encoders(v=1)
    ten = [BlockSums(*(np.repeat(part, 10, axis=1) for part in (s.pp, s.py, s.yy))) for s in (a, b)]
    result = compare_encoders(*ten, Regions.of(np.zeros(10), 1))
    assert result.regions.low == pytest.approx(result.vertices.low[:1], abs=1e-5)
    independent = compare_encoders(*two_encoders(v=10), Regions.of(np.zeros(10), 1))
    width = independent.vertices.high - independent.vertices.low
    assert independent.regions.high - independent.regions.low < 0.6 * width.mean()


def test_an_empty_region_is_missing_and_counts_in_no_correction():
    result = compare_encoders(*two_encoders(), Regions.of([0, 0, 0, 2, 2, 2], 3)).regions
    assert np.isnan(result.value[1]) and np.isnan(result.q[1])
    assert np.isfinite(result.q[[0, 2]]).all()


def test_a_vertex_that_one_encoder_lacks_is_missing():
    a, b = two_encoders()
    b.pp[:, 2] = np.nan
    result = compare_encoders(a, b, Regions.of(np.zeros(6), 1))
    assert np.isnan(result.vertices.value).tolist() == [False, False, True, False, False, False]
    assert result.regions.n_vertices.tolist() == [5]


def test_different_blocks_are_refused():
    a, b = two_encoders()
    with pytest.raises(DataProblem, match="blocks"):
        compare_encoders(a, without(b, 0), Regions.of(np.zeros(6), 1))
    with pytest.raises(DataProblem, match="vertices"):
        compare_encoders(a, b, Regions.of(np.zeros(5), 1))


def test_shares_of_variance_add_up():
    rng = np.random.default_rng(5)
    first, second, rest = rng.standard_normal((3, 300, 4))
    y = first + 2 * second + rest
    joint, a, b = (sum_blocks(p, y, BLOCKS) for p in (first + 2 * second, first, 2 * second))
    result = partition_variance(joint, a, b, Regions.of(np.zeros(4), 1))
    unique_a, unique_b, shared = (each.vertices.value for each in (result.unique_a, result.unique_b, result.shared))
    assert unique_a == pytest.approx(joint.r2 - b.r2, abs=1e-5)
    assert unique_a + unique_b + shared == pytest.approx(joint.r2, abs=1e-5)
    assert unique_a.mean() == pytest.approx(1 / 6, abs=0.06)
    assert unique_b.mean() == pytest.approx(4 / 6, abs=0.08)
    assert (result.unique_b.vertices.low > 0).all()
    assert result.shared.regions.low[0] < 0 < result.shared.regions.high[0]


def test_a_ratio_without_a_denominator_is_missing():
    value, _ = ratio(np.ones((4, 2), np.float32), np.array([[1, 0]] * 4, np.float32)).influence(slice(0, 2))
    assert value[0] == 1 and np.isnan(value[1])
