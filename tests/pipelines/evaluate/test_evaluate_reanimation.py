"""Tables and criteria of the reanimations from scores whose order is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from brainviz.metrics.video.names import METRICS, improves
from pipelines.evaluate.reanimation import TABLES, evaluate_reanimations
from pipelines.evaluate.reanimation_criteria import reanimation_criteria
from pipelines.evaluate.video_scores import SCORES

CLIPS = pd.DataFrame(
    {
        "clip": [f"test1-{i:04d}" for i in range(360)],
        "segment": "test1",
        "onset_s": 2.0 * np.arange(360),
        "duration_s": 2.0,
        "shot": [f"shot{i // 2}" for i in range(360)],
    }
)
MEANS = {"truth": (0.1, 0.9), "brain": (1.0, 0.6), "image-only": (1.5, 0.5), "prior": (2.0, 0.4), "zero": (1.5, 0.55)}


def scores(systems: dict[str, tuple[float, float]] = MEANS, backend: str = "warp", mask: str = "none") -> pd.DataFrame:
    hard = np.random.default_rng(1).normal(0, 0.3, len(CLIPS))
    rows = []
    for system, (epe, ssim) in systems.items():
        for sample in range(3 if system == "prior" else 1):
            noise = np.random.default_rng(sample).normal(0, 0.1, (2, len(CLIPS)))
            like = ssim - 0.1 * hard + noise[1]
            for metric, value in (("epe", epe + hard + noise[0]), ("ssim", like), ("ssim-grid", like)):
                rows.append(CLIPS[["clip"]].assign(system=system, sample=sample, metric=metric, value=value))
    return pd.concat(rows, ignore_index=True).assign(backend=backend, mask=mask)


def test_means_intervals_and_tests() -> None:
    tables = evaluate_reanimations("2", scores(), CLIPS)
    assert tuple(tables) == TABLES
    assert all((table["subject"] == "2").all() for table in tables.values())
    assert len(tables["reanimation"]) == 360 * 3 * 7
    summary = tables["reanimation_summary"].set_index(["metric", "system"])
    expected = scores().query("metric == 'epe' and system == 'prior'")["value"].mean()
    assert summary.loc[("epe", "prior"), "mean"] == pytest.approx(expected)
    assert (summary["low"] < summary["mean"]).all() and (summary["mean"] < summary["high"]).all()
    assert set(summary["n_blocks"]) == {22}  # of 8 shots of 4 s
    tests = tables["reanimation_tests"].set_index(["metric", "a", "b"])
    row = tests.loc[("epe", "brain", "image-only")]
    assert row["difference"] == pytest.approx(-0.5, abs=0.01)
    assert row["low"] < -0.5 < row["high"] or abs(row["difference"] + 0.5) < 0.01
    assert row["p"] < 1e-3 and row["p_holm"] >= row["p"]
    assert ("epe", "brain", "zero") in tests.index


def test_the_frozen_frame_is_compared_with_every_backend_and_mask() -> None:
    slow = scores({name: MEANS[name] for name in ("brain", "image-only")}, "dragnuwa", "predicted-objects")
    few = slow[slow["clip"].isin(CLIPS["clip"][::5])]
    films = scores({"svd": (2.0, 0.3)}, "svd")
    tables = evaluate_reanimations("1", pd.concat([scores(), few, films]), CLIPS)
    tests, summary = tables["reanimation_tests"], tables["reanimation_summary"]
    slow_tests = tests[tests["backend"] == "dragnuwa"]
    assert set(slow_tests["mask"]) == {"predicted-objects"}
    assert {"zero", "svd", "image-only"} == set(slow_tests.loc[slow_tests["a"] == "brain", "b"])
    assert set(slow_tests["n_clips"]) == {72}  # all systems on the clips that the slow backend rendered
    assert set(summary["backend"]) == {"warp", "dragnuwa"}
    assert not tables["reanimation"].duplicated(["clip", "system", "backend", "mask", "sample", "metric"]).any()


def test_a_clip_without_a_score_leaves_its_comparisons() -> None:
    some = scores()
    some.loc[some["clip"].isin(CLIPS["clip"][:60]), "value"] = np.nan
    tables = evaluate_reanimations("1", some, CLIPS)
    assert set(tables["reanimation_tests"]["n_clips"]) == {300}
    assert set(tables["reanimation_summary"]["n_clips"]) == {300}


def test_systems_without_a_clip_in_common_are_refused() -> None:
    some = scores({"brain": (1, 1), "zero": (1, 1)})
    brain = some[(some["system"] == "brain") & some["clip"].isin(CLIPS["clip"][:9])]
    with pytest.raises(BrainvizError, match="in common"):
        evaluate_reanimations(
            "1", pd.concat([brain, some[some["clip"].isin(CLIPS["clip"][9:])].query("system=='zero'")]), CLIPS
        )


def test_every_weight_free_score_is_described() -> None:
    assert {name for name, metric in METRICS.items() if not metric.weights} == set(SCORES)
    assert improves("ssim") == 1 and improves("epe") == -1


def failed(tests: pd.DataFrame) -> list[str]:
    table = reanimation_criteria(tests)
    return table.loc[~table["passed"], "criterion"].tolist()


def test_criteria_hold_and_fail() -> None:
    tests = evaluate_reanimations("1", scores(), CLIPS)["reanimation_tests"]
    assert failed(tests) == []
    assert len(reanimation_criteria(tests)) == 8
    worse = evaluate_reanimations("1", scores(MEANS | {"image-only": (1.5, 0.7)}), CLIPS)["reanimation_tests"]
    assert failed(worse) == ["reanimated, ssim against image-only"]
    assert failed(tests.assign(n_blocks=19))[0] == "reanimated, epe against image-only, p"
    assert "reanimated, epe against prior" in failed(tests[tests["b"] != "prior"])
    assert reanimation_criteria(tests, "static").empty
    with pytest.raises(BrainvizError):
        reanimation_criteria(tests[:0])
