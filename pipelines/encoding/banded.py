"""Two encoders in one model, and how much of the explained variance each has to itself.

Banded ridge (Nunez-Elizalde 2019; Dupre la Tour 2022) over two feature spaces: kernel g K_A + (1 - g) K_B. Every
candidate share g is an ordinary ridge, so own g and own alpha per vertex cost one alpha search per candidate; g = 1 and
g = 0, the two encoders alone, are among the candidates. Both designs are scaled to the same mean row length.

What each explains alone is told by `brainviz.metrics.variance_partition` from the three predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from pipelines.encoding.alphas import ALPHAS, Progress, choose_alphas
from pipelines.encoding.decomposition import FOLDS, Decomposition, decompose_kernel, fold_of_rows, kernel_of
from pipelines.encoding.readout import Readout
from pipelines.encoding.targets import Targets, as_targets, column_blocks

if TYPE_CHECKING:
    from torch import Tensor

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Candidate shares of encoder A in the kernel."""
BLOCK = 4096

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class JointFit:
    """Joint model of encoders A and B, and each alone, for v vertices; NaN in unusable ones.

    Attributes
    ----------
    share, alpha, cv_r : float32 (v,)
        Of the joint model: share of A in its kernel, penalty, cross-validated r.
    joint, a, b : float32 (n_test, v)
        Predictions of the test rows; `brainviz.metrics.variance_partition` splits what they explain.
    """

    share: Array
    alpha: Array
    cv_r: Array
    joint: Array
    a: Array
    b: Array


@dataclass(frozen=True)
class JointDesign:
    """Kernels of two encoders over the same rows.

    Attributes
    ----------
    train : two float64 (n, n)
    test : two float64 (n_test, n), test against training rows
    fold : int64 (n,), fold of every training row
    """

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    fold: npt.NDArray[np.int64]


def joint_design(
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    groups: Sequence[str],
    max_folds: int = FOLDS,
    device: str = "cpu",
) -> JointDesign:
    """Kernels of two scaled designs, (n, p_a) and (n, p_b), with test rows (n_test, p_a) and (n_test, p_b).

    Raises
    ------
    DataProblem
        The designs do not have the same rows.
    """
    if len(train[0]) != len(train[1]) or len(test[0]) != len(test[1]) or len(train[0]) != len(groups):
        raise DataProblem("The two encoders' designs do not have the same rows.", "joint model", "Use the same films.")
    kernels = [kernel_of(np.concatenate([a, b]), device) for a, b in zip(train, test, strict=True)]
    n = len(train[0])
    inside, across = [kernel[:n, :n] for kernel in kernels], [kernel[n:, :n] for kernel in kernels]
    return JointDesign((inside[0], inside[1]), (across[0], across[1]), fold_of_rows(groups, max_folds))


def fit_joint(
    design: JointDesign,
    y: Any,
    alphas: npt.ArrayLike = ALPHAS,
    shares: Sequence[float] = SHARES,
    device: str = "cpu",
    progress: Progress | None = None,
) -> JointFit:
    """Fit A, B and the joint model on training rows and predict the test rows.

    Parameters
    ----------
    y : (n, v) array-like or `Targets`
        Give responsive vertices only: time grows with v and with the number of shares.
    shares : ascending from 0 to 1

    Raises
    ------
    BrainvizError
        The shares lack 0 or 1.
    """
    if tuple(sorted(shares)) != tuple(shares) or shares[0] != 0 or shares[-1] != 1:
        raise BrainvizError("Shares must ascend from 0 to 1.", "joint model", f"For instance {SHARES}.")
    targets = as_targets(y)
    report = progress or (lambda fraction: None)
    v = targets.n_vertices
    best = {name: np.full(v, np.nan, dtype=np.float32) for name in ("share", "alpha", "cv_r")}
    joint = np.full((len(design.test[0]), v), np.nan, dtype=np.float32)
    alone = {}
    for i, share in enumerate(shares):
        decomposition = decompose_kernel(_mixed(design.train, share), design.fold)
        choice = choose_alphas(decomposition, targets, alphas, device)
        test = _test_side(design, share, decomposition)
        if share in (0, 1):
            alone[share] = _predicted(decomposition, test, targets, np.arange(v), choice.alpha, device)
        better = np.flatnonzero(choice.cv_r > np.nan_to_num(best["cv_r"], nan=-np.inf))
        if len(better):
            best["share"][better] = share
            best["alpha"][better], best["cv_r"][better] = choice.alpha[better], choice.cv_r[better]
            joint[:, better] = _predicted(decomposition, test, targets, better, choice.alpha[better], device)
        report((i + 1) / len(shares))
    return JointFit(**best, joint=joint, a=alone[1], b=alone[0])


def _mixed(kernels: tuple[Tensor, Tensor], share: float) -> Tensor:
    return share * kernels[0] + (1 - share) * kernels[1]


def _test_side(design: JointDesign, share: float, decomposition: Decomposition) -> Tensor:
    """Centred kernel of test against training rows in the eigenbasis, float32 (n_test, q)."""
    import torch

    train, test = _mixed(design.train, share), _mixed(design.test, share)
    mean = train.mean(0)
    centred = test - test.mean(1, keepdim=True) - mean + mean.mean()
    vectors = torch.as_tensor(decomposition.vectors, dtype=torch.float64, device=train.device)
    return (centred @ vectors).float()


def _predicted(
    decomposition: Decomposition,
    test: Tensor,
    targets: Targets,
    vertices: npt.NDArray[np.int64],
    alpha: Array,
    device: str,
) -> Array:
    """Predictions of the test rows for some vertices, float32 (n_test, w); NaN where a vertex is unusable."""
    import torch

    readout = Readout(decomposition, test, alpha, device)
    predicted = np.empty((len(test), len(vertices)), dtype=np.float32)
    for part in column_blocks(len(vertices), BLOCK):
        block = targets.block(vertices[part])
        predicted[:, part] = readout(torch.from_numpy(block.y).to(device), alpha[part]).cpu().numpy() + block.mean
        predicted[:, part][:, ~block.usable] = np.nan
    return predicted
