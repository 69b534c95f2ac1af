"""Every vertex's own alpha by cross-validation over whole segments.

Criterion: the mean over folds of Pearson r within the fold, the measure that is reported on the test films. It does not
depend on a vertex's scale or on what a fold's mean does, which per-fold R2 does.

Why it is fast (`python -m benchmarks.ridge`):
1. a few basis products, scored through their Gram matrices, stand for all alphas (`scoring.py`);
2. how few is decided on sampled vertices against the exhaustive float64 search: the cheapest rank that settles most;
3. a vertex whose best two alphas differ by less than the measured error is searched again with the full basis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding.decomposition import Decomposition
from pipelines.encoding.scoring import FoldScorer, exhaustive, fold_scorers, mean_scores
from pipelines.encoding.targets import Targets, as_targets, column_blocks

ALPHAS: npt.NDArray[np.float64] = np.logspace(0, 6, 20)
SAMPLE = 192
"""Vertices of the accuracy check."""
ACCURACY = 1e-4
"""Largest error of a cross-validated r; with a worse one the search goes on in float64."""
MARGIN = 2.0
"""Safety on the error measured in the sample."""
TIE = 1e-5
"""Alphas whose r differ by less are equally good."""
READ_BLOCK, CPU_BLOCK, GPU_BLOCK = 4096, 512, 4096

Progress = Callable[[float], None]


@dataclass(frozen=True)
class AlphaChoice:
    """Alphas by cross-validation.

    Attributes
    ----------
    alpha : float32 (v,)
        NaN where the vertex is constant or not finite.
    cv_r : float32 (v,)
        Mean over folds of Pearson r at that alpha; NaN as above.
    products, full : int
        Products per fold that served all vertices, and those searched again.
    searched_again : float
        Part of the vertices.
    error : float
        Largest difference to the exhaustive float64 search in the sample, in r.
    """

    alpha: npt.NDArray[np.float32]
    cv_r: npt.NDArray[np.float32]
    products: int
    full: int
    searched_again: float
    error: float


def choose_alphas(
    decomposition: Decomposition,
    y: Any,
    alphas: npt.ArrayLike = ALPHAS,
    device: str = "cpu",
    progress: Progress | None = None,
    block: int | None = None,
) -> AlphaChoice:
    """Search all alphas for all vertices.

    Parameters
    ----------
    y : (n, v) array-like or `Targets`
        BOLD over the rows of the decomposition; read by blocks of vertices.
    alphas : (a,)
        Positive, ascending.
    progress : optional
        Called with the fraction done; what it raises ends the search.

    Raises
    ------
    DataProblem
        BOLD and decomposition do not have the same rows.
    BrainvizError
        An alpha is not positive.
    """
    targets, grid = _checked(decomposition, y, alphas)
    report = progress or (lambda fraction: None)
    width = block or (CPU_BLOCK if device == "cpu" else GPU_BLOCK)
    scorers = fold_scorers(decomposition, grid, device)
    plan = _plan(decomposition, scorers, targets, grid, device)
    if plan.error > ACCURACY:
        return _all_in_float64(decomposition, targets, grid, device, report)
    scores = np.empty((targets.n_vertices, len(grid)), dtype=np.float32)
    usable = np.empty(targets.n_vertices, dtype=bool)
    quick = [scorer.first(plan.products) for scorer in scorers]
    for columns in column_blocks(targets.n_vertices, READ_BLOCK):
        y_block, usable[columns] = targets.tensor(columns, device)
        for part in column_blocks(y_block.shape[1], width):
            inside = slice(columns.start + part.start, columns.start + part.stop)
            scores[inside] = mean_scores(decomposition, quick, y_block[:, part])[0].cpu().numpy()
            report(0.9 * inside.stop / targets.n_vertices)
    again = np.flatnonzero(usable & _unsettled(scores, plan.errors))
    if plan.products < plan.full:
        for part in column_blocks(len(again), width):
            y_part, _ = targets.tensor(again[part], device)
            scores[again[part]] = mean_scores(decomposition, scorers, y_part)[0].cpu().numpy()
            report(0.9 + 0.1 * part.stop / len(again))
    report(1.0)
    return _choice(scores, usable, grid, plan, len(again))


@dataclass(frozen=True)
class _Plan:
    products: int
    full: int
    errors: npt.NDArray[np.float32]
    error: float


def _checked(decomposition: Decomposition, y: Any, alphas: npt.ArrayLike) -> tuple[Targets, npt.NDArray[np.float64]]:
    targets = as_targets(y)
    if targets.n_rows != decomposition.n_rows:
        what = f"BOLD has {targets.n_rows} volumes; the features have {decomposition.n_rows} rows."
        raise DataProblem(what, "BOLD", "Use the same training films for both.")
    grid = np.asarray(alphas, dtype=np.float64).ravel()
    if not len(grid) or not (grid > 0).all():
        raise BrainvizError("Every alpha must be positive.", "alphas", "Give for instance 1 to 1e6 in 20 steps.")
    return targets, grid


def _plan(
    decomposition: Decomposition,
    scorers: list[FoldScorer],
    targets: Targets,
    grid: npt.NDArray[np.float64],
    device: str,
) -> _Plan:
    """The cheapest number of products, by what it errs on sampled vertices against the exhaustive search."""
    n = targets.n_vertices
    sample = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    y, _ = targets.tensor(sample, device)
    true = np.mean([exhaustive(fold, y, grid).cpu().numpy() for fold in decomposition.folds], axis=0)
    full = max(scorer.rank for scorer in scorers)
    tried = [score.cpu().numpy() for score in mean_scores(decomposition, scorers, y, range(1, full + 1))]
    error = float(np.abs(tried[-1] - true).max())
    products, cost = full, float(full)
    for i, scores in enumerate(tried[:-1]):
        again = float(_unsettled(scores, _errors(scores, true)).mean())
        if i + 1 + again * full < cost:
            products, cost = i + 1, i + 1 + again * full
    return _Plan(products, full, _errors(tried[products - 1], true), error)


def _errors(scores: npt.NDArray[np.float32], true: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Allowed error of every alpha's r: the largest in the sample, with a margin."""
    return (MARGIN * np.abs(scores - true).max(0)).astype(np.float32)


