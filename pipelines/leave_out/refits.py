"""Exact refits of the ridge decoder without some vertices, and with nothing but them.

*Without*: kernel minus the part's kernel; penalties and intercept prior of the full model are kept, so that nothing but
the vertices differs. A small part is a low-rank change and costs no new decomposition (Woodbury's identity).

*Only*: the whole procedure of system `ridge` on the part's vertices, penalties chosen anew by leaving whole training
films out: a part of fifty vertices needs another penalty than the whole cortex.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError
from pipelines.leave_out.model import Array, Array32, FullModel, Members, all_but, features

_LOW_RANK = 3  # Woodbury's identity is the shorter way for parts of up to a third as many features as clips


@dataclass(frozen=True, eq=False)
class Part:
    """Some vertices of the decoder; what several refits need of them is computed once.

    Raises
    ------
    BrainvizError
        `members` is no sorted list of decoded vertices.
    """

    model: FullModel
    members: Members

    def __post_init__(self) -> None:
        members = self.members
        inside = len(members) and members.min() >= 0 and members.max() < self.model.recording.n_vertices
        if not inside or (np.diff(members) <= 0).any():
            raise BrainvizError("The part to leave out is no sorted list of decoded vertices.", "leave a region out")

    @cached_property
    def rest(self) -> Part:
        """All other vertices.

        Raises
        ------
        BrainvizError
            There are none.
        """
        kept = all_but(self.model.recording.n_vertices, self.members)
        if not len(kept):
            raise BrainvizError("No vertex is left to decode from.", "leave a region out", "Keep at least one region.")
        return Part(self.model, kept)

    @property
    def n_features(self) -> int:
        return len(self.members) * self.model.recording.train.n_window

    @cached_property
    def features(self) -> Array:
        """(n, n_features) of the training clips."""
        return features(self.model.recording.train, self.members, self.model.precision)

    @cached_property
    def test_features(self) -> Array:
        """(n_test, n_features)."""
        return features(self.model.recording.test, self.members, self.model.precision)

    @cached_property
    def kernels(self) -> tuple[Array, Array]:
        """Kernels (n, n) and (n_test, n) of the part, without a constant."""
        recording = self.model.recording
        own, own_test = (
            np.asarray(windows.volumes[:, self.members], self.model.precision)
            for windows in (recording.train, recording.test)
        )
        return recording.train_kernel(own @ own.T), recording.test_kernel(own_test @ own.T)

    def without(self) -> Array32:
        """Scores of the test clips by the decoder refitted without the part: float32 (n_test, m)."""
        n, rest = len(self.model.targets), self.rest
        if self.n_features * _LOW_RANK <= n:
            return self._low_rank()
        if rest.n_features * _LOW_RANK <= n:
            return rest._ordinary()
        return self._subtracted() if self.n_features <= rest.n_features else rest._added()

    def only(self) -> Array32:
        """Scores of the test clips by the decoder fitted to the part alone: float32 (n_test, m)."""
        model = self.model
        goal = model.targets.astype(model.precision)
        if self.n_features >= len(goal):
            kernel, test_kernel = self.kernels
            scale = float(np.trace(kernel) / len(kernel)) or 1.0
            both = (kernel + kernel.dtype.type(scale), test_kernel + kernel.dtype.type(scale))
            return _dual(*both, goal, model.fold_rows, model.alphas * scale)
        own = self.features
        scale = float((own.astype(np.float64) ** 2).sum() / len(own)) or 1.0
        whole, test = _with_constant(own, scale), _with_constant(self.test_features, scale)
        return _primal(whole, test, goal, model.fold_rows, model.alphas * scale)

    def _low_rank(self) -> Array32:
        """(K - Z Z' + a)^-1 from that of K: Z' dual = (I - Z'AZ)^-1 Z'AY with A = (K + a)^-1."""
        model, kind = self.model, self.model.precision
        turned = model.vectors.T.astype(kind, copy=False) @ self.features
        scores = np.array(model.scores, dtype=kind)
        for penalty, columns in model.groups:
            shrink = (1 / (model.values + penalty)).astype(kind)[:, None]
            weighted = shrink * turned
            inner = np.eye(turned.shape[1], dtype=kind) - turned.T @ weighted
            weights = np.linalg.solve(inner, weighted.T @ model.rotated[:, columns])
            scores[:, columns] += model.test_rotated @ (weighted @ weights) - self.test_features @ weights
        return scores.astype(np.float32)

    def _ordinary(self) -> Array32:
        """Refit on the part with the full model's penalties; few features, the intercept being one more."""
        model = self.model
        own, own_test = (_with_constant(values, model.constant) for values in (self.features, self.test_features))
        gram, moments = own.T @ own, own.T @ model.targets.astype(own.dtype)
        scores = np.empty((len(own_test), moments.shape[1]), np.float32)
        for penalty, columns in model.groups:
            ridge = gram + np.diag(np.full(len(gram), penalty, own.dtype))
            scores[:, columns] = own_test @ np.linalg.solve(ridge, moments[:, columns])
        return scores

    def _subtracted(self) -> Array32:
        kernel, test_kernel = self.kernels
        return _solved(self.model, self.model.kernel - kernel, self.model.test_kernel - test_kernel)

    def _added(self) -> Array32:
        """Refit on the part with the full model's penalties."""
        kernel, test_kernel = self.kernels
        constant = self.model.precision(self.model.constant)
        return _solved(self.model, kernel + constant, test_kernel + constant)


def _solved(model: FullModel, kernel: Array, test_kernel: Array) -> Array32:
    """Scores by kernels that hold the constant, each target with its own penalty."""
    from scipy.linalg import cho_factor, cho_solve

    dual = model.targets.astype(kernel.dtype)
    diagonal = kernel.diagonal().copy()
    for penalty, columns in model.groups:
        np.fill_diagonal(kernel, diagonal + kernel.dtype.type(penalty))
        factor = cho_factor(kernel.T, lower=True, check_finite=False)  # symmetric: LAPACK's order without a copy
        dual[:, columns] = cho_solve(factor, dual[:, columns], check_finite=False)
    return np.asarray(test_kernel @ dual, np.float32)


def _dual(
    kernel: Array, test_kernel: Array, goal: Array, folds: list[NDArray[np.intp]], penalties: NDArray[np.float64]
) -> Array32:
    """More features than clips: the decomposition of the kernel."""
    values, vectors = _decomposed(kernel)
    values = np.maximum(values, 0)
    chosen = _chosen(vectors * np.sqrt(values), values, goal, folds, penalties)
    dual = vectors @ ((vectors.T @ goal) / (values[:, None] + chosen).astype(kernel.dtype))
    return np.asarray(test_kernel @ dual, np.float32)


def _primal(
    own: Array, own_test: Array, goal: Array, folds: list[NDArray[np.intp]], penalties: NDArray[np.float64]
) -> Array32:
    """Fewer features than clips: the decomposition of the features' own moments."""
    values, vectors = _decomposed(own.T @ own)
    values, turned = np.maximum(values, 0), own @ vectors
    chosen = _chosen(turned, values, goal, folds, penalties)
    weights = vectors @ ((turned.T @ goal) / (values[:, None] + chosen).astype(own.dtype))
    return np.asarray(own_test @ weights, np.float32)


def _decomposed(kernel: Array) -> tuple[Array, Array]:
    from scipy.linalg import eigh

    values, vectors = eigh(kernel.T, driver="evd", check_finite=False)
    return values, vectors


def _chosen(
    turned: Array, values: Array, goal: Array, folds: list[NDArray[np.intp]], penalties: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Penalty (m,) of least squared error in folds left out.

    `turned` (n, r) are the features in the basis of their own moments, `values` (r,) their squared lengths. As in
    `pipelines.motion_decoder.kernel`, the held-out residual of fold g is (I - H_gg)^-1 (Y - H Y)_g, here with
    H = P (values + a)^-1 P'.
    """
    from scipy.linalg.lapack import get_lapack_funcs

    solve = get_lapack_funcs("posv", (turned,))
    shrink = (1 / (values + penalties[:, None])).astype(turned.dtype)  # (penalty, r)
    roots, moments = np.sqrt(shrink), turned.T @ goal
    weights = np.concatenate([row[:, None] * moments for row in shrink], axis=1)
    error = np.zeros((len(penalties), goal.shape[1]))
    for rows in folds:  # a fold's rows stay in the processor's cache for all penalties
        held, truth = turned[rows], goal[rows]
        predicted = np.split(held @ weights, len(penalties), axis=1)
        for i, root in enumerate(roots):
            own = held * root
            inner = -(own @ own.T)
            inner.flat[:: len(rows) + 1] += 1
            left = truth - predicted[i]
            _, missed, failed = solve(inner, left)
            if failed:  # positive definite in theory, not always in float32
                missed = np.linalg.solve(inner, left)
            error[i] += (missed**2).sum(0, dtype=np.float64)
    return np.asarray(penalties[error.argmin(0)])


def _with_constant(own: NDArray[Any], constant: float) -> Array:
    return np.column_stack([own, np.full(len(own), np.sqrt(constant), own.dtype)])
