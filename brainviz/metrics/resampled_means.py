"""A test of the literature that is not valid, kept to show what its p values are worth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def wilcoxon_of_bootstrap_means(
    x: npt.ArrayLike, y: npt.ArrayLike, draws: np.random.RandomState, n_means: int = 100
) -> tuple[Array, Array, float, float]:
    """Mind-Animator's released comparison: means of bootstrap samples of each system, compared by a Wilcoxon test.

    Not a test of the systems: the bootstrap means of one data set cluster around *its* mean, so any chance difference
    of the two means becomes significant with enough draws. At .05 it rejects a true null about 85 % of the time. It
    also resamples x and y apart, which drops the pairing, and treats neighbouring clips as independent. Use
    `brainviz.metrics.block_bootstrap` instead.

    Parameters
    ----------
    x, y : float (n,), scores of the clips under two systems.
    draws : x and y are resampled in turn.

    Returns
    -------
    Bootstrap means of x and of y, float64 (n_means,) each; Wilcoxon's statistic; p.
    """
    from scipy.stats import wilcoxon

    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    means = np.array([[draws.choice(part, len(part)).mean() for part in (a, b)] for _ in range(n_means)])
    found = wilcoxon(means[:, 0], means[:, 1])
    return means[:, 0], means[:, 1], float(found.statistic), float(found.pvalue)
