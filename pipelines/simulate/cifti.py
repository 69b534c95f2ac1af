"""CIFTI-2 dense time series of 91,282 grayordinates, as the HCP pipelines write them.

Cortex comes first, left (29,696) then right (29,716), then 19 subcortical structures with the standard numbers of
voxels. Which voxel belongs to which structure is our own stand-in (compact blobs near each structure's true place on
the 2-mm MNI grid): nothing in the simulated data lives there but noise.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import N_GRAYORDINATES, N_HEMISPHERE, load_surface, read_asset
from brainviz.errors import DataProblem
from pipelines.simulate.hrf import TR_S

if TYPE_CHECKING:
    from nibabel.cifti2 import BrainModelAxis

SLOPE, INTERCEPT = 0.5, 10_000.0
"""value = SLOPE * stored + INTERCEPT: raw BOLD from -6,384 to 26,383 in steps of half a unit."""

VOLUME_SHAPE = (91, 109, 91)
AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
# Rough MNI centres in mm (left side; right is mirrored), for the stand-in voxels.
_CENTRES = {
    "ACCUMBENS": (-9, 12, -7),
    "AMYGDALA": (-23, -5, -19),
    "BRAIN_STEM": (0, -30, -34),
    "CAUDATE": (-13, 10, 10),
    "CEREBELLUM": (-25, -62, -36),
    "DIENCEPHALON_VENTRAL": (-11, -16, -9),
    "HIPPOCAMPUS": (-26, -22, -14),
    "PALLIDUM": (-19, -4, 0),
    "PUTAMEN": (-26, 2, 1),
    "THALAMUS": (-11, -18, 8),
}
_DESCRIPTION_BYTES = 79


@cache
def subcortical_voxels() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Stand-in voxels of the subcortical structures: indices int32 (31870, 3) and structure number int32 (31870,)."""
    stored = read_asset()
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in VOLUME_SHAPE), indexing="ij"), -1).reshape(-1, 3)
    position = grid @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    free = np.ones(len(grid), bool)
    voxels, owners = [], []
    for number, name in enumerate(stored["structures"]):
        count = int(stored["structure_counts"][number])
        distance = ((position - _centre(str(name))) ** 2).sum(1)
        distance[~free | ~_right_side(str(name), position)] = np.inf
        chosen = np.sort(np.argpartition(distance, count)[:count])
        free[chosen] = False
        voxels.append(grid[chosen])
        owners.append(np.full(count, number))
    return np.concatenate(voxels).astype(np.int32), np.concatenate(owners).astype(np.int32)


def _centre(structure: str) -> npt.NDArray[np.float64]:
    name = structure.removeprefix("CIFTI_STRUCTURE_")
    side = name.rsplit("_", 1)[-1]
    x, y, z = _CENTRES[name.removesuffix("_LEFT").removesuffix("_RIGHT")]
    return np.array([-x if side == "RIGHT" else x, y, z], np.float64)


def _right_side(structure: str, position: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Voxels on the structure's side of the midline."""
    if structure.endswith("_LEFT"):
        return position[:, 0] < 0
    if structure.endswith("_RIGHT"):
        return position[:, 0] > 0
    return np.ones(len(position), bool)


@cache
def brain_models() -> BrainModelAxis:
    """The grayordinate axis of the standard space, 91,282 entries."""
    from nibabel.cifti2 import BrainModelAxis

    cortex = load_surface().cortex
    left, right = "CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"
    voxels, owners = subcortical_voxels()
    on_surface = np.where(cortex < N_HEMISPHERE, left, right)
    return BrainModelAxis(
        name=np.concatenate([on_surface, read_asset()["structures"][owners]]),
        voxel=np.concatenate([np.full((len(cortex), 3), -1), voxels]),
        vertex=np.concatenate([cortex % N_HEMISPHERE, np.full(len(voxels), -1)]),
        affine=AFFINE,
        volume_shape=VOLUME_SHAPE,
        nvertices={left: N_HEMISPHERE, right: N_HEMISPHERE},
    )


@cache
def grayordinate_positions() -> npt.NDArray[np.float32]:
    """Where every grayordinate is, in mm, float32 (91282, 3)."""
    surface = load_surface()
    voxels, _ = subcortical_voxels()
    below = voxels @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    return np.concatenate([surface.midthickness[surface.cortex], below]).astype(np.float32)


def quantise(bold: npt.NDArray[np.float32], out: npt.NDArray[np.int16]) -> None:
    """Round raw BOLD to the file's int16 steps, into `out`. Changes `bold`."""
    bold -= INTERCEPT
    bold /= SLOPE
    np.rint(bold, out=bold)
    limits = np.iinfo(np.int16)
    np.clip(bold, limits.min, limits.max, out=bold)
    out[...] = bold


def write_dtseries(path: Path, stored: npt.NDArray[np.int16], description: str) -> None:
    """Write one run, atomically: the file appears under its name only when it is complete.

    Parameters
    ----------
    path : Path
        Ends in ``.dtseries.nii``; its folder is made.
    stored : int16 (91282, n_volumes)
        Contiguous, as `quantise` makes it: the order of bytes in the file.
    description : str
        Goes to the header's ``descrip`` (79 bytes), where `read_description` finds it.

    Raises
    ------
    DataProblem
        When the array has another shape, order or type.
    """
    if stored.shape[0] != N_GRAYORDINATES or stored.dtype != np.int16 or not stored.flags.c_contiguous:
        raise DataProblem(f"A run of shape {stored.shape} and type {stored.dtype} is no dense time series.", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        _write_header(file, stored.shape[1], description)
        stored.tofile(file)
    partial.replace(path)


def read_description(path: Path) -> str:
    """The ``descrip`` field of a NIfTI-2 file; empty when there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = file.read(540)
    return head[240:320].split(b"\0", 1)[0].decode("ascii", "replace")


def _write_header(file: BinaryIO, n_volumes: int, description: str) -> None:
    import nibabel

    header = nibabel.Nifti2Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape((1, 1, 1, 1, n_volumes, N_GRAYORDINATES))
    header.set_intent("NIFTI_INTENT_CONNECTIVITY_DENSE_SERIES", name="ConnDenseSeries")
    header["pixdim"][1:8] = 1
    header["pixdim"][5] = TR_S
    header["xyzt_units"] = 10  # mm and seconds
    header["scl_slope"], header["scl_inter"] = SLOPE, INTERCEPT
    header["descrip"] = description.encode("ascii")[:_DESCRIPTION_BYTES]
    header.extensions.append(_extension(n_volumes))
    header["magic"] = b"n+2"
    header["vox_offset"] = 540 + 4 + header.extensions.get_sizeondisk()
    header.write_to(file)
    file.write(b"\0" * (int(header["vox_offset"]) - file.tell()))


@cache
def _extension(n_volumes: int) -> Any:
    from nibabel.cifti2 import Cifti2Header, Cifti2Matrix, SeriesAxis
    from nibabel.cifti2.parse_cifti2 import Cifti2Extension

    matrix = Cifti2Matrix()
    matrix.append(SeriesAxis(start=0, step=TR_S, size=n_volumes, unit="SECOND").to_mapping(0))
    matrix.append(_grayordinate_mapping())
    return Cifti2Extension.from_bytes(Cifti2Header(matrix).to_xml())


@cache
def _grayordinate_mapping() -> Any:
    return brain_models().to_mapping(1)  # the slow part of a header, the same for every run
