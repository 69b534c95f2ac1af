"""What must hold of the bits of direction on a simulated data set.

Three cases are planted, each of 24 instances. In the world `mixed` the fMRI tells which continuation followed; in
`static` and `noise` it tells nothing of motion, and nothing may be found. All figures on all test runs.
"""

from __future__ import annotations

import pandas as pd

from brainviz.errors import BrainvizError

CASES = ("action", "camera", "static")
EMPTY_WORLDS = ("static", "noise")
FAMILY = 9
"""Cases times subjects of a data set: nine intervals of 95 % miss an empty truth in one data set of three."""
LEVEL = 0.95


def ambiguity_criteria(cases: pd.DataFrame, world: str = "mixed") -> pd.DataFrame:
    """Check every case for every subject.

    Parameters
    ----------
    cases : DataFrame
        The table `ambiguity_cases`.
    world : str
        The simulated world that it comes from.

    Returns
    -------
    DataFrame
        world, subject, criterion, value, bound (in words), passed. A case that is missing is not passed, with a NaN
        value.

    Raises
    ------
    BrainvizError
        If there is no subject to check.
    """
    subjects = sorted(cases["subject"].unique())
    if not subjects:
        raise BrainvizError("There is no subject with bits of direction.", "ambiguity_cases", "Run the stage first.")
    rows = []
    for subject in subjects:
        mine = cases[(cases["subject"] == subject) & (cases["runs"] == "all")].set_index("case")
        for case in CASES:
            ends = ("usable_bits", "low", "high")
            bits, low, high = (float(mine.at[case, name]) if case in mine.index else float("nan") for name in ends)
            rows.append((world, subject, *_check(case, bits, low, high, world)))
    return pd.DataFrame(rows, columns=["world", "subject", "criterion", "value", "bound", "passed"])


def _check(case: str, bits: float, low: float, high: float, world: str) -> tuple[str, float, str, bool]:
    if world in EMPTY_WORLDS:
        low, high = bits - _widened(bits - low), bits + _widened(high - bits)
        words = f"95 % interval for all {FAMILY} together covers 0: {low:.3f} to {high:.3f}"
        return f"no usable bits, case {case}", bits, words, low <= 0 <= high
    return f"usable bits, case {case}", bits, f"95 % interval above 0: {low:.3f} to {high:.3f}", low > 0


def _widened(reach: float) -> float:
    """Half width of a 95 % interval so that nine of them hold together (Bonferroni, normal tails)."""
    from scipy.special import ndtri

    return reach * float(ndtri(1 - (1 - LEVEL) / (2 * FAMILY)) / ndtri(0.5 + LEVEL / 2))
