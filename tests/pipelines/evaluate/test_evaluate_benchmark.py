"""The benchmark's tables: what is planted is ranked and tested, films of others may have gaps, nothing is invented."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from brainviz.metrics.video.benchmark_names import BENCHMARK, better, chance, protocol
from pipelines.evaluate.benchmark import NO_RETRIEVAL, Protocol, evaluate_benchmark
from pipelines.evaluate.benchmark_retrieval import retrieve

N = 180
CLIPS = pd.DataFrame(
    {
        "clip": [f"test{1 + i // 90}-{i % 90:04d}" for i in range(N)],
        "segment": [f"test{1 + i // 90}" for i in range(N)],
        "onset_s": [2.0 * (i % 90) for i in range(N)],
        "duration_s": 2.0,
        "shot": [f"shot{i // 2}" for i in range(N)],
    }
)
LEVELS = {"brain": 1.0, "brain-e2e": 1.0, "mind-animator": 1.3, "zero": 1.5, "truth": 0.1}


def scores(levels: dict[str, float] | None = None, metric: str = "epe") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    clip = rng.normal(0, 0.3, N)
    parts = [
        pd.DataFrame({"system": s, "clip": CLIPS["clip"], "metric": metric, "value": v + clip + rng.normal(0, 0.1, N)})
        for s, v in (levels or LEVELS).items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_planted_order_is_ranked_and_tested() -> None:
    tables = evaluate_benchmark("1", scores(), CLIPS, Protocol(128, "dis"))
    ranking = tables["benchmark"].set_index("system")
    expected = scores().groupby("system")["value"].mean()
    np.testing.assert_allclose(ranking["value"], expected[ranking.index])
    assert ((ranking["low"] < ranking["value"]) & (ranking["value"] < ranking["high"])).all()
    assert set(ranking["protocol"]) == {"flow-32-dis"} and set(ranking["n"]) == {N}
    assert ranking["chance"].isna().all()
    tests = tables["benchmark_tests"].set_index(["a", "b"])
    assert "truth" not in {name for pair in tests.index for name in pair}
    assert len(tests) == 6 and (tests["p_holm"] >= tests["p"]).all()
    assert tests.loc[("brain", "mind-animator"), "difference"] == pytest.approx(-0.3, abs=0.05)
    assert tests.loc[("brain", "mind-animator"), "p_holm"] < 0.05
    assert tests.loc[("brain", "brain-e2e"), "p_holm"] > 0.05
    assert len(tables["benchmark_clips"]) == N * len(LEVELS)


def test_all_own_systems_stand_on_the_same_clips_and_imported_ones_may_lack_some() -> None:
    some = scores()
    some.loc[(some["system"] == "zero") & some["clip"].isin(CLIPS["clip"][:30]), "value"] = np.nan
    other = scores({"mindvideo": 2.0})[60:]
    rules = Protocol(128, "dis", imported=("mindvideo",))
    ranking = evaluate_benchmark("1", pd.concat([some, other]), CLIPS, rules)["benchmark"].set_index("system")
    assert set(ranking.loc[list(LEVELS), "n"]) == {150}
    assert ranking.loc["mindvideo", "n"] == 120


def test_blocks_are_of_the_film_where_clips_were_sampled() -> None:
    sampled = scores()[lambda rows: rows["clip"].isin(CLIPS["clip"][::3])]
    whole, part = (evaluate_benchmark("1", s, CLIPS, Protocol(128, "dis"))["benchmark"] for s in (scores(), sampled))
    assert set(part["n"]) == {N // 3}
    assert set(part["n_blocks"]) == set(whole["n_blocks"])


def test_what_is_missing_is_named_with_its_reason() -> None:
    hits = scores({"mind-animator": 0.5}, "retrieval-small")
    rules = Protocol(
        128, "dis", galleries={"retrieval-small": 360}, p_chance={("mind-animator", "retrieval-small"): 0.01}
    )
    tables = evaluate_benchmark("1", pd.concat([scores(), hits]), CLIPS, rules)
    found = tables["benchmark"].set_index(["system", "metric"]).loc[("mind-animator", "retrieval-small")]
    assert found["chance"] == pytest.approx(10 / 360) and found["p_chance"] == 0.01
    assert found["protocol"] == "retrieval-360"
    absent = tables["benchmark_absent"].set_index(["system", "metric"])["reason"]
    assert absent[("brain", "retrieval-small")] == NO_RETRIEVAL
    assert "vector" in absent[("brain-e2e", "retrieval-small")]
    assert "python -m pipelines weights videomae-large" in absent[("", "videomae-cosine")]
    assert "python -m pipelines weights imagenet-classifier" in absent[("", "50-way-image")]
    assert "No network was asked" in absent[("", "2-way-video")]
    asked = evaluate_benchmark("1", scores(), CLIPS, Protocol(128, "dis", networks=True))["benchmark_absent"]
    reasons = asked.set_index("metric")["reason"]
    assert "weights kinetics-classifier" in reasons["2-way-video"] and "No network" not in reasons["2-way-video"]
    assert {name for system, name in absent.index if system == ""} | {"epe", "retrieval-small"} == set(BENCHMARK)


def test_without_a_clip_in_common_it_is_refused() -> None:
    some = scores({"brain": 1.0, "zero": 2.0})
    half = some["clip"].isin(CLIPS["clip"][:90]) == (some["system"] == "brain")
    with pytest.raises(BrainvizError, match="in common"):
        evaluate_benchmark("1", some[half], CLIPS, Protocol(128, "dis"))


def test_chance_and_protocol_of_metrics() -> None:
    assert chance("2-way-image") == pytest.approx(0.75)
    assert chance("50-way-video") == pytest.approx(3 / 52)
    assert np.isnan(chance("epe"))
    assert [protocol(name, 256, "raft") for name in ("ssim", "ssim-grid", "epe", "vifi")] == [
        "frames-256",
        "frames-32",
        "flow-32-raft",
        "vifi-clip",
    ]
    assert better("epe") == -1 and better("retrieval-large") == 1


def test_retrieval_of_planted_vectors_is_above_chance_and_of_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    shown = {f"test{k}": rng.standard_normal((60, 12)) for k in (1, 2)}
    known = {film: v + rng.standard_normal(v.shape) for film, v in shown.items()}
    noise = {film: rng.standard_normal(v.shape) for film, v in shown.items()}
    others = [rng.standard_normal((200, 12))]
    small, large = retrieve(known, shown), retrieve(known, shown, others)
    assert (small.gallery, large.gallery) == (120, 320)
    assert small.p < 0.001 and large.p < 0.001
    assert small.found.mean() > large.found.mean() > 10 / 320
    # By hand: the shown clip is found where at most nine of the gallery are more like the decoded vector.
    unit = {k: np.concatenate(list(v.values())) for k, v in (("q", known), ("g", shown))}
    unit = {k: v / np.linalg.norm(v, axis=1, keepdims=True) for k, v in unit.items()}
    likeness = unit["q"] @ unit["g"].T
    np.testing.assert_array_equal(small.found, (likeness > np.diag(likeness)[:, None]).sum(1) < 10)
    assert retrieve(noise, shown).p > 0.01
