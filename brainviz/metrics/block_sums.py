"""Sums of a prediction and of measured BOLD over blocks of volumes: all that correlations and their tests need.

Both time courses are centred within each film first, so that every correlation here is the pooled correlation within
films: r = sum(py) / sqrt(sum(p^2) sum(y^2)). A run is z-scored on its own, so films' means of the measurement are zero
anyway; a prediction's offset between films is not scored. Permutation within films and resampling of blocks leave that
centring as it is, and one definition serves the map, the tests and the intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Float32 = npt.NDArray[np.float32]

BLOCK_VOLUMES = 15
"""Shortest block: 30 s at a TR of 2 s. Shorter ones make tests too liberal, because BOLD is autocorrelated."""

VERTICES_AT_ONCE = 2048
_CONSTANT = 1e-6  # standard deviation, relative to the largest value, below which a time course is constant


class Columns(Protocol):
    """Anything (volumes, vertices) that gives columns: an array, a memory map, a prediction made on demand."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Volumes and vertices."""
        ...

    def __getitem__(self, index: tuple[slice, slice]) -> npt.NDArray[Any]:
        """The block of values ``[:, start:stop]``."""
        ...


@dataclass(frozen=True, eq=False)
class VolumeBlocks:
    """Consecutive whole blocks of volumes; films stand one after the other.

    Attributes
    ----------
    films : tuple of str
    film : int64 (n,)
        Film of each block, an index into `films`.
    start, length : int64 (n,)
        First volume, counted over all films, and number of volumes.
    """

    films: tuple[str, ...]
    film: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of blocks."""
        return len(self.start)

    @property
    def n_volumes(self) -> int:
        """Volumes of all films together."""
        return int(self.length.sum())

    def film_rows(self, film: int) -> slice:
        """Volumes of one film."""
        mine = np.flatnonzero(self.film == film)
        return slice(int(self.start[mine[0]]), int(self.start[mine[-1]] + self.length[mine[-1]]))


def volume_blocks(
    volumes: Mapping[str, int],
    minimum: int = BLOCK_VOLUMES,
    labels: Mapping[str, npt.NDArray[Any]] | None = None,
) -> VolumeBlocks:
    """Cut films into blocks.

    Parameters
    ----------
    volumes : mapping of film -> number of kept volumes, in the order in which the films' volumes are stacked
    minimum : int
        Shortest block in volumes. A film gets as many blocks of at least this length as fit, of lengths that differ
        by at most one volume; a film shorter than it is one block.
    labels : mapping of film -> (volumes,), optional
        Blocks of whole shots, say: the label of each volume; a new block begins where the label changes. Films that
        it lacks are cut evenly. Volume k of a film follows clip k, so labels of clips serve as they are.

    Raises
    ------
    DataProblem
        Without films or volumes, or where labels do not go with a film's volumes.
    """
    if not volumes or min(volumes.values()) < 1 or minimum < 1:
        raise DataProblem("Blocks need at least one film of at least one volume.", f"{dict(volumes)}")
    lengths = [_lengths(name, n, minimum, (labels or {}).get(name)) for name, n in volumes.items()]
    length = np.concatenate(lengths).astype(np.int64)
    film = np.repeat(np.arange(len(lengths)), [len(each) for each in lengths])
    return VolumeBlocks(tuple(volumes), film, np.cumsum(length) - length, length)


def _lengths(film: str, n: int, minimum: int, labels: npt.NDArray[Any] | None) -> npt.NDArray[np.int64]:
    if labels is None:
        n_blocks = max(1, n // minimum)
        return n // n_blocks + (np.arange(n_blocks) < n % n_blocks)
    if np.shape(labels) != (n,):
        raise DataProblem(f"{np.shape(labels)} block labels do not go with {n} volumes.", film)
    borders = np.flatnonzero(np.asarray(labels)[1:] != np.asarray(labels)[:-1]) + 1
    return np.diff(np.concatenate([[0], borders, [n]])).astype(np.int64)


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums per block and vertex of film-centred prediction p and measurement y, float32 (n_blocks, v).

    NaN for a vertex that is constant or holds NaN. Sums of p and of y are zero over a film and so are not kept.

    Attributes
    ----------
    pp, py, yy : float32 (n_blocks, v)
        Sums of p^2, p y and y^2. `yy` is the same for all encoders of a subject, so it needs to be stored once.
    """

    pp: Float32
    py: Float32
    yy: Float32

    @property
    def r(self) -> Float32:
        """Correlation of prediction and measurement, float32 (v,)."""
        scale = np.sqrt(self.pp.sum(0, dtype=np.float64) * self.yy.sum(0, dtype=np.float64))
        return _ratio(self.py.sum(0, dtype=np.float64), scale)

    @property
    def r2(self) -> Float32:
        """Explained variance 1 - sum((y - p)^2) / sum(y^2), float32 (v,): below r^2 where p is badly scaled."""
        total = self.yy.sum(0, dtype=np.float64)
        error = total - 2 * self.py.sum(0, dtype=np.float64) + self.pp.sum(0, dtype=np.float64)
        return np.asarray(1 - _ratio(error, total), np.float32)


