"""The ambiguity tables: bits of direction per clip, per case, and the probabilities behind them.

Arrays and a table of clips in, DataFrames out. Clips are ranked on odd test runs and reported on even ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.flow.summary import DIRECTIONS
from brainviz.metrics.blocks import shot_blocks
from brainviz.metrics.statistics import bootstrap_interval
from brainviz.metrics.usable_bits import (
    UsableBits,
    entropy_bits,
    interval_with_training,
    log2_of,
    pair_bits,
    usable_bits,
)
from pipelines.evaluate.ambiguity_families import Families

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

WHOLE_FILM = "all"
ALL_RUNS, RANKED_ON, REPORTED_ON = "all", "odd", "even"
NO_PAIR = -1
_MEASURES = ("usable_bits", "pair_bits", "bits_brain", "bits_shifted")


def evaluate_ambiguity(
    subject: str, clips: pd.DataFrame, direction: Index, partner: Index, families: Families, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Bits of direction of one subject's test clips.

    Parameters
    ----------
    subject : str
    clips : DataFrame
        n test clips: clip, segment, onset_s, duration_s, shot, case.
    direction : int (n,)
        True dominant direction, 8 for none; -1 where nothing is valid.
    partner : int (n,)
        Row of the clip that shows the other continuation of the same first frame; -1 where there is none.
    families : Families
    seed : int
        Of the resamples.

    Returns
    -------
    dict of table name -> DataFrame
        ambiguity : subject, clip, case, runs, direction_true, image_entropy, image_loss (-log2 q_image of the true
            direction), bits_brain, bits_shifted, usable_bits, pair_bits, still_below, partner (the clip that opens with
            the same frame and goes on otherwise, "" where none), rank (1 = most usable bits on odd runs; 0 where not
            ranked).
        ambiguity_directions : subject, clip, runs, direction, q_image, q_brain, q_shifted (geometric mean over draws).
        ambiguity_cases : subject, case ("all" is the whole film), runs, usable_bits, low, high, pair_bits, pair_low,
            pair_high, bits_brain, bits_shifted, draws_sd, image_loss, n_clips, n_shots, n_blocks. Intervals are 95 %:
            over blocks of whole shots, that of the usable bits also over the luck of training.
    """
    other = np.where(partner >= 0, direction[partner], NO_PAIR)
    bits = {r: usable_bits(direction, q, families.image, families.shifted[r]) for r, q in families.brain.items()}
    parts = [_clip_rows(runs, clips, direction, other, families, bits[runs]) for runs in bits]
    table = pd.concat(parts, ignore_index=True).assign(still_below=families.still_below)
    names = clips["clip"].to_numpy(object)
    same_frame = (partner >= 0) & clips["shot_onset"].to_numpy(bool)
    table["partner"] = np.tile(np.where(same_frame, names[partner], ""), len(bits))
    table["rank"] = _ranks(table)
    tables = {
        "ambiguity": table,
        "ambiguity_directions": pd.concat([_direction_rows(r, clips, families) for r in families.brain]),
        "ambiguity_cases": pd.DataFrame(_case_rows(table, clips, bits, seed)),
    }
    for made in tables.values():
        made.insert(0, "subject", subject)
    return tables


def continuation_partners(clips: pd.DataFrame, frames: npt.NDArray[np.uint8]) -> Index:
    """Which clip shows the other continuation of the same first frame: int64 (n,), -1 where none does.

    Two shots of one case and of different continuations are a pair where they open with the same picture; their clips
    go together in the order of time.

    Parameters
    ----------
    clips : DataFrame
        n clips in the film's order: shot, case, continuation, shot_onset. Real data have no continuation.
    frames : uint8 (n, ...)
        First frames, of any size.
    """
    partner = np.full(len(clips), NO_PAIR, np.int64)
    if "continuation" not in clips.columns:
        return partner
    case, continuation, shot = (clips[name].fillna("").to_numpy(str) for name in ("case", "continuation", "shot"))
    onsets = [i for i in np.flatnonzero(clips["shot_onset"].to_numpy(bool)) if case[i]]
    first_frame = {i: frames[i].tobytes() for i in onsets}
    for i in onsets:
        alike = [
            j
            for j in onsets
            if (case[i], first_frame[i]) == (case[j], first_frame[j]) and continuation[i] != continuation[j]
        ]
        if len(alike) == 1:
            mine, its = np.flatnonzero(shot == shot[i]), np.flatnonzero(shot == shot[alike[0]])
            both = min(len(mine), len(its))
            partner[mine[:both]] = its[:both]
    return partner


