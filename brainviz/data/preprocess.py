"""From raw volumes to z-scores: detrending, scaling, averaging (Wen et al. 2018; Yeung et al. 2025)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

Array = npt.NDArray[np.float32]

DETREND_ORDER = 4
_BLOCK = 8192  # columns at a time, so that intermediate float64 values stay small
_FLAT = 1e-6  # standard deviation, relative to the largest raw value, below which a vertex is constant


@lru_cache(maxsize=64)
def polynomial_basis(n_volumes: int, order: int = DETREND_ORDER) -> npt.NDArray[np.float64]:
    """Orthonormal polynomials up to `order` over the volumes, float64 (n_volumes, order + 1)."""
    if n_volumes <= order + 1:
        raise BrainvizError(
            f"{n_volumes} volumes are too few to remove a trend of order {order}.", "detrend", "Use longer runs."
        )
    position = np.linspace(-1, 1, n_volumes)
    basis, _ = np.linalg.qr(np.polynomial.legendre.legvander(position, order))
    basis.setflags(write=False)
    return np.asarray(basis)


def detrend(values: npt.ArrayLike, order: int = DETREND_ORDER) -> Array:
    """Subtract from every column the polynomial that fits it best (least squares).

    Parameters
    ----------
    values : (tr, vertex), any real type
    order : int

    Returns
    -------
    float32 (tr, vertex)
    """
    source = np.asarray(values)
    basis = polynomial_basis(len(source), order)
    result = np.empty(source.shape, np.float32)
    for start in range(0, source.shape[1], _BLOCK):
        block = source[:, start : start + _BLOCK].astype(np.float64)
        result[:, start : start + _BLOCK] = block - basis @ (basis.T @ block)
    return result


def clean_run(values: npt.ArrayLike, order: int = DETREND_ORDER) -> tuple[Array, int]:
    """Detrend and z-score every vertex of one run over its own kept volumes.

    Parameters
    ----------
    values : (tr, vertex), any real type
        Raw volumes that are kept. NaN and infinite values make their vertex unusable.

    Returns
    -------
    z : float32 (tr, vertex)
        Mean 0 and standard deviation 1 (ddof 0) per vertex; 0 where the vertex is constant or not finite.
    n_unusable : int
        Vertices that were set to 0.
    """
    source = np.asarray(values)
    basis = polynomial_basis(len(source), order)
    result = np.empty(source.shape, np.float32)
    n_unusable = 0
    for start in range(0, source.shape[1], _BLOCK):
        block = source[:, start : start + _BLOCK].astype(np.float64)
        finite = np.isfinite(block).all(0)
        block[:, ~finite] = 0
        largest = np.abs(block).max(0, initial=0.0)
        block -= basis @ (basis.T @ block)
        deviation = np.sqrt(np.mean(np.square(block), axis=0))  # the mean is 0: the basis holds a constant
        usable = finite & (deviation > _FLAT * largest)
        result[:, start : start + _BLOCK] = block * np.where(usable, 1 / np.where(usable, deviation, 1), 0)
        n_unusable += int((~usable).sum())
    return result, n_unusable


def average_runs(runs: Iterable[Array]) -> Array:
    """Mean of z-scored runs, never z-scored again: its smaller variance says how far the runs agree.

    Parameters
    ----------
    runs : arrays float32 (tr, vertex), one in memory at a time

    Raises
    ------
    BrainvizError
        No run, or runs of different shapes.
    """
    total: Array | None = None
    n = 0
    for run in runs:
        if total is None:
            total = run.astype(np.float32, copy=True)
        elif total.shape != run.shape:
            raise BrainvizError(f"Runs of shapes {total.shape} and {run.shape} cannot be averaged.", "average of runs")
        else:
            total += run
        n += 1
    if total is None:
        raise BrainvizError("There is no run to average.", "average of runs")
    return total if n == 1 else np.divide(total, np.float32(n), out=total)
