"""Voxel-wise ridge regression: own alpha per vertex, dual weights, predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.encoding.alphas import ALPHAS, AlphaChoice, Progress, choose_alphas
from pipelines.encoding.decomposition import Decomposition
from pipelines.encoding.readout import Readout
from pipelines.encoding.targets import as_targets, column_blocks

REFIT_BLOCK = 4096


@dataclass(frozen=True)
class RidgeFit:
    """Fitted ridge in dual form.

    Attributes
    ----------
    choice : AlphaChoice
    dual : float32 (n, v)
        Prediction of test rows = centred test-by-training kernel @ dual + mean. NaN where alpha is NaN.
    mean : float32 (v,)
        Mean of the training BOLD.
    """

    choice: AlphaChoice
    dual: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]

    @property
    def alpha(self) -> npt.NDArray[np.float32]:
        """Chosen alphas (v,), NaN in unusable vertices."""
        return self.choice.alpha

    @property
    def cv_r(self) -> npt.NDArray[np.float32]:
        """Cross-validated Pearson r at the chosen alpha (v,)."""
        return self.choice.cv_r

    def predict(self, design: npt.ArrayLike, test_design: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """BOLD predicted for test rows, float32 (n_test, v), from the training design (n, p) and theirs (n_test, p)."""
        train, test = np.asarray(design, dtype=np.float32), np.asarray(test_design, dtype=np.float32)
        mean = train.mean(0)
        kernel = (test - mean) @ (train - mean).T
        predicted: npt.NDArray[np.float32] = kernel @ self.dual
        predicted += self.mean
        return predicted

    def weights(self, design: npt.ArrayLike, columns: slice = slice(None)) -> npt.NDArray[np.float32]:
        """Primal weights float32 (p, w) of some vertices, given the training design (n, p)."""
        train = np.asarray(design, dtype=np.float32)
        weights: npt.NDArray[np.float32] = (train - train.mean(0)).T @ self.dual[:, columns]
        return weights


def fit(
    decomposition: Decomposition,
    y: Any,
    alphas: npt.ArrayLike = ALPHAS,
    device: str = "cpu",
    progress: Progress | None = None,
) -> RidgeFit:
    """Choose alphas and solve for all dual weights.

    Parameters
    ----------
    y : (n, v) array-like or `Targets`
        BOLD over the rows of the decomposition.

    Raises
    ------
    DataProblem, BrainvizError
        As `choose_alphas`.
    """
    import torch

    targets = as_targets(y)
    report = progress or (lambda fraction: None)
    choice = choose_alphas(decomposition, targets, alphas, device, lambda fraction: report(0.9 * fraction))
    dual = np.empty((targets.n_rows, targets.n_vertices), dtype=np.float32)
    mean = np.empty(targets.n_vertices, dtype=np.float32)
    readout = Readout(decomposition, torch.as_tensor(decomposition.vectors), choice.alpha, device)
    for columns in column_blocks(targets.n_vertices, REFIT_BLOCK):
        block = targets.block(columns)
        solved = readout(torch.from_numpy(block.y).to(device), choice.alpha[columns])
        dual[:, columns] = solved.cpu().numpy()
        dual[:, columns][:, ~block.usable] = np.nan
        mean[columns] = block.mean
        report(0.9 + 0.1 * columns.stop / targets.n_vertices)
    return RidgeFit(choice, dual, mean)
