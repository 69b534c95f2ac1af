"""The 360 regions of the HCP multi-modal parcellation, MMP1.0 (Glasser et al. 2016, Nature 536)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import full_to_cortex, read_asset
from brainviz.errors import UnknownName

N_REGIONS_PER_SIDE = 180
HEMISPHERES = ("left", "right")


@dataclass(frozen=True, eq=False)
class Parcellation:
    """Region of every vertex.

    Attributes
    ----------
    labels : int16 (64984,)
        0 = none (the medial wall), 1-180 left, 181-360 right. The official file puts the right first.
    names : tuple of str (361,)
        ``names[label]``, e.g. ``"L_V1"``; ``names[0]`` is empty.
    """

    labels: npt.NDArray[np.int16]
    names: tuple[str, ...]

    @property
    def cortex_labels(self) -> npt.NDArray[np.int16]:
        """Labels in cortex order, int16 (59412,)."""
        labels: npt.NDArray[np.int16] = full_to_cortex(self.labels)
        return labels

    @property
    def areas(self) -> tuple[str, ...]:
        """The 180 area names without their hemisphere, e.g. ``"V1"``."""
        return tuple(name[2:] for name in self.names[1 : N_REGIONS_PER_SIDE + 1])

    def ids(self, name: str) -> tuple[int, ...]:
        """Labels of a region: ``"L_V1"`` gives one, ``"V1"`` left and right.

        Raises
        ------
        UnknownName
            With the nearest names that exist.
        """
        known = _positions(self.names)
        if name in known:
            return (known[name],)
        if f"L_{name}" in known and name:
            return known[f"L_{name}"], known[f"R_{name}"]
        near = difflib.get_close_matches(name, [*self.areas, *self.names[1:]], 3)
        remedy = f"Did you mean {', '.join(near)}?" if near else "Names are those of MMP1.0, e.g. V1, L_MT or R_5mv."
        raise UnknownName("No cortical region has this name.", name, remedy)

    def vertices(self, name: str) -> npt.NDArray[np.intp]:
        """Full indices of a region's vertices."""
        return np.flatnonzero(np.isin(self.labels, self.ids(name)))

    def cortex_vertices(self, name: str) -> npt.NDArray[np.intp]:
        """Cortex-order indices of a region's vertices."""
        return np.flatnonzero(np.isin(self.cortex_labels, self.ids(name)))

    def region_of(self, vertex: int) -> tuple[str, str]:
        """Area and hemisphere of a vertex in full order, e.g. ``("MT", "left")``; empty strings if none."""
        label = int(self.labels[vertex])
        return (self.names[label][2:], HEMISPHERES[label > N_REGIONS_PER_SIDE]) if label else ("", "")


@cache
def _positions(names: tuple[str, ...]) -> dict[str, int]:
    return {name: label for label, name in enumerate(names) if name}


@cache
def glasser() -> Parcellation:
    """The parcellation on the full surface; read once per process."""
    stored = read_asset()
    return Parcellation(labels=stored["labels"], names=tuple(str(name) for name in stored["names"]))
