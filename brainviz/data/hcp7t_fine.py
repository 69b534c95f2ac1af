"""Scans of the 1.6-mm, 59k kind: read, and brought to the 32k surface where the data set has the spheres for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import N_CORTEX, N_CORTEX_LEFT, N_HEMISPHERE, load_surface
from brainviz.data.hcp7t_resample import adaptive_weights, read_sphere, read_surface, vertex_areas
from brainviz.errors import DataProblem

if TYPE_CHECKING:
    from nibabel.cifti2 import Cifti2Image
    from scipy.sparse import csr_array

SIDES = (("L", "CIFTI_STRUCTURE_CORTEX_LEFT"), ("R", "CIFTI_STRUCTURE_CORTEX_RIGHT"))
_AGAIN = "Copy or download it again."
_BLOCK = 64  # volumes resampled at once


@dataclass(frozen=True)
class FineHeader:
    """Facts of one file.

    Attributes
    ----------
    n_volumes : int
    tr_s : float
    rows : per hemisphere the slice of the file's rows
    vertices : per hemisphere int64, the vertices that carry data
    n_vertices : per hemisphere the vertices of the whole surface
    """

    n_volumes: int
    tr_s: float
    rows: tuple[slice, slice]
    vertices: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    n_vertices: tuple[int, int]


def read_fine_header(path: Path) -> FineHeader:
    """Header of a dense time series on another surface than 32k; raises `DataProblem`."""
    return _header(_load(path), path)


def _load(path: Path) -> Cifti2Image:
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        image = nib.load(path)
    except FileNotFoundError as error:
        raise DataProblem("The scan is missing.", str(path), "Put the file back in its place.") from error
    except (ImageFileError, HeaderDataError, OSError, ValueError) as error:
        raise DataProblem("This is no CIFTI-2 file, or it is damaged.", str(path), _AGAIN) from error
    if not isinstance(image, nib.Cifti2Image) or len(image.shape) != 2:
        raise DataProblem("This is no CIFTI-2 time series.", str(path), "Take the *.dtseries.nii of the data set.")
    proxy: Any = image.dataobj
    if path.stat().st_size < proxy.offset + np.dtype(proxy.dtype).itemsize * int(np.prod(image.shape)):
        raise DataProblem("The scan is cut short.", str(path), _AGAIN)
    return image


def _header(image: Cifti2Image, path: Path) -> FineHeader:
    from nibabel.cifti2 import BrainModelAxis, SeriesAxis

    series, models = image.header.get_axis(0), image.header.get_axis(1)
    if not isinstance(series, SeriesAxis) or not isinstance(models, BrainModelAxis):
        raise DataProblem("The scan is no dense time series.", str(path), "Take the *.dtseries.nii of the data set.")
    found = {name: (rows, model) for name, rows, model in models.iter_structures()}
    missing = [name for _, name in SIDES if name not in found]
    if missing:
        raise DataProblem(f"The scan lacks {' and '.join(missing)}.", str(path), "Take the file as distributed.")
    both = [found[name] for _, name in SIDES]
    rows = tuple(slice(*r.indices(len(models))[:2]) for r, _ in both)
    vertices = tuple(np.asarray(model.vertex, np.int64) for _, model in both)
    sizes = tuple(int(models.nvertices[name]) for _, name in SIDES)
    return FineHeader(int(series.size), float(series.step), rows, vertices, sizes)  # type: ignore[arg-type]


def surface_files(subject_folder: Path, mesh: str, kind: str) -> list[Path | None]:
    """Left and right ``<subject>.L.<kind>*.<mesh>_fs_LR.surf.gii`` of a mesh ("59k", "32k"); None where missing."""
    folder = subject_folder / "MNINonLinear" / f"fsaverage_LR{mesh}"
    found = [sorted(folder.glob(f"*.{side}.{kind}*.{mesh}_fs_LR.surf.gii")) for side, _ in SIDES]
    return [files[-1] if files else None for files in found]


def missing_spheres(subject_folder: Path) -> str:
    """Names of the spheres that the resampling would need and that are not there; empty where all are."""
    lacking = []
    for mesh in ("59k", "32k"):
        for (side, _), file in zip(SIDES, surface_files(subject_folder, mesh, "sphere"), strict=True):
            if file is None:
                name = f"{subject_folder.name}.{side}.sphere.{mesh}_fs_LR.surf.gii"
                lacking.append(f"MNINonLinear/fsaverage_LR{mesh}/{name}")
    return ", ".join(lacking)


def fine_weights(subject_folder: Path, header: FineHeader) -> csr_array:
    """Weights from a file's cortex rows to the 32k cortex: sparse (59412, rows left + rows right).

    Vertex areas are those of the midthickness surfaces where the data set has both, else those of the spheres.

    Raises
    ------
    DataProblem
        A sphere is missing, damaged, or of another size than the scan's surface.
    """
    from scipy.sparse import block_diag, csr_array

    lacking = missing_spheres(subject_folder)
    if lacking:
        what = "A scan on the 59k surface needs its spheres to be brought to 32k; these are missing."
        remedy = f"Add {lacking}; or take the 32k files (tfMRI_MOVIE*_Atlas_MSMAll_*.dtseries.nii)."
        raise DataProblem(what, str(subject_folder), remedy)
    files = {(m, k): surface_files(subject_folder, m, k) for m in ("59k", "32k") for k in ("sphere", "midthickness")}
    cortex = load_surface().cortex
    parts = []
    for side, targets in enumerate((cortex[:N_CORTEX_LEFT], cortex[N_CORTEX_LEFT:] - N_HEMISPHERE)):
        paths = [files[mesh, "sphere"][side] for mesh in ("59k", "32k")]
        old, new = (read_sphere(path) for path in paths if path is not None)
        for sphere, path, n in ((old, paths[0], header.n_vertices[side]), (new, paths[1], N_HEMISPHERE)):
            if len(sphere.points) != n:
                what = f"The sphere has {len(sphere.points)} vertices, not {n}."
                raise DataProblem(what, str(path), "Take the sphere of the same mesh as the scan.")
        thick = [files[mesh, "midthickness"][side] for mesh in ("59k", "32k")]
        shapes = [read_surface(path) for path in thick if path is not None]
        if len(shapes) < 2 or [len(s[0]) for s in shapes] != [len(old.points), len(new.points)]:
            shapes = [(old.points, old.triangles), (new.points, new.triangles)]
        there = np.zeros(len(old.points), bool)
        there[header.vertices[side]] = True
        weights = adaptive_weights(old, new, vertex_areas(*shapes[0]), vertex_areas(*shapes[1]), there)
        parts.append(csr_array(weights)[targets][:, header.vertices[side]])
    return csr_array(block_diag(parts, format="csr"))


def read_fine_cortex(path: Path, weights: Any) -> npt.NDArray[np.float32]:
    """The cortex of a file on the 32k surface: float32 (tr, 59412); 0 where a vertex sees no data."""
    image = _load(path)
    header = _header(image, path)
    result = np.empty((header.n_volumes, N_CORTEX), np.float32)
    for start in range(0, header.n_volumes, _BLOCK):
        stop = min(start + _BLOCK, header.n_volumes)
        both = [np.asarray(image.dataobj[start:stop, rows], np.float32) for rows in header.rows]
        result[start:stop] = (weights @ np.concatenate(both, axis=1).T).T
    return result
