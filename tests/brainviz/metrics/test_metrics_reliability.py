import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.metrics import reliability
from brainviz.metrics.reliability import noise_ceiling, region_ceiling, split_half_reliability


def recordings(signal: float, n_runs: int, segments=(240, 200), n_vertices: int = 300, seed: int = 0, noise=1.0):
    """Runs that share a signal of the given variance beside independent noise of variance `noise`."""
    rng = np.random.default_rng(seed)
    answer = []
    for n in segments:
        shared = np.sqrt(signal) * rng.standard_normal((n, n_vertices))
        own = np.sqrt(noise) * rng.standard_normal((n_runs, n, n_vertices))
        answer.append(list((shared + own).astype(np.float32)))
    return answer


@pytest.mark.parametrize("n_runs", [2, 3, 5])
def test_reliability_is_the_mean_correlation_of_pairs_of_runs(n_runs):
    runs = recordings(0.3, n_runs, segments=(50,), n_vertices=4)
    pairs = [(i, j) for i in range(n_runs) for j in range(i)]
    expected = [np.mean([np.corrcoef(runs[0][i][:, v], runs[0][j][:, v])[0, 1] for i, j in pairs]) for v in range(4)]
    assert split_half_reliability(runs) == pytest.approx(expected, rel=1e-4)


def test_segments_count_by_their_length_and_single_runs_are_passed_over():
    runs = recordings(0.3, 2, segments=(60, 20), n_vertices=5)
    each = [split_half_reliability([segment]) for segment in runs]
    expected = (60 * each[0] + 20 * each[1]) / 80
    alone = [runs[0][0]]
    assert split_half_reliability([*runs, alone]) == pytest.approx(expected, rel=1e-4)


def test_reliability_of_known_signal_and_noise():
    assert split_half_reliability(recordings(0.25, 2)).mean() == pytest.approx(0.2, abs=0.01)
    assert split_half_reliability(recordings(0.0, 2)).mean() == pytest.approx(0.0, abs=0.01)


def test_a_longer_run_is_cut_to_the_shortest():
    runs = recordings(0.5, 2, segments=(50,), n_vertices=3)
    longer = [[runs[0][0], np.concatenate([runs[0][1], np.ones((2, 3), np.float32)])]]
    np.testing.assert_array_equal(split_half_reliability(runs), split_half_reliability(longer))


def test_constant_and_missing_vertices_have_no_value_and_spoil_no_other():
    runs = recordings(0.5, 3, n_vertices=6)
    clean = split_half_reliability(runs), noise_ceiling(runs)
    runs[0][1][:, 2] = 0.1
    runs[1][0][7, 4] = np.nan
    r, ceiling = split_half_reliability(runs), noise_ceiling(runs)
    assert np.flatnonzero(np.isnan(r)).tolist() == [2, 4]
    keep = [0, 1, 3, 5]
    np.testing.assert_allclose(r[keep], clean[0][keep])
    np.testing.assert_allclose(ceiling.signal_power[keep], clean[1].signal_power[keep])
    assert np.isnan([ceiling.signal_power[4], ceiling.r_max[4], ceiling.p[4]]).all()


def test_chunks_do_not_matter(monkeypatch):
    runs = recordings(0.4, 3)
    whole = split_half_reliability(runs), noise_ceiling(runs).signal_power
    monkeypatch.setattr(reliability, "_VERTICES_AT_ONCE", 7)
    np.testing.assert_allclose(split_half_reliability(runs), whole[0], rtol=1e-5)
    np.testing.assert_allclose(noise_ceiling(runs).signal_power, whole[1], rtol=1e-4, atol=1e-6)


def test_signal_power_by_its_formula():
    runs = recordings(0.5, 4, segments=(80,), n_vertices=5)
    data = np.stack(runs[0]).astype(float)
    expected = (4 * data.mean(0).var(0) - data.var(1).mean(0)) / 3
    ceiling = noise_ceiling(runs)
    assert ceiling.signal_power == pytest.approx(expected, rel=1e-4)
    assert ceiling.mean_variance == pytest.approx(data.mean(0).var(0), rel=1e-4)
    assert ceiling.r_max == pytest.approx(np.sqrt(expected / data.mean(0).var(0)), rel=1e-4)
    assert ceiling.n_runs == 4


def test_signal_power_is_unbiased_and_the_ceiling_is_what_the_true_signal_reaches():
    rng = np.random.default_rng(3)
    signal = np.sqrt(0.3) * rng.standard_normal((400, 500))
    runs = [list((signal + rng.standard_normal((4, 400, 500))).astype(np.float32))]
    ceiling = noise_ceiling(runs)
    assert ceiling.signal_power.mean() == pytest.approx(0.3, abs=0.01)
    mean = np.mean(runs[0], axis=0)
    reached = np.mean([np.corrcoef(signal[:, v], mean[:, v])[0, 1] for v in range(500)])
    assert ceiling.r_max.mean() == pytest.approx(reached, abs=0.01)


def test_false_alarms_on_autocorrelated_noise_are_rare_and_signal_is_found():
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((4, 300, 2000))
    for volume in range(1, 300):
        noise[:, volume] = 0.45 * noise[:, volume - 1] + np.sqrt(1 - 0.45**2) * noise[:, volume]
    p = noise_ceiling([list(noise.astype(np.float32))]).p
    assert 0.03 < (p < 0.05).mean() < 0.07
    assert (noise_ceiling(recordings(0.5, 4)).p < 0.001).mean() > 0.99


def test_a_region_takes_the_ratio_of_sums():
    ceiling = noise_ceiling(recordings(0.5, 3, n_vertices=6))
    found = region_ceiling(ceiling, np.array([0, 0, 2, 2, 2, -1]), 4)
    expected = np.sqrt(ceiling.signal_power[:2].sum() / ceiling.mean_variance[:2].sum())
    assert found[0] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(found[[1, 3]]).all()


@pytest.mark.parametrize("measure", [split_half_reliability, noise_ceiling])
def test_recordings_that_cannot_serve_are_refused(measure):
    with pytest.raises(DataProblem, match="twice"):
        measure([[np.ones((10, 3))]])
    with pytest.raises(DataProblem, match="alike"):
        measure([[np.ones((10, 3)), np.ones((10, 4))]])
    with pytest.raises(DataProblem, match="vertices"):
        measure(recordings(0.1, 2, (20,), 3) + recordings(0.1, 2, (20,), 4))
    with pytest.raises(DataProblem, match="two volumes"):
        measure([[np.ones((1, 3)), np.ones((1, 3))]])
