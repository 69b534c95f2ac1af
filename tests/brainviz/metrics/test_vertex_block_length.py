import numpy as np
import pytest

from brainviz.metrics.block_length import autocorrelation, needed_volumes
from brainviz.metrics.block_sums import volume_blocks


def autoregressive(n: int, v: int, rho: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, v))
    for k in range(1, n):
        x[k] = rho * x[k - 1] + np.sqrt(1 - rho**2) * x[k]
    return x


def test_the_autocorrelation_of_a_known_process():
    found = autocorrelation(autoregressive(4000, 60, 0.6), volume_blocks({"a": 2500, "b": 1500}))
    assert found == pytest.approx(0.6 ** np.arange(1, len(found) + 1), abs=0.02)
    assert len(found) in (5, 6)


def test_only_chosen_vertices_count_and_missing_ones_do_not():
    x = np.concatenate([autoregressive(600, 30, 0.8), np.random.default_rng(1).standard_normal((600, 30))], axis=1)
    x[5, 0] = np.nan
    blocks = volume_blocks({"a": 600})
    assert autocorrelation(x, blocks, np.arange(60) >= 30) == []
    assert autocorrelation(x, blocks, np.arange(60) < 30)[0] == pytest.approx(0.8, abs=0.03)
    assert autocorrelation(x, blocks, np.zeros(60, bool)) == []


def test_blocks_grow_with_autocorrelation():
    def course(rho: float) -> list[float]:
        return [rho**k for k in range(1, 200)]

    assert needed_volumes([], []) == 15
    assert needed_volumes(course(0.45), course(0.45)) == 15
    # With a(k) b(k) = c^k: 2 c / (1 - c)^2 over (1 + c) / (1 - c) is 2 c / (1 - c^2), a tenth of the length.
    c = 0.9**2
    assert needed_volumes(course(0.9), course(0.9)) == int(np.ceil(10 * 2 * c / (1 - c**2)))


def test_the_rule_matches_the_variance_of_block_sums():
    x = autoregressive(30_000, 40, 0.9) * autoregressive(30_000, 40, 0.9, seed=1)

    def variance_per_volume(n: int) -> float:
        return float((x.reshape(-1, n, 40).sum(1) ** 2).mean() / n)

    long = (1 + 0.9**2) / (1 - 0.9**2)
    length = needed_volumes([0.9**k for k in range(1, 200)], [0.9**k for k in range(1, 200)], minimum=1)
    assert length == 48
    assert variance_per_volume(50) / long == pytest.approx(0.9, abs=0.07)
    assert variance_per_volume(10) / long < 0.75
