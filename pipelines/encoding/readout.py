"""Whatever is linear in the ridge weights, for vertices with their own alpha: dual weights, predictions, components.

Each is `left @ diag(1 / (eigenvalues + alpha)) @ vectors.T @ y`. Vertices are taken in groups of one alpha; where it
pays, the operator of an alpha is formed once and serves all vertices, so that one product replaces two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.encoding.decomposition import Decomposition

if TYPE_CHECKING:
    from torch import Tensor

OPERATOR_BYTES = 150_000_000
"""Memory that ready operators may take."""


class Readout:
    """A linear reading of ridge solutions.

    Parameters
    ----------
    left : float32 (m, q)
        In the eigenbasis of the decomposition: its own `vectors` for dual weights, a `prediction_kernel`, ...
    alphas : (v,)
        Chosen alphas of all vertices to come; they decide whether ready operators pay.
    """

    def __init__(
        self, decomposition: Decomposition, left: Tensor, alphas: npt.NDArray[np.float32], device: str = "cpu"
    ) -> None:
        import torch

        self.left = left.to(device)
        self.values = torch.as_tensor(decomposition.eigenvalues, device=device)
        self.vectors = torch.as_tensor(decomposition.vectors, device=device)
        used, counts = np.unique(alphas[np.isfinite(alphas)], return_counts=True)
        m, q = left.shape
        n = len(decomposition.vectors)
        ready = len(used) * m * q * n + counts.sum() * m * n
        direct = counts.sum() * (q * n + m * q)
        pays = ready < direct and len(used) * m * n * 4 <= OPERATOR_BYTES
        self.operators = {float(alpha): self._operator(float(alpha)) for alpha in used} if pays else {}

    def _operator(self, alpha: float) -> Tensor:
        return (self.left * (1 / (self.values + alpha)).float()) @ self.vectors.T

    def __call__(self, y: Tensor, alpha: npt.NDArray[np.float32]) -> Tensor:
        """Read out a block.

        Parameters
        ----------
        y : float32 (n, w)
            Centred BOLD.
        alpha : float32 (w,)
            NaN gives zeros.

        Returns
        -------
        float32 (m, w)
        """
        import torch

        if not self.operators:
            a = torch.as_tensor(np.where(np.isfinite(alpha), alpha, np.inf), dtype=torch.float64, device=y.device)
            turned = self.vectors.T @ y
            turned *= (1 / (self.values[:, None] + a[None])).float()
            return self.left @ turned
        order = np.argsort(alpha, kind="stable")  # NaN last
        columns = torch.as_tensor(order, device=y.device)
        ordered, chosen = y[:, columns], alpha[order]
        out = torch.zeros(len(self.left), y.shape[1], device=y.device)
        starts = np.flatnonzero(np.r_[True, np.diff(chosen) != 0])
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
            if np.isfinite(chosen[start]):
                torch.mm(self.operators[float(chosen[start])], ordered[:, start:stop], out=out[:, start:stop])
        return out[:, torch.argsort(columns)]
