"""Cross-validated correlation of every alpha from a few products instead of one product per alpha.

All alphas' predictions lie, to any wished accuracy, in the span of a few: 1 / (eigenvalue + alpha) over 20 alphas has
numerical rank 6 to 13. A fold's predictions in that basis, and their Gram matrix with the held-out BOLD, give the
correlation of *every* alpha as a ratio of quadratic forms, so no prediction is ever formed for any single alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.encoding.decomposition import Decomposition, Fold

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 1e-6
"""Singular values of the family of alphas, over the largest, from which a basis function counts."""


@dataclass(frozen=True)
class FoldScorer:
    """One fold's basis of predictions.

    Attributes
    ----------
    products : float32 (rank * n_held, n_train)
        Maps the training BOLD to the held-out predictions of each basis function, ordered
        by importance.
    mixing : float32 (rank, n_alphas)
        Predictions of alpha a, up to its scale, are the basis predictions times column a.
    """

    products: Tensor
    mixing: Tensor

    @property
    def rank(self) -> int:
        """Basis functions."""
        return len(self.mixing)

    def first(self, rank: int) -> FoldScorer:
        """The same with at most `rank` basis functions."""
        if rank >= self.rank:
            return self
        n_held = len(self.products) // self.rank
        return FoldScorer(self.products[: rank * n_held], self.mixing[:rank])

    def grams(self, train: Tensor, held: Tensor) -> Tensor:
        """Gram matrices of the basis predictions and, last, the held-out BOLD: (w, rank + 1, rank + 1).

        Parameters
        ----------
        train : float32 (n_train, w)
        held : float32 (n_held, w)
        """
        import torch

        n_held, w = held.shape
        both = torch.empty(w, (self.rank + 1) * n_held, dtype=train.dtype, device=train.device)
        torch.mm(train.T, self.products.T, out=both[:, : self.rank * n_held])
        both[:, self.rank * n_held :] = (held - held.mean(0)).T
        stacked = both.view(w, self.rank + 1, n_held)
        return torch.bmm(stacked, stacked.transpose(1, 2))

    def correlations(self, grams: Tensor) -> Tensor:
        """Correlation of every alpha's prediction with the held-out BOLD, (w, n_alphas), from `grams`.

        Gram matrices of more basis functions serve too: the first ones are used.
        """
        import torch

        rank = self.rank
        energy = _squares(grams[:, :rank, :rank], self.mixing)
        cross = grams[:, :rank, -1] @ self.mixing
        bound = energy * grams[:, -1, -1:]
        return torch.where(bound > 0, cross * bound.clamp_min(1e-30).rsqrt(), torch.zeros_like(cross))


def _squares(grams: Tensor, mixing: Tensor) -> Tensor:
    """c_a^T G c_a for every vertex and alpha, (w, n_alphas): one product with all c_a c_a^T."""
    rank = len(mixing)
    outer = mixing[:, None] * mixing[None]
    return (grams.reshape(len(grams), rank * rank) @ outer.view(rank * rank, -1)).clamp_min(0)


def fold_scorer(left: Tensor, right: Tensor, values: Tensor, alphas: npt.NDArray[np.float64]) -> FoldScorer:
    """Basis of one fold's predictions `left @ diag(1 / (values + alpha)) @ right` over all alphas.

    The functions 1 / (values + alpha) are weighted by how far each eigen-direction reaches into the held-out rows,
    scaled to one length per alpha, and cut at `TOLERANCE`.
    """
    import torch

    reach = left.double().norm(dim=0)
    reach = reach + 1e-9 * reach.max()
    family = reach[:, None] / (values[:, None] + torch.as_tensor(alphas, device=values.device)[None])
    family = family / family.norm(dim=0)
    shapes, sizes, mixing = torch.linalg.svd(family, full_matrices=False)
    rank = int((sizes > TOLERANCE * sizes[0]).sum())
    weights = (shapes[:, :rank] / reach[:, None]).float()
    centred = left.float() - left.float().mean(0)
    products = torch.empty(rank, len(left), right.shape[1], device=left.device)
    for r in range(rank):
        torch.mm(centred * weights[:, r], right.float(), out=products[r])
    return FoldScorer(products.view(rank * len(left), -1), (sizes[:rank, None] * mixing[:rank]).float())


def fold_scorers(decomposition: Decomposition, alphas: npt.NDArray[np.float64], device: str) -> list[FoldScorer]:
    """Scorers of all folds."""
    import torch

    return [
        fold_scorer(
            torch.as_tensor(fold.left, device=device),
            torch.as_tensor(fold.right, device=device).T,
            torch.as_tensor(fold.eigenvalues, device=device),
            alphas,
        )
        for fold in decomposition.folds
    ]


def mean_scores(
    decomposition: Decomposition, scorers: list[FoldScorer], y: Tensor, ranks: Sequence[int] = ()
) -> list[Tensor]:
    """Mean over folds of every alpha's correlation, (w, n_alphas), for BOLD float32 (n, w).

    With `ranks`, one result for each number of basis functions, from the same products.
    """
    import torch

    chosen = ranks or (max(scorer.rank for scorer in scorers),)
    totals = [torch.zeros(y.shape[1], scorers[0].mixing.shape[1], device=y.device) for _ in chosen]
    for fold, scorer in zip(decomposition.folds, scorers, strict=True):
        grams = scorer.grams(_rows(y, fold.train), _rows(y, fold.held))
        for total, rank in zip(totals, chosen, strict=True):
            total += scorer.first(rank).correlations(grams)
    return [total / len(scorers) for total in totals]


def _rows(y: Tensor, rows: npt.NDArray[np.int64]) -> Tensor:
    """Rows of a block; without a copy where they follow one another."""
    import torch

    if len(rows) == rows[-1] - rows[0] + 1:
        return y[int(rows[0]) : int(rows[-1]) + 1]
    return y[torch.as_tensor(rows, device=y.device)]


def exhaustive(fold: Fold, y: Tensor, alphas: npt.NDArray[np.float64]) -> Tensor:
    """Correlation of every alpha's own prediction in float64, (w, n_alphas): the reference for `FoldScorer`."""
    import torch

    device = y.device
    left = torch.as_tensor(fold.left, dtype=torch.float64, device=device)
    right = torch.as_tensor(fold.right, dtype=torch.float64, device=device)
    values = torch.as_tensor(fold.eigenvalues, device=device)
    held = y[torch.as_tensor(fold.held, device=device)].double()
    held = held - held.mean(0)
    turned = right.T @ y[torch.as_tensor(fold.train, device=device)].double()
    scores = torch.zeros(y.shape[1], len(alphas), dtype=torch.float64, device=device)
    for i, alpha in enumerate(alphas):
        predicted = left @ (turned / (values + alpha)[:, None])
        predicted -= predicted.mean(0)
        bound = (predicted.square().sum(0) * held.square().sum(0)).sqrt()
        scores[:, i] = torch.where(bound > 0, (predicted * held).sum(0) / bound.clamp_min(1e-300), 0.0)
    return scores
