"""Reliance: a region's vertices replaced by their conditional mean given the rest, the model unchanged.

The conditional mean is a ridge from all other vertices' activity in the same volume, fitted on training films. With
G = X X' over all vertices, P = (G + l)^-1 and the part's activity S, the rest's dual coefficients follow without a new
decomposition: (G - S S' + l)^-1 S = P S (I - S' P S)^-1. Replacing by a constant, or by noise, would ask the decoder
about activity that does not occur (Hooker et al. 2021, "Unrestricted permutation forces extrapolation").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipelines.leave_out.model import Array, Array32, FullModel, Members

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Tried for the conditional mean, in units of the mean diagonal of G."""


@dataclass(frozen=True, eq=False)
class ConditionalMean:
    """What the rest of the cortex says of a part, volume by volume.

    Attributes
    ----------
    model : FullModel
    penalty : float
        From `choose_penalty`.
    """

    model: FullModel
    penalty: float

    @cached_property
    def _gram(self) -> Array32:
        """Kernel between training volumes, (T, T)."""
        volumes = _volumes(self.model)
        return np.asarray(volumes @ volumes.T)

    @cached_property
    def _test_gram(self) -> Array32:
        """Kernel between test and training volumes, (T_test, T)."""
        return np.asarray(np.asarray(self.model.recording.test.volumes, np.float32) @ _volumes(self.model).T)

    @cached_property
    def _solved(self) -> Array32:
        """P X, (T, v)."""
        from scipy.linalg import cho_factor, cho_solve

        gram = self._gram.astype(np.float64)
        np.fill_diagonal(gram, gram.diagonal() + self.penalty)
        factor = cho_factor(gram, lower=True, check_finite=False)
        return np.asarray(cho_solve(factor, _volumes(self.model), check_finite=False), dtype=np.float32)

    @cached_property
    def _carried(self) -> Array32:
        """Test volumes' kernel with the training volumes times P X, (T_test, v)."""
        return np.asarray(self._test_gram @ self._solved)

    @cached_property
    def _weights(self) -> Array32:
        """Primal weights of the full model, (n_window, v, m)."""
        from pipelines.motion_decoder.kernel import primal_weights

        train = self.model.recording.train
        ones = np.ones(train.n_vertices, np.float32)
        return primal_weights(train, ones, np.ones(train.n_window, np.float32), self.model.dual)

    def expected(self, members: Members) -> Array32:
        """The part's activity in the test volumes as the rest predicts it: float32 (T_test, k)."""
        kind = self.model.precision
        own_test = np.asarray(self.model.recording.test.volumes[:, members], kind)
        overlap = _volumes(self.model)[:, members].T.astype(kind) @ self._solved[:, members]
        inner = np.eye(len(members), dtype=kind) - (overlap + overlap.T) / 2
        return np.linalg.solve(inner, (self._carried[:, members] - own_test @ overlap).T).T.astype(np.float32)

    def scores(self, members: Members) -> Array32:
        """What the unchanged decoder predicts from test windows whose part is replaced: float32 (n_test, m)."""
        test, train = self.model.recording.test, self.model.recording.train
        own_test = np.asarray(test.volumes[:, members], np.float32)
        if 2 * len(members) <= len(train.volumes):
            change = self.expected(members) - own_test
            changes = [change @ weights[members] for weights in self._weights]
        else:
            changes = self._many(members, own_test)
        scores = np.array(self.model.scores)
        for delay, changed in zip(test.index.T, changes, strict=True):
            seen = delay >= 0
            scores[seen] += changed[delay[seen]]
        return scores

    def _many(self, members: Members, own_test: Array32) -> list[Array32]:
        """Change of the scores per delay, for more vertices than are worth predicting one by one."""
        from scipy.linalg import cho_factor, cho_solve

        own, kind = _volumes(self.model)[:, members], self.model.precision
        rest = (self._gram - own @ own.T).astype(kind)
        rest_test = (self._test_gram - own_test @ own.T).astype(kind)
        np.fill_diagonal(rest, rest.diagonal() + kind(self.penalty))
        readout = np.concatenate([weights[members] for weights in self._weights], axis=1)
        factor = cho_factor(rest, lower=True, check_finite=False)
        expected = rest_test @ cho_solve(factor, (own @ readout).astype(kind), check_finite=False)
        return np.split((expected - own_test @ readout).astype(np.float32), len(self._weights), axis=1)


def choose_penalty(model: FullModel, parts: Sequence[Members], segment_of_volume: NDArray[np.int64]) -> float:
    """The penalty that predicts sampled parts best in training films left out, as a fraction of their variance.

    Parameters
    ----------
    parts : some of the parts that will be replaced.
    segment_of_volume : int64 (T,), film of every training volume.

    Equation: the held-out residual of fold g is (Q_gg)^-1 (Q S)_g with Q = (G - S S' + l)^-1 (Golub & Van Loan's block
    inverse, as `pipelines.motion_decoder.kernel`).
    """
    volumes = _volumes(model)
    gram = (volumes @ volumes.T).astype(np.float64)
    scale = float(np.trace(gram) / len(gram)) or 1.0
    values, vectors = np.linalg.eigh(gram)
    folds = [np.flatnonzero(segment_of_volume == f) for f in np.unique(segment_of_volume)]
    errors = []
    for penalty in PENALTIES:
        inverse = (vectors / (np.maximum(values, 0) + penalty * scale)) @ vectors.T
        errors.append(sum(_held_out_error(inverse, volumes[:, part].astype(np.float64), folds) for part in parts))
    return PENALTIES[int(np.argmin(errors))] * scale


def _held_out_error(inverse: Array, own: Array, folds: list[NDArray[np.intp]]) -> float:
    """Mean squared error over mean square of a part's activity in volumes left out."""
    solved = inverse @ own
    inner = np.linalg.inv(np.eye(own.shape[1]) - own.T @ solved)
    raised = solved @ inner
    total = 0.0
    for rows in folds:
        block = inverse[np.ix_(rows, rows)] + raised[rows] @ solved[rows].T
        total += float((np.linalg.solve(block, raised[rows]) ** 2).sum())
    return total / float((own**2).sum())


def _volumes(model: FullModel) -> Array32:
    return np.asarray(model.recording.train.volumes, np.float32)
