"""Where in the film each visual vertex looks: a retinotopy laid over the real surface.

Each hemisphere sees the opposite half of the film. In V1 to V4 eccentricity grows with distance from the occipital
pole as cortical magnification says, and polar angle turns back at each areal border, as on real cortex: V1 and V2 meet
at the vertical meridian, V2 and V3 at the horizontal one. Other areas get a coarse map of the opposite half. Field
sizes by area and eccentricity follow Dumoulin & Wandell (2008) and Amano, Wandell & Dumoulin (2009), with the film 20
degrees wide; the whole of each area is used for the film's field (simplified: real V1 sees further than the film).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import N_FULL, N_HEMISPHERE, load_surface
from pipelines.simulate.areas import AREAS

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float32 = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

LARGEST_ECCENTRICITY = 0.6
"""In widths of the film: 12 degrees, a little beyond the middle of an edge."""
FOVEAL_CONSTANT = 0.0375
"""Eccentricity at which cortical magnification has halved: .75 degrees (Horton & Hoyt 1991), in film widths."""

# Standard deviation of the field at the fovea and its growth with eccentricity, both in film widths.
SIZES: dict[str, tuple[float, float]] = {
    "V1": (0.035, 0.08),
    "V2": (0.04, 0.12),
    "V3": (0.05, 0.16),
    "V4": (0.08, 0.25),
    "motion": (0.12, 0.25),
    "MST": (0.25, 0.20),
    "ventral": (0.15, 0.25),
    "self": (0.30, 0.10),
}


def receptive_fields(rng: np.random.Generator) -> Float32:
    """Centre and size of every cortex vertex's field, float32 (59412, 3): right, down, standard deviation.

    Unit: widths of the film, origin at its upper left corner. NaN for vertices that see nothing.
    """
    fields = np.full((N_FULL, 3), np.nan, np.float32)
    for hemisphere in (0, 1):
        distances = _Distances(hemisphere)
        for area in AREAS["early"]:
            _set(fields, distances.members(area), *_early(distances, area), area, hemisphere, rng)
        for kind in ("motion", "ventral", "self"):
            for area in AREAS[kind]:
                members = distances.members(area)
                _set(fields, members, *_coarse(members), "MST" if area == "MST" else kind, hemisphere, rng)
    kept: Float32 = fields[load_surface().cortex]
    return kept


def _set(
    fields: Float32,
    members: Indices,
    eccentricity: Float32,
    angle: Float32,
    size: str,
    hemisphere: int,
    rng: np.random.Generator,
) -> None:
    """Place fields. `angle` is from the horizontal, up positive, within the seen half; a little scatter is added."""
    foveal, growth = SIZES[size]
    scatter = rng.standard_normal((len(members), 2)) * (0.02 + 0.1 * foveal)
    side = 1.0 if hemisphere == 0 else -1.0
    fields[members, 0] = 0.5 + side * eccentricity * np.cos(angle) + scatter[:, 0]
    fields[members, 1] = 0.5 - eccentricity * np.sin(angle) + scatter[:, 1]
    fields[members, :2] = np.clip(fields[members, :2], 0, 1)
    fields[members, 2] = (foveal + growth * eccentricity) * np.exp(0.2 * rng.standard_normal(len(members)))


class _Distances:
    """Distances along one hemisphere's surface, with the areas' members."""

    def __init__(self, hemisphere: int) -> None:
        self.start = hemisphere * N_HEMISPHERE
        surface = load_surface()
        self.position = surface.midthickness[self.start : self.start + N_HEMISPHERE]
        self.flat = surface.flat[self.start : self.start + N_HEMISPHERE]
        self.side = "LR"[hemisphere]
        self.graph = _edges(self.position, surface.faces[:64_980])

    def members(self, *areas: str) -> Indices:
        """Full indices of the areas' vertices in this hemisphere."""
        return np.concatenate([glasser().vertices(f"{self.side}_{area}") for area in areas])

    def from_(self, sources: Indices) -> npt.NDArray[np.float64]:
        """Distance in mm of every vertex of the hemisphere to the nearest source."""
        from scipy.sparse.csgraph import dijkstra

        distance: npt.NDArray[np.float64] = dijkstra(self.graph, indices=sources - self.start, min_only=True)
        return distance

    def beyond(self, *areas: str) -> npt.NDArray[np.float64]:
        """Distance in mm to the nearest vertex of any other area."""
        everything = np.flatnonzero(glasser().labels[self.start : self.start + N_HEMISPHERE]) + self.start
        return self.from_(np.setdiff1d(everything, self.members(*areas)))


