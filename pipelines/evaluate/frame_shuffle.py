"""The frame-shuffle test of decoded films, on the shown and on shifted fMRI.

Any smooth film passes the test alone (`pipelines.mind_animator.shuffle_test`). Films decoded from fMRI that is shifted
against its film are as smooth: what decoded motion is worth is what the film of the shown fMRI has over these. Three
measures are compared: the error, what a film loses when its frames are shuffled (mostly the price of jumps, which
shifted fMRI pays too), and what it loses when it runs backwards, which costs no jumps: only the direction of time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.metrics.statistics import bootstrap_interval, paired_block_test
from pipelines.evaluate.tested import tested
from pipelines.mind_animator.shuffle_test import StepErrors, random_orders, shuffle_test

SHOWN, SHIFTED = "shown", "shifted"
MEASURES = ("error", "shuffled", "reversed")
"""Error of the film, and by how much it grows when the frames are shuffled or run backwards; pixels."""
DRAWS = 999


def frame_shuffle(
    subject: str, errors: Mapping[str, StepErrors], blocks: npt.NDArray[np.int64], seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Both tables of one subject.

    Parameters
    ----------
    subject : str
    errors : {"shown": ..., "shifted": ...}
        Of the films that were decoded from either fMRI, the same clips.
    blocks : int64 (clips,)
        From `brainviz.metrics.blocks.shot_blocks`.
    seed : int
        Of the orders, permutations and resamples.

    Returns
    -------
    dict of table name -> DataFrame
        shuffle_test : subject, fmri, error (pixels, mean over clips), reversed, frozen, shuffled (mean over orders),
            gain (shuffled - error), low, high (95 % block interval of the gain), p (share of orders that are at least
            as good as the film's own), orders, frozen_low, frozen_high, frozen_p (95 % block interval of frozen -
            error, and its p by sign flips over blocks, two-sided), n, n_blocks.
        shuffle_test_shift : subject, measure (of `MEASURES`), shown, shifted, difference (above 0 where the shown fMRI
            is better), low, high, p (sign flips over blocks, two-sided), p_holm (over the measures), n, n_blocks,
            enough_blocks.
    """
    frames = errors[SHOWN].error.shape[2]
    orders = random_orders(DRAWS, frames, np.random.RandomState(seed))
    rows: list[dict[str, object]] = []
    values: dict[str, list[npt.NDArray[np.float64]]] = {}
    for fmri in (SHOWN, SHIFTED):
        found = shuffle_test(errors[fmri], orders)
        gain, backwards = found.shuffled_per_clip - found.per_clip, found.reversed_per_clip - found.per_clip
        values[fmri] = [found.per_clip, gain, backwards]
        low, high = bootstrap_interval(gain, blocks, seed=seed)
        still = paired_block_test(errors[fmri].frozen, found.per_clip, blocks, seed=seed)
        rows.append(
            {
                "subject": subject,
                "fmri": fmri,
                "error": found.observed,
                "reversed": found.reversed,
                "frozen": found.frozen,
                "shuffled": float(found.shuffled.mean()),
                "gain": float(gain.mean()),
                "low": float(low),
                "high": float(high),
                "p": found.p,
                "orders": DRAWS,
                "frozen_low": float(still.low),
                "frozen_high": float(still.high),
                "frozen_p": float(still.p),
                "n": len(blocks),
                "n_blocks": len(np.unique(blocks)),
            }
        )
    shown, shifted = (np.stack(values[fmri], axis=1) for fmri in (SHOWN, SHIFTED))
    signs = np.array([-1.0, 1.0, 1.0])  # a small error is good, a large loss is
    test = paired_block_test(signs * shown, signs * shifted, blocks, seed=seed)
    shift = pd.DataFrame(
        {
            "subject": subject,
            "measure": MEASURES,
            "shown": shown.mean(0),
            "shifted": shifted.mean(0),
            **tested(test),
        }
    )
    return {"shuffle_test": pd.DataFrame(rows), "shuffle_test_shift": shift}
