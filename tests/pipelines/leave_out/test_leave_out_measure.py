"""The table of all regions, on activity in which one region alone carries the motion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.flow.errors import end_point_error
from pipelines.leave_out.conditional import ConditionalMean
from pipelines.leave_out.errors import ClipErrors
from pipelines.leave_out.measure import MEASURES, Contribution, region_table
from pipelines.leave_out.model import FullModel, Recording
from pipelines.leave_out.refits import Part
from pipelines.motion_decoder.basis import FlowBasis
from pipelines.motion_decoder.data import BoldWindows

CLIPS, TEST, GRID = 120, 60, 8
REGIONS = {"carrier": np.arange(8), "noise": np.arange(8, 16), "other": np.arange(16, 40), "none": np.arange(0)}


@pytest.fixture(scope="module")
def contribution() -> Contribution:
    rng = np.random.default_rng(0)
    speed = rng.normal(size=(CLIPS + TEST, 1, 1, 1, 2)).astype(np.float32)
    flow = np.broadcast_to(speed, (CLIPS + TEST, 3, GRID, GRID, 2)) + 0.05 * rng.normal(
        size=(CLIPS + TEST, 3, GRID, GRID, 2)
    )
    bold = rng.normal(size=(CLIPS + TEST, 40)).astype(np.float32)
    bold[:, :8] += 2 * speed[:, 0, 0, 0] @ rng.normal(size=(2, 8))
    index = np.arange(CLIPS + TEST)[:, None]
    recording = Recording(BoldWindows(bold[:CLIPS], index[:CLIPS]), BoldWindows(bold[CLIPS:], index[:TEST]))
    valid = np.ones(flow.shape[:-1], bool)
    valid[CLIPS] = False
    basis = FlowBasis.fit(flow[:CLIPS].astype(np.float32), valid[:CLIPS] | True, 4)
    targets = basis.scores(flow[:CLIPS].astype(np.float32))
    model = FullModel.fit(recording, targets, np.arange(CLIPS) // 30, np.array([0.01, 0.1, 1.0]))
    clips = pd.DataFrame(
        {"segment": "test1", "onset_s": 2.0 * np.arange(TEST), "duration_s": 2.0, "shot": np.arange(TEST) // 2}
    )
    errors = ClipErrors(basis, flow[CLIPS:].astype(np.float32), valid[CLIPS:])
    return Contribution(model, ConditionalMean(model, 10.0), errors, clips, np.full(40, 0.3, np.float32))


def test_errors_are_end_point_errors_of_the_reconstructed_flow(contribution: Contribution) -> None:
    errors = contribution.errors
    flow = errors.basis.reconstruct(contribution.model.scores)
    for stride in (1, 2):
        expected = end_point_error(
            flow[:, :, ::stride, ::stride],
            errors.truth[:, :, ::stride, ::stride],
            errors.valid[:, :, ::stride, ::stride],
        )
        np.testing.assert_allclose(errors.at_every(stride).of_scores(contribution.model.scores), expected, rtol=1e-4)
    assert np.isnan(expected[0])


def test_the_region_that_carries_motion_is_found_under_every_measure(contribution: Contribution) -> None:
    rng = np.random.default_rng(1)
    patches = [np.sort(rng.permutation(np.arange(8, 40))[:8]) for _ in range(40)]
    table = region_table(contribution, REGIONS, patches, 0, lambda _fraction, _message: None)
    assert list(table["region"]) == [*REGIONS] * 3
    assert list(table["measure"]) == [m for m in MEASURES for _ in REGIONS]
    for measure, rows in table.set_index("region").groupby("measure"):
        sign = -1 if measure == "alone" else 1
        found = sign * rows["epe_change"]
        assert found.drop("none").idxmax() == "carrier"
        assert rows.loc["carrier", "q"] < 0.1
        assert rows.loc["noise", "q"] > 0.1
        assert (rows["low"].dropna() <= rows["epe_change"].dropna()).all()
        assert (sign * rows.loc["carrier", ["low", "high"]].to_numpy(float) > 0).all()
        assert rows.loc["none", "reason"]
        assert np.isnan(rows.loc["none", "epe_change"])


def test_values_are_mean_changes_against_the_full_decoder_and_no_brain(contribution: Contribution) -> None:
    table = region_table(contribution, REGIONS, [], 0, lambda _fraction, _message: None)
    rows = table.set_index(["measure", "region"])
    errors, part = contribution.errors, Part(contribution.model, REGIONS["other"])
    full = np.nanmean(errors.of_scores(contribution.model.scores))
    expected = np.nanmean(errors.of_scores(part.without())) - full
    assert rows.loc[("unique", "other"), "epe_change"] == pytest.approx(expected, abs=1e-9)
    expected = np.nanmean(errors.of_scores(part.only())) - np.nanmean(errors.of_mean())
    assert rows.loc[("alone", "other"), "epe_change"] == pytest.approx(expected, abs=1e-9)
    assert rows["p"].isna().all()
