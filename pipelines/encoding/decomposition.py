"""Eigen-decompositions of a design matrix, one per fold and one of all rows: everything of a ridge that needs no BOLD.

They are valid for any targets over the same rows, so all subjects who saw the same films share them.

A fold's ridge prediction of its held-out rows is `left @ diag(1 / (eigenvalues + alpha)) @ right.T @ y_train`, with the
intercept taken care of: features are centred on the fold's own training rows, and `right` is orthogonal to constants.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem

if TYPE_CHECKING:
    from torch import Tensor

FOLDS = 5
FORMAT = 1
_NULL = 1e-12
"""Eigenvalues under this part of the largest are the rounding error of zero."""


@dataclass(frozen=True)
class Fold:
    """One fold of the cross-validation.

    Attributes
    ----------
    train, held : int64 (n_train,), (n_held,)
        Rows of the design.
    eigenvalues : float64 (q,)
        Of the centred training kernel, ascending; q <= min(n_train, p).
    left : float32 (n_held, q)
        Kernel of held-out against training rows, in the eigenbasis.
    right : float32 (n_train, q)
        Eigenvectors of the centred training kernel.
    """

    train: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]
    eigenvalues: npt.NDArray[np.float64]
    left: npt.NDArray[np.float32]
    right: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Decomposition:
    """Folds and all rows of one design.

    Attributes
    ----------
    folds : tuple of Fold
    eigenvalues : float64 (q,)
        Of the kernel of all rows, centred.
    vectors : float32 (n, q)
        Its eigenvectors.
    """

    folds: tuple[Fold, ...]
    eigenvalues: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float32]

    @property
    def n_rows(self) -> int:
        """Rows of the design."""
        return len(self.vectors)

    def save(self, path: Path) -> None:
        """Write as plain arrays (.npz), complete or not at all."""
        arrays: dict[str, Any] = {"format": FORMAT, "eigenvalues": self.eigenvalues, "vectors": self.vectors}
        for i, fold in enumerate(self.folds):
            arrays |= {f"{name}_{i}": getattr(fold, name) for name in Fold.__dataclass_fields__}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Decomposition:
        """Read what `save` wrote.

        Raises
        ------
        DataProblem
            The file is no decomposition of this format.
        """
        remedy = "Delete it; it is computed anew."
        try:
            with np.load(path, allow_pickle=False) as file:
                if "format" not in file or int(file["format"]) != FORMAT:
                    raise DataProblem("This is no decomposition of the present format.", str(path), remedy)
                n_folds = sum(name.startswith("train_") for name in file.files)
                folds = [Fold(**{k: file[f"{k}_{i}"] for k in Fold.__dataclass_fields__}) for i in range(n_folds)]
                return cls(tuple(folds), file["eigenvalues"], file["vectors"])
        except (OSError, ValueError, KeyError) as error:
            raise DataProblem(f"This decomposition cannot be read: {error}", str(path), remedy) from error


def fold_of_rows(groups: npt.ArrayLike, max_folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """Fold of every row: whole groups (training segments), at most `max_folds`, balanced in rows.

    Parameters
    ----------
    groups : (n,)
        Label of the segment of each row.

    Raises
    ------
    BrainvizError
        There is one segment only: nothing can be held out without sharing scenes with training.
    """
    labels = np.asarray(groups)
    names, inverse, rows = np.unique(labels, return_inverse=True, return_counts=True)
    if len(names) < 2:
        what = "Cross-validation holds out whole segments, and there is only one training segment."
        raise BrainvizError(what, "training segments", "Use two or more training films.")
    n_folds = min(max_folds, len(names))
    filled = np.zeros(n_folds, dtype=np.int64)
    fold = np.empty(len(names), dtype=np.int64)
    first_row = np.array([np.argmax(inverse == i) for i in range(len(names))])
    for name in sorted(range(len(names)), key=lambda i: (-rows[i], first_row[i])):
        fold[name] = int(np.argmin(filled))
        filled[fold[name]] += rows[name]
    assigned: npt.NDArray[np.int64] = fold[inverse]
    return assigned


def kernel_of(design: npt.ArrayLike, device: str = "cpu") -> Tensor:
    """Linear kernel X X^T, float64 (n, n), summed over blocks of columns."""
    import torch

    x = torch.as_tensor(np.asarray(design, dtype=np.float32))
    kernel = torch.zeros(len(x), len(x), dtype=torch.float64, device=device)
    for start in range(0, x.shape[1], 1024):
        part = x[:, start : start + 1024].to(device, torch.float64)
        kernel.addmm_(part, part.T)
    return kernel


def decompose(
    design: npt.ArrayLike, groups: npt.ArrayLike, max_folds: int = FOLDS, device: str = "cpu"
) -> Decomposition:
    """Decompose a design in primal or dual form, whichever is smaller.

    Parameters
    ----------
    design : float32 (n, p)
        Rows of all training segments. With p < n the p x p second moments are decomposed, else the n x n kernel.
    groups : (n,)
        Segment of each row; folds are whole segments.

    Raises
    ------
    DataProblem
        Design and groups do not match, or the design is not finite.
    """
    x = np.asarray(design, dtype=np.float32)
    if x.ndim != 2 or len(x) != len(np.asarray(groups)):
        raise DataProblem(f"The design has shape {x.shape} for {len(np.asarray(groups))} rows of segments.", "design")
    if not np.isfinite(x).all():
        raise DataProblem("The design holds values that are not finite.", "design", "Extract the features again.")
    fold = fold_of_rows(groups, max_folds)
    if x.shape[1] < len(x):
        return _primal(x, fold, device)
    return decompose_kernel(kernel_of(x, device), fold)


def decompose_kernel(kernel: Tensor, fold: npt.NDArray[np.int64]) -> Decomposition:
    """Decompose a kernel, float64 (n, n), with the fold of every row as `fold_of_rows` gives it."""
    import torch

    folds = []
    for number in range(int(fold.max()) + 1):
        train, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        rows, out = torch.as_tensor(train, device=kernel.device), torch.as_tensor(held, device=kernel.device)
        inside, across = kernel[rows][:, rows], kernel[out][:, rows]
        mean = inside.mean(0)
        centred = inside - mean[None] - mean[:, None] + mean.mean()
        left = across - mean[None]
        left -= left.mean(1, keepdim=True)
        values, vectors = _eigh(centred)
        folds.append(_fold(train, held, values, left @ vectors, vectors))
    mean = kernel.mean(0)
    values, vectors = _eigh(kernel - mean[None] - mean[:, None] + mean.mean())
    return Decomposition(tuple(folds), values.cpu().numpy(), vectors.float().cpu().numpy())


def _primal(design: npt.NDArray[np.float32], fold: npt.NDArray[np.int64], device: str) -> Decomposition:
    import torch

    x = torch.as_tensor(design, dtype=torch.float64, device=device)
    folds = []
    for number in range(int(fold.max()) + 1):
        train, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        inside, out = x[torch.as_tensor(train, device=device)], x[torch.as_tensor(held, device=device)]
        mean = inside.mean(0)
        values, vectors, directions = _second_moments(inside - mean)
        folds.append(_fold(train, held, values, (out - mean) @ directions * values.sqrt(), vectors))
    values, vectors, _ = _second_moments(x - x.mean(0))
    return Decomposition(tuple(folds), values.cpu().numpy(), vectors.float().cpu().numpy())


def _second_moments(centred: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues (q,), left vectors (n, q) and directions (p, q) of a centred design, without its null space."""
    values, directions = _eigh(centred.T @ centred)
    return values, centred @ directions / values.sqrt(), directions


