from dataclasses import replace

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from brainviz.metrics.block_bootstrap import Resampling
from brainviz.metrics.estimates import Estimates
from pipelines.encoding import calibration
from pipelines.encoding.calibration import PROMISES, Promise, calibrate, covered, false_share, power, region_means, show
from pipelines.encoding.calibration_world import AR1, WorldConfig, draw_world

SMALL = WorldConfig(films=(120, 120), side=10, radius_mm=4.0)


def estimates(value: list[float], q: list[float]) -> Estimates:
    array = np.array(value, np.float32)
    return Estimates(array, array - 1, array + 1, array, np.array(q, np.float32), np.ones(len(value), np.int64))


def test_the_truth_is_what_a_very_long_film_shows():
    world = draw_world(replace(SMALL, films=(20_000,)), 1)
    for prediction, truth in zip(world.predictions, world.true_r, strict=True):
        r = [np.corrcoef(p, y)[0, 1] for p, y in zip(prediction.T, world.measured.T, strict=True)]
        assert r == pytest.approx(truth, abs=0.06)
        assert truth.max() > 0.2
    away = world.measured[1:, 0] * world.measured[:-1, 0]
    assert AR1 - 0.05 < away.mean() / world.measured[:, 0].var() < 0.6


def test_there_are_nulls_of_both_kinds_and_shared_signal_is_one_for_the_contrast():
    first, second = draw_world(WorldConfig(side=40), 2).true_r
    assert (np.abs(first) < 1e-9).sum() > 100
    equal = np.abs(first - second) < 1e-9
    assert (equal & (first > 0.1)).sum() > 10
    assert ((first - second) > 0.1).sum() > 10 and ((second - first) > 0.1).sum() > 10


def test_noise_is_smooth_over_vertices_and_of_unit_variance():
    world = draw_world(replace(SMALL, films=(5000,), strength=0.0), 3)
    sheet = world.measured.reshape(-1, 10, 10)
    assert sheet.var(0).mean() == pytest.approx(1, abs=0.05)
    next_to = np.mean(sheet[:, :, 1:] * sheet[:, :, :-1])
    far = np.mean(sheet[:, :, 9] * sheet[:, :, 0])
    assert next_to > 0.6 and far < 0.2


def test_false_discoveries_are_counted_with_their_sign():
    truth = np.array([0.2, 0.0, -0.2, 0.0])
    found = estimates([0.3, 0.3, 0.3, 0.3], [0.01, 0.01, 0.01, 0.9])
    assert false_share(found, truth, one_sided=True) == pytest.approx(2 / 3)
    assert false_share(estimates([0.3, 0.3, -0.3, 0.3], [0.01] * 4), truth, one_sided=False) == pytest.approx(2 / 4)
    assert false_share(estimates([1, 1], [0.5, np.nan]), truth[:2], one_sided=True) == 0


def test_coverage_and_power():
    assert covered(estimates([0, 0], [1, 1]), np.array([0.9, 1.1])) == 0.5
    assert power(estimates([1, 1, 1], [0.01, 0.2, 0.01]), np.array([True, True, False])) == 0.5
    assert np.isnan(power(estimates([1], [0.01]), np.array([False])))


def test_truth_of_regions_is_the_mean_of_their_vertices():
    world = draw_world(SMALL, 4)
    inside = world.regions.label == 2
    assert inside.sum() == 25
    assert region_means(world.true_r[0], world)[2] == pytest.approx(world.true_r[0][inside].mean())


def test_promises():
    assert Promise(0.93, 0.97).kept(0.93) and not Promise(0.93, 0.97).kept(0.98)
    assert Promise(0.93, 0.97).kept(0.98, 0.011)
    assert str(Promise(0.0, 0.05)) == "at most 0.05"
    assert str(Promise(0.93, 0.97)) == "0.93 to 0.97"


def test_a_small_study_keeps_its_promises_roughly():
    table = calibrate("small", replace(SMALL, films=(124, 124, 124)), 12, first=1).set_index("measure")
    assert set(PROMISES) <= set(table.index)
    for name in table.index:
        if name.startswith("false"):
            assert table.loc[name, "value"] < 0.15
        if name in ("coverage, r, vertices", "coverage, difference, vertices"):
            assert 0.90 < table.loc[name, "value"] < 0.98
    assert table.loc["power, r > 0, vertices", "value"] > 0.1


def test_intervals_that_promise_too_much_are_caught():
    table = calibrate("narrow", SMALL, 4, first=1, resampling=Resampling(level=0.5)).set_index("measure")
    assert not table.loc["coverage, difference, vertices", "passed"]
    assert not table.loc["coverage, r, regions", "passed"]
    assert "NOT CALIBRATED" in show(table.reset_index())


def test_one_world_is_refused():
    with pytest.raises(BrainvizError, match="mean"):
        calibrate("one", SMALL, 1)


@pytest.mark.parametrize(("level", "status"), [(0.95, 0), (0.2, 1)])
def test_the_command_says_whether_promises_are_kept(level, status, monkeypatch, capsys):
    wide = {name: Promise(0.0, 0.5) if p.low == 0 else Promise(0.5, 1.0) for name, p in PROMISES.items()}
    monkeypatch.setattr(calibration, "PROMISES", wide)
    monkeypatch.setattr(calibration, "settings", lambda seeds: [("tiny", SMALL, seeds)])
    monkeypatch.setattr(calibration, "Resampling", lambda: Resampling(level=level))
    assert calibration.main(["--seeds", "3"]) == status
    assert ("NOT CALIBRATED" in capsys.readouterr().out) == bool(status)


def test_the_command_says_what_it_cannot_do(capsys):
    assert calibration.main(["--seeds", "1"]) == 2
    assert "20 or more" in capsys.readouterr().err
