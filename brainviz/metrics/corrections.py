"""Corrections for many tests, and counting over subjects."""

from __future__ import annotations

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p values (Holm 1979), same shape; NaN entries stay NaN and do not count."""
    p = np.asarray(p, float)
    adjusted = np.full(p.shape, np.nan)
    finite = np.flatnonzero(np.isfinite(p.ravel()))
    order = finite[np.argsort(p.ravel()[finite], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    adjusted.ravel()[order] = np.minimum(1.0, np.maximum.accumulate(steps * p.ravel()[order]))
    return adjusted


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's adjusted p values (1995), same shape; NaN entries stay NaN and do not count."""
    p = np.asarray(p, float)
    adjusted = np.full(p.shape, np.nan)
    finite = np.flatnonzero(np.isfinite(p.ravel()))
    order = finite[np.argsort(p.ravel()[finite], kind="stable")]
    scaled = p.ravel()[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted.ravel()[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted


def in_k_of(p: np.ndarray, difference: np.ndarray, alpha: float = 0.05) -> str:
    """Say in how many subjects a first system has the smaller error: "in 2 of 3 subjects".

    A subject counts where its own test has p < `alpha` and a negative difference. With three subjects no test over
    subjects can go below p = .25, so none is made.
    """
    hits = (np.asarray(p, float) < alpha) & (np.asarray(difference, float) < 0)
    return f"in {int(hits.sum())} of {hits.size} subject{'s' if hits.size != 1 else ''}"
