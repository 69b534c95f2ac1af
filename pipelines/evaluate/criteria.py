"""What must hold on a simulated data set, checked on its tables.

In the world `mixed` motion is coded and `brain` must show it; in the worlds `static` and `noise` there is nothing to
find and `brain` must find nothing. Errors are mean end-point errors, mask none, full flow, all test runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from brainviz.errors import BrainvizError

MOST_RATIO = 0.80
SHUFFLED_WITHIN = 0.03
ALPHA = 0.001
EMPTY_WORLDS = ("static", "noise")
_PRIMARY = {"mask": "none", "part": "full", "runs": "all", "measure": "epe", "subset": "all"}


@dataclass(frozen=True)
class _Check:
    criterion: str
    value: float
    bound: str
    passed: bool


def criteria(motion: pd.DataFrame, motion_tests: pd.DataFrame, world: str = "mixed") -> pd.DataFrame:
    """Check every criterion for every subject.

    Parameters
    ----------
    motion, motion_tests : DataFrames
        The tables of that name.
    world : str
        The simulated world that they come from.

    Returns
    -------
    DataFrame
        world, subject, criterion, value, bound (in words), passed. A criterion whose systems or test are missing is not
        passed and has a NaN value.

    Raises
    ------
    BrainvizError
        If there is no subject to check.
    """
    subjects = sorted(set(motion["subject"]) | set(motion_tests["subject"]))
    if not subjects:
        raise BrainvizError("The tables hold no subject.", "motion", "Run the pipeline up to the stage motion first.")
    rows = []
    for subject in subjects:
        errors = mean_errors(motion[motion["subject"] == subject])
        test = _brain_against_frame(motion_tests[motion_tests["subject"] == subject])
        checks = _nothing_found(test) if world in EMPTY_WORLDS else _motion_found(errors, test)
        rows += [(world, subject, c.criterion, c.value, c.bound, c.passed) for c in checks]
    return pd.DataFrame(rows, columns=["world", "subject", "criterion", "value", "bound", "passed"])


def mean_errors(motion: pd.DataFrame) -> dict[str, float]:
    """Mean end-point error of each system: over samples, then over clips; mask none, full flow, all runs."""
    primary = motion[(motion["mask"] == "none") & (motion["part"] == "full") & (motion["runs"] == "all")]
    per_clip = primary.groupby(["system", "clip"], observed=True)["epe"].mean()
    return {str(name): float(value) for name, value in per_clip.groupby("system", observed=True).mean().items()}


def _brain_against_frame(tests: pd.DataFrame) -> pd.Series | None:
    chosen = tests[(tests["a"] == "brain") & (tests["b"] == "image-only")]
    for column, value in _PRIMARY.items():
        chosen = chosen[chosen[column] == value]
    return None if chosen.empty else chosen.iloc[0]


def _motion_found(errors: dict[str, float], test: pd.Series | None) -> list[_Check]:
    nan = float("nan")

    def ratio(first: str, second: str) -> float:
        return errors[first] / errors[second] if first in errors and errors.get(second, 0.0) > 0 else nan

    gain, ridge, reference = (ratio("brain", other) for other in ("image-only", "ridge", "brain-reference"))
    shuffled = ratio("shuffled", "image-only")
    p = nan if test is None else float(test["p"])
    blocks = nan if test is None else float(test["n_blocks"])
    return [
        _Check("brain / image-only", gain, f"at most {MOST_RATIO:.2f}", gain <= MOST_RATIO),
        _Check("brain / ridge", ridge, "at most 1", ridge <= 1),
        _Check("brain / brain-reference", reference, "at most 1", reference <= 1),
        _Check("p of brain against image-only", p, f"below {ALPHA:g}", p < ALPHA),
        _Check("blocks behind that p", blocks, "at least 20", blocks >= 20),
        _Check("shuffled / image-only", shuffled, "within 3 % of 1", abs(shuffled - 1) <= SHUFFLED_WITHIN),
    ]


def _nothing_found(test: pd.Series | None) -> list[_Check]:
    bound = "95 % interval of brain - image-only covers 0"
    if test is None:
        return [_Check("no gain where there is nothing", float("nan"), bound, False)]
    low, high = float(test["low"]), float(test["high"])
    side = "" if low <= 0 <= high else " (brain is better)" if high < 0 else " (brain is worse)"
    detail = f"{bound}: {low:.4f} to {high:.4f}{side}"
    return [_Check("no gain where there is nothing", float(test["difference"]), detail, low <= 0 <= high)]
