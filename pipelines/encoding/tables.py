"""The tables `encoding`, `regions` and `contrasts` from tests of encoders on one subject."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.cortex.regions import HEMISPHERES, Parcellation, glasser
from brainviz.errors import DataProblem
from brainviz.metrics.estimates import Estimates, MapEstimates
from brainviz.metrics.vertex_tests import EncoderTest

ALPHA = 0.05


def chosen_vertices(reliability: npt.NDArray[np.floating], above: float) -> npt.NDArray[np.bool_]:
    """Vertices whose training runs agree better than `above`, bool (v,); test data have no part in it.

    Parameters
    ----------
    reliability : float (v,)
        `split_half_reliability` of training runs.
    """
    return np.nan_to_num(np.asarray(reliability, float), nan=-np.inf) > above


def encoding_row(
    subject: str, encoder: str, test: EncoderTest, chosen: npt.NDArray[np.bool_], reliability_above: float
) -> pd.DataFrame:
    """One row of the table `encoding`.

    Parameters
    ----------
    subject, encoder : str
    test : EncoderTest
        With the same chosen vertices in its regions.
    chosen : bool (v,)
        From `chosen_vertices`, with the bound `reliability_above`, which the row states.

    Returns
    -------
    DataFrame
        subject, encoder, mean_r, low, high (95 % block bootstrap), median_r, n_vertices, n_significant (of these;
        q < .05 over all vertices), reliability_above, n_blocks, minimum_p (by counting permutations).
    """
    r = test.vertices.value[chosen]
    row = {
        "subject": subject,
        "encoder": encoder,
        "mean_r": float(test.mean.value[0]),
        "low": float(test.mean.low[0]),
        "high": float(test.mean.high[0]),
        "median_r": float(np.nanmedian(r)) if np.isfinite(r).any() else float("nan"),
        "n_vertices": int(test.mean.n_vertices[0]),
        "n_significant": int((test.vertices.q[chosen] < ALPHA).sum()),
        "reliability_above": reliability_above,
        "n_blocks": len(test.sums.py),
        "minimum_p": test.minimum_p,
    }
    return pd.DataFrame([row])


def region_rows(subject: str, encoder: str, test: EncoderTest, noise_ceiling: npt.NDArray[np.floating]) -> pd.DataFrame:
    """The table `regions` for one encoder: 360 rows.

    Parameters
    ----------
    noise_ceiling : float (360,)
        `brainviz.metrics.reliability.region_ceiling` of the test runs, in the order of `glasser_regions`.

    Returns
    -------
    DataFrame
        subject, hemisphere, region, encoder, r (mean over vertices), low, high, p, q (over the 360 regions),
        noise_ceiling, n_vertices.
    """
    table = _region_columns(subject, test.regions)
    table.insert(3, "encoder", encoder)
    table = table.rename(columns={"value": "r"})
    table["noise_ceiling"] = np.asarray(noise_ceiling, np.float32)
    return table


def contrast_rows(subject: str, a: str, b: str, contrast: MapEstimates) -> pd.DataFrame:
    """The table `contrasts` for one pair: 360 rows.

    Returns
    -------
    DataFrame
        subject, hemisphere, region, a, b, difference (mean of r_a - r_b over vertices), low, high, p (two-sided),
        q (over the 360 regions), n_vertices.
    """
    table = _region_columns(subject, contrast.regions)
    table.insert(3, "a", a)
    table.insert(4, "b", b)
    return table.rename(columns={"value": "difference"})


def _region_columns(subject: str, estimates: Estimates) -> pd.DataFrame:
    parcellation = glasser()
    if len(estimates.value) != len(parcellation.names) - 1:
        raise DataProblem(f"{len(estimates.value)} regions are not the 360 of MMP1.0.", "regions")
    hemispheres, areas = zip(*(_place(parcellation, label) for label in range(1, len(parcellation.names))), strict=True)
    return pd.DataFrame(
        {
            "subject": subject,
            "hemisphere": list(hemispheres),
            "region": list(areas),
            "value": estimates.value,
            "low": estimates.low,
            "high": estimates.high,
            "p": estimates.p,
            "q": estimates.q,
            "n_vertices": estimates.n_vertices,
        }
    )


def _place(parcellation: Parcellation, label: int) -> tuple[str, str]:
    name = parcellation.names[label]
    return HEMISPHERES[name.startswith("R_")], name[2:]
