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
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding.decomposition import Decomposition
from pipelines.encoding.scoring import FoldScorer, exhaustive, fold_scorer
from pipelines.encoding.targets import Targets, as_targets, column_blocks

if TYPE_CHECKING:
    from torch import Tensor

ALPHAS: npt.NDArray[np.float64] = np.logspace(0, 6, 20)
SAMPLE = 192
"""Vertices of the accuracy check."""
FULL_TOLERANCE = 1e-6
ACCURACY = 1e-4
"""Largest error of a cross-validated r; with a worse one the search goes on in float64."""
MARGIN = 2.0
"""Safety on the error measured in the sample."""
CPU_BLOCK, GPU_BLOCK = 512, 16384

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
    rank, full_rank : int
        Basis products used for all vertices, and for those searched again.
    searched_again : float
        Part of the vertices.
    error : float
        Largest difference to the exhaustive float64 search in the sample, in r.
    """

    alpha: npt.NDArray[np.float32]
    cv_r: npt.NDArray[np.float32]
    rank: int
    full_rank: int
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
        BOLD over the rows of the decomposition; read by blocks, once per fold.
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
    plan = _plan(decomposition, targets, grid, device)
    if plan.error > ACCURACY:
        return _all_in_float64(decomposition, targets, grid, device, report)
    blocks = column_blocks(targets.n_vertices, width)
    scores = np.zeros((targets.n_vertices, len(grid)), dtype=np.float32)
    usable = np.ones(targets.n_vertices, dtype=bool)
    for i, fold in enumerate(decomposition.folds):
        scorer = fold_scorer(fold, grid, plan.tolerance, device)
        rank = min(plan.rank, scorer.rank)
        for j, columns in enumerate(blocks):
            part, usable[columns] = targets.tensor(columns, device)
            scores[columns] += scorer.correlations(scorer.basis_grams(part, rank), rank).cpu().numpy()
            report((i + (j + 1) / len(blocks)) / len(decomposition.folds) * 0.9)
    scores /= len(decomposition.folds)
    again = np.flatnonzero(usable & _unsettled(scores, plan.errors))
    if len(again) and plan.rank < plan.full_rank:
        scores[again] = _full_search(decomposition, targets, grid, again, device, width)
    report(1.0)
    return _choice(scores, usable, grid, plan, len(again))


@dataclass(frozen=True)
class _Plan:
    rank: int
    full_rank: int
    tolerance: float
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


def _plan(decomposition: Decomposition, targets: Targets, grid: npt.NDArray[np.float64], device: str) -> _Plan:
    """The cheapest rank, by what it errs on sampled vertices against the exhaustive search."""
    n = targets.n_vertices
    sample = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    y, _ = targets.tensor(sample, device)
    truth: Any = 0.0
    tried: dict[int, Any] = {}
    n_folds = len(decomposition.folds)
    for fold in decomposition.folds:
        scorer = fold_scorer(fold, grid, FULL_TOLERANCE, device)
        truth = truth + exhaustive(fold, y, grid) / n_folds
        grams = scorer.basis_grams(y)
        for rank in range(1, len(grid) + 1):
            score = scorer.correlations(_leading(grams, min(rank, scorer.rank)), min(rank, scorer.rank))
            tried[rank] = tried.get(rank, 0.0) + score / n_folds
    true = truth.cpu().numpy()
    scores = {rank: score.cpu().numpy() for rank, score in tried.items()}
    full = max(scorer.rank, 1)
    error = float(np.abs(scores[full] - true).max())
    best = full, 0.0, float(full)
    for rank in range(2, full):
        errors = MARGIN * np.abs(scores[rank] - true).max(0)
        again = float(_unsettled(scores[rank], errors).mean())
        if rank + again * full < best[2]:
            best = rank, again, rank + again * full
    errors = MARGIN * np.abs(scores[best[0]] - true).max(0)
    return _Plan(best[0], full, FULL_TOLERANCE, errors.astype(np.float32), error)


def _leading(grams: Tensor, rank: int) -> Tensor:
    """Gram matrices as the first `rank` basis functions alone would have them."""
    import torch

    keep = torch.tensor([*range(rank), grams.shape[1] - 1], device=grams.device)
    return grams[:, keep][:, :, keep]


def _unsettled(scores: npt.NDArray[np.float32], errors: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Vertices whose best alpha another could overtake within the errors, or whose best r is not accurate enough."""
    best = scores.argmax(1)
    rows = np.arange(len(scores))
    rival = scores + errors
    rival[rows, best] = -np.inf
    sure: npt.NDArray[np.bool_] = rival.max(1, initial=-np.inf) < scores[rows, best] - errors[best]
    return ~sure | (errors[best] > ACCURACY)


def _full_search(
    decomposition: Decomposition,
    targets: Targets,
    grid: npt.NDArray[np.float64],
    vertices: npt.NDArray[np.int64],
    device: str,
    width: int,
) -> npt.NDArray[np.float32]:
    scores = np.zeros((len(vertices), len(grid)), dtype=np.float32)
    for fold in decomposition.folds:
        scorer: FoldScorer = fold_scorer(fold, grid, FULL_TOLERANCE, device)
        for columns in column_blocks(len(vertices), width):
            y, _ = targets.tensor(vertices[columns], device)
            scores[columns] += scorer.correlations(scorer.basis_grams(y)).cpu().numpy()
    return np.asarray(scores / len(decomposition.folds), dtype=np.float32)


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
    plan = _Plan(len(grid), len(grid), 0.0, np.zeros(len(grid), dtype=np.float32), 0.0)
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
    return AlphaChoice(alpha, cv_r, plan.rank, plan.full_rank, n_again / max(1, len(scores)), plan.error)
