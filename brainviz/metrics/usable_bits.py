"""Usable bits of direction: how many bits of a clip's motion a decoder finds in the fMRI, beyond the first frame.

Predictive V-information (Xu et al., ICLR 2020): information that a given family of predictors can use. With q_image and
q_brain two nested families, one that sees the first frame and one that also sees the fMRI, a clip of direction d holds
log2 q_brain(d) - log2 q_image(d) bits. The same for a decoder trained on fMRI shifted against the film is what a richer
family gains by itself, and is subtracted. A single clip may hold more than one bit, or less than none: nothing is
clipped, and nothing is summed over patches. A poor image model overstates, a poor brain model understates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.integer]

PAIR_BITS = 1.0
"""What two equally likely continuations of one frame hold."""

SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class UsableBits:
    """Bits of n clips.

    Attributes
    ----------
    brain : float64 (n,)
        log2 q_brain(d) - log2 q_image(d).
    shifted : float64 (draws, n)
        The same for decoders trained on fMRI that was shifted against the film, each by another draw.
    usable : float64 (n,)
        `brain` minus the mean over draws of `shifted`.
    """

    brain: Float64
    shifted: Float64

    @property
    def usable(self) -> Float64:
        return np.asarray(self.brain - self.shifted.mean(0))


def usable_bits(direction: Index, brain: Float64, image: Float64, shifted: Float64) -> UsableBits:
    """Bits that the fMRI adds to the first frame, clip by clip.

    Parameters
    ----------
    direction : int (n,)
        The true one of k directions; -1 where it is not known, which gives NaN.
    brain, image : float (n, k)
        Probabilities from frame and fMRI, and from the frame alone.
    shifted : float (draws, n, k)
        From the frame and fMRI that was shifted against the film in training.

    Raises
    ------
    DataProblem
        Arrays of other shapes, or rows that are no probabilities.
    """
    k = np.shape(image)[-1]
    if np.shape(brain) != np.shape(image) or np.shape(shifted)[1:] != np.shape(image) or len(image) != len(direction):
        shapes = ", ".join(str(np.shape(values)) for values in (direction, brain, image, shifted))
        raise DataProblem(f"Directions and probabilities do not go together: {shapes}.", "usable bits")
    if len(direction) and not -1 <= int(direction.min()) <= int(direction.max()) < k:
        raise DataProblem(f"A direction is none of the {k}.", "usable bits")
    alone = log2_of(direction, image)
    of_shifts = np.stack([log2_of(direction, draw) for draw in shifted])
    return UsableBits(log2_of(direction, brain) - alone, of_shifts - alone)


def interval_with_training(
    mean: float, low: float, high: float, draws: npt.NDArray[np.floating], level: float = 0.95
) -> tuple[float, float]:
    """Widen an interval over clips by the luck of training.

    A decoder that finds nothing still gains or loses a little on given clips, by chance of what it learned. Shifted
    decoders show how much: their means scatter by s over R draws, so the difference of one more decoder and their
    average scatters by s sqrt(1 + 1 / R), with Student's t for the few draws. Both reaches add in quadrature.

    Parameters
    ----------
    mean, low, high : float
        Mean usable bits of some clips and its interval over clips.
    draws : float (R,)
        Mean bits of the same clips by each shifted decoder.

    Returns
    -------
    low, high : float
        As they were with fewer than two draws.
    """
    from scipy.special import stdtrit

    n = len(draws)
    if n < 2:
        return low, high
    reach = float(stdtrit(n - 1, 0.5 + level / 2)) * float(np.std(draws, ddof=1)) * float(np.sqrt(1 + 1 / n))
    return mean - float(np.hypot(mean - low, reach)), mean + float(np.hypot(high - mean, reach))


def log2_of(direction: Index, probabilities: Float64) -> Float64:
    """log2 of the probability of each clip's direction: (n,), (n, k) -> float64 (n,); NaN for direction -1."""
    values = np.asarray(probabilities, np.float64)
    if not (values > 0).all() or np.abs(values.sum(-1) - 1).max(initial=0) > SUM_TOLERANCE:
        raise DataProblem("A row of probabilities is not above 0, or does not add up to 1.", "usable bits")
    picked = np.log2(values[np.arange(len(values)), np.maximum(direction, 0)])
    return np.where(np.asarray(direction) >= 0, picked, np.nan)


def pair_bits(direction: Index, other: Index, probabilities: Float64) -> Float64:
    """Bits on which of two continuations of one frame followed, against a fair coin.

    1 + log2 [q(d) / (q(d) + q(d'))]: at most 1, at or below 0 on average for a decoder that cannot tell. Unlike
    `usable_bits` it does not hang on how good the image model is.

    Parameters
    ----------
    direction, other : int (n,)
        Direction of the clip, and of the other continuation of its first frame; -1 where there is none.
    probabilities : float (n, k)

    Returns
    -------
    float64 (n,)
        NaN where either is missing, or both are the same direction.
    """
    rows = np.arange(len(direction))
    told = np.asarray(probabilities, np.float64)
    mine, its = told[rows, np.maximum(direction, 0)], told[rows, np.maximum(other, 0)]
    asked = (np.asarray(direction) >= 0) & (np.asarray(other) >= 0) & (np.asarray(direction) != np.asarray(other))
    return np.where(asked, PAIR_BITS + np.log2(mine / (mine + its)), np.nan)


def entropy_bits(probabilities: Float64) -> Float64:
    """Entropy of each row in bits: (..., k) -> float64 (...): how many directions the frame leaves open."""
    values = np.asarray(probabilities, np.float64)
    logs = np.log2(values, out=np.zeros_like(values), where=values > 0)
    return np.asarray(-(values * logs).sum(-1))
