"""Tables of the reanimations' scores: every system on the same clips and blocks, per metric.

Blocks, tests and intervals are those of the motion tables (`pipelines.evaluate.comparisons`). The frozen first frame
stands in every comparison: by some scores it wins, and that is worth seeing.
"""

from __future__ import annotations

import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.metrics.video.names import METRICS
from pipelines.evaluate.comparisons import ClipUnits, compare, summarise

FROZEN = "zero"
OWN_FILMS = ("svd", "imported")
"""Backends whose films no flow of ours drives: like the frozen frame they are compared with every backend and mask."""

TABLES = ("reanimation", "reanimation_summary", "reanimation_tests")
_SUMMARY = ["system", "backend", "mask", "metric", "mean", "low", "high", "n_clips", "n_blocks"]
_TESTS = ["a", "b", "backend", "mask", "metric", "mean_a", "mean_b", "difference", "low", "high", "p", "p_holm"]


def evaluate_reanimations(
    subject: str, scores: pd.DataFrame, clips: pd.DataFrame, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Means with intervals and paired tests of one subject.

    Parameters
    ----------
    subject : str
    scores : DataFrame
        system, backend, mask, clip, sample, metric, value; NaN where a clip has nothing to be scored on.
    clips : DataFrame
        The catalogue: clip, segment, onset_s, duration_s, shot.
    seed : int
        Of permutations and resamples.

    Returns
    -------
    dict of table name -> DataFrame
        reanimation : subject, clip, system, backend, mask, sample, metric, value.
        reanimation_summary : subject, system, backend, mask, metric, mean, low, high (95 % block interval), n_clips,
            n_blocks; the mean over samples where there are several.
        reanimation_tests : subject, a, b, backend, mask, metric, mean_a, mean_b, difference (a - b), low, high, p
            (sign-flip over blocks, two-sided), p_holm (over the pairs of one metric), n_blocks, n_clips, enough_blocks.

    Raises
    ------
    BrainvizError
        No clip was scored with every system of a backend and mask.
    """
    columns = ["clip", "system", "backend", "mask", "sample", "metric", "value"]
    tables = {"reanimation": scores[columns].reset_index(drop=True)}
    common = scores[(scores["system"] == FROZEN) | scores["backend"].isin(OWN_FILMS)]
    summaries, tests = [], []
    for (backend, mask), own in scores[~scores["backend"].isin(OWN_FILMS)].groupby(["backend", "mask"], observed=True):
        together = pd.concat([own, common[~common["system"].isin(own["system"].unique())]])
        summary, test = _compared(together, set(own["system"]), clips, seed)
        names = {"backend": str(backend), "mask": str(mask)}
        summaries.append(summary.assign(**names)[_SUMMARY])
        tests.append(test.assign(**names)[[*_TESTS, "n_blocks", "n_clips", "enough_blocks"]])
    tables["reanimation_summary"] = pd.concat(summaries, ignore_index=True)
    tables["reanimation_tests"] = pd.concat(tests, ignore_index=True)
    for table in tables.values():
        table.insert(0, "subject", subject)
    return tables


def _compared(
    scores: pd.DataFrame, driven: set[str], clips: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summary and tests of the systems of one backend and mask, on the clips that all driven ones have.

    Films of others that lack some of these clips are compared on those that they have.
    """
    per_clip = scores.groupby(["metric", "system", "clip"], observed=True)["value"].mean()
    having = scores[scores["system"].isin(driven)].groupby("clip")["system"].nunique()
    shared = set(having[having == len(driven)].index)
    chosen = clips[clips["clip"].isin(shared)].reset_index(drop=True)
    if chosen.empty:
        raise BrainvizError("The systems have no reanimated clip in common.", "reanimation", "Run the stage again.")
    units = ClipUnits.of(chosen)
    everyone = ClipUnits(units.blocks, {"all": units.subsets["all"]})
    summaries, tests = [], []
    for metric in METRICS:
        if metric not in per_clip.index.get_level_values("metric"):
            continue
        wide = per_clip[metric].unstack("system").reindex(chosen["clip"])
        values = {str(system): wide[system].to_numpy(float) for system in wide}
        # Skill against the frozen frame is no part of these tables; the mean, interval and counts are.
        summary = summarise(values, wide.iloc[:, 0].to_numpy(float), everyone, seed).rename(columns={"value": "mean"})
        summaries.append(summary.assign(metric=metric))
        tests.append(compare(values, everyone, seed).assign(metric=metric))
    return pd.concat(summaries, ignore_index=True), pd.concat(tests, ignore_index=True)
