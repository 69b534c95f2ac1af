"""The full ridge decoder in a form from which parts of the cortex can be taken out exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError
from pipelines.motion_decoder.data import BoldWindows
from pipelines.motion_decoder.kernel import fit_ridge, window_gram

Array32 = NDArray[np.float32]
Array = NDArray[np.floating[Any]]
Members = NDArray[np.int64]
"""Columns of the recording (decoded vertices), sorted."""

_CONDITION = 1000.0


@dataclass(frozen=True)
class Recording:
    """Windows of the training and of the test clips, over the same vertices."""

    train: BoldWindows
    test: BoldWindows

    def __post_init__(self) -> None:
        if self.train.n_vertices != self.test.n_vertices or self.train.n_window != self.test.n_window:
            raise BrainvizError("Training and test windows differ in vertices or volumes.", "leave a region out")

    @property
    def n_vertices(self) -> int:
        return self.train.n_vertices

    @cached_property
    def _train_blocks(self) -> list[tuple[slice, slice, slice, slice]]:
        return _blocks(self.train, self.train)

    @cached_property
    def _test_blocks(self) -> list[tuple[slice, slice, slice, slice]]:
        return _blocks(self.test, self.train)

    def train_kernel(self, gram: Array) -> Array:
        """Kernel between training windows (n, n) from that between volumes (T, T): the sum over the delays."""
        return _summed(gram, (len(self.train), len(self.train)), self._train_blocks)

    def test_kernel(self, gram: Array) -> Array:
        """Kernel between test and training windows (n_test, n) from that between volumes (T_test, T)."""
        return _summed(gram, (len(self.test), len(self.train)), self._test_blocks)


def features(windows: BoldWindows, members: Members, dtype: type[np.floating[Any]]) -> Array:
    """Windows of some vertices as one row per clip, (n, n_window * k); zeros where a volume is missing."""
    columns = np.asarray(windows.volumes[:, members], dtype=dtype)
    padded = np.concatenate([columns, np.zeros((1, len(members)), dtype)])
    index = np.where(windows.index < 0, len(columns), windows.index)
    return padded[index].reshape(len(windows), -1)


def _blocks(rows: BoldWindows, columns: BoldWindows) -> list[tuple[slice, slice, slice, slice]]:
    """Where a kernel between windows (rows, columns) takes which block of the kernel between volumes (rows, columns).

    Windows that follow each other read volumes that follow each other, so whole blocks are added, not single entries.
    """
    return [
        (at, beside, volumes, others)
        for own, other in zip(rows.index.T, columns.index.T, strict=True)
        for at, volumes in _runs(own)
        for beside, others in _runs(other)
    ]


def _runs(index: NDArray[np.int64]) -> list[tuple[slice, slice]]:
    """Clips and volumes of one delay (n,) in runs of equal steps; a missing volume, -1, is in none."""
    steps = np.diff(index)
    step = max(int(np.median(steps)), 1) if len(steps) else 1
    runs = []
    for clips in np.split(np.arange(len(index)), np.flatnonzero((steps != step) | (index[:-1] < 0)) + 1):
        first, last = int(index[clips[0]]), int(index[clips[-1]])
        if first >= 0:
            runs.append((slice(int(clips[0]), int(clips[-1]) + 1), slice(first, last + 1, step)))
    return runs


def _summed(gram: Array, shape: tuple[int, int], blocks: list[tuple[slice, slice, slice, slice]]) -> Array:
    kernel = np.zeros(shape, gram.dtype)
    for at, beside, volumes, others in blocks:
        kernel[at, beside] += gram[volumes, others]
    return kernel


def all_but(n: int, members: Members) -> Members:
    """The other columns of n."""
    kept = np.ones(n, bool)
    kept[members] = False
    return np.flatnonzero(kept)


@dataclass(frozen=True, eq=False)
class FullModel:
    """System `ridge` of one subject, as `pipelines.motion_decoder.linear.train_ridge` fits it.

    Attributes
    ----------
    recording : Recording
    targets : float64 (n, m)
        Scores of the training flow.
    fold : int64 (n,)
        Whole training films; -1 in no fold.
    alphas : float64 (a,)
        Penalties tried, in units of a kernel's mean diagonal.
    penalty : float64 (m,)
        Chosen per target by leave-fold-out error on all vertices; kept when a part is taken out.
    constant : float
        Strength of the constant feature that makes the intercept.
    dual : float64 (n, m)
    values, vectors : (n,), (n, n)
        Eigendecomposition of kernel + constant; the vectors may be float32.
    """

    recording: Recording
    targets: NDArray[np.float64]
    fold: NDArray[np.int64]
    alphas: NDArray[np.float64]
    penalty: NDArray[np.float64]
    constant: float
    dual: NDArray[np.float64]
    values: NDArray[np.float64]
    vectors: Array

    @classmethod
    def fit(
        cls, recording: Recording, targets: Array, fold: NDArray[np.int64], alphas: NDArray[np.float64]
    ) -> FullModel:
        """Fit on the training windows; the penalties are chosen there too."""
        ones = np.ones(recording.n_vertices, np.float32)
        kernel = window_gram(recording.train, ones, np.ones(recording.train.n_window, np.float32))
        scale = float(np.trace(kernel) / len(kernel)) or 1.0
        fitted = fit_ridge(kernel, targets, fold, np.asarray(alphas) * scale)
        values, vectors = np.linalg.eigh(kernel + scale)
        return cls(
            recording,
            np.asarray(targets, np.float64),
            fold,
            np.asarray(alphas, np.float64),
            fitted.penalty,
            scale,
            fitted.dual,
            np.maximum(values, 0),
            vectors,
        )

    def thinned(self, every: int) -> FullModel:
        """The decoder fitted to every so-manyth training clip: a quicker one to compare parts with."""
        recording = Recording(self.recording.train.select(slice(None, None, every)), self.recording.test)
        return FullModel.fit(recording, self.targets[::every], self.fold[::every], self.alphas)

    @cached_property
    def precision(self) -> type[np.floating[Any]]:
        """float32 where penalties keep the refits well conditioned (errors of scores below 1e-4), else float64."""
        return np.float32 if self.values.max() < _CONDITION * self.penalty.min() else np.float64

    @cached_property
    def fold_rows(self) -> list[NDArray[np.intp]]:
        """Clips of every fold."""
        return [np.flatnonzero(self.fold == number) for number in np.unique(self.fold[self.fold >= 0])]

    @cached_property
    def groups(self) -> list[tuple[float, NDArray[np.intp]]]:
        """Targets by penalty."""
        return [(float(a), np.flatnonzero(self.penalty == a)) for a in np.unique(self.penalty)]

    @cached_property
    def rotated(self) -> Array:
        """Targets in the basis of the eigenvectors, (n, m)."""
        return np.asarray(self.vectors.T @ self.targets).astype(self.precision)

    @cached_property
    def test_kernel(self) -> Array:
        """Kernel between test and training clips plus the constant, (n_test, n)."""
        train, test = self.recording.train, self.recording.test
        gram = np.asarray(test.volumes, np.float32) @ np.asarray(train.volumes, np.float32).T
        return (self.recording.test_kernel(gram.astype(np.float64)) + self.constant).astype(self.precision)

    @cached_property
    def test_rotated(self) -> Array:
        """The test kernel in the basis of the eigenvectors, (n_test, n)."""
        return np.asarray(self.test_kernel @ self.vectors.astype(self.precision, copy=False))

    @cached_property
    def scores(self) -> Array32:
        """What the full model predicts of the test clips, float32 (n_test, m)."""
        return np.asarray(self.test_kernel @ self.dual, dtype=np.float32)

    @cached_property
    def kernel(self) -> Array:
        """Kernel of the training clips plus the constant, (n, n)."""
        return np.asarray((self.vectors * self.values) @ self.vectors.T).astype(self.precision)
