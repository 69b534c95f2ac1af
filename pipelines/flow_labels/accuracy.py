"""The labels' own error, where the exact flow is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.flow.errors import angular_error, end_point_error, flow_correlation
from brainviz.flow.summary import mean_speed
from pipelines.flow_labels.clips import ClipLabels

if TYPE_CHECKING:
    import pandas as pd


def compare_with_exact(
    labels: ClipLabels,
    exact_flow: npt.ArrayLike,
    exact_valid: npt.ArrayLike,
    exact_moving: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Error of measured against exact flow, one row per clip.

    Parameters
    ----------
    labels : ClipLabels
    exact_flow : float (n, 3, 32, 32, 2)
    exact_valid : bool (n, 3, 32, 32)
        Where the exact flow is defined (no cut, fade or occlusion).
    exact_moving : bool (n, 3, 32, 32), optional
        True moving objects.

    Returns
    -------
    DataFrame with columns
        epe, angular_error (degrees), correlation: where both are valid;
        epe_zero: mean exact speed there; epe_all: wherever the exact flow is valid, checked or not;
        coverage: share of the exactly valid vectors that the labels keep;
        moving_overlap (with `exact_moving`): intersection over union of the moving-object masks.
        Errors in pixels of the 32x32 grid per step; NaN where nothing is valid.
    """
    import pandas as pd

    exact, defined = np.asarray(exact_flow, dtype=np.float32), np.asarray(exact_valid, dtype=bool)
    both = defined & labels.valid
    per_clip = tuple(range(1, both.ndim))
    table = {
        "epe": end_point_error(labels.flow, exact, both),
        "angular_error": angular_error(labels.flow, exact, both),
        "correlation": flow_correlation(labels.flow, exact, both),
        "epe_zero": mean_speed(exact, both),
        "epe_all": end_point_error(labels.flow, exact, defined),
        "coverage": _share(both.sum(axis=per_clip), defined.sum(axis=per_clip)),
    }
    if exact_moving is not None:
        moving = np.asarray(exact_moving, dtype=bool) & both
        found = labels.moving & both
        table["moving_overlap"] = _share((moving & found).sum(axis=per_clip), (moving | found).sum(axis=per_clip))
    return pd.DataFrame(table)


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
