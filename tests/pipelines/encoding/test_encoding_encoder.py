"""One encoder for one subject: layer, scores, streaming, cancelling."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from encoding_world import DRIVEN, SETTINGS, VERTICES, fitted_world, world
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from brainviz.errors import BrainvizError, Cancelled, DataProblem
from pipelines.encoding import encoder
from pipelines.encoding.delays import scaled_design, training_moments
from pipelines.encoding.encoder import fit_encoder


def test_the_layer_that_drives_the_vertices_is_chosen():
    _, fitted, _ = fitted_world()
    assert fitted.layer == "late"
    assert fitted.layers.mean_r["late"] > fitted.layers.mean_r["early"] + 0.2


def test_scores_are_those_of_scikit_learn_on_the_test_films():
    made, fitted, predicted = fitted_world()
    films = made.features["late"]
    moments = training_moments(films[film] for film in made.train)
    rows = [
        np.concatenate(list(scaled_design(films, moments, {film: len(y) for film, y in bold.items()}).values()))
        for bold in (made.train, made.test)
    ]
    y, y_test = (np.vstack(list(bold.values())).astype(np.float64) for bold in (made.train, made.test))
    for v in range(0, VERTICES, 7):
        model = Ridge(alpha=float(fitted.alpha[v])).fit(rows[0].astype(np.float64), y[:, v])
        expected = model.predict(rows[1].astype(np.float64))
        np.testing.assert_allclose(predicted[:, v], expected, atol=1e-3)
        assert fitted.r[v] == pytest.approx(pearsonr(expected, y_test[:, v]).statistic, abs=1e-4)
        assert fitted.r2[v] == pytest.approx(r2_score(y_test[:, v], expected), abs=1e-3)
    assert fitted.r[:DRIVEN].mean() > 0.5 and abs(fitted.r[DRIVEN:].mean()) < 0.15


def test_blocks_memory_maps_and_zarr_give_the_same(tmp_path, monkeypatch):
    made, fitted, _ = fitted_world()
    monkeypatch.setattr(encoder, "BLOCK", 17)
    stored = {}
    for film, bold in made.train.items():
        stored[film] = zarr.create_array(str(tmp_path / f"{film}.zarr"), data=bold, chunks=(40, 16))
    mapped = {}
    for film, bold in made.test.items():
        np.save(tmp_path / f"{film}.npy", bold)
        mapped[film] = np.load(tmp_path / f"{film}.npy", mmap_mode="r")
    again = fit_encoder(made.features, stored, mapped, np.arange(VERTICES), SETTINGS)
    np.testing.assert_array_equal(again.alpha, fitted.alpha)
    np.testing.assert_allclose(again.r, fitted.r, atol=1e-5)


def test_a_subject_without_a_segment_and_the_cache(tmp_path):
    made, _, _ = fitted_world()
    fewer = {film: bold for film, bold in made.train.items() if film != "seg3"}
    cache = tmp_path / "cache"
    one = {"late": made.features["late"]}
    every = np.ones(VERTICES, dtype=bool)
    first = fit_encoder(one, fewer, made.test, every, SETTINGS, decomposition_cache=cache)
    second = fit_encoder(one, fewer, made.test, every, SETTINGS, decomposition_cache=cache)
    assert len(list(cache.iterdir())) == 1
    np.testing.assert_array_equal(first.r, second.r)
    fit_encoder(one, made.train, made.test, every, SETTINGS, decomposition_cache=cache)
    assert len(list(cache.iterdir())) == 2


def test_test_bold_never_reaches_the_fit():
    made = world()
    one = {"late": made.features["late"]}
    fitted = fit_encoder(one, made.train, made.test, np.arange(9), SETTINGS)
    noise = {film: np.random.default_rng(1).normal(size=bold.shape) for film, bold in made.test.items()}
    other = fit_encoder(one, made.train, noise, np.arange(9), SETTINGS)
    np.testing.assert_array_equal(fitted.alpha, other.alpha)
    np.testing.assert_array_equal(fitted.weights.low_rank.right, other.weights.low_rank.right)


def test_unusable_vertices_are_nan_in_training_or_test():
    made = world()
    made.train["seg2"][3, 4] = np.nan
    for bold in made.test.values():
        bold[:, 6] = 1
    fitted = fit_encoder({"late": made.features["late"]}, made.train, made.test, np.arange(9), SETTINGS)
    assert np.isnan(fitted.alpha[4]) and np.isnan(fitted.r[[4, 6]]).all() and np.isnan(fitted.r2[[4, 6]]).all()
    assert np.isfinite(fitted.alpha[6]) and np.isfinite(np.delete(fitted.r, [4, 6])).all()


def test_progress_ascends_and_may_cancel():
    made, _, _ = fitted_world()
    seen: list[float] = []
    fit_encoder(made.features, made.train, made.test, np.arange(9), SETTINGS, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == pytest.approx(1.0)

    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fit_encoder(made.features, made.train, made.test, np.arange(9), SETTINGS, progress=stop)


def test_what_is_missing_is_named():
    made, _, _ = fitted_world()
    films = {film: clips for film, clips in made.features["late"].items() if film != "seg4"}
    with pytest.raises(DataProblem, match="seg4"):
        fit_encoder({"late": films}, made.train, made.test, np.arange(9), SETTINGS)
    with pytest.raises(DataProblem, match="test BOLD"):
        fit_encoder(made.features, made.train, {}, np.arange(9), SETTINGS)
    with pytest.raises(BrainvizError, match="reliable vertices"):
        fit_encoder(made.features, made.train, made.test, np.array([VERTICES]), SETTINGS)
    with pytest.raises(BrainvizError, match="one training segment"):
        one = {"seg1": made.train["seg1"]}
        fit_encoder(made.features, one, made.test, np.arange(9), SETTINGS)
