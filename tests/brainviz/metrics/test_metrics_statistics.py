import itertools

import numpy as np
import pytest
from scipy import stats

from brainviz.errors import DataProblem
from brainviz.metrics.corrections import benjamini_hochberg, holm, in_k_of
from brainviz.metrics.shifts import allowed_shifts, circular_shift_null, exceedance_p
from brainviz.metrics.statistics import block_sums, bootstrap_interval, paired_block_test, sign_flip_test


def blocks_of(sizes) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


def correlated_clips(seed: int, n_blocks: int = 20, mean: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Values with an effect shared within each block, as clips of one shot have it."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(12, 20, n_blocks)
    shared = np.repeat(rng.standard_normal(n_blocks), sizes)
    return mean + shared + rng.standard_normal(sizes.sum()), blocks_of(sizes)


def test_block_sums_skip_missing_values():
    sums, counts = block_sums(np.array([[1.0], [np.nan], [3.0], [4.0]]), np.array([7, 7, 7, 9]))
    assert sums.ravel().tolist() == [4.0, 4.0]
    assert counts.ravel().tolist() == [2.0, 1.0]


@pytest.mark.parametrize("n_blocks", [2, 3, 6, 10])
def test_few_blocks_are_tested_exactly_as_by_trying_every_sign(n_blocks):
    values, blocks = correlated_clips(n_blocks, n_blocks, mean=0.4)
    sums = np.array([values[blocks == b].sum() for b in range(n_blocks)])
    flipped = [abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=n_blocks)]
    expected = np.mean([value >= abs(sums.sum()) - 1e-9 for value in flipped])
    assert sign_flip_test(values, blocks) == pytest.approx(expected)


def test_many_blocks_agree_with_scipy():
    values, blocks = correlated_clips(1, 24, mean=0.35)
    sums = np.bincount(blocks, values)
    expected = stats.permutation_test(
        (sums,), np.sum, permutation_type="samples", n_resamples=20_000, alternative="two-sided", rng=3
    ).pvalue
    assert 0.001 < expected < 0.5
    assert sign_flip_test(values, blocks) == pytest.approx(expected, abs=0.01)


def test_a_perfect_difference_gets_the_smallest_possible_p():
    blocks = blocks_of([5] * 20)
    assert sign_flip_test(np.ones(100), blocks, n_permutations=999) == pytest.approx(1 / 1000, abs=1e-3)
    assert sign_flip_test(np.ones(20), blocks_of([2] * 10)) == pytest.approx(2 / 2**10)


def test_no_difference_at_all_is_p_one():
    assert sign_flip_test(np.zeros(100), blocks_of([5] * 20)) == 1.0


def test_columns_are_tested_as_if_alone():
    values, blocks = correlated_clips(2, 18)
    table = np.stack([values, values + 1, np.where(np.arange(len(values)) % 3, values, np.nan)], axis=1)
    together = sign_flip_test(table, blocks, seed=4)
    assert together == pytest.approx([float(sign_flip_test(column, blocks, seed=4)) for column in table.T])


def test_a_column_without_values_has_no_answer():
    table = np.stack([np.full(40, np.nan), np.arange(40.0)], axis=1)
    blocks = blocks_of([4] * 10)
    result = paired_block_test(table, np.zeros_like(table), blocks)
    assert np.isnan([result.p[0], result.difference[0], result.low[0]]).all()
    assert result.n_clips.tolist() == [0, 40]
    assert result.n_blocks.tolist() == [0, 10]
    assert result.difference[1] == pytest.approx(19.5)


def test_false_alarms_are_as_rare_as_stated():
    p = np.array([float(sign_flip_test(*correlated_clips(seed), n_permutations=499)) for seed in range(600)])
    for alpha in (0.05, 0.2):
        # Three standard errors of a proportion over 600 seeds.
        assert abs((p <= alpha).mean() - alpha) < 3 * np.sqrt(alpha * (1 - alpha) / 600)


def test_clips_taken_as_independent_would_raise_false_alarms():
    p = []
    for seed in range(200):
        values, _ = correlated_clips(seed)
        p.append(float(sign_flip_test(values, np.arange(len(values)), n_permutations=199)))
    assert np.mean(np.array(p) <= 0.05) > 0.3


@pytest.mark.parametrize(
    ("method", "n_blocks", "lowest"), [("t", 6, 0.92), ("t", 20, 0.93), ("bca", 40, 0.92), ("percentile", 60, 0.92)]
)
def test_intervals_cover_the_truth(method, n_blocks, lowest):
    covered = []
    for seed in range(500):
        low, high = bootstrap_interval(
            *correlated_clips(seed, n_blocks, mean=2.0), n_resamples=600, seed=seed, method=method
        )
        covered.append(low <= 2.0 <= high)
    assert lowest <= np.mean(covered) <= 0.975


def test_bca_agrees_with_scipy_on_blocks_of_one_clip():
    values = np.random.default_rng(5).gamma(2.0, size=40)
    expected = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1).confidence_interval
    found = bootstrap_interval(values, np.arange(40), n_resamples=20_000, method="bca")
    assert np.allclose(found, expected, atol=0.02 * np.ptp(expected))