def sum_blocks(prediction: Columns, measured: Columns, blocks: VolumeBlocks) -> BlockSums:
    """Block sums of a whole map, some vertices at a time.

    Parameters
    ----------
    prediction, measured : (volumes, v), any real type
        The encoder's prediction and the average over test runs, films stacked as in `blocks`.

    Raises
    ------
    DataProblem
        Where the shapes do not go with each other or with the blocks.
    """
    check_shapes(prediction, measured, blocks)
    sums = empty_sums(len(blocks), prediction.shape[1])
    for columns in chunks(prediction.shape[1]):
        fill_sums(sums, columns, *centred_pair(prediction, measured, blocks, columns), blocks)
    return sums


def empty_sums(n_blocks: int, n_vertices: int) -> BlockSums:
    """Block sums to be filled by `fill_sums`."""
    return BlockSums(*(np.empty((n_blocks, n_vertices), np.float32) for _ in range(3)))


def fill_sums(sums: BlockSums, columns: slice, p: Float32, y: Float32, blocks: VolumeBlocks) -> None:
    """Write the sums of some columns, given their film-centred time courses."""
    for target, first, second in ((sums.pp, p, p), (sums.py, p, y), (sums.yy, y, y)):
        for block, (start, n) in enumerate(zip(blocks.start, blocks.length, strict=True)):
            rows = slice(start, start + n)
            np.einsum("lv,lv->v", first[rows], second[rows], out=target[block, columns])


def centred_pair(
    prediction: Columns, measured: Columns, blocks: VolumeBlocks, columns: slice
) -> tuple[Float32, Float32]:
    """Film-centred columns of both: two float32 (volumes, k), see `centred_columns`."""
    return centred_columns(prediction, blocks, columns), centred_columns(measured, blocks, columns)


def centred_columns(source: Columns, blocks: VolumeBlocks, columns: slice) -> Float32:
    """Film-centred columns, NaN where they are constant or not finite; float32 (volumes, k)."""
    return _centred(np.array(source[slice(0, blocks.n_volumes), columns], np.float32), blocks)


def check_shapes(prediction: Columns, measured: Columns, blocks: VolumeBlocks) -> None:
    """Raise `DataProblem` where shapes differ from each other or from the blocks."""
    if tuple(prediction.shape) != tuple(measured.shape) or len(prediction.shape) != 2:
        raise DataProblem(
            f"Prediction {tuple(prediction.shape)} and measurement {tuple(measured.shape)} differ in shape.", "encoding"
        )
    if prediction.shape[0] != blocks.n_volumes:
        raise DataProblem(f"The blocks hold {blocks.n_volumes} volumes, the data {prediction.shape[0]}.", "encoding")


def chunks(n: int, size: int = VERTICES_AT_ONCE) -> Iterator[slice]:
    """Consecutive slices of at most `size` of n."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _centred(values: Float32, blocks: VolumeBlocks) -> Float32:
    largest = np.maximum(values.max(0), -values.min(0))
    for film in range(len(blocks.films)):
        rows = blocks.film_rows(film)
        values[rows] -= values[rows].mean(0)
    spread = np.sqrt(np.einsum("ij,ij->j", values, values) / len(values))
    # A constant column keeps rounding noise after centring; it is no signal. `not >` also catches NaN.
    values[:, ~(spread > _CONSTANT * np.maximum(largest, 1e-30)) | ~np.isfinite(spread)] = np.nan
    return values


def _ratio(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> Float32:
    answer = np.full(len(below), np.nan)
    np.divide(above, below, out=answer, where=below > 0)
    return answer.astype(np.float32)
