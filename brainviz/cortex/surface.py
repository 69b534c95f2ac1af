"""The cortical surface that every map stands on: HCP S1200 group average, fs_LR 32k, both hemispheres.

Two vertex orders occur. *Full* order has 64,984 vertices, 32,492 left then 32,492 right, and is used by maps. *Cortex*
order has the 59,412 of them that are not on the medial wall, in the order of a CIFTI file, and is used by BOLD.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem

ASSET = Path(__file__).with_name("fs_lr_32k.npz")
N_HEMISPHERE = 32_492
N_FULL = 2 * N_HEMISPHERE
N_CORTEX_LEFT = 29_696
N_CORTEX = 59_412
N_GRAYORDINATES = 91_282
UNITS_PER_MM = 50  # the file stores coordinates in fiftieths of a millimetre

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Surface:
    """Arrays of the surface, read-only.

    Attributes
    ----------
    flat : float32 (64984, 2)
        Position on the flat map in mm: right, up. The left hemisphere lies on the left, occipital poles inwards.
    flat_faces : int32 (117927, 3)
        Triangles of the flat map in full vertex order, left first (59,013 of them), then right (58,914).
    midthickness : float32 (64984, 3)
        Position halfway through the cortex in mm (RAS).
    inflated : float32 (64984, 3)
        Position on the inflated surface in mm (RAS).
    faces : int32 (129960, 3)
        Triangles of the closed surface.
    sulc : float32 (64984,)
        Sulcal depth; positive on gyri.
    mask : bool (64984,)
        False on the medial wall.
    cortex : int32 (59412,)
        Full index of every cortex vertex, in CIFTI order.
    """

    flat: Float32
    flat_faces: npt.NDArray[np.int32]
    midthickness: Float32
    inflated: Float32
    faces: npt.NDArray[np.int32]
    sulc: Float32
    mask: npt.NDArray[np.bool_]
    cortex: npt.NDArray[np.int32]


@cache
def read_asset() -> dict[str, npt.NDArray[Any]]:
    """The arrays of the shipped surface file, as stored (see `brainviz.cortex.build.collect`).

    Raises
    ------
    DataProblem
        When the file is not part of this installation.
    """
    if not ASSET.is_file():
        remedy = "Reinstall brainviz, or rebuild it with `python -m brainviz.cortex.build`."
        raise DataProblem("The cortical surface file is missing.", str(ASSET), remedy)
    with np.load(ASSET, allow_pickle=False) as stored:
        return {name: _locked(stored[name]) for name in stored.files}


def _locked(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array


@cache
def load_surface() -> Surface:
    """The surface; read once per process, in about 20 ms."""
    stored = read_asset()
    left = stored["faces"].astype(np.int32)
    right = left[:, ::-1] + N_HEMISPHERE
    on_left, on_right = stored["on_flat"]
    return Surface(
        flat=_locked(stored["flat"].astype(np.float32) / np.float32(UNITS_PER_MM)),
        flat_faces=_locked(np.concatenate([left[on_left], right[on_right]])),
        midthickness=_locked(stored["midthickness"].astype(np.float32) / np.float32(UNITS_PER_MM)),
        inflated=_locked(stored["inflated"].astype(np.float32) / np.float32(UNITS_PER_MM)),
        faces=_locked(np.concatenate([left, right])),
        sulc=_locked(stored["sulc"].astype(np.float32)),
        mask=stored["mask"],
        cortex=_locked(np.flatnonzero(stored["mask"]).astype(np.int32)),
    )


def cortex_to_full(values: npt.ArrayLike, fill: float = np.nan) -> npt.NDArray[Any]:
    """Spread values in cortex order over the full surface.

    Parameters
    ----------
    values : (..., 59412)
        Integer and boolean values become float32 when `fill` is NaN.
    fill : float
        Value on the medial wall.

    Returns
    -------
    (..., 64984), float32 unless `values` is float64 or `fill` fits its integer type
    """
    source = _with_last_axis(values, N_CORTEX, "cortex")
    kind = source.dtype if source.dtype.kind == "f" or not np.isnan(fill) else np.dtype(np.float32)
    full = np.full((*source.shape[:-1], N_FULL), fill, kind)
    full[..., load_surface().cortex] = source
    return full


def full_to_cortex(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Values of the full surface (..., 64984) in cortex order (..., 59412)."""
    source: npt.NDArray[Any] = _with_last_axis(values, N_FULL, "full")[..., load_surface().cortex]
    return source


def on_full(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Values in either order, in full order."""
    array = np.asarray(values)
    return cortex_to_full(array) if array.shape[-1:] == (N_CORTEX,) else _with_last_axis(array, N_FULL, "full")


def _with_last_axis(values: npt.ArrayLike, length: int, order: str) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.shape[-1:] != (length,):
        remedy = f"A map in {order} order has {length} values per hemisphere pair, medial wall "
        remedy += "left out." if order == "cortex" else "included."
        raise BrainvizError(f"The array does not fit the surface: its shape is {array.shape}.", remedy=remedy)
    return array
