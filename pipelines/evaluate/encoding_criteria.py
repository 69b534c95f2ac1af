"""What must hold of the encoding maps of a simulated data set, checked on its tables, maps and planted truth.

In the world `mixed` some vertices follow motion and others static features: the contrast of the two embedded encoders
must tell them apart, over the vertices of all subjects. In `static` nothing follows motion, in `noise` nothing follows
the film at all. Regions are judged by the tables' own q values; of many empty families one in twenty may still show
something by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.cortex.surface import N_FULL, full_to_cortex
from brainviz.errors import BrainvizError, DataProblem
from brainviz.metrics.better_encoder import better_encoder

MOTION_ENCODER = "motion-energy"
STATIC_ENCODER = "gabor-colour"
EVERYONE = "all"
"""Subject of a criterion that all subjects' vertices answer together."""
LEAST_AREA = 0.85
SELF_MOTION_REGIONS = ("5m", "5mv", "23c")
ALPHA = 0.05
CLEAR_SHARE = 2 / 3
"""Part of the predictable variance from one drive that makes a vertex clearly of that drive."""

Truth = Mapping[str, npt.NDArray[Any]]


def encoding_criteria(
    contrasts: pd.DataFrame,
    regions: pd.DataFrame,
    contrast_maps: Mapping[str, npt.NDArray[np.floating]],
    truths: Mapping[str, Truth],
    world: str = "mixed",
) -> pd.DataFrame:
    """Check every criterion: the area under the ROC curve over all subjects' vertices, all else for every subject.

    Parameters
    ----------
    contrasts, regions : DataFrames
        The tables of that name; of `contrasts` the pair motion-energy minus gabor-colour is read.
    contrast_maps : mapping of subject -> float (59412,) or (64984,)
        r of motion-energy minus r of gabor-colour.
    truths : mapping of subject -> arrays of ``truth/subject<k>.npz``
    world : str
        The simulated world that they come from.

    Returns
    -------
    DataFrame
        world, subject, criterion, value, bound (in words), passed. A criterion without what it needs is not passed and
        has a NaN value.

    Raises
    ------
    BrainvizError
        If there is no subject to check.
    """
    pair = contrasts[(contrasts["a"] == MOTION_ENCODER) & (contrasts["b"] == STATIC_ENCODER)]
    subjects = sorted(set(contrasts["subject"]) | set(contrast_maps))
    if not subjects:
        raise BrainvizError("There is no subject with a contrast.", "contrasts", "Run the stage encoding first.")
    rows = []
    for subject in subjects:
        mine = pair[pair["subject"] == subject]
        if world == "mixed":
            checks = []
            for region in SELF_MOTION_REGIONS:
                difference = _mean_difference(mine[mine["region"] == region])
                checks.append((f"contrast in {region}", difference, "above 0", difference > 0))
        else:
            checks = _nothing_found(mine, regions[regions["subject"] == subject], world)
        rows += [(world, subject, *check) for check in checks]
    if world == "mixed":
        area = _area(contrast_maps, truths, subjects)
        name = "area under ROC, motion against static"
        rows.append((world, EVERYONE, name, area, f"at least {LEAST_AREA}", area >= LEAST_AREA))
    return pd.DataFrame(rows, columns=["world", "subject", "criterion", "value", "bound", "passed"])


def area_under_roc(values: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_]) -> float:
    """Probability that a positive value exceeds a negative one, ties half; NaN without either, NaN values left out."""
    from scipy.stats import rankdata

    finite = np.isfinite(values)
    ranks, above = rankdata(values[finite]), positive[finite]
    n_above, n_below = int(above.sum()), int((~above).sum())
    if n_above == 0 or n_below == 0:
        return float("nan")
    return float((ranks[above].sum() - n_above * (n_above + 1) / 2) / (n_above * n_below))


def clearly_driven(truth: Truth, drive: str) -> npt.NDArray[np.bool_]:
    """Responsive vertices with two thirds of their predictable variance from one drive, bool (59412,)."""
    names = [str(name) for name in truth["drive_names"]]
    seen = [k for k, name in enumerate(names) if name != "unseen"]
    total = truth["share"][:, seen].sum(1)
    share = np.divide(truth["share"][:, names.index(drive)], total, out=np.zeros(len(total)), where=total > 0)
    return np.asarray(truth["responsive"] & (share >= CLEAR_SHARE))


def _area(
    contrasts: Mapping[str, npt.NDArray[np.floating]], truths: Mapping[str, Truth], subjects: Sequence[str]
) -> float:
    """Over the clearly driven vertices of all subjects together; NaN where one lacks its map or its truth."""
    values, moving = [], []
    for subject in subjects:
        if subject not in contrasts or subject not in truths:
            return float("nan")
        contrast, truth = contrasts[subject], truths[subject]
        own = full_to_cortex(contrast) if len(contrast) == N_FULL else np.asarray(contrast)
        if len(own) != len(truth["responsive"]):
            raise DataProblem(f"A map of {len(contrast)} vertices does not go with the planted truth.", "contrast")
        motion, static = clearly_driven(truth, "motion"), clearly_driven(truth, "static")
        values.append(own[motion | static])
        moving.append(motion[motion | static])
    return area_under_roc(np.concatenate(values), np.concatenate(moving))


def _mean_difference(rows: pd.DataFrame) -> float:
    """Over both hemispheres, weighted by vertices."""
    rows = rows[np.isfinite(rows["difference"].astype(float))]
    weight = rows["n_vertices"].to_numpy(float)
    return float((rows["difference"].to_numpy(float) * weight).sum() / weight.sum()) if weight.sum() else float("nan")


def _nothing_found(contrast: pd.DataFrame, regions: pd.DataFrame, world: str) -> list[tuple[str, float, str, bool]]:
    if world == "noise":
        return [
            _none_below("regions where the encoders differ", contrast, contrast),
            _none_below("regions predicted by an encoder", regions, regions),
        ]
    # Where only static features drive the cortex the static encoder rightly wins in many regions, and a false discovery
    # rate then allows some wrong ones. An encoder is better somewhere only if it predicts anything there.
    won = better_encoder(contrast, regions) > 0
    return [_none_below(f"regions that {MOTION_ENCODER} predicts, and better", contrast, contrast[won])]


def _none_below(name: str, table: pd.DataFrame, counted: pd.DataFrame) -> tuple[str, float, str, bool]:
    n = float((counted["q"] < ALPHA).sum()) if table["q"].notna().any() else float("nan")
    return f"{name}, q < {ALPHA:g}", n, "none", n == 0
