"""p values smaller than a permutation test of affordable length can count.

The largest values of a null distribution follow a generalised Pareto law above a high threshold (Pickands 1975); with
it 1,000 permutations give small p values too (Knijnenburg et al. 2009, Bioinformatics 25, i161).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating]

TAIL_SHARE = 0.05
"""Share of the null values that the tail is fitted to."""

FEW_EXCEEDANCES = 10
"""A p value counted from fewer exceedances than this is taken from the fitted tail (Knijnenburg et al.)."""

FEWEST_DRAWS = 200
"""With fewer null values no tail is fitted."""

FITTED = 1000
"""Values of a large sample that its tail is fitted to, at most."""

SMALLEST_P = 1e-12
_MOST_SHAPE = 0.5


def tail_shape(null: Float) -> float:
    """Shape of the generalised Pareto tail, shared by all columns; from 0 (exponential) to .5.

    One column's tail of some fifty values says little about its shape, so the columns' probability-weighted moments
    (Hosking & Wallis 1987), scaled to a mean excess of 1, are averaged. A negative shape has an end, beyond which p
    would be 0: no finite number of permutations shows that, so it becomes 0, which errs to large p.

    Parameters
    ----------
    null : float (b, k)
        Null values; columns with NaN are passed over.
    """
    m = _tail_size(len(null))
    usable = null[:, np.isfinite(null).all(0)] if len(null) >= FEWEST_DRAWS else null[:, :0]
    if usable.shape[1] == 0:
        return 0.0
    ordered = np.sort(usable, axis=0)[-m - 1 :].astype(np.float64)
    return _shape(ordered[1:] - 0.5 * (ordered[0] + ordered[1]))


def exceedance_p(null: Float, observed: Float, shape: float = 0.0) -> npt.NDArray[np.float64]:
    """One-sided p of each observed value, float64 (k,).

    p = (1 + #{null >= observed}) / (1 + b); where fewer than 10 null values reach the observed one, the tail above
    the 95 % quantile instead. NaN where a column holds NaN.

    Parameters
    ----------
    null : float (b, k)
    observed : float (k,)
    shape : float
        From `tail_shape`. Without enough draws (200) no tail is fitted.
    """
    n_draws = len(null)
    count = (null >= observed).sum(0)
    p = (1.0 + count) / (1.0 + n_draws)
    p[~(np.isfinite(observed) & np.isfinite(null[0]))] = np.nan
    extreme = np.flatnonzero((count < FEW_EXCEEDANCES) & np.isfinite(p))
    if n_draws >= FEWEST_DRAWS and len(extreme):
        p[extreme] = _tail_p(null[:, extreme], observed[extreme], shape)
    return p


def _tail_p(null: Float, observed: Float, shape: float) -> npt.NDArray[np.float64]:
    n_draws, m = len(null), _tail_size(len(null))
    top = np.partition(np.ascontiguousarray(null.T), n_draws - m - 1, axis=1)[:, n_draws - m - 1 :].astype(np.float64)
    threshold = 0.5 * (top[:, 0] + top[:, 1:].min(1))
    mean_excess = top[:, 1:].mean(1) - threshold
    scaled = np.maximum(observed - threshold, 0) / np.maximum(mean_excess * (1 - shape), 1e-30)
    return np.maximum((m + 1) / (n_draws + 1) * _survival(scaled, shape), SMALLEST_P)


def _survival(scaled: Float, shape: float) -> npt.NDArray[np.float64]:
    return np.asarray(np.exp(-scaled) if shape < 1e-6 else (1 + shape * scaled) ** (-1 / shape))


def _shape(excess: npt.NDArray[np.float64]) -> float:
    """Shared shape of columns of ascending excesses (m, k), from 0 to .5."""
    m, mean = len(excess), excess.mean(0)
    weights = (m - np.arange(1, m + 1)) / (m - 1)  # of the ordered sample: estimates E[x (1 - F(x))]
    first = (weights[:, None] * excess).mean(0)
    keep = mean > 0
    if not keep.any():
        return 0.0
    # For a mean of 1: E[x(1-F)] = (1 - shape) / (2 (2 - shape)).
    moment = float((first[keep] / mean[keep]).mean())
    return float(np.clip((1 - 4 * moment) / (1 - 2 * moment), 0.0, _MOST_SHAPE))


def _tail_size(n_draws: int) -> int:
    return max(2, round(TAIL_SHARE * n_draws))


@dataclass(frozen=True)
class Tail:
    """Fitted tail of one large sample: share of it above a threshold, and how it falls off from there."""

    threshold: float
    share: float
    scale: float
    shape: float

    def p(self, observed: Float) -> npt.NDArray[np.float64]:
        """Share of the distribution at or above values beyond the threshold, float64."""
        excess = np.maximum(np.asarray(observed, float) - self.threshold, 0)
        return np.maximum(self.share * _survival(excess / self.scale, self.shape), SMALLEST_P)


def fit_tail(ordered: Float) -> Tail:
    """Tail of an ascending sample, fitted to its largest 1,000 values or 5 %, whichever is less."""
    m = max(1, min(FITTED, _tail_size(len(ordered)), len(ordered) - 1))
    largest = np.asarray(ordered[-m:], float)
    threshold = float(largest[0] if m == len(ordered) else 0.5 * (largest[0] + ordered[-m - 1]))
    mean_excess = max(float(largest.mean() - threshold), 1e-12)
    shape = _shape((largest - threshold)[:, None]) if m > 2 else 0.0
    return Tail(threshold, (m + 1) / (len(ordered) + 1), mean_excess * (1 - shape), shape)