def test_bootstrap_t_agrees_with_a_loop():
    values, blocks = correlated_clips(6, 12)
    rng = np.random.default_rng(0)
    sums, counts = np.bincount(blocks, values), np.bincount(blocks).astype(float)

    def mean_and_error(pick):
        mean = sums[pick].sum() / counts[pick].sum()
        residual = sums[pick] - mean * counts[pick]
        return mean, np.sqrt((residual**2).sum() * 12 / 11) / counts[pick].sum()

    mean, error = mean_and_error(np.arange(12))
    t_values = []
    for _ in range(5_000):
        resampled_mean, resampled_error = mean_and_error(rng.integers(0, 12, 12))
        t_values.append((resampled_mean - mean) / resampled_error)
    expected = mean - np.quantile(t_values, [0.975, 0.025]) * error
    assert np.allclose(bootstrap_interval(values, blocks), expected, atol=0.03 * np.ptp(expected))


def test_an_interval_is_the_same_for_the_same_seed_and_empty_for_one_block():
    values, blocks = correlated_clips(7, 15)
    assert bootstrap_interval(values, blocks, seed=1) == bootstrap_interval(values, blocks, seed=1)
    assert bootstrap_interval(values, blocks, seed=1) != bootstrap_interval(values, blocks, seed=2)
    assert np.isnan(bootstrap_interval(values, np.zeros_like(blocks))).all()


def test_constant_values_give_an_interval_of_no_width():
    low, high = bootstrap_interval(np.full(60, 3.0), blocks_of([3] * 20))
    assert (low, high) == (3.0, 3.0)


def test_an_unknown_interval_is_refused():
    with pytest.raises(DataProblem, match="jackknife"):
        bootstrap_interval(np.ones(4), np.arange(4), method="jackknife")


def test_a_pairing_of_different_clips_is_refused():
    with pytest.raises(DataProblem, match="different clips"):
        paired_block_test(np.ones(4), np.ones(5), np.arange(4))
    with pytest.raises(DataProblem, match="block labels"):
        sign_flip_test(np.ones(4), np.arange(5))


def test_holm_by_definition_and_with_missing_values():
    assert holm(np.array([0.01, 0.04, np.nan, 0.03])) == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    rng = np.random.default_rng(8)
    p = rng.random(9)
    order = np.sort(p)
    expected = {value: min(1, max((9 - k) * order[k] for k in range(rank + 1))) for rank, value in enumerate(order)}
    assert holm(p) == pytest.approx([expected[value] for value in p])


def test_benjamini_hochberg_agrees_with_scipy():
    p = np.random.default_rng(9).random((5, 8)) ** 2
    assert np.allclose(benjamini_hochberg(p), stats.false_discovery_control(p.ravel()).reshape(p.shape))
    with_gap = np.append(p.ravel(), np.nan)
    assert np.allclose(benjamini_hochberg(with_gap)[:-1], benjamini_hochberg(p).ravel())


@pytest.mark.parametrize(("n", "minimum", "first", "last"), [(100, 15, 15, 85), (30, 15, 15, 15), (16, 15, 4, 12)])
def test_shifts_move_every_clip_far_enough_both_ways(n, minimum, first, last):
    shifts = allowed_shifts(n, minimum)
    assert (shifts[0], shifts[-1]) == (first, last)


def test_one_clip_cannot_be_shifted():
    with pytest.raises(DataProblem, match="one clip"):
        allowed_shifts(1, 15)


def test_the_shift_null_draws_from_every_shift_of_every_segment():
    rng = np.random.default_rng(10)
    errors = [rng.random((20, 20)), rng.random((24, 24))]
    errors[0][3] = np.nan  # a clip without a valid pixel
    possible = []
    for matrix, shifts in zip(errors, (allowed_shifts(20, 6), allowed_shifts(24, 6)), strict=True):
        n = len(matrix)
        possible.append([np.nansum([matrix[i, (i + s) % n] for i in range(n)]) for s in shifts])
    expected = {round((a + b) / 43, 9) for a in possible[0] for b in possible[1]}
    null = circular_shift_null(errors, n_shifts=4_000, minimum=6)
    assert {round(value, 9) for value in null} == expected


def test_too_few_shifts_are_refused():
    with pytest.raises(DataProblem, match="200"):
        circular_shift_null([np.ones((20, 20))], n_shifts=100)


def test_exceedance_counts_the_observed_value_itself():
    assert exceedance_p(0.5, np.array([1.0, 2.0, 3.0])) == pytest.approx(1 / 4)
    assert exceedance_p(2.0, np.array([1.0, 2.0, 3.0])) == pytest.approx(3 / 4)


def test_subjects_are_counted_not_averaged():
    assert in_k_of(np.array([0.001, 0.2, 0.01]), np.array([-0.1, -0.2, 0.1])) == "in 1 of 3 subjects"
    assert in_k_of(np.array([0.001]), np.array([-0.1])) == "in 1 of 1 subject"
