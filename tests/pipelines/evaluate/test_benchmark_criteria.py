"""The benchmark's criteria hold of what they should and fail of what they should."""

from __future__ import annotations

import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from pipelines.evaluate.benchmark_criteria import benchmark_criteria

RANKING = pd.DataFrame(
    {
        "subject": "1",
        "system": "mind-animator",
        "metric": ["retrieval-small", "retrieval-large"],
        "value": [0.2, 0.1],
        "chance": [0.03, 0.01],
        "p_chance": [0.0002, 0.0005],
        "n_blocks": 21,
    }
)
TESTS = pd.DataFrame(
    {
        "subject": "1",
        "a": "mind-animator",
        "b": "mind-animator-released",
        "metric": ["epe", "ssim", "psnr", "warping-error"],
        "difference": [-0.1, -0.01, 0.5, 0.2],
        "p_holm": [0.2, 0.3, 0.001, 0.001],
    }
)


SHIFTED = pd.DataFrame(
    {
        "subject": "1",
        "measure": ["error", "shuffled", "reversed"],
        "difference": [0.05, -0.01, 0.1],
        "p_holm": [0.001, 0.4, 0.001],
        "n_blocks": 21,
    }
)


def failed(ranking: pd.DataFrame, tests: pd.DataFrame, shifted: pd.DataFrame = SHIFTED) -> list[str]:
    table = benchmark_criteria(ranking, tests, shifted)
    return table.loc[~table["passed"], "criterion"].tolist()


def test_criteria_hold_where_they_should() -> None:
    assert failed(RANKING, TESTS) == []
    assert len(benchmark_criteria(RANKING, TESTS, SHIFTED)) == 8, "the metric without the true film does not count"
    turned = TESTS.rename(columns={"a": "b", "b": "a"}).assign(difference=-TESTS["difference"])
    assert failed(RANKING, turned) == []


def test_criteria_fail_where_they_should() -> None:
    assert failed(RANKING.assign(n_blocks=19), TESTS) == [
        "Mind-Animator, retrieval-small, p",
        "Mind-Animator, retrieval-large, p",
    ]
    assert failed(RANKING[:1].assign(p_chance=0.002), TESTS[:1]) == [
        "Mind-Animator, retrieval-small, p",
        "Mind-Animator, retrieval-large, p",
    ]
    assert failed(RANKING, TESTS.assign(difference=[0.1, 0.01, 0.5, 0.2])) == ["corrected against released, epe"]
    assert failed(RANKING, TESTS.assign(p_holm=[0.2, 0.01, 0.001, 0.001])) == ["corrected against released, ssim, p"]
    assert failed(RANKING, TESTS[:0]) == ["corrected against released, epe"]
    with pytest.raises(BrainvizError, match="no subject"):
        benchmark_criteria(RANKING[:0], TESTS, SHIFTED)
    motion = ["decoded motion, error, p", "decoded motion, reversed, p"]
    assert failed(RANKING, TESTS, SHIFTED.assign(difference=-0.1)) == motion
    assert failed(RANKING, TESTS, SHIFTED.assign(p_holm=0.06)) == motion
    assert failed(RANKING, TESTS, SHIFTED.assign(n_blocks=19)) == motion
    assert failed(RANKING, TESTS, SHIFTED[1:2]) == motion
