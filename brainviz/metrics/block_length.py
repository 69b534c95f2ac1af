"""How long blocks must be, from the measured autocorrelation.

Sums over blocks count as independent, so what the product of two time courses shares across the borders of blocks is
lost from their variance, and tests become too liberal. With autocorrelations a(k) and b(k) of the two, the variance of
the sum of their product over L volumes is L [1 + 2 sum_k (1 - k / L) a(k) b(k)] (Bartlett 1946): the share that blocks
lose is (2 / L) sum_k k a(k) b(k) / [1 + 2 sum_k a(k) b(k)].
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from brainviz.metrics.block_sums import BLOCK_VOLUMES, Columns, Float32, VolumeBlocks, centred_columns

MOST_LOSS = 0.1
"""Share of the variance that blocks may lose; a tenth makes an interval 5 % too short."""

_FADED = 0.05  # an autocorrelation below this is taken as the end of it
_SAMPLED = 1024


def autocorrelation(courses: Columns, blocks: VolumeBlocks, chosen: npt.NDArray[np.bool_] | None = None) -> list[float]:
    """Mean autocorrelation over vertices at lags 1, 2, ..., within films, until it falls below .05.

    Parameters
    ----------
    courses : (volumes, v)
    blocks : VolumeBlocks
        For where films begin and end.
    chosen : bool (v,), optional
        The vertices that count, the reliable ones, say; about a thousand of them are read, evenly spread.
    """
    vertices = np.flatnonzero(np.ones(courses.shape[1], bool) if chosen is None else chosen)
    step = max(1, len(vertices) // _SAMPLED)
    read = [centred_columns(courses, blocks, slice(int(at), int(at) + 1)) for at in vertices[::step]]
    return autocorrelation_of(np.concatenate(read, axis=1), blocks) if read else []


def autocorrelation_of(values: Float32, blocks: VolumeBlocks) -> list[float]:
    """As `autocorrelation`, of film-centred columns (volumes, k); those with NaN are passed over."""
    values = values[:, np.isfinite(values[0])]
    films = [values[blocks.film_rows(film)] for film in range(len(blocks.films))]
    power = sum((film**2).sum(0) for film in films)
    result: list[float] = []
    for lag in range(1, max((len(film) for film in films), default=1) // 2 if values.shape[1] else 0):
        products = sum((film[lag:] * film[:-lag]).sum(0) for film in films if len(film) > lag)
        result.append(float((products / power).mean()))
        if result[-1] < _FADED:
            return result[:-1]
    return result


def needed_volumes(first: list[float], second: list[float], minimum: int = BLOCK_VOLUMES) -> int:
    """Shortest block, at least `minimum`, that loses no more than a tenth of the variance of the product's sum.

    Parameters
    ----------
    first, second : lists of float
        From `autocorrelation`, of the measurement and of a prediction. Before there is a prediction, the measurement's
        twice: at reliable vertices it holds what any good prediction follows.
    """
    return max(minimum, math.ceil(lost_share(first, second, 1) / MOST_LOSS))


def lost_share(first: list[float], second: list[float], length: float) -> float:
    """Share of the variance of the product's sum that blocks of `length` volumes lose at their borders."""
    shared = [a * b for a, b in zip(first, second, strict=False)]
    crossing = sum(lag * value for lag, value in enumerate(shared, start=1))
    return 2 * crossing / (1 + 2 * sum(shared)) / length
