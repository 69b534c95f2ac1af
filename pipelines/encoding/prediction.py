"""Test rows: their kernel against the training rows, and the scores of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.encoding.decomposition import Decomposition
from pipelines.encoding.targets import Block

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float32]


def prediction_kernel(
    decomposition: Decomposition,
    design: Array,
    test_design: Array,
    device: str = "cpu",
) -> Tensor:
    """Kernel of test rows against training rows in the eigenbasis, float32 (n_test, q), both centred on training.

    Summed over blocks of columns in float64, so that neither design is copied whole.
    """
    import torch

    total = torch.zeros(len(test_design), len(design), dtype=torch.float64, device=device)
    for start in range(0, design.shape[1], 1024):
        train = torch.as_tensor(design[:, start : start + 1024], dtype=torch.float64, device=device)
        test = torch.as_tensor(test_design[:, start : start + 1024], dtype=torch.float64, device=device)
        mean = train.mean(0)
        total.addmm_(test - mean, (train - mean).T)
    return (total @ torch.as_tensor(decomposition.vectors, dtype=torch.float64, device=device)).float()


def prediction_scores(predicted: Array, measured: Block, usable: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Pearson r and R2 of every vertex over all test rows.

    Parameters
    ----------
    predicted : float32 (n_test, w)
    measured : Block
    usable : bool (w,)
        False gives NaN.

    Returns
    -------
    r, r2 : float32 (w,)
        A constant prediction has r 0.
    """
    moving = predicted - predicted.mean(0)
    total = np.einsum("ij,ij->j", measured.y, measured.y)
    cross = np.einsum("ij,ij->j", moving, measured.y)
    bound = np.sqrt(np.einsum("ij,ij->j", moving, moving) * total)
    missed = measured.y + measured.mean - predicted
    left_over = np.einsum("ij,ij->j", missed, missed)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(bound > 0, cross / bound, 0.0)
        r2 = 1 - left_over / total
    return np.where(usable, r, np.nan).astype(np.float32), np.where(usable, r2, np.nan).astype(np.float32)
