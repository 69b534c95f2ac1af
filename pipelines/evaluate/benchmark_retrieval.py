"""Retrieval of the shown clip from a decoded vector: small and large set, and its test against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.metrics.retrieval import best_first, true_ranks
from brainviz.metrics.shifts import circular_shift_null, exceedance_p
from brainviz.metrics.video.benchmark_names import TOP

Vectors = npt.NDArray[np.floating]
SHIFTS = 20_000


@dataclass(frozen=True)
class Retrieval:
    """One search.

    Attributes
    ----------
    found : bool (n,)
        Whether the shown clip is among the first `TOP`.
    gallery : int
        Clips to choose from.
    p : float
        Against the same decoded vectors shifted circularly against each film (at least 30 s), one-sided: clips of one
        shot look alike, so clips are not counted as independent.
    """

    found: npt.NDArray[np.bool_]
    gallery: int
    p: float


def retrieve(
    decoded: Mapping[str, Vectors], shown: Mapping[str, Vectors], others: Sequence[Vectors] = (), seed: int = 0
) -> Retrieval:
    """Search every test clip among all of them, and among `others` too where given.

    Parameters
    ----------
    decoded, shown : mapping of film -> float (clips, d)
        Vectors decoded from fMRI and of the films themselves, the same films and clips.
    others : sequence of float (m, d)
        More clips to choose from: the large set.
    seed : int
        Of the shifts.
    """
    queries = np.concatenate([decoded[film] for film in shown])
    gallery = np.concatenate([*shown.values(), *others])
    found = true_ranks(queries, gallery, np.arange(len(queries))) <= TOP
    return Retrieval(found, len(gallery), _p(decoded, shown, gallery, found, seed))


def _p(
    decoded: Mapping[str, Vectors],
    shown: Mapping[str, Vectors],
    gallery: Vectors,
    found: npt.NDArray[np.bool_],
    seed: int,
) -> float:
    """Of as many hits as there are, were the vectors decoded at another moment of the film."""
    misses, start = [], 0
    for film, vectors in shown.items():
        n = len(vectors)
        first = best_first(decoded[film], gallery)[:, :TOP] - start  # (prediction, TOP), as clips of this film
        missed = np.ones((n, n))
        rows, columns = np.nonzero((first >= 0) & (first < n))
        missed[first[rows, columns], rows] = 0.0  # [i, j]: prediction j does not find clip i
        misses.append(missed)
        start += n
    null = circular_shift_null(misses, SHIFTS, seed=seed)
    return exceedance_p(float(1 - found.mean()), null - 1e-12)  # rounding must not decide whether a tie counts
