"""Tables of the benchmark: every system under one protocol, on the same clips.

Values are means over clips with intervals over blocks of whole shots; every pair of systems is tested by sign flips of
whole blocks, corrected after Holm over the pairs of one metric. The frozen first frame is one of the systems: it may
win, and that is worth seeing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.metrics.blocks import shot_blocks
from brainviz.metrics.statistics import block_sums, bootstrap_interval, paired_block_test
from brainviz.metrics.video.benchmark_names import BENCHMARK, RETRIEVAL, chance, protocol
from pipelines.evaluate.tested import tested

CEILING = "truth"
"""Driven by the true film: shown as what can be reached, and never tested."""

TABLES = ("benchmark", "benchmark_clips", "benchmark_tests", "benchmark_absent")
NO_RETRIEVAL = "It is given the true first frame, which would be retrieved."
NO_VECTOR = "It gives no vector in the space that clips are searched in."
_Values = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Protocol:
    """What holds for all systems.

    Attributes
    ----------
    size : int
        Side of the compared frames in pixels.
    labeller : str
        What measured the flow, of films and reanimations alike.
    imported : tuple of str
        Systems whose films or first frames others made: they may lack clips.
    galleries : mapping of metric -> clips to choose from, of retrieval
    p_chance : mapping of (system, metric) -> p against chance
    networks : bool
        Whether networks were asked to score at all.
    seed : int
        Of permutations and resamples.
    """

    size: int
    labeller: str
    imported: tuple[str, ...] = ()
    galleries: Mapping[str, int] = field(default_factory=dict)
    p_chance: Mapping[tuple[str, str], float] = field(default_factory=dict)
    networks: bool = False
    seed: int = 0

    def tag(self, metric: str) -> str:
        """Of the column `protocol`."""
        return protocol(metric, self.size, self.labeller, self.galleries.get(metric, 0))


def evaluate_benchmark(
    subject: str, scores: pd.DataFrame, clips: pd.DataFrame, rules: Protocol
) -> dict[str, pd.DataFrame]:
    """Ranking, per-clip values and tests of one subject.

    Parameters
    ----------
    subject : str
    scores : DataFrame
        system, clip, metric, value; several rows of one clip (samples) are averaged; NaN where a clip has no score.
    clips : DataFrame
        The catalogue: clip, segment, onset_s, duration_s, shot.
    rules : Protocol

    Returns
    -------
    dict of table name -> DataFrame
        benchmark : subject, system, metric, protocol, value, low, high (95 % block interval), chance, p_chance, n,
            n_blocks.
        benchmark_clips : subject, clip, system, metric, protocol, value.
        benchmark_tests : subject, a, b, metric, protocol, mean_a, mean_b, difference (a - b), low, high, p (sign-flip
            over blocks, two-sided), p_holm (over the pairs of one metric), n, n_blocks, enough_blocks.
        benchmark_absent : subject, system ("" for all), metric, reason.

    Raises
    ------
    BrainvizError
        The systems have no clip in common.
    """
    per_clip = scores.groupby(["metric", "system", "clip"], observed=True)["value"].mean()
    # Of the film, not of the clips at hand: where clips were sampled, a block still spans 30 s of film.
    places = clips.reset_index(drop=True).assign(block=shot_blocks(clips))
    means, rows, tests = [], [], []
    for metric in (name for name in BENCHMARK if name in per_clip.index.get_level_values("metric")):
        values, chosen = _on_same_clips(per_clip[metric], places, rules)
        blocks = chosen["block"].to_numpy()
        named = {"metric": metric, "protocol": rules.tag(metric)}
        means.append(_means(values, blocks, metric, rules).assign(**named))
        rows += [pd.DataFrame({"clip": chosen["clip"], "system": s, "value": v, **named}) for s, v in values.items()]
        tests.append(_tests(values, blocks, rules.seed).assign(**named))
    tables = {
        "benchmark": pd.concat(means, ignore_index=True)[
            ["system", "metric", "protocol", "value", "low", "high", "chance", "p_chance", "n", "n_blocks"]
        ],
        "benchmark_clips": pd.concat(rows, ignore_index=True)[["clip", "system", "metric", "protocol", "value"]],
        "benchmark_tests": pd.concat(tests, ignore_index=True),
        "benchmark_absent": _absent(scores, rules),
    }
    for table in tables.values():
        table.insert(0, "subject", subject)
    return tables


def _on_same_clips(per_clip: pd.Series, places: pd.DataFrame, rules: Protocol) -> tuple[_Values, pd.DataFrame]:
    """Values of every system on the clips that all own systems have; imported ones keep their gaps."""
    wide = per_clip.unstack("system")
    scored = [name for name in wide if wide[name].notna().any()]
    own = [name for name in scored if name not in rules.imported] or scored
    shared = wide.index[wide[own].notna().all(axis=1)]
    chosen = places[places["clip"].isin(shared)].reset_index(drop=True)
    if chosen.empty:
        raise BrainvizError("The systems have no scored clip in common.", "benchmark", "Run the stage again.")
    wide = wide.reindex(chosen["clip"])
    there = [name for name in wide if wide[name].notna().any()]
    return {str(name): wide[name].to_numpy(float) for name in there}, chosen


def _means(values: _Values, blocks: npt.NDArray[np.int64], metric: str, rules: Protocol) -> pd.DataFrame:
    matrix = np.stack(list(values.values()), axis=1)
    low, high = bootstrap_interval(matrix, blocks, seed=rules.seed)
    _, counts = block_sums(matrix, blocks)
    level = chance(metric, rules.galleries.get(metric, 0))
    return pd.DataFrame(
        {
            "system": list(values),
            "value": np.nanmean(matrix, axis=0),
            "low": low,
            "high": high,
            "chance": level,
            "p_chance": [rules.p_chance.get((system, metric), float("nan")) for system in values],
            "n": counts.sum(0).astype(int),
            "n_blocks": (counts > 0).sum(0),
        }
    )


def _tests(values: _Values, blocks: npt.NDArray[np.int64], seed: int) -> pd.DataFrame:
    """All pairs of systems but the ceiling."""
    pairs = list(combinations([name for name in values if name != CEILING], 2))
    if not pairs:
        return pd.DataFrame({"a": [], "b": []})
    a, b = (np.stack([values[pair[side]] for pair in pairs], axis=1) for side in (0, 1))
    test = paired_block_test(a, b, blocks, seed=seed)
    both = np.isfinite(a) & np.isfinite(b)
    many = np.maximum(both.sum(0), 1)
    return pd.DataFrame(
        {
            "a": [pair[0] for pair in pairs],
            "b": [pair[1] for pair in pairs],
            "mean_a": np.where(both, a, 0).sum(0) / many,
            "mean_b": np.where(both, b, 0).sum(0) / many,
            **tested(test),
        }
    )


def _absent(scores: pd.DataFrame, rules: Protocol) -> pd.DataFrame:
    """What is not scored, and why."""
    there = set(scores.loc[scores["value"].notna(), "metric"])
    rows = []
    for name, metric in BENCHMARK.items():
        if name in there:
            continue
        reason = _needs(metric.weights, rules) if metric.weights else "No system that it applies to has results."
        rows.append(("", name, reason))
    searched = set(scores.loc[scores["metric"].isin(RETRIEVAL), "system"])
    if searched:
        for system in sorted(set(scores["system"]) - searched):
            decoded = system == "brain-e2e" or system in rules.imported
            rows += [(system, name, NO_VECTOR if decoded else NO_RETRIEVAL) for name in RETRIEVAL]
    return pd.DataFrame(rows, columns=["system", "metric", "reason"])


def _needs(weights: Sequence[str], rules: Protocol) -> str:
    """Why a metric of networks is absent, and how to get it."""
    asked = "" if rules.networks else " No network was asked when this was scored; the demo asks none."
    fetched = "; ".join(f"python -m pipelines weights {name}" for name in weights)
    return (
        f"Needs the weights of {' and '.join(weights)}.{asked} To have it on real data: {fetched}; then start the run "
        "again."
    )
