"""The labels' own error, where the exact flow is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.flow.errors import angular_error, end_point_error, flow_correlation
from brainviz.flow.summary import mean_speed

if TYPE_CHECKING:
    import pandas as pd


def compare_with_exact(
    flow: npt.ArrayLike,
    valid: npt.ArrayLike,
    exact_flow: npt.ArrayLike,
    exact_valid: npt.ArrayLike,
    moving: npt.ArrayLike | None = None,
    exact_moving: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Error of measured against exact flow, one row per clip.

    Parameters
    ----------
    flow, exact_flow : float (n, 3, 32, 32, 2)
        Measured and exact flow.
    valid : bool (n, 3, 32, 32)
        Where the labels trust themselves.
    exact_valid : bool (n, 3, 32, 32)
        Where the exact flow is defined (no cut, fade or occlusion).
    moving, exact_moving : bool (n, 3, 32, 32), optional
        Measured and true moving objects.

    Returns
    -------
    DataFrame with columns
        epe, angular_error (degrees), correlation: where both are valid;
        epe_zero: mean exact speed there; epe_all: wherever the exact flow is valid, checked or not;
        coverage: share of the exactly valid vectors that the labels keep;
        moving_overlap (with both masks): intersection over union of the moving-object masks.
        Errors in pixels of the 32x32 grid per step; NaN where nothing is valid.
    """
    import pandas as pd

    exact, defined = np.asarray(exact_flow, dtype=np.float32), np.asarray(exact_valid, dtype=bool)
    measured, trusted = np.asarray(flow, dtype=np.float32), np.asarray(valid, dtype=bool)
    both = defined & trusted
    per_clip = tuple(range(1, both.ndim))
    table = {
        "epe": end_point_error(measured, exact, both),
        "angular_error": angular_error(measured, exact, both),
        "correlation": flow_correlation(measured, exact, both),
        "epe_zero": mean_speed(exact, both),
        "epe_all": end_point_error(measured, exact, defined),
        "coverage": _share(both.sum(axis=per_clip), defined.sum(axis=per_clip)),
    }
    if moving is not None and exact_moving is not None:
        found, true = np.asarray(moving, dtype=bool) & both, np.asarray(exact_moving, dtype=bool) & both
        table["moving_overlap"] = _share((true & found).sum(axis=per_clip), (true | found).sum(axis=per_clip))
    return pd.DataFrame(table)


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
