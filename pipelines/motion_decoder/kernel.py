"""Ridge in its dual form: exact leave-fold-out predictions for every penalty from one eigendecomposition.

With the kernel K (n, n), penalty a and hat matrix H = K (K + a I)^-1, the residual of fold g predicted without g is
(I - H_gg)^-1 (Y - H Y)_g. Equation: Golub & Van Loan's block inverse; Cawley & Talbot 2003 for single rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .data import BoldWindows

Array32 = NDArray[np.float32]
Array64 = NDArray[np.float64]


def window_gram(windows: BoldWindows, vertex_weight: Array32, delay_weight: Array32) -> Array64:
    """Kernel (n, n) of weighted windows, without gathering them.

    The Gram matrix of the volumes is computed once; a window's kernel sums its entries over the delays.
    """
    weighted = np.asarray(windows.volumes, dtype=np.float32) * vertex_weight
    gram = np.zeros((len(weighted) + 1,) * 2)  # the last row stands for a missing volume
    gram[:-1, :-1] = weighted @ weighted.T
    index = np.where(windows.index < 0, len(weighted), windows.index)
    kernel = np.zeros((len(windows),) * 2)
    for delay, weight in zip(index.T, delay_weight, strict=True):
        kernel += float(weight) ** 2 * gram[np.ix_(delay, delay)]
    return kernel


def primal_weights(windows: BoldWindows, vertex_weight: Array32, delay_weight: Array32, dual: Array64) -> Array32:
    """Weights (n_window, n_vertices, m) on raw windows, from dual coefficients (n, m)."""
    weights = np.empty((windows.n_window, windows.n_vertices, dual.shape[1]), dtype=np.float32)
    for position, delay in enumerate(windows.index.T):
        per_volume = np.zeros((len(windows.volumes), dual.shape[1]))
        seen = delay >= 0
        np.add.at(per_volume, delay[seen], dual[seen])
        weights[position] = np.asarray(windows.volumes).T @ per_volume.astype(np.float32)
    return weights * (delay_weight**2)[:, None, None] * (vertex_weight**2)[None, :, None]


def apply_weights(windows: BoldWindows, weights: Array32) -> Array32:
    """Predictions (n, m) of primal weights (n_window, n_vertices, m); each volume is projected once per delay."""
    prediction = np.zeros((len(windows), weights.shape[2]), dtype=np.float32)
    volumes = np.asarray(windows.volumes, dtype=np.float32)
    for delay, weight in zip(windows.index.T, weights, strict=True):
        projected = volumes @ weight
        seen = delay >= 0
        prediction[seen] += projected[delay[seen]]
    return prediction


@dataclass(frozen=True)
class RidgeFit:
    """Dual ridge with one penalty per target.

    Attributes
    ----------
    dual : float64 (n, m), coefficients fitted on all rows.
    intercept : float64 (m,).
    held_out : float32 (n, m), each row predicted without its fold.
    penalty : float64 (m,), chosen per target by held-out squared error.
    """

    dual: Array64
    intercept: Array64
    held_out: Array32
    penalty: Array64


def fit_ridge(kernel: Array64, targets: NDArray[np.floating], fold: NDArray[np.int64], penalties: Array64) -> RidgeFit:
    """Ridge of centred `targets` (n, m) on `kernel` (n, n); the penalty of each target by leave-fold-out error.

    The intercept is a constant feature as strong as the kernel's mean diagonal, so that a fold's predictions never
    use its own mean. `fold` (n,) holds fold numbers; rows marked -1 are never held out (their held-out prediction is
    the plain fit's).
    """
    constant = float(np.trace(kernel) / len(kernel)) or 1.0
    values, vectors = np.linalg.eigh(kernel + constant)
    values = np.maximum(values, 0)
    goal = np.asarray(targets, dtype=np.float64)
    rotated = vectors.T @ goal
    folds = [np.flatnonzero(fold == number) for number in np.unique(fold[fold >= 0])]
    scored = np.flatnonzero(fold >= 0)
    best_error = np.full(goal.shape[1], np.inf)
    penalty, held_out = np.full(goal.shape[1], penalties[0]), np.zeros_like(goal)
    for candidate in penalties:
        shrink = values / (values + candidate)
        predicted = _leave_folds_out(vectors, shrink, rotated, goal, folds)
        error = ((predicted - goal)[scored] ** 2).sum(0)
        better = error < best_error
        best_error[better], penalty[better] = error[better], candidate
        held_out[:, better] = predicted[:, better]
    dual = vectors @ (rotated / (values[:, None] + penalty[None]))
    return RidgeFit(dual, constant * dual.sum(0), held_out.astype(np.float32), penalty)


def _leave_folds_out(
    vectors: Array64, shrink: Array64, rotated: Array64, goal: Array64, folds: list[NDArray[np.intp]]
) -> Array64:
    """Predictions (n, m) of every fold by the ridge that has not seen it."""
    predicted = vectors @ (shrink[:, None] * rotated)
    for rows in folds:
        own = vectors[rows]
        hat = (own * shrink) @ own.T
        residual = np.linalg.solve(np.eye(len(rows)) - hat, goal[rows] - predicted[rows])
        predicted[rows] = goal[rows] - residual
    return predicted
