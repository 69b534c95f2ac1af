"""CIFTI-2 time series (``*.dtseries.nii``): what the header says, and the cortex's volumes, memory-mapped.

The header is read by itself (a few ms per file), because a data set holds hundreds of files and a full parse of each
brain model would make opening it slow.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import N_CORTEX, N_CORTEX_LEFT, N_GRAYORDINATES, N_HEMISPHERE, load_surface
from brainviz.errors import DataProblem

_HEADER_BYTES = 540  # NIfTI-2
_AGAIN = "Copy or download it again."
_TIME_UNITS_S = {"SECOND": 1.0}
_BRAIN_MODEL = re.compile(rb"<BrainModel\b([^>]*?)(?:/>|>(.*?)</BrainModel>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb"(\w+)\s*=\s*[\"']([^\"']*)[\"']")
_SIDES = ((0, N_CORTEX_LEFT, "CIFTI_STRUCTURE_CORTEX_LEFT"), (N_CORTEX_LEFT, N_CORTEX, "CIFTI_STRUCTURE_CORTEX_RIGHT"))


@dataclass(frozen=True)
class CiftiHeader:
    """Facts of one time-series file that passed `read_header`.

    Attributes
    ----------
    n_volumes : int
    tr_s : float
    dtype : str
        As stored, with byte order.
    offset : int
        Where the values begin, in bytes.
    slope, inter : float
        Value = stored * slope + inter.
    """

    n_volumes: int
    tr_s: float
    dtype: str
    offset: int
    slope: float
    inter: float


def read_header(path: Path) -> CiftiHeader:
    """Read and check the header of a dense time series over the 91,282 standard grayordinates.

    Raises
    ------
    DataProblem
        Missing, empty, truncated, no CIFTI-2 file, another space, or without a time axis; `where` is the path.
    """
    try:
        state = path.stat()
        return _read_header(str(path), state.st_size, state.st_mtime_ns)
    except FileNotFoundError as error:
        raise DataProblem("The scan is missing.", str(path), "Put the file back in its place.") from error
    except PermissionError as error:
        remedy = f"Allow reading: chmod u+r '{path}'."
        raise DataProblem("No permission to read the scan.", str(path), remedy) from error
    except OSError as error:
        raise DataProblem(f"The scan cannot be read: {error.strerror or error}.", str(path), _AGAIN) from error


@lru_cache(maxsize=4096)
def _read_header(name: str, size: int, changed_ns: int) -> CiftiHeader:
    del changed_ns  # only to forget what was read of a file that has changed
    if size == 0:
        raise DataProblem("The scan is an empty file.", name, _AGAIN)
    with Path(name).open("rb") as handle:
        header = _nifti_header(handle, name)
        shape, offset = [int(d) for d in header["dim"][1 : 1 + int(header["dim"][0])]], int(header["vox_offset"])
        xml = handle.read(max(0, offset - _HEADER_BYTES))
    if len(shape) != 6 or min(shape) < 1 or b"<CIFTI" not in xml:
        raise DataProblem("This is a NIfTI file, but no CIFTI-2 time series.", name, _wanted())
    n_volumes, n_rows = shape[4], shape[5]
    dtype = header["datatype_dtype"]
    if size < offset + n_volumes * n_rows * dtype.itemsize:
        missing = (offset + n_volumes * n_rows * dtype.itemsize - size) / 1e6
        raise DataProblem(f"The scan is cut short: {missing:.1f} MB are missing at its end.", name, _AGAIN)
    _check_space(xml, n_rows, name)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0:  # NIfTI: no scaling
        slope, inter = 1.0, 0.0
    return CiftiHeader(n_volumes, _repetition_time(xml, name), dtype.str, offset, slope, inter)


def _nifti_header(handle: BinaryIO, name: str) -> dict[str, Any]:
    from nibabel.nifti2 import Nifti2Header
    from nibabel.spatialimages import HeaderDataError

    block = handle.read(_HEADER_BYTES)
    if len(block) < _HEADER_BYTES or _HEADER_BYTES not in (int.from_bytes(block[:4], o) for o in ("little", "big")):
        raise DataProblem("This is no CIFTI-2 file.", name, _wanted())
    try:
        header = Nifti2Header(block, check=False)
        dtype = header.get_data_dtype()
    except (HeaderDataError, ValueError) as error:
        raise DataProblem("The header of the scan is damaged.", name, _AGAIN) from error
    fields = ("dim", "vox_offset", "scl_slope", "scl_inter")
    return {field: header[field] for field in fields} | {"datatype_dtype": np.dtype(dtype)}


def _wanted() -> str:
    return "Use the *_Atlas.dtseries.nii file of the data set, as distributed."


def _repetition_time(xml: bytes, name: str) -> float:
    found = re.search(rb"<MatrixIndicesMap\b[^>]*CIFTI_INDEX_TYPE_SERIES[^>]*>", xml)
    values = dict(_ATTRIBUTE.findall(found.group())) if found else {}
    try:
        unit = _TIME_UNITS_S[values[b"SeriesUnit"].decode()]
        return float(values[b"SeriesStep"]) * unit * 10.0 ** int(values.get(b"SeriesExponent", b"0"))
    except (KeyError, ValueError) as error:
        raise DataProblem("The scan has no time axis in seconds.", name, _wanted()) from error


def _check_space(xml: bytes, n_rows: int, name: str) -> None:
    remedy = "Use the 32k grayordinates file (91282 rows; cortex = first 59412), named *_Atlas.dtseries.nii."
    if b"CIFTI_INDEX_TYPE_PARCELS" in xml:
        raise DataProblem(f"The scan is parcellated: {n_rows} parcels.", name, remedy)
    if n_rows != N_GRAYORDINATES:
        raise DataProblem(f"The scan has {n_rows} grayordinates, not {N_GRAYORDINATES}.", name, remedy)
    start, stop = xml.find(b"<BrainModel"), xml.rfind(b"</BrainModel>")
    models = xml[start : stop + len(b"</BrainModel>")] if 0 <= start < stop else b""
    fault = _space_fault(models) if len(models) < 1000 else _known_space(models)
    if fault:
        raise DataProblem(f"The scan is in another space: {fault}.", name, remedy)


_SPACES: dict[bytes, str] = {}


def _known_space(models: bytes) -> str:
    """The fault of a set of brain models, remembered by its hash: all files of a data set share one."""
    digest = hashlib.blake2b(models, digest_size=16).digest()
    if digest not in _SPACES:
        _SPACES[digest] = _space_fault(models)
    return _SPACES[digest]


def _space_fault(models: bytes) -> str:
    """What is not as in the standard grayordinates, in words; empty where the cortex is."""
    found = {}
    for attributes, content in _BRAIN_MODEL.findall(models):
        values = {key.decode(): value.decode() for key, value in _ATTRIBUTE.findall(attributes)}
        found[values.get("BrainStructure", "")] = (values, content)
    cortex = load_surface().cortex
    for side, (start, stop, structure) in enumerate(_SIDES):
        if structure not in found:
            return f"it lacks {structure}"
        values, content = found[structure]
        if int(values.get("SurfaceNumberOfVertices", 0)) != N_HEMISPHERE:
            return f"its surface has {values.get('SurfaceNumberOfVertices', '?')} vertices, not {N_HEMISPHERE}"
        if (int(values.get("IndexOffset", -1)), int(values.get("IndexCount", -1))) != (start, stop - start):
            return f"{structure} does not stand in rows {start} to {stop}"
        text = re.search(rb"<VertexIndices>(.*?)</VertexIndices>", content, re.DOTALL)
        indices = np.array(text.group(1).split(), dtype=np.int64) if text else np.empty(0, np.int64)
        if not np.array_equal(indices, cortex[start:stop] - side * N_HEMISPHERE):
            return f"{structure} has another medial wall than the standard one"
    return ""


def map_cortex(path: Path) -> tuple[npt.NDArray[Any], CiftiHeader]:
    """The cortex of a scan as stored, unscaled: memory map (59412, tr); and the header. Raises as `read_header`."""
    header = read_header(path)
    shape = (N_CORTEX, header.n_volumes)
    try:
        stored = np.memmap(path, np.dtype(header.dtype), "r", header.offset, shape)
    except (OSError, ValueError) as error:
        raise DataProblem("The scan cannot be mapped into memory.", str(path), _AGAIN) from error
    return stored, header


def read_cortex(path: Path, volumes: slice = slice(None)) -> npt.NDArray[np.float32]:
    """Scaled values of the cortex, float32 (tr, 59412), of some of the raw volumes. Raises as `read_header`."""
    stored, header = map_cortex(path)
    values = np.asarray(stored[:, volumes]).T.astype(np.float32, order="C")
    if header.slope != 1.0:
        values *= np.float32(header.slope)
    if header.inter != 0.0:
        values += np.float32(header.inter)
    return values
