"""The three measures of every region, with block intervals and the null of random patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainviz.metrics.blocks import shot_blocks
from brainviz.metrics.corrections import benjamini_hochberg
from brainviz.metrics.statistics import block_sums, bootstrap_interval
from pipelines.leave_out.conditional import ConditionalMean
from pipelines.leave_out.errors import ClipErrors
from pipelines.leave_out.model import FullModel, Members
from pipelines.leave_out.null import AgainstPatches, against_patches
from pipelines.leave_out.refits import Part

MEASURES = ("reliance", "unique", "alone")
UNUSED = "no vertex of the region is reliable enough to be decoded from"
EVERY_CLIP, EVERY_POINT = 3, 2
_SIGN = {"reliance": 1, "unique": 1, "alone": -1}
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Contribution:
    """What is asked of one subject's decoder.

    Attributes
    ----------
    model : FullModel
    conditional : ConditionalMean
    errors : ClipErrors
    clips : DataFrame
        The test clips, for the blocks of whole shots.
    reliability : float32 (v,)
    """

    model: FullModel
    conditional: ConditionalMean
    errors: ClipErrors
    clips: pd.DataFrame
    reliability: NDArray[np.floating]

    @cached_property
    def base(self) -> NDArray[np.float64]:
        """Errors that the measures are compared with, (3, n): of the full decoder, twice, and of the mean flow."""
        full = self.errors.of_scores(self.model.scores)
        return np.stack([full, full, self.errors.of_mean()])

    def place(self, members: Members) -> tuple[float, float]:
        """Log size and mean reliability of a part."""
        return float(np.log(len(members))), float(self.reliability[members].mean())


@dataclass(frozen=True, eq=False)
class Comparison:
    """The quicker measurement that regions and patches both go through, to be compared with each other.

    Refits see every third training clip (neighbouring clips share four of their five volumes), errors are taken at
    every second grid point each way.
    """

    model: FullModel
    conditional: ConditionalMean
    errors: ClipErrors

    @classmethod
    def of(cls, contribution: Contribution) -> Comparison:
        return cls(
            contribution.model.thinned(EVERY_CLIP), contribution.conditional, contribution.errors.at_every(EVERY_POINT)
        )

    @cached_property
    def base(self) -> dict[str, float]:
        """Mean error of the full decoder, or of the mean flow, under each measure."""
        full = {"reliance": self.conditional.model, "unique": self.model}
        errors = {name: self.errors.of_scores(model.scores) for name, model in full.items()}
        return {name: float(np.nanmean(e)) for name, e in (errors | {"alone": self.errors.of_mean()}).items()}

    def gains(self, members: Members, reliance: NDArray[np.float32] | None = None) -> list[float]:
        """Contribution under each of `MEASURES`, larger for more: error added without the part, or taken away by it
        alone. `reliance`: its scores where they are known already.
        """
        part = Part(self.model, members)
        scores = [self.conditional.scores(members) if reliance is None else reliance, part.without(), part.only()]
        means = [float(np.nanmean(self.errors.of_scores(s))) for s in scores]
        return [_SIGN[m] * (value - self.base[m]) for m, value in zip(MEASURES, means, strict=True)]


def region_table(
    contribution: Contribution,
    regions: Mapping[str, Members],
    patches: Sequence[Members],
    seed: int,
    progress: Progress,
) -> pd.DataFrame:
    """One row per region and measure.

    Returns
    -------
    DataFrame
        region, measure, epe_change (px per step: reliance and unique against the full decoder, above 0 where it does
        worse without the region; alone against the mean flow, below 0 where the region alone does better), low, high
        (95 % interval over blocks of whole shots), p (one-sided, against random patches: a larger contribution), q
        (Benjamini and Hochberg over the regions of a measure), null (mean change of patches of this size and
        reliability), z, n_vertices, reliability, n_patches, n_clips, n_blocks, reason (why there is no value).
    """
    kept = {name: members for name, members in regions.items() if len(members)}
    blocks = shot_blocks(contribution.clips)
    compared = Comparison.of(contribution)
    total = 3 * len(kept) + len(patches)
    changes, gains = [], []
    for i, members in enumerate(kept.values()):
        progress(3 * i / total, f"Region {i + 1} of {len(kept)}")
        change, reliance = _changes(contribution, members)
        changes.append(change)
        gains.append(compared.gains(members, reliance))
    null = []
    for i, members in enumerate(patches):
        progress((3 * len(kept) + i) / total, f"Random patch {i + 1} of {len(patches)}")
        null.append(compared.gains(members))
    places, patch_places = ([contribution.place(m) for m in parts] for parts in (kept.values(), patches))
    frames = []
    for k, measure in enumerate(MEASURES):
        own, others = _column(gains, k), _column(null, k)
        against = against_patches(own, _pairs(places), others, _pairs(patch_places))
        frames.append(_measure_rows(measure, list(kept), np.stack([c[k] for c in changes], 1), blocks, against, seed))
    table = pd.concat(frames, ignore_index=True)
    table["n_vertices"] = table["region"].map({name: len(members) for name, members in regions.items()})
    table["reliability"] = table["region"].map({name: place[1] for name, place in zip(kept, places, strict=True)})
    return _with_unused(table.assign(n_patches=len(patches), reason=""), regions)


def _changes(contribution: Contribution, members: Members) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Change of error per measure and test clip (3, n), and the scores under reliance."""
    part = Part(contribution.model, members)
    reliance = contribution.conditional.scores(members)
    errors = [contribution.errors.of_scores(scores) for scores in (reliance, part.without(), part.only())]
    return np.stack(errors) - contribution.base, reliance


def _column(values: list[list[float]], k: int) -> NDArray[np.float64]:
    return np.array(values, float).reshape(-1, len(MEASURES))[:, k]


def _pairs(values: list[tuple[float, float]]) -> NDArray[np.float64]:
    return np.array(values, float).reshape(-1, 2)


def _measure_rows(
    measure: str,
    names: list[str],
    change: NDArray[np.float64],
    blocks: NDArray[np.int64],
    against: AgainstPatches,
    seed: int,
) -> pd.DataFrame:
    low, high = bootstrap_interval(change, blocks, seed=seed) if names else (np.empty(0), np.empty(0))
    _, counts = block_sums(change, blocks)
    return pd.DataFrame(
        {
            "region": names,
            "measure": measure,
            "epe_change": np.nanmean(change, axis=0),
            "low": low,
            "high": high,
            "p": against.p,
            "q": benjamini_hochberg(against.p),
            "null": _SIGN[measure] * against.expected,
            "z": against.z,
            "n_clips": counts.sum(0).astype(int),
            "n_blocks": (counts > 0).sum(0),
        }
    )


def _with_unused(table: pd.DataFrame, regions: Mapping[str, Members]) -> pd.DataFrame:
    """Rows without a value for regions that the decoder does not use; regions in their own order."""
    missing = [
        {"region": name, "measure": measure, "n_vertices": 0, "n_patches": 0, "reason": UNUSED}
        for measure in MEASURES
        for name, members in regions.items()
        if not len(members)
    ]
    whole = pd.concat([table, pd.DataFrame(missing)], ignore_index=True) if missing else table
    order = {name: i for i, name in enumerate(regions)}
    rank = whole["measure"].map(MEASURES.index) * len(order) + whole["region"].map(order)
    return whole.iloc[np.argsort(rank.to_numpy(), kind="stable")].reset_index(drop=True)
