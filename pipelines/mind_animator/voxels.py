"""Which vertices are decoded: those whose two training runs agree, segment after segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainviz.data.preprocess import clean_run
from brainviz.errors import DataProblem

VERTICES = 4500
"""Chosen by the released program on CC2017."""


@dataclass(frozen=True)
class Agreement:
    """How surely two runs agree over segments.

    Attributes
    ----------
    fisher_z : float64 (segments, vertices), arctanh of Pearson r between the two runs.
    t, p : float64 (vertices,), two-sided one-sample t-test of fisher_z over segments. Two-sided as released: a vertex
        whose runs disagree reliably is taken too.
    """

    fisher_z: NDArray[np.float64]
    t: NDArray[np.float64]
    p: NDArray[np.float64]

    @property
    def p_bonferroni(self) -> NDArray[np.float64]:
        """p times the number of vertices, at most 1."""
        return np.minimum(self.p * len(self.p), 1)

    def chosen(self, n: int = VERTICES) -> NDArray[np.int64]:
        """The `n` vertices with the smallest p, in order of vertex; NaN is never chosen."""
        known = np.flatnonzero(np.isfinite(self.p))
        return np.sort(known[np.argsort(self.p[known], kind="stable")[:n]])


def run_agreement(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """Fisher z of one segment's two cleaned runs, (volumes, vertices) each -> float64 (vertices,)."""
    if first.shape != second.shape:
        raise DataProblem(f"The two runs have {first.shape} and {second.shape} values.", "vertex choice")
    a, b = (_standardised(np.asarray(run, np.float64)) for run in (first, second))
    return np.arctanh(np.clip((a * b).mean(0), -1 + 1e-12, 1 - 1e-12))


def agreement(fisher_z: NDArray[np.float64]) -> Agreement:
    """Test over the training segments, float64 (segments, vertices); two segments at least."""
    from scipy.stats import ttest_1samp

    if len(fisher_z) < 2:
        raise DataProblem("A test over segments needs two training segments at least.", "vertex choice")
    found = ttest_1samp(fisher_z, 0.0, axis=0)
    return Agreement(fisher_z, np.asarray(found.statistic), np.asarray(found.pvalue))


def cleaned(run: NDArray[np.floating]) -> NDArray[np.float32]:
    """One raw run (volumes, vertices): 4th-order polynomial out, z-scored over the run."""
    return clean_run(run)[0]


def _standardised(run: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = run.std(0)
    return (run - run.mean(0)) / np.where(spread > 0, spread, np.nan)


def scaled_on_itself(fmri: NDArray[np.floating]) -> NDArray[np.floating]:
    """fMRI z-scored over its own clips, axis 0: what the released program does to the *test* set.

    It makes a clip's decoding depend on which other clips are decoded with it, and uses the test set's moments. The
    corrected form leaves run-wise z-scores as they are.
    """
    spread = fmri.std(0)
    return (fmri - fmri.mean(0)) / np.where(spread > 0, spread, 1)
