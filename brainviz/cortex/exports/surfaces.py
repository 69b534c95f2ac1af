"""A map as surface files: GIFTI per hemisphere, CIFTI over the cortex, nilearn's surface image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex.exports.shown import SIMULATED, Shown
from brainviz.cortex.surface import N_CORTEX_LEFT, N_FULL, N_HEMISPHERE, full_to_cortex, load_surface
from brainviz.errors import BrainvizError

SIDES = {"left": ("CortexLeft", slice(0, N_HEMISPHERE)), "right": ("CortexRight", slice(N_HEMISPHERE, N_FULL))}


def gifti(shown: Shown) -> dict[str, bytes]:
    """``.func.gii`` files by hemisphere: the values as they are (NaN where there are none), then the companions."""
    import nibabel as nib

    files = {}
    for side, (structure, part) in SIDES.items():
        arrays = [
            nib.gifti.GiftiDataArray(
                np.ascontiguousarray(values[part]),
                intent="NIFTI_INTENT_NONE",
                datatype="NIFTI_TYPE_FLOAT32",
                meta=nib.gifti.GiftiMetaData({"Name": name}),
            )
            for name, values in _maps(shown).items()
        ]
        meta = nib.gifti.GiftiMetaData({"AnatomicalStructurePrimary": structure, **_facts(shown)})
        files[side] = nib.gifti.GiftiImage(darrays=arrays, meta=meta).to_bytes()
    return files


def cifti(shown: Shown) -> bytes:
    """A ``.dscalar.nii`` file over the 59,412 cortical grayordinates of fs_LR 32k: values, then companions."""
    import nibabel as nib

    maps = _maps(shown)
    scalars = nib.cifti2.ScalarAxis(list(maps), meta=[_facts(shown)] * len(maps))
    cortex = load_surface().cortex
    brain = nib.cifti2.BrainModelAxis.from_surface(cortex[:N_CORTEX_LEFT], N_HEMISPHERE, "CortexLeft")
    brain += nib.cifti2.BrainModelAxis.from_surface(cortex[N_CORTEX_LEFT:] - N_HEMISPHERE, N_HEMISPHERE, "CortexRight")
    header = nib.cifti2.Cifti2Header.from_axes((scalars, brain))
    header.matrix.metadata = nib.cifti2.Cifti2MetaData(_facts(shown))
    rows = np.stack([full_to_cortex(values) for values in maps.values()]).astype(np.float32)
    image = nib.Cifti2Image(rows, header)
    image.nifti_header.set_intent("NIFTI_INTENT_CONNECTIVITY_DENSE_SCALARS")
    content: bytes = image.to_bytes()
    return content


def to_surface_image(values: npt.ArrayLike) -> Any:
    """A map (64984,) or (59412,) as a `nilearn.surface.SurfaceImage` on the midthickness surface, NaN as they are."""
    from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

    full = Shown("", np.asarray(values)).full
    surface = load_surface()
    half = len(surface.faces) // 2
    mesh = PolyMesh(
        left=InMemoryMesh(surface.midthickness[:N_HEMISPHERE], surface.faces[:half]),
        right=InMemoryMesh(surface.midthickness[N_HEMISPHERE:], surface.faces[half:] - N_HEMISPHERE),
    )
    return SurfaceImage(mesh, {"left": full[:N_HEMISPHERE].copy(), "right": full[N_HEMISPHERE:].copy()})


def from_surface_image(image: Any) -> npt.NDArray[np.float32]:
    """A `nilearn.surface.SurfaceImage` on fs_LR 32k as a map, float32 (64984,) or (n, 64984) for several.

    Raises
    ------
    BrainvizError
        Another mesh, or one hemisphere only.
    """
    parts = [np.asarray(image.data.parts.get(side, ())) for side in SIDES]
    if any(part.shape[:1] != (N_HEMISPHERE,) for part in parts):
        found = ", ".join(f"{side} {part.shape}" for side, part in zip(SIDES, parts, strict=True))
        remedy = "Resample it to fs_LR 32k: 32,492 vertices per hemisphere, left and right."
        raise BrainvizError("This surface image is not on fs_LR 32k.", found, remedy)
    return np.asarray(np.concatenate(parts).T, np.float32)


def _maps(shown: Shown) -> dict[str, npt.NDArray[np.float32]]:
    return {shown.title or "map": shown.full, **shown.companions()}


def _facts(shown: Shown) -> dict[str, str]:
    facts = {"Title": shown.title, "Description": shown.words(), "Settings": shown.settings(), "Software": "brainviz"}
    return facts | ({"Source": SIMULATED} if shown.simulated else {})