def _unsettled(scores: npt.NDArray[np.float32], errors: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Vertices whose best alpha another could overtake within the errors, or whose best r is not accurate enough."""
    best = scores.argmax(1)
    rows = np.arange(len(scores))
    rival = scores + errors
    rival[rows, best] = -np.inf
    sure: npt.NDArray[np.bool_] = rival.max(1, initial=-np.inf) < scores[rows, best] - errors[best] + TIE
    return ~sure | (errors[best] > ACCURACY)


def _all_in_float64(
    decomposition: Decomposition, targets: Targets, grid: npt.NDArray[np.float64], device: str, report: Progress
) -> AlphaChoice:
    """Exhaustive search, for designs that float32 does not serve."""
    scores = np.zeros((targets.n_vertices, len(grid)), dtype=np.float32)
    usable = np.ones(targets.n_vertices, dtype=bool)
    blocks = column_blocks(targets.n_vertices, 2048)
    for j, columns in enumerate(blocks):
        y, usable[columns] = targets.tensor(columns, device)
        total = sum(exhaustive(fold, y, grid) for fold in decomposition.folds)
        scores[columns] = (total / len(decomposition.folds)).cpu().numpy()
        report((j + 1) / len(blocks))
    plan = _Plan(len(grid), len(grid), np.zeros(len(grid), dtype=np.float32), 0.0)
    return _choice(scores, usable, grid, plan, 0)


def _choice(
    scores: npt.NDArray[np.float32],
    usable: npt.NDArray[np.bool_],
    grid: npt.NDArray[np.float64],
    plan: _Plan,
    n_again: int,
) -> AlphaChoice:
    best = scores.argmax(1)
    alpha = np.where(usable, grid[best], np.nan).astype(np.float32)
    cv_r = np.where(usable, scores[np.arange(len(scores)), best], np.nan).astype(np.float32)
    return AlphaChoice(alpha, cv_r, plan.products, plan.full, n_again / max(1, len(scores)), plan.error)
