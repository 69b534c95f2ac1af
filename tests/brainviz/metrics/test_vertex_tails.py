import numpy as np
import pytest
from scipy.stats import genpareto, norm

from brainviz.metrics.tails import exceedance_p, fit_tail, tail_shape


def test_counted_where_many_null_values_reach_the_observed():
    null = np.arange(1000.0)[:, None]
    assert exceedance_p(null, np.array([900.0])) == pytest.approx([101 / 1001])


def test_the_tail_of_an_exponential_null_is_exact():
    null = np.random.default_rng(0).exponential(size=(4000, 300))
    for p in (1e-3, 1e-5):
        fitted = exceedance_p(null, np.full(300, -np.log(p)), tail_shape(null))
        assert np.exp(np.log(fitted).mean()) == pytest.approx(p, rel=0.4)


def test_the_tail_of_a_normal_null_errs_to_large_p_and_never_ends():
    null = np.random.default_rng(1).standard_normal((1000, 300))
    shape = tail_shape(null)
    for z in (3.5, 5.0, 12.0):
        fitted = exceedance_p(null, np.full(300, z), shape)
        assert np.median(fitted) >= norm.sf(z)
        assert (fitted > 0).all()
    assert np.median(exceedance_p(null, np.full(300, 3.2), shape)) == pytest.approx(norm.sf(3.2), rel=1.0)


@pytest.mark.parametrize("shape", [0.1, 0.3])
def test_a_heavy_tail_is_recognised(shape):
    rng = np.random.default_rng(2)
    assert tail_shape(genpareto.rvs(shape, size=(2000, 500), random_state=rng)) == pytest.approx(shape, abs=0.06)
    sample = np.sort(genpareto.rvs(shape, size=200_000, random_state=rng))
    x = genpareto.isf(1e-5, shape)
    assert fit_tail(sample).p(np.array([x]))[0] == pytest.approx(1e-5, rel=0.6)


def test_the_fitted_tail_joins_the_counted_share():
    sample = np.sort(np.random.default_rng(3).standard_normal(100_000))
    tail = fit_tail(sample)
    assert tail.p(np.array([tail.threshold]))[0] == pytest.approx(0.01, rel=0.01)


def test_few_draws_are_only_counted():
    null = np.random.default_rng(4).standard_normal((99, 5))
    assert exceedance_p(null, np.full(5, 50.0)) == pytest.approx(np.full(5, 0.01))
    assert tail_shape(null) == 0


def test_missing_values_stay_missing():
    p = exceedance_p(np.zeros((300, 2)), np.array([np.nan, 1.0]))
    assert np.isnan(p[0]) and p[1] > 0