def _edges(position: Float32, faces: npt.NDArray[np.int32]) -> csr_array:
    from scipy.sparse import csr_array

    # On a closed surface every edge belongs to two triangles, once in each direction: no edge is listed twice.
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    length = np.linalg.norm(position[start] - position[end], axis=1)
    return csr_array((length, (start, end)), shape=(N_HEMISPHERE, N_HEMISPHERE))


def _early(distances: _Distances, area: str) -> tuple[Float32, Float32]:
    """Eccentricity and signed angle of the vertices of V1 to V4."""
    members = distances.members(area)
    local = members - distances.start
    pole = distances.members("V1")[[np.argmin(distances.position[distances.members("V1") - distances.start, 1])]]
    eccentricity = _magnified(_rank(distances.from_(pole)[local]))
    meridian = _from_vertical(distances, area, local, eccentricity) * (np.pi / 2)
    # Above the pole on the flat map lies dorsal cortex, which sees the lower half of the film.
    dorsal = distances.flat[local, 1] > distances.flat[pole[0] - distances.start, 1]
    return eccentricity, np.where(dorsal, -1, 1) * (np.pi / 2 - meridian).astype(np.float32)


def _from_vertical(distances: _Distances, area: str, local: Indices, eccentricity: Float32) -> npt.NDArray[np.float64]:
    """0 on the vertical meridian to 1 on the horizontal one."""
    if area == "V1":
        inside = distances.from_(distances.members("V2"))[local]
        return np.clip(inside / _upper_envelope(inside, eccentricity), 0, 1)
    before = {"V2": "V1", "V3": "V2", "V4": "V3"}[area]
    inner = distances.from_(distances.members(before))[local]
    outer = distances.beyond(*AREAS["early"][: AREAS["early"].index(area) + 1])[local]
    across = inner / np.maximum(inner + outer, 1e-6)
    return 1 - across if area == "V3" else across


def _upper_envelope(values: npt.NDArray[np.float64], along: Float32, bins: int = 12) -> npt.NDArray[np.float64]:
    """Largest usual value of `values` at each place `along`."""
    part = np.minimum((_rank(along) * bins).astype(int), bins - 1)
    tops = np.array([np.quantile(values[part == k], 0.95) for k in range(bins)])
    return np.maximum(tops[part], 1e-6)


def _coarse(members: Indices) -> tuple[Float32, Float32]:
    """A coarse map of the opposite half for a higher area: its two main directions become eccentricity and angle."""
    position = load_surface().midthickness[members].astype(np.float64)
    centred = position - position.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    along, across = _rank(centred @ axes[0]), _rank(centred @ axes[1])
    return (0.05 + 0.4 * along).astype(np.float32), ((across - 0.5) * 0.9 * np.pi).astype(np.float32)


def _rank(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Ranks from 0 to 1."""
    order = np.empty(len(values))
    order[np.argsort(values, kind="stable")] = np.linspace(0, 1, len(values))
    return order


def _magnified(share: npt.NDArray[np.float64]) -> Float32:
    """Eccentricity at a share of the cortex from fovea to edge: magnification falls as 1 / (E + constant)."""
    top = np.log1p(LARGEST_ECCENTRICITY / FOVEAL_CONSTANT)
    return (FOVEAL_CONSTANT * np.expm1(share * top)).astype(np.float32)
