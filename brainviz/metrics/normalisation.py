"""Correlations as a share of what noise allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.metrics.block_sums import Float32
from brainviz.metrics.corrections import benjamini_hochberg
from brainviz.metrics.reliability import NoiseCeiling


def share_of_ceiling(r: npt.NDArray[np.floating[Any]], ceiling: NoiseCeiling, alpha: float = 0.05) -> Float32:
    """r / r_max where a vertex has signal beyond doubt, float32 (v,); NaN elsewhere (Schoppe et al. 2016).

    Parameters
    ----------
    r : float (v,)
        Of an encoder on the average over test runs.
    ceiling : NoiseCeiling
        Of the same runs. A vertex counts where its signal power has q < `alpha` over all vertices; a ratio to a ceiling
        that may be zero says nothing.

    Returns
    -------
    float32 (v,)
        May exceed 1 by chance; negative where r is.

    Raises
    ------
    DataProblem
        Where r and the ceiling differ in vertices.
    """
    if np.shape(r) != ceiling.r_max.shape:
        raise DataProblem(f"r of {np.shape(r)} vertices and a ceiling of {ceiling.r_max.shape}.", "noise ceiling")
    sure = (benjamini_hochberg(ceiling.p) < alpha) & (ceiling.r_max > 0)
    return np.divide(r, ceiling.r_max, out=np.full(len(r), np.nan, np.float32), where=sure, dtype=np.float32)
