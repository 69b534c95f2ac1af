"""Runs that lie off their film are found, and others are left in peace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import gamma

from brainviz.cortex import glasser
from brainviz.data.cc2017 import CC2017
from brainviz.data.check import check_dataset, examine
from brainviz.data.lag_check import (
    expected_response,
    film_contrast,
    haemodynamic_response,
    lag_against_film,
    lag_against_runs,
)
from support.tiny_cc2017 import N_CORTEX, film_times, scan_path, write_film, write_scan

N_CLIPS, FPS = 90, 5


def contrast_of_film(seed: int = 0) -> np.ndarray:
    """Contrast per second, in blocks of some seconds."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.choice([5.0, 30.0, 60.0], 2 * N_CLIPS // 6), 6)


def film_frame(contrast: float) -> np.ndarray:
    board = np.indices((32, 32)).sum(0) // 4 % 2 * 2 - 1
    return np.repeat((128 + contrast * board)[..., None], 3, axis=2).astype(np.uint8)


def response_at(times: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """An oracle in plain sums: contrast per second, each second answered by a gamma response (scipy), peak 5 s."""
    seconds = np.arange(-40, len(contrast) + 40)
    seen = contrast[np.clip(seconds, 0, len(contrast) - 1)]
    delays = times[:, None] - (seconds[None] + 0.5)
    kernel = gamma.pdf(delays, 6) - gamma.pdf(delays, 16) / 6
    return kernel @ seen


def test_haemodynamic_response_peaks_at_five_seconds() -> None:
    t = np.arange(0, 32, 0.5)
    oracle = gamma.pdf(t, 6) - gamma.pdf(t, 16) / 6
    np.testing.assert_allclose(haemodynamic_response(), oracle / oracle.sum(), atol=1e-12)
    assert t[np.argmax(haemodynamic_response())] == 5.0


def test_film_contrast_is_measured_per_half_second(tmp_path: Path) -> None:
    steps = [10.0, 40.0, 25.0, 60.0]
    film = write_film(tmp_path / "a.mp4", (film_frame(c) for c in steps for _ in range(10)), fps=10)
    measured = film_contrast(film)
    # Luma of video holds 219 of 255 steps; H.264 rounds a little.
    np.testing.assert_allclose(measured, np.repeat(steps, 2) * 219 / 255, rtol=0.08, atol=1.0)


def test_expected_response_is_the_oracles() -> None:
    contrast = contrast_of_film()
    ours = expected_response(np.repeat(contrast, 2).astype(np.float32), N_CLIPS + 4)
    oracle = response_at(4 + 2.0 * np.arange(N_CLIPS + 4), contrast)
    assert np.corrcoef(ours, oracle)[0, 1] > 0.995


@pytest.mark.parametrize("shift", [-5, -2, 0, 1, 5])
def test_lag_against_film(shift: int) -> None:
    rng = np.random.default_rng(3)
    expected = response_at(4 + 2.0 * np.arange(240), np.repeat(rng.choice([5.0, 30.0, 60.0], 80), 6))
    found = lag_against_film((np.roll(expected, shift) + rng.normal(0, expected.std(), 240)), expected)
    assert found is not None and found.lag_tr == shift and found.clear
    assert found.off == (abs(shift) > 1)


def test_noise_is_never_clear_over_many_draws() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(200):
        a, b = (np.convolve(rng.normal(size=260), np.ones(4), "valid")[:240] for _ in range(2))
        found = lag_against_film(a, b)
        alarms += bool(found and found.off)
    assert alarms <= 2


@pytest.mark.parametrize("shift", [-4, 0, 5])
def test_lag_against_other_runs(shift: int) -> None:
    rng = np.random.default_rng(5)
    signal = np.stack([np.convolve(rng.normal(size=130), np.ones(3), "valid")[:120] for _ in range(80)], axis=1)
    runs = [(signal + rng.normal(0, 4, signal.shape)).astype(np.float32) for _ in range(4)]
    found = lag_against_runs(np.roll(runs[0], shift, axis=0), runs[1:])
    assert found is not None and found.lag_tr == shift and found.clear
    assert lag_against_runs(runs[0], []) is None


def write_set(root: Path, shifts: dict[tuple[str, int], int]) -> CC2017:
    """seg1 with 2 runs and test2 with 3; V1 answers the film's contrast, shifted by so many TR in some runs."""
    rng = np.random.default_rng(6)
    v1 = glasser().cortex_vertices("V1")
    contrast = contrast_of_film()
    for segment, extra, n_runs in (("seg1", 5, 2), ("test2", 6, 3)):
        frames = (film_frame(c) for c in contrast for _ in range(FPS))
        write_film(root / "stimuli" / f"{segment}.mp4", frames, FPS)
        for run in range(1, n_runs + 1):
            times = film_times(N_CLIPS, extra) - 2.0 * shifts.get((segment, run), 0)
            answer = response_at(times, contrast)
            volumes = rng.integers(-300, 300, (len(times), N_CORTEX), dtype=np.int16)
            own = rng.normal(size=(len(times), len(v1))) * 3 * answer.std()
            volumes[:, v1] = 1000 + (100 / answer.std()) * (answer[:, None] + own)
            write_scan(scan_path(root, "1", segment, run), volumes)
    return CC2017(root)


def test_shifted_runs_are_named_and_others_are_not(tmp_path: Path) -> None:
    ds = write_set(tmp_path, {("seg1", 2): 3, ("test2", 3): 5})
    found = {(p.segment, p.run): p for p in check_dataset(ds) if p.kind == "lag"}
    assert set(found) == {("seg1", 2), ("test2", 3)}
    assert "+3 TR" in found["seg1", 2].what and "+5 TR" in found["test2", 3].what
    assert all(p.severity == "error" and p.remedy and Path(p.path).exists() for p in found.values())


def test_two_runs_that_do_not_fit_are_named_where_the_film_says_nothing(tmp_path: Path) -> None:
    ds = write_set(tmp_path, {})
    for run, shift in ((1, 0), (2, 4)):
        rng = np.random.default_rng(7)  # the same signal in both runs, unlike the film's contrast
        signal = np.stack([np.convolve(rng.normal(size=N_CLIPS + 12), np.ones(3), "same") for _ in range(30)], 1)
        v1 = glasser().cortex_vertices("V1")
        own = np.random.default_rng(run).normal(0, 3, (N_CLIPS + 5, N_CORTEX))
        own[:, v1] += np.roll(signal, shift, axis=0)[: N_CLIPS + 5][:, np.arange(len(v1)) % 30]
        write_scan(scan_path(tmp_path, "1", "seg1", run), (100 * own).astype(np.int16))
    (problem,) = [p for p in check_dataset(CC2017(ds.path)) if p.kind == "lag"]
    assert problem.severity == "warning" and "4 TR apart" in problem.what and problem.segment == "seg1"


def test_runs_in_step_measure_a_lag_of_zero(tmp_path: Path) -> None:
    lags = examine(write_set(tmp_path, {})).lags
    assert len(lags) == 5 and not lags["off"].any()
    assert (lags["lag_tr"] == 0).all() and lags["clear"].all()
