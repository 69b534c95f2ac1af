"""Weights of many vertices as a thin product of float16 matrices, so that a page can predict from any film's features.

W (p, v) = X^T U L^-1 C with C = L D U^T y, the training predictions in the eigenbasis. The left factor spans the
components that carry the *predictions* (not the weights) of the best-predicted vertices, each counted alike; so k is
the smallest number that reproduces what the model says about films. No p x v matrix is ever formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.encoding.decomposition import Decomposition

MEDIAN_CORRELATION = 0.995
"""Median correlation, over vertices, of low-rank with full training predictions."""


@dataclass(frozen=True)
class LowRank:
    """Ridge weights as left @ right.

    Attributes
    ----------
    left : float16 (p, k)
        Columns scaled to unit root mean square of the training features' projections.
    right : float16 (k, v)
    feature_mean : float32 (p,)
        Mean of the training design (scaled, delayed).
    bold_mean : float32 (v,)
    agreement : float
        Median over fitted vertices of the correlation between low-rank and full training predictions.
    """

    left: npt.NDArray[np.float16]
    right: npt.NDArray[np.float16]
    feature_mean: npt.NDArray[np.float32]
    bold_mean: npt.NDArray[np.float32]
    agreement: float

    @property
    def rank(self) -> int:
        """Components."""
        return int(self.left.shape[1])

    def predict(self, design: npt.ArrayLike, columns: slice = slice(None)) -> npt.NDArray[np.float32]:
        """BOLD predicted for rows of a design scaled and delayed as in training, float32 (n, v) or its `columns`."""
        rows = np.asarray(design, dtype=np.float32) - self.feature_mean
        components = rows @ self.left.astype(np.float32)
        predicted: npt.NDArray[np.float32] = components @ self.right[:, columns].astype(np.float32)
        predicted += self.bold_mean[columns]
        return predicted


@dataclass(frozen=True)
class Components:
    """Leading components of training predictions, in the eigenbasis.

    Attributes
    ----------
    basis : float32 (q, k)
        Orthonormal columns.
    agreement : float
        Median correlation of kept with full predictions.
    """

    basis: Tensor
    agreement: float

    def left(self, decomposition: Decomposition, design: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """float32 (p, k): X^T U L^-1 E, X centred; its columns predict unit-variance components of training rows."""
        import torch

        values = torch.as_tensor(decomposition.eigenvalues, device=self.basis.device)
        dual = torch.as_tensor(decomposition.vectors, device=self.basis.device) @ (self.basis / values[:, None]).float()
        dual = (dual - dual.mean(0)).cpu()
        factor = float(np.sqrt(len(design)))
        return np.asarray(factor * (torch.as_tensor(design).T @ dual).numpy(), dtype=np.float32)


def leading_components(predictions: Tensor, agreement: float = MEDIAN_CORRELATION, largest: int = 400) -> Components:
    """Components that reproduce predictions.

    Parameters
    ----------
    predictions : float32 (q, v)
        Training predictions in the eigenbasis: L D U^T y.
    agreement : float
        Median correlation wanted. That of a vertex is the length of what is kept over its whole length.
    """
    import torch

    scaled = predictions.double()
    scaled = scaled / scaled.norm(dim=0).clamp_min(1e-30)
    _, vectors = torch.linalg.eigh(scaled @ scaled.T)
    vectors = vectors.flip(1)[:, :largest]
    kept = (vectors.T @ scaled).square().cumsum(0).sqrt()
    medians = kept.quantile(0.5, dim=1)
    rank = int((medians < agreement).sum()) + 1
    rank = min(rank, vectors.shape[1])
    return Components(vectors[:, :rank].float(), float(medians[rank - 1].clamp(max=1.0)))


def low_rank(weights: npt.ArrayLike, rank: int) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]:
    """Best approximation of small explicit weights (p, v) by float16 left (p, k) and right (k, v)."""
    import torch

    u, s, vt = torch.linalg.svd(torch.as_tensor(np.asarray(weights, dtype=np.float64)), full_matrices=False)
    root = s[:rank].sqrt()
    left, right = u[:, :rank] * root, root[:, None] * vt[:rank]
    return left.numpy().astype(np.float16), right.numpy().astype(np.float16)