def _clip_rows(
    runs: str, clips: pd.DataFrame, direction: Index, other: Index, families: Families, bits: UsableBits
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip": clips["clip"].to_numpy(),
            "case": clips["case"].fillna("").to_numpy(),
            "runs": runs,
            "direction_true": [DIRECTIONS[d] if d >= 0 else "" for d in direction.tolist()],
            "image_entropy": entropy_bits(families.image),
            "image_loss": -log2_of(direction, families.image),
            "bits_brain": bits.brain,
            "bits_shifted": bits.shifted.mean(0),
            "usable_bits": bits.usable,
            "pair_bits": pair_bits(direction, other, families.brain[runs]),
        }
    )


def _ranks(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Rank of each clip on the odd runs, for the rows of all runs; 0 where those were not decoded apart."""
    odd = table[table["runs"] == RANKED_ON].set_index("clip")["usable_bits"]
    ranks = odd.rank(ascending=False, method="first")
    return np.asarray(table["clip"].map(ranks).fillna(0).to_numpy(), np.int64)


def _direction_rows(runs: str, clips: pd.DataFrame, families: Families) -> pd.DataFrame:
    shifted = np.exp(np.log(families.shifted[runs]).mean(0))
    n = len(clips)
    return pd.DataFrame(
        {
            "clip": np.repeat(clips["clip"].to_numpy(), len(DIRECTIONS)),
            "runs": runs,
            "direction": np.tile(np.array(DIRECTIONS, dtype=object), n),
            "q_image": families.image.ravel(),
            "q_brain": families.brain[runs].ravel(),
            "q_shifted": shifted.ravel(),
        }
    )


def _case_rows(
    table: pd.DataFrame, clips: pd.DataFrame, bits: Mapping[str, UsableBits], seed: int
) -> Iterator[dict[str, object]]:
    blocks = shot_blocks(clips)
    case = clips["case"].fillna("").to_numpy(str)
    members = {WHOLE_FILM: np.ones(len(clips), bool)} | {name: case == name for name in sorted(set(case) - {""})}
    for runs, of_runs in bits.items():
        rows = table[table["runs"] == runs].reset_index(drop=True)
        for name, chosen in members.items():
            kept = chosen & np.isfinite(of_runs.usable)
            if kept.any():
                numbers = _means(rows.where(pd.Series(kept)), of_runs.shifted[:, kept].mean(1), blocks, seed)
                counts = {"n_shots": int(clips["shot"][kept].nunique()), "n_blocks": len(np.unique(blocks[kept]))}
                yield {"case": name, "runs": runs} | numbers | {"n_clips": int(kept.sum())} | counts


def _means(rows: pd.DataFrame, draws: Float64, blocks: Index, seed: int) -> dict[str, float]:
    """Means over the clips that count (rows of NaN do not), with intervals of usable bits and of the pairs' bits."""
    values = rows[[*_MEASURES, "image_loss"]].to_numpy(float)
    low, high = bootstrap_interval(values[:, :2], blocks, seed=seed)
    finite = np.isfinite(values)
    sums = np.where(finite, values, 0).sum(0)
    mean = np.divide(sums, finite.sum(0), out=np.full(len(sums), np.nan), where=finite.any(0))
    means = dict(zip([*_MEASURES, "image_loss"], mean.tolist(), strict=True))
    usable = interval_with_training(float(mean[0]), float(low[0]), float(high[0]), draws)
    ends = {"low": usable[0], "high": usable[1], "pair_low": float(low[1]), "pair_high": float(high[1])}
    return means | ends | {"draws_sd": float(np.std(draws, ddof=1)) if len(draws) > 1 else float("nan")}
