"""Blocks of vertices of a BOLD array that may be larger than memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Block:
    """Vertices of all rows.

    Attributes
    ----------
    y : float32 (n_rows, w)
        Centred over rows; zeros in vertices that are unusable.
    mean : float32 (w,)
        What was subtracted.
    usable : bool (w,)
        False where a value is not finite or the vertex is constant.
    """

    y: Array
    mean: Array
    usable: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Targets:
    """Rows of one or several BOLD arrays as one, read block by block.

    Parameters
    ----------
    parts : list of arrays (n_i, v)
        Anything that slices like an array: NumPy, a memory map, Zarr; float16 or wider. Their rows follow one another.
    """

    parts: list[Any]

    def __post_init__(self) -> None:
        widths = {part.shape[1] for part in self.parts}
        if len(widths) != 1:
            raise DataProblem(f"BOLD arrays have different numbers of vertices: {sorted(widths)}.", "BOLD")

    @property
    def n_rows(self) -> int:
        """Volumes of all parts."""
        return sum(part.shape[0] for part in self.parts)

    @property
    def n_vertices(self) -> int:
        """Vertices of every part."""
        return int(self.parts[0].shape[1])

    def block(self, columns: slice | npt.NDArray[np.int64]) -> Block:
        """Vertices `columns` (a slice, or indices in ascending order)."""
        y = np.concatenate([_columns(part, columns) for part in self.parts])
        mean = y.mean(0, dtype=np.float64).astype(np.float32)
        with np.errstate(invalid="ignore"):
            y -= mean
        spread = np.einsum("ij,ij->j", y, y)
        usable = np.isfinite(spread) & (spread > len(y) * (1e-6 * np.abs(mean)) ** 2)
        if not usable.all():
            y[:, ~usable] = 0
        return Block(y, mean, usable)

    def tensor(self, columns: slice | npt.NDArray[np.int64], device: str) -> tuple[Tensor, npt.NDArray[np.bool_]]:
        """`y` of the block on a device, and `usable`."""
        import torch

        block = self.block(columns)
        return torch.from_numpy(block.y).to(device), block.usable


def _columns(part: Any, columns: slice | npt.NDArray[np.int64]) -> Array:
    if isinstance(columns, slice) or isinstance(part, np.ndarray):
        return np.asarray(part[:, columns], dtype=np.float32)
    first, last = int(columns[0]), int(columns[-1]) + 1
    return np.asarray(part[:, first:last], dtype=np.float32)[:, columns - first]


def as_targets(y: Any) -> Targets:
    """`Targets` of one array, or `y` itself if it is one."""
    return y if isinstance(y, Targets) else Targets([y])


def column_blocks(n: int, width: int) -> list[slice]:
    """Slices of at most `width` over n vertices."""
    return [slice(start, min(start + width, n)) for start in range(0, n, width)]
