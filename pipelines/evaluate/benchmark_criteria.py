"""What must hold of the benchmark of a simulated data set, checked on its tables.

In the world `mixed` Mind-Animator's decoded vectors must find the shown clip more often than chance, the motion of its
films must be nearer to the true film's than that decoded from shifted fMRI, and also lose more when it runs backwards,
and its corrected form must be nearer to the film's motion than the released one and surely worse by no metric. Metrics
that never look at the true film are left out of the latter: by them a film that stands still is perfect.
"""

from __future__ import annotations

import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.metrics.video.benchmark_names import BENCHMARK, RETRIEVAL, better

ALPHA, CHANCE_ALPHA = 0.05, 0.001
LEAST_BLOCKS = 20
MOTION_MEASURES = ("error", "reversed")
"""Not the loss by shuffling: most of it is the price of jumps, which films of shifted fMRI pay too."""
CORRECTED, RELEASED = "mind-animator", "mind-animator-released"


def benchmark_criteria(ranking: pd.DataFrame, tests: pd.DataFrame, shifted: pd.DataFrame) -> pd.DataFrame:
    """Check every criterion for every subject of a world `mixed`.

    Parameters
    ----------
    ranking, tests, shifted : DataFrame
        The tables `benchmark`, `benchmark_tests` and `shuffle_test_shift`.

    Returns
    -------
    DataFrame
        world, subject, criterion, value, bound (in words), passed. What is missing is not passed and has NaN values.

    Raises
    ------
    BrainvizError
        If there is no subject to check.
    """
    subjects = sorted(set(ranking["subject"]))
    if not subjects:
        raise BrainvizError("The table holds no subject.", "benchmark", "Run up to the target benchmark.")
    rows = []
    for subject in subjects:
        own = ranking[(ranking["subject"] == subject) & (ranking["system"] == CORRECTED)].set_index("metric")
        checks = [_above_chance(own, metric) for metric in RETRIEVAL]
        checks += _motion(shifted[shifted["subject"] == subject])
        checks += _forms(tests[tests["subject"] == subject])
        rows += [("mixed", subject, *check) for check in checks]
    return pd.DataFrame(rows, columns=["world", "subject", "criterion", "value", "bound", "passed"])


def _above_chance(own: pd.DataFrame, metric: str) -> tuple[str, float, str, bool]:
    bound = f"below {CHANCE_ALPHA:g}, above chance, on {LEAST_BLOCKS} blocks"
    name = f"Mind-Animator, {metric}, p"
    if metric not in own.index:
        return name, float("nan"), bound, False
    value, chance, p, blocks = own.loc[[metric], ["value", "chance", "p_chance", "n_blocks"]].to_numpy(float)[0]
    return name, float(p), bound, bool(p < CHANCE_ALPHA and value > chance and blocks >= LEAST_BLOCKS)


def _motion(shifted: pd.DataFrame) -> list[tuple[str, float, str, bool]]:
    """Films decoded from the shown fMRI against those from shifted fMRI."""
    bound = f"below {ALPHA:g} (Holm), better than shifted fMRI, on {LEAST_BLOCKS} blocks"
    checks = []
    for measure in MOTION_MEASURES:
        name, own = f"decoded motion, {measure}, p", shifted[shifted["measure"] == measure]
        if own.empty:
            checks.append((name, float("nan"), bound, False))
            continue
        p, gain, blocks = own[["p_holm", "difference", "n_blocks"]].to_numpy(float)[0]
        checks.append((name, float(p), bound, bool(p < ALPHA and gain > 0 and blocks >= LEAST_BLOCKS)))
    return checks


def _forms(tests: pd.DataFrame) -> list[tuple[str, float, str, bool]]:
    """The corrected form against the released one; above 0 where it is better, whichever way the metric runs."""
    found = {}
    for first, second, sign in ((CORRECTED, RELEASED, 1.0), (RELEASED, CORRECTED, -1.0)):
        for row in tests[(tests["a"] == first) & (tests["b"] == second)].to_dict("records"):
            metric = str(row["metric"])
            found[metric] = (sign * better(metric) * float(row["difference"]), float(row["p_holm"]))
    gain, _ = found.get("epe", (float("nan"), 1.0))
    checks = [("corrected against released, epe", gain, "above 0", gain > 0)]
    for metric, (gain, p) in found.items():
        if BENCHMARK[metric].against_truth:
            worse = gain < 0 and p < ALPHA
            checks.append(
                (f"corrected against released, {metric}, p", p, f"not worse below {ALPHA:g} (Holm)", not worse)
            )
    return checks