def _eigh(symmetric: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    values, vectors = torch.linalg.eigh(symmetric)
    real = values > _NULL * values[-1].clamp_min(1e-300)
    return values[real], vectors[:, real]


def _fold(
    train: npt.NDArray[np.int64], held: npt.NDArray[np.int64], values: Tensor, left: Tensor, right: Tensor
) -> Fold:
    return Fold(train, held, values.cpu().numpy(), left.float().cpu().numpy(), right.float().cpu().numpy())


def cached_decomposition(
    design: npt.NDArray[np.float32],
    groups: Sequence[str],
    cache: Path | None = None,
    max_folds: int = FOLDS,
    device: str = "cpu",
) -> Decomposition:
    """`decompose`, kept in folder `cache` under the content of design and groups.

    A subject who misses a segment has other rows, hence another content and a decomposition of its own.
    """
    if cache is None:
        return decompose(design, groups, max_folds, device)
    content = hashlib.sha256(np.ascontiguousarray(design, dtype=np.float32).tobytes())
    content.update(repr((FORMAT, design.shape, max_folds, list(groups))).encode())
    path = cache / f"{content.hexdigest()[:32]}.npz"
    if path.is_file():
        return Decomposition.load(path)
    made = decompose(design, groups, max_folds, device)
    made.save(path)
    return made
