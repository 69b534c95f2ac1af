"""How results lie on disk: atomic JSON, Zarr arrays with sharding, Parquet tables.

Everything a workspace holds is written through this file, so that no reader ever meets half a result.
"""

from __future__ import annotations

import json
import math
import os
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from brainviz.errors import BrainvizError

if TYPE_CHECKING:
    import pandas as pd
    import zarr

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
CHUNK_BYTES = 1 << 20  # small enough that one clip or one vertex block reads in about a millisecond


def safe_name(name: str) -> str:
    """Return `name` if it can stand as one file name, else raise `BrainvizError` (no separators, no dots first)."""
    if not SAFE_NAME.fullmatch(name):
        raise BrainvizError("This name cannot be used as a file name.", repr(name), "Use letters, digits, . _ and -.")
    return name


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the whole new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def read_json(path: Path, default: Any = None) -> Any:
    """Read JSON; `default` where the file does not exist. A damaged file raises `BrainvizError`."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return default
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BrainvizError("This file is not valid JSON.", str(path), "Delete it; it is written again.") from error


def storage_error(error: OSError, path: Path) -> BrainvizError:
    """Turn a disk error into words: no space, read-only, no permission."""
    remedies = {
        28: ("The disk is full.", "Free some space (python -m pipelines clean removes what no result needs), resume."),
        122: ("The disk quota is used up.", "Free some space, then resume the run."),
        30: ("The file system is read-only.", "Choose a workspace folder that can be written."),
        13: ("No permission to write here.", "Choose a workspace folder that you own."),
    }
    what, remedy = remedies.get(error.errno or 0, (f"Writing failed: {error.strerror or error}.", ""))
    return BrainvizError(what, str(path), remedy)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a tidy table as Parquet, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        table.to_parquet(temporary, index=False)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table; a damaged one raises `BrainvizError`."""
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise BrainvizError("This table cannot be read.", str(path), "Run the pipeline again to rebuild it.") from error


def create_array(
    folder: Path, name: str, shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...] | None = None
) -> zarr.Array:
    """Create a sharded Zarr v3 array to be filled piece by piece.

    Parameters
    ----------
    folder : Path
        The Zarr group (a folder such as ``results/.../arrays.zarr``).
    name : str
        Name of the array in the group.
    shape, dtype
        Of the whole array. One shard holds everything, so a folder never holds thousands of files.
    chunks : tuple of int, optional
        The block that one read decompresses; default: whole rows up to about 1 MB.
    """
    import zarr

    chunks = chunks or default_chunks(shape, np.dtype(dtype).itemsize)
    shards = tuple(math.ceil(size / chunk) * chunk for size, chunk in zip(shape, chunks, strict=True))
    group = zarr.open_group(str(folder), mode="a")
    # Half-precision noise (BOLD, features) does not shrink; leaving it alone halves the time of reading and writing.
    compressors: Literal["auto"] | None = None if dtype == "float16" else "auto"
    return group.create_array(
        name, shape=shape, dtype=dtype, chunks=chunks, shards=shards, compressors=compressors, overwrite=True
    )


def default_chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Chunks along the first axis of about `CHUNK_BYTES`, all other axes whole."""
    row = max(1, int(np.prod(shape[1:], dtype=np.int64)) * itemsize)
    return (min(max(1, CHUNK_BYTES // row), max(1, shape[0])), *(max(1, size) for size in shape[1:]))


def write_array(folder: Path, name: str, values: np.ndarray, chunks: tuple[int, ...] | None = None) -> None:
    """Write a whole array at once (see `create_array`)."""
    create_array(folder, name, values.shape, str(values.dtype), chunks)[...] = values


def open_array(folder: Path, name: str) -> zarr.Array:
    """Open a stored array for reading; a missing or damaged one raises `BrainvizError`."""
    import zarr

    try:
        return zarr.open_array(str(folder / name), mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise BrainvizError(
            "This array cannot be read.", str(folder / name), "Run the pipeline again to rebuild it."
        ) from error


def read_array(folder: Path, name: str) -> np.ndarray:
    """Read a whole stored array into memory."""
    return np.asarray(open_array(folder, name)[...])
