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
from pipelines.leave_out.model import Array, Array32, FullModel, Members, all_but, features, summed_over_window

_LOW_RANK = 3  # Woodbury's identity is the shorter way for parts of up to a third as many features as clips
_PRIMAL = 2.5


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
        train, test = self.model.recording.train, self.model.recording.test
        own, own_test = (np.asarray(w.volumes[:, self.members], self.model.precision) for w in (train, test))
        return summed_over_window(own @ own.T, train, train), summed_over_window(own_test @ own.T, test, train)

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
        if self.n_features * _PRIMAL >= len(model.targets) or len(model.fold_rows) < 2:
            kernel, test_kernel = self.kernels
            scale = float(np.trace(kernel) / len(kernel)) or 1.0
            both = (kernel + kernel.dtype.type(scale), test_kernel + kernel.dtype.type(scale))
            return _dual(*both, model.targets.astype(kernel.dtype), model.fold_rows, model.alphas * scale)
        own = self.features
        scale = float((own.astype(np.float64) ** 2).sum() / len(own)) or 1.0
        test, goal = _with_constant(self.test_features, scale), model.targets.astype(own.dtype)
        return _primal(_with_constant(own, scale), test, goal, model.fold_rows, model.alphas * scale)

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

    goal = model.targets.astype(kernel.dtype)
    scores = np.empty((len(test_kernel), goal.shape[1]), np.float32)
    diagonal = kernel.diagonal().copy()
    for penalty, columns in model.groups:
        np.fill_diagonal(kernel, diagonal + kernel.dtype.type(penalty))
        factor = cho_factor(kernel, lower=True, check_finite=False)
        scores[:, columns] = test_kernel @ cho_solve(factor, goal[:, columns], check_finite=False)
    return scores


def _dual(
    kernel: Array, test_kernel: Array, goal: Array, folds: list[NDArray[np.intp]], penalties: NDArray[np.float64]
) -> Array32:
    """More features than clips: as `pipelines.motion_decoder.kernel.fit_ridge`, in the kernel's own precision."""
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0)
    rotated = vectors.T @ goal
    error = np.zeros((len(penalties), goal.shape[1]))
    held = [(rows, vectors[rows], np.eye(len(rows), dtype=kernel.dtype)) for rows in folds]
    for i, penalty in enumerate(penalties):
        shrink = (values / (values + penalty)).astype(kernel.dtype)
        left = goal - vectors @ (shrink[:, None] * rotated)
        for rows, own, identity in held:
            missed = np.linalg.solve(identity - (own * shrink) @ own.T, left[rows])
            error[i] += (missed**2).sum(0, dtype=np.float64)
    chosen = penalties[error.argmin(0)]
    dual = vectors @ (rotated / (values[:, None] + chosen).astype(kernel.dtype))
    return np.asarray(test_kernel @ dual, np.float32)


def _primal(
    own: Array, own_test: Array, goal: Array, folds: list[NDArray[np.intp]], penalties: NDArray[np.float64]
) -> Array32:
    """Fewer features than clips: one small decomposition per fold serves all penalties."""
    gram, moments = own.T @ own, own.T @ goal
    error = np.zeros((len(penalties), goal.shape[1]))
    for rows in folds:
        held, truth = own[rows], goal[rows]
        values, vectors = np.linalg.eigh(gram - held.T @ held)
        seen = vectors.T @ (moments - held.T @ truth)
        projected = held @ vectors
        for i, penalty in enumerate(penalties):
            predicted = projected @ (seen / (np.maximum(values, 0) + penalty).astype(own.dtype)[:, None])
            error[i] += ((predicted - truth) ** 2).sum(0, dtype=np.float64)
    chosen = penalties[error.argmin(0)]
    values, vectors = np.linalg.eigh(gram)
    weights = vectors @ ((vectors.T @ moments) / (np.maximum(values, 0)[:, None] + chosen).astype(own.dtype))
    return np.asarray(own_test @ weights, np.float32)


def _with_constant(own: NDArray[Any], constant: float) -> Array:
    return np.column_stack([own, np.full(len(own), np.sqrt(constant), own.dtype)])
