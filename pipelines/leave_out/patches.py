"""Random patches of cortex: contiguous, bilateral, of the sizes and the reliability of the regions.

A patch grows ring by ring from a random vertex over the surface's triangles, through vertices that the decoder does not
use, until it holds as many used ones as its template region has on that side; the other side's half grows from the
homologous vertex (fs_LR numbers both sides alike).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.cortex.surface import N_HEMISPHERE
from pipelines.leave_out.model import Members

MOST_SHARED = 0.5
"""A patch that shares more of its vertices with its template region than this is no control for it."""
_NEAREST = 12


@dataclass(frozen=True)
class Used:
    """The decoder's vertices.

    Attributes
    ----------
    vertices : int64 (v,)
        Full index, in the order of the recording's columns.
    reliability : float32 (v,)
    faces : int32 (f, 3)
        Triangles of the surface, both sides.
    """

    vertices: NDArray[np.int64]
    reliability: NDArray[np.floating[Any]]
    faces: NDArray[np.int32]


def random_patches(
    used: Used, templates: Sequence[Members], n: int, generator: np.random.Generator, n_seeds: int = 160
) -> list[Members]:
    """`n` patches, templates taken in turn; each with the size of its template and nearly its mean reliability.

    Of `n_seeds` random places those twelve are kept for a template whose patch of its size comes nearest to it in mean
    reliability, and one of them is drawn. Fewer patches come back where places are too few.
    """
    orders = _growth_orders(used, n_seeds, generator)
    side = used.vertices >= N_HEMISPHERE
    made: list[Members] = []
    turns = -(-n // max(len(templates), 1))
    for template in (t for t in templates if len(t)):
        sizes = [int((~side[template]).sum()), int(side[template].sum())]
        candidates = [np.concatenate([o[:k] for o, k in zip(order, sizes, strict=True)]) for order in orders]
        fitting = [c for c in candidates if _fits(c, template)]
        wanted = used.reliability[template].mean()
        fitting.sort(key=lambda c: abs(float(used.reliability[c].mean() - wanted)))
        near = fitting[: max(_NEAREST, turns)]
        made += [np.sort(near[i]) for i in generator.permutation(len(near))[:turns]]
    return [made[i] for i in generator.permutation(len(made))[:n]]


def _fits(candidate: Members, template: Members) -> bool:
    shared = len(np.intersect1d(candidate, template, assume_unique=True))
    return len(candidate) == len(template) and shared <= MOST_SHARED * len(template)


def _growth_orders(used: Used, n_seeds: int, generator: np.random.Generator) -> list[tuple[Members, Members]]:
    """For each random place, the recording's columns of left and of right in the order in which a patch takes them."""
    from scipy.sparse.csgraph import breadth_first_order

    graph, n = _adjacency(used.faces)
    column = np.full(n, -1)
    column[used.vertices] = np.arange(len(used.vertices))
    chosen = generator.choice(used.vertices, min(n_seeds, len(used.vertices)), replace=False) % N_HEMISPHERE
    orders = []
    for seed in np.unique(chosen):
        halves = []
        for start in (seed, seed + N_HEMISPHERE):
            reached = breadth_first_order(graph, start, directed=True, return_predecessors=False)
            found = column[reached]
            halves.append(found[found >= 0].astype(np.int64))
        orders.append((halves[0], halves[1]))
    return orders


def _adjacency(faces: NDArray[np.int32]) -> tuple[Any, int]:
    from scipy.sparse import coo_matrix

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    n = max(int(faces.max()) + 1, 2 * N_HEMISPHERE)
    ones = np.ones(len(edges))  # float64: scipy's graph functions would convert any other type at every call
    both = (np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]]))
    return coo_matrix((np.concatenate([ones, ones]), both), shape=(n, n)).tocsr(), n
