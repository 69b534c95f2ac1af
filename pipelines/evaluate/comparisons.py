"""Means with intervals and paired tests from a matrix of errors per clip and system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainviz.metrics.blocks import at_shot_onset, shot_blocks
from brainviz.metrics.statistics import block_sums, bootstrap_interval, paired_block_test
from pipelines.evaluate.tested import tested

Errors = npt.NDArray[np.float64]

SUBSETS = ("all", "shot_onset", "within_shot")
"""All clips; those that begin a shot, whose fMRI window spans a cut; those that do not."""

CLAIMED = ("brain", "brain-reference", "ridge", "shuffled")
"""Systems that read fMRI, each also tested against the frame alone (`shuffled` should not differ from it)."""

FRAME_ALONE = "image-only"

_COLUMNS = (
    "a",
    "b",
    "subset",
    "mean_a",
    "mean_b",
    "ratio",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "n_blocks",
    "n_clips",
    "enough_blocks",
)


@dataclass(frozen=True)
class ClipUnits:
    """What is exchangeable among the test clips.

    Attributes
    ----------
    blocks : int64 (n,)
    subsets : dict of bool (n,), in the order of `SUBSETS`
    """

    blocks: npt.NDArray[np.int64]
    subsets: dict[str, npt.NDArray[np.bool_]]

    @classmethod
    def of(cls, clips: pd.DataFrame) -> ClipUnits:
        """Blocks of whole shots and the subsets of the clips, from their table."""
        onset = at_shot_onset(clips)
        return cls(shot_blocks(clips), {"all": np.ones(len(clips), bool), "shot_onset": onset, "within_shot": ~onset})


def pairs_to_test(systems: Sequence[str]) -> list[tuple[str, str]]:
    """The comparisons that are made: `brain` with every other system, each fMRI system with the frame alone."""
    pairs = [("brain", other) for other in systems if other != "brain"] if "brain" in systems else []
    if FRAME_ALONE in systems:
        pairs += [(name, FRAME_ALONE) for name in CLAIMED if name in systems and name != "brain"]
    return pairs


def compare(errors: Mapping[str, Errors], units: ClipUnits, seed: int = 0) -> pd.DataFrame:
    """Paired block tests of systems on the same clips.

    Parameters
    ----------
    errors : mapping of system -> float64 (n,)
        Errors per clip of one measure, mask and part; NaN where a clip has no score.
    units : ClipUnits
    seed : int

    Returns
    -------
    DataFrame
        a, b, subset, mean_a, mean_b, ratio, difference (mean of a - b: below 0 where a is better), low, high (95 %
        block interval), p (sign-flip over blocks, two-sided), p_holm (over the pairs of one subset), n_blocks, n_clips,
        enough_blocks (20 or more, which a claim of p < .001 needs).
    """
    pairs = pairs_to_test(list(errors))
    frames = []
    for subset, keep in units.subsets.items():
        if not pairs or not keep.any():
            continue
        a = np.stack([np.where(keep, errors[first], np.nan) for first, _ in pairs], axis=1)
        b = np.stack([np.where(keep, errors[second], np.nan) for _, second in pairs], axis=1)
        test = paired_block_test(a, b, units.blocks, seed=seed)
        both = np.isfinite(a) & np.isfinite(b)
        mean_a, mean_b = _column_mean(np.where(both, a, np.nan)), _column_mean(np.where(both, b, np.nan))
        frames.append(
            pd.DataFrame(
                {
                    "a": [first for first, _ in pairs],
                    "b": [second for _, second in pairs],
                    "subset": subset,
                    "mean_a": mean_a,
                    "mean_b": mean_b,
                    "ratio": np.divide(mean_a, mean_b, out=np.full_like(mean_a, np.nan), where=mean_b > 0),
                    **tested(test),
                }
            ).rename(columns={"n": "n_clips"})[list(_COLUMNS)]
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_COLUMNS))


def summarise(errors: Mapping[str, Errors], epe_zero: Errors, units: ClipUnits, seed: int = 0) -> pd.DataFrame:
    """Mean error of every system with its block interval, and its skill against zero flow.

    Parameters
    ----------
    errors : mapping of system -> float64 (n,)
    epe_zero : float64 (n,)
        Error of zero flow on the same clips, mask and part.
    units : ClipUnits
    seed : int

    Returns
    -------
    DataFrame
        system, subset, value, low, high, epe_zero, skill (1 - mean error / mean error of zero flow), n_clips, n_blocks.
    """
    names = list(errors)
    frames = []
    for subset, keep in units.subsets.items():
        values = np.stack([np.where(keep, errors[name], np.nan) for name in names], axis=1)
        low, high = bootstrap_interval(values, units.blocks, seed=seed)
        _, counts = block_sums(values, units.blocks)
        mean = _column_mean(values)
        zero = _column_mean(np.where(np.isfinite(values), epe_zero[:, None], np.nan))
        skill = 1 - np.divide(mean, zero, out=np.full_like(mean, np.nan), where=zero > 0)
        frames.append(
            pd.DataFrame(
                {
                    "system": names,
                    "subset": subset,
                    "value": mean,
                    "low": low,
                    "high": high,
                    "epe_zero": zero,
                    "skill": skill,
                    "n_clips": counts.sum(0).astype(int),
                    "n_blocks": (counts > 0).sum(0),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _column_mean(values: Errors) -> Errors:
    """Mean of the finite values of each column; NaN where there are none."""
    finite = np.isfinite(values)
    total, count = np.where(finite, values, 0).sum(0), finite.sum(0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
