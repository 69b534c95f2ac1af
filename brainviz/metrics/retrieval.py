"""Retrieval: where does the true clip stand when all are ranked by likeness to what was decoded?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Array = npt.NDArray[np.float64]


def best_first(queries: npt.ArrayLike, gallery: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Gallery entries by falling cosine: float (n, d), (m, d) -> int64 (n, m). A zero vector resembles nothing."""
    a, b = (np.asarray(part, np.float64) for part in (queries, gallery))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataProblem(f"Queries {a.shape} and gallery {b.shape} are not of one space.", "retrieval")
    return np.argsort(-(_unit(a) @ _unit(b).T), axis=1, kind="stable")


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def true_ranks(queries: npt.ArrayLike, gallery: npt.ArrayLike, labels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Place of each query's own entry, 1 is best: int64 (n,). `labels` (n,) is its row of the gallery."""
    own = np.asarray(labels)
    order = best_first(queries, gallery)
    if own.shape != (len(order),) or (own < 0).any() or (own >= order.shape[1]).any():
        raise DataProblem("Each query needs the row of its own entry in the gallery.", "retrieval")
    return 1 + np.argmax(order == own[:, None], axis=1)


def top_k_accuracy(
    queries: npt.ArrayLike, gallery: npt.ArrayLike, labels: npt.ArrayLike, ks: Sequence[int] = (10,)
) -> Array:
    """Share of queries whose own entry is among the first k, float64 (len(ks),).

    The literature's small set is the test clips; its large set adds several thousand others, so a figure needs the size
    of its gallery and `retrieval_chance` beside it. Clips of one shot look alike: their ranks are not independent, so a
    test against chance shifts whole films (`brainviz.metrics.shifts`) and does not count clips.
    """
    ranks = true_ranks(queries, gallery, labels)
    return np.array([(ranks <= k).mean() for k in ks])


def retrieval_chance(k: int, gallery: int) -> float:
    """Top-k accuracy of a decoder that knows nothing."""
    return min(k, gallery) / gallery
