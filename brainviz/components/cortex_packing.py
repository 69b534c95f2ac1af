"""How maps and the surface travel to the browser: small blobs, each known by its content and sent once.

A map is 59,412 codes of one byte, deflated where that pays; the surface is sent to a browser that does not keep it yet.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex.picture import cortex_grey
from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import UNITS_PER_MM, full_to_cortex, load_surface, on_full, read_asset
from brainviz.errors import BrainvizError

NO_VALUE = 255
LEVELS = 254
Q_PER_DECADE = 40
PAYS = 0.95  # a deflated blob must be at least this much smaller to be worth inflating

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Blob:
    """Bytes as they travel; `id` names their content."""

    id: str
    data: bytes
    deflated: bool


def make_blob(content: bytes, thorough: bool = False) -> Blob:
    """A blob of this content, deflated where that saves at least a twentieth.

    Neighbours in a map's order are rarely equal, so runs and code lengths give all there is to gain in .8 ms, where
    looking for repeats takes 2 ms; `thorough` looks for them all the same (the surface, packed once).
    """
    name = hashlib.blake2b(content, digest_size=12).hexdigest()
    strategy = zlib.Z_DEFAULT_STRATEGY if thorough else zlib.Z_RLE
    packer = zlib.compressobj(9 if thorough else 1, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    packed = packer.compress(content) + packer.flush()
    small = len(packed) < PAYS * len(content)
    return Blob(name, packed if small else content, small)


def quantise_map(values: npt.ArrayLike) -> tuple[Codes, float, float]:
    """One byte per vertex: value = low + code * step, 255 = no value; the error is at most half a step.

    Parameters
    ----------
    values : (..., 64984) or (..., 59412)
        Float; values that are not finite have no code. A stack of maps shares one scale.

    Returns
    -------
    codes : uint8 (..., 59412), in CIFTI order
    low, step : float
    """
    cortex = _cortex_values(values)
    known = np.isfinite(cortex)
    complete = bool(known.all())
    some = cortex if complete else cortex[known]
    low, high = (float(some.min()), float(some.max())) if some.size else (0.0, 0.0)
    step = (high - low) / LEVELS or 1.0
    scaled = (cortex - np.float32(low)) * np.float32(1 / step)
    if not complete:
        scaled[~known] = 0
    codes = np.clip(np.rint(scaled), 0, LEVELS).astype(np.uint8)
    if not complete:
        codes[~known] = NO_VALUE
    return codes, low, step


def quantise_classes(values: npt.ArrayLike, n_classes: int) -> tuple[Codes, float, float]:
    """Class numbers 0 to n - 1, exactly; NaN = no class. Raises `BrainvizError` for any other value."""
    cortex = _cortex_values(values)
    known = np.isfinite(cortex)
    numbers = np.where(known, cortex, 0)
    if n_classes > LEVELS or (numbers != np.rint(numbers)).any() or numbers.min() < 0 or numbers.max() >= n_classes:
        raise BrainvizError(f"A map of classes holds whole numbers from 0 to {n_classes - 1}.", "values")
    return np.where(known, numbers, NO_VALUE).astype(np.uint8), 0.0, 1.0


@cache
def q_edges() -> npt.NDArray[np.float64]:
    """Code k means q at most ``q_edges()[k]``, float64 (255,): 40 codes per decade, with 0.05, 0.01 and 0.001 exact."""
    edges: npt.NDArray[np.float64] = 10.0 ** (-np.arange(LEVELS + 1) / Q_PER_DECADE)
    edges[[0, 52, 80, 120]] = 1.0, 0.05, 0.01, 0.001
    edges.setflags(write=False)
    return edges


def quantise_q(q: npt.ArrayLike) -> Codes:
    """q values (64984,) or (59412,) as codes uint8 (59412,), see `q_edges`; never smaller than the truth says."""
    cortex = _cortex_values(q)
    edges = -q_edges().astype(np.float32)  # as exact as q itself: 0.05 in float32 still counts as 0.05
    codes = np.searchsorted(edges, -np.nan_to_num(cortex, nan=1.0), side="right") - 1
    return np.where(np.isfinite(cortex), np.clip(codes, 0, LEVELS), NO_VALUE).astype(np.uint8)


def _cortex_values(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    array = np.asarray(values, np.float32)
    if array.shape[-1:] == (len(load_surface().cortex),):
        return array
    return np.asarray(full_to_cortex(on_full(array)), np.float32)


@cache
def surface_blob() -> Blob:
    """The flat map, its triangles, greys and regions (about 380 KB, kept in the browser across visits)."""
    stored = read_asset()
    parts = {
        "flat": _differences(stored["flat"]),
        "faces": _differences(stored["faces"].view(np.int16)),
        "on_flat": np.packbits(stored["on_flat"].ravel()).tobytes(),
        "grey": np.rint(cortex_grey()).astype(np.uint8).tobytes(),
        "mask": stored["mask"].astype(np.uint8).tobytes(),
        "labels": stored["labels"].astype("<i2").tobytes(),
    }
    header = {"names": list(glasser().names), "n_faces": len(stored["faces"]), "units": UNITS_PER_MM}
    return make_blob(_bundle(header, parts), thorough=True)


@cache
def inflated_blob() -> Blob:
    """Vertex positions of the inflated surface (about 130 KB, asked for when the 3-D view opens)."""
    return make_blob(_differences(read_asset()["inflated"]), thorough=True)


def _differences(columns: npt.NDArray[Any]) -> bytes:
    """int16 (n, k) as differences along n, column by column, all low bytes before all high bytes: deflates well."""
    steps = np.diff(columns.astype(np.int32), axis=0, prepend=0).astype("<i2").T
    return np.ascontiguousarray(np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 2).T).tobytes()


def _bundle(header: dict[str, Any], parts: dict[str, bytes]) -> bytes:
    """Length of the header, header with the place of each part, parts; places count from the start."""
    room = 4 + len(json.dumps(header)) + 80 * len(parts)
    room += -room % 8
    end = room
    for name, part in parts.items():
        header[name] = {"offset": end, "length": len(part)}
        end += len(part)
    head = json.dumps(header).encode()
    return struct.pack("<I", len(head)) + head.ljust(room - 4) + b"".join(parts.values())
