"""Which of two encoders predicts a region better: one rule for words, tables and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
_PLACE = ["subject", "hemisphere", "region"]


def better_encoder(contrasts: pd.DataFrame, regions: pd.DataFrame, alpha: float = ALPHA) -> npt.NDArray[np.int8]:
    """Say for each row of the table `contrasts` which encoder predicts better.

    The difference must be clear (q below `alpha`), and the better encoder must predict the region at all (its own q
    below `alpha`): an encoder that predicts nothing is not better where the other's r falls below zero.

    Parameters
    ----------
    contrasts : subject, hemisphere, region, a, b, difference, q
    regions : subject, hemisphere, region, encoder, q

    Returns
    -------
    int8 (n,)
        1 where a, -1 where b, 0 where neither is clearly better.
    """
    able = set(regions.loc[regions["q"] < alpha, [*_PLACE, "encoder"]].itertuples(index=False, name=None))
    sign = np.sign(np.nan_to_num(contrasts["difference"].to_numpy(float))) * (contrasts["q"].to_numpy(float) < alpha)
    winner = np.where(sign > 0, contrasts["a"].astype(str), contrasts["b"].astype(str))
    places = contrasts[_PLACE].itertuples(index=False, name=None)
    predicts = np.array([(*place, name) in able for place, name in zip(places, winner, strict=True)], bool)
    return (sign * predicts).astype(np.int8)
