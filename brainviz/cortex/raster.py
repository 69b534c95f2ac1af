"""Which vertex each pixel of the flat map shows, and where region borders run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import load_surface

SUPERSAMPLING = 2  # edges and borders are found on a finer grid and averaged, so that they look smooth
EDGE_TOLERANCE = 1e-5

Corners = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Raster:
    """The flat map as pixels, both hemispheres side by side.

    Attributes
    ----------
    index : int32 (h, w)
        Nearest vertex in full order, -1 outside the map.
    pixels : intp (p,)
        Flat positions of the p pixels inside the map.
    corners : int32 (p, 3)
        Vertices of the triangle under each of these pixels.
    weights : float32 (p, 3)
        Their barycentric weights, which sum to 1.
    coverage : uint8 (h, w)
        How much of the pixel lies on the map, 0-255.
    borders : uint8 (h, w)
        How much of the pixel lies on a border between regions, 0-255.
    """

    index: npt.NDArray[np.int32]
    pixels: npt.NDArray[np.intp]
    corners: Corners
    weights: Float32
    coverage: npt.NDArray[np.uint8]
    borders: npt.NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.index.shape[0], self.index.shape[1]


@cache
def flatmap_raster(height: int = 512) -> Raster:
    """The flat map at a height in pixels, about 2.5 times as wide; computed once per process and height, in a second.

    The right flat mesh has a few folded triangles (a known fault of the release), so a pixel may lie in two triangles:
    the first in file order wins.
    """
    fine = _rasterise(height * SUPERSAMPLING)
    step = SUPERSAMPLING
    owner = fine.owner[::step, ::step]
    pixels = np.flatnonzero(owner.ravel() >= 0)
    hit = owner.ravel()[pixels]
    corners, weights = fine.corners[hit], fine.weights[hit]
    index = np.full(owner.shape, -1, np.int32)
    index.flat[pixels] = _nearest(corners, weights)
    labels = np.zeros(fine.owner.shape, np.int16)
    inside = fine.owner >= 0
    labels[inside] = glasser().labels[_nearest(fine.corners, fine.weights)[fine.owner[inside]]]
    coverage = np.where(index >= 0, _box_mean(inside), 0).astype(np.uint8)
    borders = _box_mean(_border(labels) & inside)
    for array in (index, pixels, corners, weights, coverage, borders):
        array.setflags(write=False)
    return Raster(index, pixels, corners, weights, coverage, borders)


def region_outline(raster: Raster, names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Pixels on the border of any of the named regions, bool (h, w)."""
    parcellation = glasser()
    chosen = np.isin(parcellation.labels, [label for name in names for label in parcellation.ids(name)])
    labels = np.where(chosen, parcellation.labels, 0)
    return _border(labels[raster.index] * (raster.index >= 0))


def region_centres(raster: Raster, name: str) -> list[tuple[int, int]]:
    """Row and column where a region's name may stand, one per hemisphere: its pixel nearest to the median position."""
    labels = glasser().labels[raster.index]
    centres = []
    for label in glasser().ids(name):
        rows, columns = np.nonzero((labels == label) & (raster.index >= 0))
        if len(rows):
            best = np.argmin((rows - np.median(rows)) ** 2 + (columns - np.median(columns)) ** 2)
            centres.append((int(rows[best]), int(columns[best])))
    return centres


def _nearest(corners: Corners, weights: Float32) -> npt.NDArray[np.int32]:
    return np.take_along_axis(corners, weights.argmax(1)[:, None], 1)[:, 0]


def _box_mean(fine: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Share of set pixels in each block of the finer grid, 0-255."""
    k = SUPERSAMPLING
    padded = np.pad(fine, [(0, -size % k) for size in fine.shape])
    blocks = padded.reshape(padded.shape[0] // k, k, padded.shape[1] // k, k)
    return np.round(blocks.mean((1, 3), dtype=np.float32) * 255).astype(np.uint8)


def _border(labels: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    border = np.zeros(labels.shape, bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    return border


@dataclass(frozen=True, eq=False)
class _Hits:
    """Pixels in triangles: `owner` int32 (h, w) points into `corners` (n, 3) and `weights` (n, 3), -1 = no triangle."""

    owner: npt.NDArray[np.int32]
    corners: Corners
    weights: Float32


def _rasterise(height: int) -> _Hits:
    """Find the triangle under every pixel of a map of this height."""
    surface = load_surface()
    used = surface.flat[np.unique(surface.flat_faces)]
    low, high = used.min(0), used.max(0)
    scale = (height - 1) / (high - low)[1]
    width = int(np.ceil((high - low)[0] * scale)) + 1
    position = (surface.flat - low) * scale
    position[:, 1] = (height - 1) - position[:, 1]
    triangle, column, row = _candidates(position[surface.flat_faces])
    weights = _barycentric(position[surface.flat_faces], triangle, column, row)
    inside = (weights >= -EDGE_TOLERANCE).all(1) & (column >= 0) & (row >= 0) & (column < width) & (row < height)
    kept = np.flatnonzero(inside)
    owner = np.full(height * width, -1, np.int32)
    # Written backwards: where triangles overlap, the first one stays.
    owner[(row[kept] * width + column[kept])[::-1]] = np.arange(len(kept), dtype=np.int32)[::-1]
    return _Hits(owner.reshape(height, width), surface.flat_faces[triangle[kept]], weights[kept])


def _candidates(triangles: Float32) -> tuple[npt.NDArray[np.int32], ...]:
    """Every pixel in the bounding box of every triangle: triangle number, column, row."""
    first = np.ceil(triangles.min(1)).astype(np.int32)
    size = np.maximum(np.floor(triangles.max(1)).astype(np.int32) - first + 1, 0)
    count = size.prod(1)
    triangle = np.repeat(np.arange(len(triangles), dtype=np.int32), count)
    step = np.arange(int(count.sum()), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    down, across = np.divmod(step, size[triangle, 0])
    return triangle, first[triangle, 0] + across, first[triangle, 1] + down


def _barycentric(
    triangles: Float32, triangle: npt.NDArray[np.int32], column: npt.NDArray[np.int32], row: npt.NDArray[np.int32]
) -> Float32:
    """Weights (n, 3) of a pixel in its triangle; minus one where the triangle has no area."""
    last = triangles[:, 2]
    u, v = triangles[:, 0] - last, triangles[:, 1] - last
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    inverse = np.divide(1, area, out=np.zeros_like(area), where=area != 0)
    to_first = np.stack([v[:, 1] * inverse, -v[:, 0] * inverse], 1)[triangle]
    to_second = np.stack([-u[:, 1] * inverse, u[:, 0] * inverse], 1)[triangle]
    dx, dy = column - last[triangle, 0], row - last[triangle, 1]
    weights = np.empty((len(triangle), 3), np.float32)
    weights[:, 0] = to_first[:, 0] * dx + to_first[:, 1] * dy
    weights[:, 1] = to_second[:, 0] * dx + to_second[:, 1] * dy
    weights[:, 2] = 1 - weights[:, 0] - weights[:, 1]
    weights[(area == 0)[triangle]] = -1
    return weights
