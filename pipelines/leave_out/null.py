"""Whether a region's value is larger than that of random patches of its size and reliability.

Patches of exactly every region's size would be too many to refit. So the patches' values are carried to the region's
size and reliability by local linear regression (Cleveland 1979), mean and spread, and the region's standardised
distance is compared with the patches' own, each carried to by the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainviz.metrics.tails import exceedance_p, tail_shape

Float = NDArray[np.float64]
FEWEST_PATCHES = 30
_WIDTH = 0.6  # of the neighbourhood, in standard deviations of log size and of reliability


@dataclass(frozen=True)
class AgainstPatches:
    """Of each region.

    Attributes
    ----------
    expected : float64 (r,)
        Mean value of random patches of this size and reliability.
    z : float64 (r,)
        Distance from it in mean absolute deviations of such patches.
    p : float64 (r,)
        One-sided: the region's value is larger.
    """

    expected: Float
    z: Float
    p: Float


def against_patches(regions: Float, places: Float, patches: Float, patch_places: Float) -> AgainstPatches:
    """Compare values (r,) with those of patches (b,).

    `places` (r, 2) and `patch_places` (b, 2) hold log size and mean reliability. With fewer than 30 patches nothing can
    be said: all NaN.
    """
    if len(patches) < FEWEST_PATCHES:
        missing = np.full(len(regions), np.nan)
        return AgainstPatches(missing, missing, missing)
    scale = np.maximum(patch_places.std(0), 1e-9)
    own, others = places / scale, patch_places / scale
    sides = ((own, False), (others, True))
    expected, mean = (_local(others, patches, at, leave) for at, leave in sides)
    missed = np.abs(patches - mean)
    spread, deviation = (_positive(_local(others, missed, at, leave), missed) for at, leave in sides)
    null = (patches - mean) / deviation
    z = (regions - expected) / spread
    columns = np.repeat(null[:, None], len(z), axis=1)
    return AgainstPatches(expected, z, exceedance_p(columns, z, tail_shape(null[:, None])))


def _local(places: Float, values: Float, at: Float, leave_self: bool) -> Float:
    """Local linear mean of values at other places: (k,)."""
    mean = np.empty(len(at))
    for i, here in enumerate(at):
        away = places - here
        weight = np.exp(-0.5 * (away**2).sum(1) / _WIDTH**2) + 1e-6  # far ones decide where none is near
        if leave_self:
            weight[i] = 0
        design = np.column_stack([np.ones(len(places)), away])
        # A little ridge on the slopes: where the patches of one size all lie on one side, the mean is safer.
        moments = design.T @ (weight[:, None] * design) + np.diag([0.0, 1e-2, 1e-2]) * weight.sum()
        mean[i] = np.linalg.solve(moments, design.T @ (weight * values))[0]
    return mean


def _positive(spread: Float, missed: Float) -> Float:
    """A line can fall below 0 at the rim of the patches; a spread cannot."""
    return np.asarray(np.maximum(spread, 0.05 * missed.mean() + 1e-12))
