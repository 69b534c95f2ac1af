"""What each correction of Mind-Animator is worth: the corrected form against itself with one correction undone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.metrics.blocks import shot_blocks
from brainviz.metrics.statistics import paired_block_test
from brainviz.metrics.video.benchmark_names import BENCHMARK, better
from pipelines.evaluate.tested import tested


def worth_of_corrections(
    subject: str, scores: Mapping[str, pd.DataFrame], whole: str, clips: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """Compare one subject's forms on the same clips, metric by metric.

    Parameters
    ----------
    subject : str
    scores : mapping of form -> DataFrame
        clip, metric, value; NaN where a clip has no score.
    whole : str
        The form with all corrections; every other form is compared with it.
    clips : DataFrame
        The catalogue: clip, segment, onset_s, duration_s, shot.
    seed : int
        Of permutations and resamples.

    Returns
    -------
    DataFrame
        subject, form (what is left when something is undone), metric, mean_whole, mean_undone, gain (above 0 where the
        correction helps, whichever way the metric runs), low, high (95 % block interval of the gain), p (sign flips
        over blocks, two-sided), p_holm (over the forms of one metric), n, n_blocks, enough_blocks.

    Raises
    ------
    BrainvizError
        The whole form is not among the scores.
    """
    if whole not in scores:
        raise BrainvizError(f"There are no scores of the form {whole!r}.", "corrections", "Run the stage again.")
    blocks = pd.Series(shot_blocks(clips), index=clips["clip"])
    wide = {form: table.pivot_table(index="clip", columns="metric", values="value") for form, table in scores.items()}
    undone = [form for form in scores if form != whole]
    parts = []
    for metric in (name for name in BENCHMARK if name in wide[whole]):
        values = pd.DataFrame({form: table[metric] for form, table in wide.items() if metric in table})
        there = [form for form in undone if form in values]
        values = values.dropna()
        if not there or values.empty:
            continue
        own = np.repeat(values[[whole]].to_numpy(), len(there), axis=1)
        other = values[there].to_numpy()
        test = paired_block_test(
            better(metric) * own, better(metric) * other, blocks.loc[values.index].to_numpy(), seed=seed
        )
        parts.append(
            pd.DataFrame(
                {
                    "subject": subject,
                    "form": there,
                    "metric": metric,
                    "mean_whole": own.mean(0),
                    "mean_undone": other.mean(0),
                    **tested(test),
                }
            ).rename(columns={"difference": "gain"})
        )
    if not parts:
        raise BrainvizError("The forms share no scored clip.", "corrections", "Run the stage again.")
    return pd.concat(parts, ignore_index=True)
