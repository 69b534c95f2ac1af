"""From the 1.6-mm, 59k surface to 32k: adaptive barycentric resampling on the sphere, area-corrected.

The method of Connectome Workbench (``-metric-resample ... ADAP_BARY_AREA``; Glasser et al. 2013, NeuroImage 80). Each
new vertex lies in a triangle of the old mesh (forward weights); each old vertex lies in a triangle of the new mesh
(reverse weights). A new vertex takes the reverse weights where they cover all that its forward weights use, so that no
old vertex is lost when the mesh gets coarser. Vertex areas make every old vertex count by the surface it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float64 = npt.NDArray[np.float64]
_NEAREST = 8  # triangles around a point, by their middle, that are tried before all of its neighbourhood
_MORE = 64
_OUTSIDE = -1e-9


@dataclass(frozen=True)
class Sphere:
    """A spherical mesh: points float64 (v, 3) on the unit sphere, triangles int64 (t, 3)."""

    points: Float64
    triangles: npt.NDArray[np.int64]


def read_surface(path: Path) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Points (v, 3) and triangles (t, 3) of a ``.surf.gii``; raises `DataProblem`."""
    from xml.parsers.expat import ExpatError

    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError

    try:
        image: Any = nib.load(path)
        points, triangles = (np.asarray(image.agg_data(kind)) for kind in ("pointset", "triangle"))
    except FileNotFoundError as error:
        raise DataProblem("The surface is missing.", str(path), "Put it back in its place.") from error
    except (ImageFileError, ExpatError, OSError, ValueError, AttributeError) as error:
        raise DataProblem("The surface cannot be read.", str(path), "Copy or download it again.") from error
    if points.ndim != 2 or points.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise DataProblem("The file holds no triangle mesh.", str(path), "Take the *.surf.gii of the data set.")
    if triangles.min() < 0 or triangles.max() >= len(points) or not np.isfinite(points).all():
        raise DataProblem("The mesh is damaged.", str(path), "Copy or download it again.")
    return points.astype(np.float64), triangles.astype(np.int64)


def read_sphere(path: Path) -> Sphere:
    """A sphere scaled to radius 1; raises `DataProblem` where the mesh is none."""
    points, triangles = read_surface(path)
    radius = np.linalg.norm(points, axis=1)
    if radius.min() <= 0 or radius.max() / radius.min() > 1.02:
        raise DataProblem("The surface is no sphere.", str(path), "Take the file named *.sphere.*.surf.gii.")
    return Sphere(points / radius[:, None], triangles)


def vertex_areas(points: Float64, triangles: npt.NDArray[np.int64]) -> Float64:
    """A third of the area of each vertex' triangles, float64 (v,)."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return np.asarray(np.bincount(triangles.ravel(), np.repeat(area / 3, 3), len(points)), np.float64)


def barycentric(sphere: Sphere, points: Float64) -> csr_array:
    """Weights that carry values on a sphere's vertices to other points of it: sparse (n points, v), rows sum to 1.

    Each point is seen from the centre; its weights are those of the triangle that it pierces.
    """
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

    corners = sphere.points[sphere.triangles]
    tree = cKDTree(corners.mean(1))
    chosen = np.full(len(points), -1)
    weights = np.zeros((len(points), 3))
    left = np.arange(len(points))
    for n in (_NEAREST, min(_MORE, len(corners))):
        _, near = tree.query(points[left], k=min(n, len(corners)))
        near = near.reshape(len(left), -1)
        found = _cone_coordinates(corners[near], points[left, None])
        best = found.min(axis=2).argmax(axis=1)
        rows = np.arange(len(left))
        weights[left], chosen[left] = found[rows, best], near[rows, best]
        left = left[found[rows, best].min(axis=1) < _OUTSIDE]
        if not len(left):
            break
    weights = np.clip(weights, 0, None)
    weights /= weights.sum(1, keepdims=True)
    columns = sphere.triangles[chosen]
    rows = np.repeat(np.arange(len(points)), 3)
    return csr_array((weights.ravel(), (rows, columns.ravel())), shape=(len(points), len(sphere.points)))


def _cone_coordinates(corners: Float64, points: Float64) -> Float64:
    """Barycentric coordinates (..., 3) of the rays through points (..., 3) in triangles (..., 3, 3)."""
    a, b, c = (corners[..., i, :] for i in range(3))
    raw = np.stack(
        [(points * np.cross(b, c)).sum(-1), (points * np.cross(c, a)).sum(-1), (points * np.cross(a, b)).sum(-1)], -1
    )
    raw *= np.sign((a * np.cross(b, c)).sum(-1))[..., None]
    total = raw.sum(-1, keepdims=True)
    return np.asarray(np.where(total > 0, raw / np.where(total > 0, total, 1), -1.0))


def adaptive_weights(
    old: Sphere, new: Sphere, old_areas: Float64, new_areas: Float64, there: npt.NDArray[np.bool_]
) -> csr_array:
    """Weights of the resampling: sparse (new vertices, old vertices).

    Parameters
    ----------
    old, new : Sphere
        In register with each other.
    old_areas, new_areas : float64 (v,)
        Surface that each vertex stands for.
    there : bool (old vertices,)
        Vertices that carry data (the medial wall does not).

    Returns
    -------
    Rows sum to 1; a new vertex that sees no data has an empty row.
    """
    from scipy.sparse import csr_array, diags_array

    keep = diags_array(there.astype(np.float64))
    forward = csr_array(barycentric(old, new.points) @ keep)
    reverse = csr_array((keep @ barycentric(new, old.points)).T)
    forward.eliminate_zeros()
    reverse.eliminate_zeros()
    uses, covers = (csr_array((np.ones(m.nnz), m.indices, m.indptr), shape=m.shape) for m in (forward, reverse))
    n_used = np.asarray(uses.sum(1)).ravel()
    covered = np.asarray(uses.multiply(covers).sum(1)).ravel() >= n_used
    gathered = csr_array(diags_array((covered & (n_used > 0)).astype(float)) @ reverse)
    gathered = csr_array(gathered + diags_array((~covered).astype(float)) @ forward)
    by_new = csr_array(diags_array(new_areas) @ gathered)
    shared = np.asarray(by_new.sum(0)).ravel()
    scale = np.divide(old_areas, shared, out=np.zeros_like(old_areas), where=shared > 0)
    weights = csr_array(by_new @ diags_array(scale))
    total = np.asarray(weights.sum(1)).ravel()
    return csr_array(diags_array(np.divide(1, total, out=np.zeros_like(total), where=total > 0)) @ weights)
