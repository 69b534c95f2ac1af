"""What must hold of the reanimations of a simulated data set, checked on its table of tests.

In the world `mixed` motion is coded, so films driven by brain-predicted flow must be nearer to the truth than films
driven by the frame alone (`image-only`) and by samples of plausible motion (`prior`, the mean over its samples), in
motion (EPE) and in pixels (SSIM at the scored size). The other worlds are judged by the flow itself
(`pipelines.evaluate.criteria`).
"""

from __future__ import annotations

import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.metrics.video.names import improves

ALPHA = 0.001
LEAST_BLOCKS = 20
WITHOUT_BRAIN = ("image-only", "prior")
CLAIMED = ("epe", "ssim")


def reanimation_criteria(tests: pd.DataFrame, world: str = "mixed") -> pd.DataFrame:
    """Check every criterion for every subject.

    Parameters
    ----------
    tests : DataFrame
        The table `reanimation_tests`; its rows of backend `warp` and mask `none` are read.
    world : str
        The simulated world that they come from.

    Returns
    -------
    DataFrame
        world, subject, criterion, value, bound (in words), passed; two rows per comparison: how much better `brain`
        is (above 0: better, whichever way the score runs), and p. A comparison that is missing is not passed and has
        NaN values. Empty for worlds other than `mixed`.

    Raises
    ------
    BrainvizError
        If there is no subject to check.
    """
    subjects = sorted(set(tests["subject"]))
    if not subjects:
        raise BrainvizError("The table holds no subject.", "reanimation_tests", "Run up to the target reanimation.")
    chosen = tests[(tests["backend"] == "warp") & (tests["mask"] == "none") & (tests["a"] == "brain")]
    rows = []
    for subject in subjects if world == "mixed" else ():
        for metric in CLAIMED:
            for other in WITHOUT_BRAIN:
                found = chosen[(chosen["subject"] == subject) & (chosen["b"] == other) & (chosen["metric"] == metric)]
                rows += [(world, subject, *check) for check in _checks(found, metric, other)]
    return pd.DataFrame(rows, columns=["world", "subject", "criterion", "value", "bound", "passed"])


def _checks(found: pd.DataFrame, metric: str, other: str) -> list[tuple[str, float, str, bool]]:
    nan = float("nan")
    gain, p, blocks = (nan, nan, 0) if found.empty else _values(found.iloc[0], metric)
    name = f"reanimated, {metric} against {other}"
    return [
        (name, gain, "above 0", gain > 0),
        (f"{name}, p", p, f"below {ALPHA:g} on {LEAST_BLOCKS} blocks", p < ALPHA and blocks >= LEAST_BLOCKS),
    ]


def _values(row: pd.Series, metric: str) -> tuple[float, float, int]:
    return improves(metric) * float(row["difference"]), float(row["p"]), int(row["n_blocks"])
