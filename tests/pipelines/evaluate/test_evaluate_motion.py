import numpy as np
import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from brainviz.flow.errors import end_point_error
from brainviz.metrics.blocks import shot_blocks
from brainviz.metrics.corrections import holm
from brainviz.metrics.motion_scores import MotionTruth
from brainviz.metrics.statistics import paired_block_test
from pipelines.evaluate.comparisons import ClipUnits, pairs_to_test
from pipelines.evaluate.motion import TABLES, EvaluationConfig, evaluate_motion
from pipelines.evaluate.shift_null import pair_errors

GRID, PER_SEGMENT = 8, 48


def make_clips() -> pd.DataFrame:
    index = np.tile(np.arange(PER_SEGMENT), 2)
    segment = np.repeat(["test1", "test2"], PER_SEGMENT)
    clip = [f"{s}-{i:04d}" for s, i in zip(segment, index, strict=True)]
    onset = 2.0 * index
    return pd.DataFrame(
        {"clip": clip, "segment": segment, "index": index, "onset_s": onset, "duration_s": 2.0, "shot": index // 3}
    )


def make_world(seed: int = 0, gain: float = 0.6) -> tuple[MotionTruth, dict[str, dict[str, np.ndarray]]]:
    """A film and predictions of it: the frame alone explains a little, the brain a share `gain` of the motion."""
    rng = np.random.default_rng(seed)
    n = 2 * PER_SEGMENT

    def noise(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    flow = 2 * noise(n, 3, 1, 1, 2) + noise(n, 3, GRID, GRID, 2)
    valid = rng.random((n, 3, GRID, GRID)) < 0.9
    valid[5] = False
    truth = MotionTruth(
        make_clips(), flow, valid, rng.random(valid.shape) < 0.3, np.array([0.6, 0.7, 0.6]), "dis", True
    )
    frame_alone = 0.1 * flow + 0.2 * noise(*flow.shape)
    brain = frame_alone + gain * flow

    def with_noise(size: float) -> np.ndarray:
        return brain + size * noise(*flow.shape)

    systems = {
        "brain": with_noise(0.2),
        "brain-reference": with_noise(0.6),
        "image-only": frame_alone,
        "shuffled": frame_alone + 0.05 * noise(*flow.shape),
        "zero": np.zeros_like(flow),
        "prior": 2 * noise(n, 4, 3, GRID, GRID, 2),
    }
    halves = {runs: {"brain": with_noise(0.4)} for runs in ("odd", "even")}
    return truth, {"all": systems, **halves}


TRUTH, PREDICTIONS = make_world()
EDGES = (1.0, 2.5)


def quantise(flow: np.ndarray) -> np.ndarray:
    return np.round(flow)


TABLE = evaluate_motion("2", TRUTH, PREDICTIONS, EDGES, quantise)


def pick(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def primary_errors(system: str, sample: int = 0) -> np.ndarray:
    flow = PREDICTIONS["all"][system]
    return end_point_error(TRUTH.flow, flow if flow.ndim == 5 else flow[:, sample], TRUTH.valid)


def test_every_table_is_there_and_says_whose_it_is():
    assert tuple(TABLE) == TABLES
    for name, table in TABLE.items():
        assert len(table), name
        assert table.columns[0] == "subject" and (table["subject"] == "2").all()
        assert table["simulated"].all()


def test_the_motion_table_has_the_columns_of_its_description():
    wanted = (
        "subject clip system sample mask part runs grid step_s labeller n_pixels "
        "epe angular_error correlation epe_zero skill simulated"
    )
    assert TABLE["motion"].columns.tolist() == wanted.split()
    assert set(TABLE["motion"]["system"]) == {*PREDICTIONS["all"], "codebook-oracle"}
    assert TABLE["motion"]["step_s"].iloc[0] == pytest.approx(0.6333, abs=1e-3)
    assert not TABLE["motion"].duplicated(["clip", "system", "sample", "mask", "part", "runs"]).any()


@pytest.mark.parametrize("system", ["brain", "zero", "image-only"])
def test_errors_in_the_table_are_the_end_point_errors(system):
    rows = pick(TABLE["motion"], system=system, mask="none", part="full", runs="all").set_index("clip")
    expected = pd.Series(primary_errors(system), index=TRUTH.clips["clip"]).dropna()
    assert rows.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(rows["epe"], expected, rtol=1e-5)


def test_zero_flow_has_no_skill_and_the_oracle_nearly_all():
    none = pick(TABLE["motion"], mask="none", part="full")
    assert pick(none, system="zero")["skill"].abs().max() < 1e-6
    assert pick(none, system="codebook-oracle")["epe"].max() < np.sqrt(0.5)


def test_every_system_has_the_same_clips_under_a_mask():
    for mask in ("none", "moving", "slow", "medium", "fast"):
        rows = pick(TABLE["motion"], mask=mask, part="full", runs="all", sample=0)
        assert rows.groupby("system")["clip"].agg(tuple).nunique() == 1
        assert rows.groupby("clip")["n_pixels"].nunique().max() == 1
    assert "test1-0005" not in set(TABLE["motion"]["clip"])


def test_samples_have_their_own_rows_and_parts_are_scored_on_a_few():
    prior = pick(TABLE["motion"], system="prior", mask="none", runs="all")
    assert set(pick(prior, part="full")["sample"]) == {0, 1, 2, 3}
    assert set(pick(prior, part="residual")["sample"]) == {0}
    rows = pick(prior, part="full", sample=3)
    np.testing.assert_allclose(rows["epe"], primary_errors("prior", 3)[np.isfinite(primary_errors("prior"))], rtol=1e-5)


def test_the_main_comparison_is_the_paired_block_test():
    row = pick(
        TABLE["motion_tests"],
        a="brain", b="image-only", mask="none", part="full", runs="all", measure="epe", subset="all",
    ).iloc[0]  # fmt: skip
    expected = paired_block_test(primary_errors("brain"), primary_errors("image-only"), shot_blocks(TRUTH.clips))
    assert row["difference"] == pytest.approx(float(expected.difference), rel=1e-4)
    assert row[["low", "high"]].tolist() == pytest.approx([float(expected.low), float(expected.high)], rel=1e-3)
    assert row["p"] == pytest.approx(float(expected.p))
    assert row["ratio"] == pytest.approx(row["mean_a"] / row["mean_b"])
    assert row["difference"] < 0 and row["n_clips"] == 2 * PER_SEGMENT - 1
    assert bool(row["enough_blocks"]) == (row["n_blocks"] >= 20)


def test_holm_is_taken_over_the_comparisons_of_one_question():
    question = ["mask", "part", "runs", "measure", "subset"]
    for _, rows in TABLE["motion_tests"].groupby(question):
        np.testing.assert_allclose(rows["p_holm"], holm(rows["p"].to_numpy()))


def test_each_pair_is_asked_once_per_question():
    table = TABLE["motion_tests"]
    assert not table.duplicated(["a", "b", "mask", "part", "runs", "measure", "subset"]).any()
    asked = set(zip(table["mask"], table["part"], strict=True))
    assert asked >= {("none", "full"), ("moving", "full"), ("fast", "full"), ("none", "camera"), ("none", "residual")}


def test_clips_at_shot_onset_are_reported_apart():
    rows = pick(
        TABLE["motion_tests"], a="brain", b="zero", mask="none", part="full", runs="all", measure="epe"
    ).set_index("subset")
    assert rows.loc["shot_onset", "n_clips"] + rows.loc["within_shot", "n_clips"] == rows.loc["all", "n_clips"]
    onset = ClipUnits.of(TRUTH.clips).subsets["shot_onset"]
    expected = np.nanmean((primary_errors("brain") - primary_errors("zero"))[onset])
    assert rows.loc["shot_onset", "difference"] == pytest.approx(expected, rel=1e-4)


def test_other_choices_of_runs_borrow_the_systems_that_read_none():
    rows = pick(TABLE["motion_tests"], runs="odd", a="brain", b="image-only", subset="all")
    assert len(rows) == 1
    assert rows["mean_b"].iloc[0] == pytest.approx(np.nanmean(primary_errors("image-only")), rel=1e-5)
    assert set(pick(TABLE["motion_summary"], runs="odd")["system"]) == {"brain"}


def test_sampled_measures_are_compared_like_with_like():
    means = pick(TABLE["motion_summary"], mask="none", part="full", runs="all", subset="all")
    prior = pick(means, system="prior").set_index("measure")["value"]
    assert prior["best"] < prior["epe"] and prior["expected"] < prior["epe"] and prior["energy"] < prior["epe"]
    brain = pick(means, system="brain").set_index("measure")["value"]
    assert set(brain.index) == {"epe", "best", "expected", "energy"}
    np.testing.assert_allclose(brain, brain["epe"], rtol=1e-6)


def test_summaries_are_means_with_an_interval_around_them():
    row = pick(
        TABLE["motion_summary"], system="brain", mask="none", part="full", runs="all", measure="epe", subset="all"
    ).iloc[0]
    assert row["value"] == pytest.approx(np.nanmean(primary_errors("brain")), rel=1e-5)
    assert row["low"] < row["value"] < row["high"]
    assert row["skill"] == pytest.approx(1 - row["value"] / np.nanmean(primary_errors("zero")), rel=1e-4)


def test_gain_is_ranked_on_odd_runs_and_reported_on_even_ones():
    gain = TABLE["motion_gain"].set_index("clip")
    clip = "test2-0010"
    row = TRUTH.clips.index[TRUTH.clips["clip"] == clip][0]
    for runs in ("odd", "even"):
        predicted = PREDICTIONS[runs]["brain"]
        expected = primary_errors("image-only")[row] - end_point_error(TRUTH.flow, predicted, TRUTH.valid)[row]
        assert gain.loc[clip, f"gain_{runs}"] == pytest.approx(expected, rel=1e-4)
    assert gain.sort_values("rank")["gain_odd"].is_monotonic_decreasing
    assert sorted(gain["rank"]) == list(range(1, len(gain) + 1))


def test_shifted_predictions_lose_what_belongs_to_the_clip():
    null = TABLE["motion_null"]
    assert set(null["kind"]) == {"prediction", "contribution"}
    assert (null["epe"] > null["observed"]).all()
    observed = pick(null, kind="prediction")["observed"].iloc[0]
    assert observed == pytest.approx(np.nanmean(primary_errors("brain")), rel=1e-5)
    assert pick(null, kind="contribution")["observed"].iloc[0] == pytest.approx(observed, rel=1e-5)


def test_pair_errors_are_taken_under_the_mask_of_the_true_clip():
    flow, valid = TRUTH.flow[:8], TRUTH.valid[:8]
    found = pair_errors(flow, valid, PREDICTIONS["all"]["brain"][:8])
    for shift in range(8):
        shifted = np.roll(PREDICTIONS["all"]["brain"][:8], -shift, axis=0)
        expected = end_point_error(flow, shifted, valid)
        np.testing.assert_allclose(found[np.arange(8), (np.arange(8) + shift) % 8], expected, rtol=1e-5)


def test_coverage_counts_clips_and_blocks():
    row = pick(TABLE["motion_coverage"], mask="none").iloc[0]
    assert (row["n_clips"], row["n_scored"]) == (2 * PER_SEGMENT, 2 * PER_SEGMENT - 1)
    assert row["valid_share"] == pytest.approx(TRUTH.valid.mean())
    assert row["n_blocks"] == shot_blocks(TRUTH.clips).max() + 1


def test_tables_can_be_written_as_parquet(tmp_path):
    for name, table in TABLE.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{name}.parquet"), table)


def test_the_same_inputs_give_the_same_tables():
    again = evaluate_motion("2", TRUTH, PREDICTIONS, EDGES, quantise)
    for name, table in TABLE.items():
        pd.testing.assert_frame_equal(again[name], table)


def test_little_is_needed():
    few = evaluate_motion("1", TRUTH, {"all": {"zero": PREDICTIONS["all"]["zero"]}}, EDGES)
    assert set(few["motion"]["system"]) == {"zero"}
    assert [name for name, table in few.items() if table.empty] == ["motion_tests", "motion_gain", "motion_null"]
    for name in TABLES:
        assert set(few[name].columns) == set(TABLE[name].columns), name
    with pytest.raises(BrainvizError, match="all test runs"):
        evaluate_motion("1", TRUTH, {"odd": PREDICTIONS["odd"]}, EDGES)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_trial_on_a_few_clips_makes_every_table(n):
    clips = TRUTH.clips.iloc[10 : 10 + n].reset_index(drop=True)
    rows = slice(10, 10 + n)
    few = MotionTruth(clips, TRUTH.flow[rows], TRUTH.valid[rows], TRUTH.moving[rows], TRUTH.step_s, "dis", True)
    predictions = {
        runs: {system: flow[rows] for system, flow in of_runs.items()} for runs, of_runs in PREDICTIONS.items()
    }
    tables = evaluate_motion("2", few, predictions, EDGES)
    assert set(tables["motion"]["clip"]) == set(clips["clip"])
    assert len(tables["motion_null"]) == (0 if n == 1 else 2_000)
    assert not tables["motion_tests"]["enough_blocks"].any()


def test_a_decoder_that_adds_nothing_shows_no_gain():
    truth, predictions = make_world(seed=1, gain=0.0)
    table = evaluate_motion("1", truth, predictions, EDGES)["motion_tests"]
    row = pick(table, a="shuffled", b="image-only", mask="none", part="full", measure="epe", subset="all", runs="all")
    assert row["ratio"].iloc[0] == pytest.approx(1, abs=0.03)


def test_brain_is_compared_with_all_and_fmri_systems_with_the_frame():
    assert pairs_to_test(["brain", "image-only", "shuffled", "zero"]) == [
        ("brain", "image-only"),
        ("brain", "shuffled"),
        ("brain", "zero"),
        ("shuffled", "image-only"),
    ]


def test_settings_refuse_unknown_names():
    assert EvaluationConfig.from_dict({"seed": 3}).seed == 3
    with pytest.raises(BrainvizError, match="shifts_n"):
        EvaluationConfig.from_dict({"shifts_n": 3})
