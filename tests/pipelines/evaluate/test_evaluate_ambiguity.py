"""From fMRI to bits of direction: what is read, what is planted is found, what is not is not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from brainviz.errors import BrainvizError
from pipelines.evaluate.ambiguity import continuation_partners, evaluate_ambiguity
from pipelines.evaluate.ambiguity_criteria import ambiguity_criteria
from pipelines.evaluate.ambiguity_families import AmbiguityConfig, fit_families
from pipelines.evaluate.ambiguity_reading import FrameComponents, directions, fmri_readings, still_speed
from pipelines.motion_decoder import BoldWindows, DecoderConfig, DecoderData
from pipelines.motion_decoder.data import shift_against_film

GRID, FILM, VERTICES = 4, 60, 40
CONFIG = DecoderConfig(max_folds=3)


def film(n: int, seed: int, tells: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flow of shots of 3 clips, the window of fMRI that follows it by `tells`, and frame features that do not."""
    rng = np.random.default_rng(seed)
    angle = np.repeat(rng.uniform(0, 2 * np.pi, n // 3), 3)
    speed = np.repeat(rng.choice([0.01, 1.0, 2.0], n // 3), 3)
    vector = (speed * np.stack([np.cos(angle), np.sin(angle)])).T
    flow = np.broadcast_to(vector[:, None, None, None], (n, 3, GRID, GRID, 2)).astype(np.float32)
    tuning = np.random.default_rng(99).normal(size=(2, VERTICES))
    bold = (tells * vector @ tuning)[:, None] + rng.normal(size=(n, 1, VERTICES))
    return flow, bold.astype(np.float32), rng.normal(size=(n, GRID, GRID, 5)).astype(np.float16)


def training(tells: float) -> DecoderData:
    flow, bold, features = film(3 * FILM, 0, tells)
    segment = np.repeat(["seg1", "seg2", "seg3"], FILM)
    valid = np.ones(flow.shape[:-1], bool)
    return DecoderData(BoldWindows.from_array(bold), features, np.ascontiguousarray(flow), valid, segment)


def test_shifted_reading_is_that_of_a_ridge_trained_on_shifted_fmri() -> None:
    data = training(1.0)
    test = {"all": BoldWindows.from_array(film(30, 5, 1.0)[1])}
    together = fmri_readings(data, test, CONFIG, [7, 8])
    for seed, reading in zip((7, 8), together[1:], strict=True):
        apart = fmri_readings(shift_against_film(data, seed), test, CONFIG)[0]
        np.testing.assert_allclose(reading.training, apart.training, atol=2e-4)
        np.testing.assert_allclose(reading.test["all"], apart.test["all"], atol=2e-4)
    assert np.corrcoef(together[0].training[:, 0], data.flow.mean((1, 2, 3))[:, 0])[0, 1] > 0.8


def test_reading_that_knows_nothing_stays_small() -> None:
    told, silent = (fmri_readings(training(tells), {}, CONFIG)[0].training[:, :2].std() for tells in (1.5, 0.0))
    assert silent < 0.4 < 0.8 < told < 1.1


def test_frame_components_are_whitened_principal_components() -> None:
    rng = np.random.default_rng(1)
    pooled = (rng.normal(size=(50, 12)) @ rng.normal(size=(12, 12)) + 3).astype(np.float32)
    basis = FrameComponents.fit(pooled, 4)
    peer = PCA(4, whiten=True).fit((pooled - pooled.mean(0)) / pooled.std(0))
    expected = peer.transform((pooled - pooled.mean(0)) / pooled.std(0)) * np.sqrt(50 / 49)
    np.testing.assert_allclose(np.abs(basis(pooled)), np.abs(expected), atol=1e-3)


def test_direction_of_still_and_of_unknown_clips() -> None:
    flow = np.zeros((4, 3, GRID, GRID, 2), np.float32)
    flow[0, ..., 1], flow[1, ..., 0], flow[2, ..., 0] = -1.0, 0.02, 1.0
    valid = np.ones(flow.shape[:-1], bool)
    valid[3] = False
    assert still_speed(flow[:3], valid[:3]) == pytest.approx(0.1)
    assert directions(flow, valid, 0.1).tolist() == [6, 8, 0, -1]


def clip_list(n: int) -> pd.DataFrame:
    index = np.arange(n)
    return pd.DataFrame(
        {
            "clip": [f"test1-{i:04d}" for i in index],
            "segment": "test1",
            "onset_s": 2.0 * index,
            "duration_s": 2.0,
            "shot": [f"test1-shot{i // 3:03d}" for i in index],
            "shot_onset": index % 3 == 0,
            "case": np.where(index < n // 2, "action", ""),
        }
    )


@cache
def decoded(tells: float) -> dict[str, pd.DataFrame]:
    flow, bold, features = film(120, 3, tells)
    windows = {runs: BoldWindows.from_array(bold) for runs in ("all", "odd", "even")}
    data = training(tells)
    pooled = np.asarray(data.features, np.float32).mean((1, 2)), features.astype(np.float32).mean((1, 2))
    config = AmbiguityConfig(n_shifts=4, frame_components=(2,), frame_penalties=(100.0,))
    families = fit_families(data, windows, pooled, CONFIG, config, lambda _fraction, _words: None)
    direction = directions(flow, np.ones(flow.shape[:-1], bool), families.still_below)
    return evaluate_ambiguity("1", clip_list(120), direction, np.full(120, -1), families)


def test_planted_direction_is_found_and_nothing_where_there_is_none() -> None:
    told, silent = (decoded(tells)["ambiguity_cases"].set_index(["case", "runs"]) for tells in (1.5, 0.0))
    assert told.at[("action", "all"), "low"] > 0.5
    assert told.at[("all", "even"), "usable_bits"] < np.log2(9)
    assert silent.at[("all", "all"), "low"] <= 0 <= silent.at[("all", "all"), "high"]
    assert abs(silent.at[("action", "all"), "usable_bits"]) < 0.15


def test_clips_are_ranked_on_odd_runs_and_probabilities_add_up() -> None:
    tables = decoded(1.5)
    rows = tables["ambiguity"]
    odd = rows[rows["runs"] == "odd"].sort_values("rank")
    assert (np.diff(odd["usable_bits"]) <= 0).all()
    assert (rows.groupby("clip")["rank"].nunique() == 1).all()
    sums = tables["ambiguity_directions"].groupby(["clip", "runs"])[["q_image", "q_brain"]].sum()
    np.testing.assert_allclose(sums.to_numpy(), 1)


def test_pairs_are_found_by_their_equal_first_frames() -> None:
    clips = clip_list(12).assign(case="action", continuation=["flap"] * 6 + ["glide"] * 6)
    frames = np.arange(12 * 4, dtype=np.uint8).reshape(12, 2, 2)
    frames[9] = frames[0]  # the fourth shot opens as the first
    frames[6] = frames[1]  # equal, but not both at their shots' onset
    assert continuation_partners(clips, frames).tolist() == [9, 10, 11, -1, -1, -1, -1, -1, -1, 0, 1, 2]
    assert (continuation_partners(clips.drop(columns="continuation"), frames) == -1).all()


def cases_table(low: float, high: float) -> pd.DataFrame:
    rows = [("1", case, "all", (low + high) / 2, low, high) for case in ("action", "camera", "static")]
    return pd.DataFrame(rows, columns=["subject", "case", "runs", "usable_bits", "low", "high"])


@pytest.mark.parametrize(
    ("world", "low", "high", "passed"),
    [
        ("mixed", 0.2, 1.0, True),
        ("mixed", -0.1, 1.0, False),
        ("static", -0.1, 0.1, True),
        ("static", 0.001, 0.1, True),  # one of nine may be just off
        ("static", 0.3, 0.4, False),
    ],
)
def test_criteria_of_cases(world: str, low: float, high: float, passed: bool) -> None:
    found = ambiguity_criteria(cases_table(low, high), world)
    assert found["passed"].tolist() == [passed] * 3


def test_missing_case_does_not_pass_and_no_subject_is_an_error() -> None:
    table = cases_table(0.2, 1.0)
    assert ambiguity_criteria(table[table["case"] != "camera"])["passed"].tolist() == [True, False, True]
    with pytest.raises(BrainvizError):
        ambiguity_criteria(table.head(0))


def test_settings_survive_the_plan_and_unknown_ones_are_refused() -> None:
    config = AmbiguityConfig(n_shifts=2)
    assert AmbiguityConfig.from_mapping(config.to_mapping()) == config
    with pytest.raises(BrainvizError, match="Unknown settings"):
        AmbiguityConfig.from_mapping({"shifts": 3})
