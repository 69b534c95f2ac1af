"""Cross-validated correlation of every alpha from a few products instead of one product per alpha.

All alphas' predictions lie, to any wished accuracy, in the span of a few: 1 / (eigenvalue + alpha) over 20 alphas has
numerical rank 6 to 13. A fold's predictions in that basis, and their Gram matrix with the held-out BOLD, give the
correlation of *every* alpha as a ratio of quadratic forms, so no prediction is ever formed for any single alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.encoding.decomposition import Fold

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FoldScorer:
    """One fold's basis of predictions.

    Attributes
    ----------
    products : float32 (rank * n_held, n_train)
        Maps training BOLD to the held-out predictions of each basis function, ordered by importance.
    mixing : float32 (rank, n_alphas)
        Predictions of alpha a, up to its scale, are the basis predictions times column a.
    """

    train: Tensor
    held: Tensor
    products: Tensor
    mixing: Tensor

    @property
    def rank(self) -> int:
        """Basis functions."""
        return len(self.mixing)

    def basis_grams(self, y: Tensor, rank: int | None = None) -> Tensor:
        """Gram matrices of the basis predictions and, last, the centred held-out BOLD: (w, rank + 1, rank + 1).

        Parameters
        ----------
        y : float32 (n, w)
            BOLD of all rows.
        rank : int, optional
            Basis functions used, the first ones.
        """
        import torch

        rank = rank or self.rank
        n_held = len(self.held)
        both = torch.empty(y.shape[1], (rank + 1) * n_held, dtype=y.dtype, device=y.device)
        torch.mm(y[self.train].T, self.products[: rank * n_held].T, out=both[:, : rank * n_held])
        held = y[self.held]
        both[:, rank * n_held :] = (held - held.mean(0)).T
        stacked = both.view(y.shape[1], rank + 1, n_held)
        return torch.bmm(stacked, stacked.transpose(1, 2))

    def correlations(self, grams: Tensor, rank: int | None = None) -> Tensor:
        """Correlation of every alpha's prediction with the held-out BOLD, (w, n_alphas), from `basis_grams`.

        With `rank` smaller than the one of `grams`, what that many basis functions would have given.
        """
        import torch

        rank = rank or self.rank
        mixing = self.mixing[:rank]
        energy = _squares(grams[:, :rank, :rank], mixing)
        cross = grams[:, :rank, -1] @ mixing
        own = grams[:, -1, -1:]
        bound = energy * own
        return torch.where(bound > 0, cross * bound.clamp_min(1e-30).rsqrt(), torch.zeros_like(cross))


def _squares(grams: Tensor, mixing: Tensor) -> Tensor:
    """c_a^T G c_a for every vertex and alpha, (w, n_alphas): one product with all c_a c_a^T."""
    rank = len(mixing)
    outer = mixing[:, None] * mixing[None]
    return (grams.reshape(len(grams), rank * rank) @ outer.view(rank * rank, -1)).clamp_min(0)


def fold_scorer(fold: Fold, alphas: npt.NDArray[np.float64], tolerance: float, device: str) -> FoldScorer:
    """Basis of a fold's predictions over all alphas.

    The functions 1 / (eigenvalue + alpha) are weighted by how far each eigen-direction reaches into the held-out rows,
    scaled to one length per alpha, and cut at `tolerance` of the largest singular value.
    """
    import torch

    left = torch.as_tensor(fold.left, device=device)
    right = torch.as_tensor(fold.right, device=device)
    reach = left.double().norm(dim=0)
    reach = reach + 1e-9 * reach.max()
    values = torch.as_tensor(fold.eigenvalues, device=device)
    family = reach[:, None] / (values[:, None] + torch.as_tensor(alphas, device=device)[None])
    family = family / family.norm(dim=0)
    shapes, sizes, mixing = torch.linalg.svd(family, full_matrices=False)
    rank = int((sizes > tolerance * sizes[0]).sum())
    weights = (shapes[:, :rank] / reach[:, None]).float()
    left = left - left.mean(0)
    products = torch.empty(rank, len(left), len(right), device=device)
    for r in range(rank):
        torch.mm(left * weights[:, r], right.T, out=products[r])
    return FoldScorer(
        torch.as_tensor(fold.train, device=device),
        torch.as_tensor(fold.held, device=device),
        products.view(rank * len(left), len(right)),
        (sizes[:rank, None] * mixing[:rank]).float(),
    )


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
