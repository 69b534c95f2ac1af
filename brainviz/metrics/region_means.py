"""Means of a map over cortical regions and over chosen vertices, for the map itself and for every draw of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regions:
    """Which vertices are averaged.

    Attributes
    ----------
    label : int (v,)
        Region of each vertex, 0 to n - 1; other values belong to none.
    n : int
        Number of regions.
    chosen : bool (v,)
        The vertices of the map's own mean, which comes after the regions: all, or those reliable in training.
    """

    label: npt.NDArray[np.int64]
    n: int
    chosen: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, label: npt.NDArray[Any], n: int, chosen: npt.NDArray[np.bool_] | None = None) -> Regions:
        """Check and build; without `chosen` the map's mean is over all vertices.

        Raises
        ------
        DataProblem
            Where the two differ in shape.
        """
        label = np.asarray(label).astype(np.int64)
        chosen = np.ones(len(label), bool) if chosen is None else np.asarray(chosen, bool)
        if label.ndim != 1 or chosen.shape != label.shape or n < 0:
            raise DataProblem(f"Regions {label.shape} and chosen vertices {chosen.shape} differ in shape.", "regions")
        return cls(label, n, chosen)

    def members(self, columns: slice, usable: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """Groups that occur among some columns, int64 (g,), and who belongs to them, float32 (k, g)."""
        label = self.label[columns]
        present = np.unique(label[(label >= 0) & (label < self.n) & usable])
        member = (label[:, None] == present) & usable[:, None]
        chosen = self.chosen[columns] & usable
        return np.append(present, self.n), np.column_stack([member, chosen]).astype(np.float32)


def glasser_regions(chosen: npt.NDArray[np.bool_] | None = None) -> Regions:
    """The 360 regions of MMP1.0 in cortex order: 0-179 left, 180-359 right, as `glasser().names[1:]`."""
    from brainviz.cortex.regions import glasser

    parcellation = glasser()
    return Regions.of(parcellation.cortex_labels.astype(np.int64) - 1, len(parcellation.names) - 1, chosen)


@dataclass
class MeansOfDraws:
    """Means over groups of vertices, gathered some columns at a time.

    Exact means of the vertices' values within each draw, not a statistic of pooled time courses.
    """

    regions: Regions
    n_draws: int
    total: Float64 = field(init=False)
    count: Float64 = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.total = np.zeros((self.n_draws, self.regions.n + 1))
        self.count = np.zeros(self.regions.n + 1)

    def add(self, columns: slice, draws: npt.NDArray[np.float32], usable: npt.NDArray[np.bool_]) -> None:
        """Take in the draws (n_draws, k) of some columns; those not usable must hold 0."""
        groups, member = self.regions.members(columns, usable)
        self.total[:, groups] += draws @ member
        self.count[groups] += member.sum(0)

    @property
    def means(self) -> Float64:
        """Means per draw, float64 (n_draws, n + 1), the chosen vertices last; NaN for a group without a vertex."""
        return np.divide(self.total, self.count, out=np.full_like(self.total, np.nan), where=self.count > 0)


def means_of_map(values: npt.NDArray[Any], regions: Regions) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Mean over each group's finite vertices, float64 (n + 1,), and their number, int64 (n + 1,)."""
    values = np.asarray(values, float)
    usable = np.isfinite(values)
    inside = usable & (regions.label >= 0) & (regions.label < regions.n)
    chosen = usable & regions.chosen
    total = np.append(np.bincount(regions.label[inside], values[inside], regions.n), values[chosen].sum())
    count = np.append(np.bincount(regions.label[inside], minlength=regions.n), chosen.sum())
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0), count.astype(np.int64)
