"""N-way classification accuracy: is a decoded picture's class the true one among n - 1 random others?

`nway_accuracy` draws the others, as the released programs do; `expected_nway_accuracy` is the mean over all draws that
there are, which those of any seed scatter around. The benchmark scores with the latter: it needs no seed.

The literature's figures (Chen 2023, MindVideo, Mind-Animator, NEURONS) take a classifier's three most probable classes
of the *true* picture and count a trial as right if any of the three wins. So chance is not k / n: `nway_chance` gives
it, .75 for 2-way and .058 for 50-way, and it belongs on every plot of this accuracy.
"""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Array = npt.NDArray[np.float64]


def accepted_classes(true_scores: npt.ArrayLike, accepted: int = 3) -> npt.NDArray[np.int64]:
    """The classes that count as right: those a classifier finds most probable in the true picture.

    float (n, classes) -> int64 (n, accepted), the most probable last.
    """
    return np.argsort(np.asarray(true_scores), axis=-1)[..., -accepted:]


def nway_accuracy(
    probabilities: npt.ArrayLike,
    accepted: npt.ArrayLike,
    n_way: int,
    top_k: int = 1,
    trials: int = 100,
    draws: np.random.RandomState | None = None,
) -> Array:
    """Share of trials in which one of the accepted classes is among the `top_k` of itself and n - 1 random others.

    Parameters
    ----------
    probabilities : float (n, classes), of the decoded pictures.
    accepted : int (n, a), classes that count as right (`accepted_classes`).
    n_way : candidates of a trial, the accepted class among them; the others are drawn from classes not accepted.
    draws : seeded generator; the released programs draw from numpy's global one.

    Returns
    -------
    float64 (n, 2): accuracy, and its binomial standard error sqrt(p (1 - p) / trials).

    Raises
    ------
    DataProblem
        Where there are fewer classes than candidates, or shapes differ.
    """
    scores, right = _checked(probabilities, accepted, n_way, top_k)
    generator = draws or np.random.RandomState(42)
    answer = np.empty((len(scores), 2))
    for row, (score, own) in enumerate(zip(scores, right, strict=True)):
        others = np.setdiff1d(np.arange(len(score)), own)
        best = score[own].max()
        won = [(score[generator.choice(others, n_way - 1, replace=False)] > best).sum() < top_k for _ in range(trials)]
        share = np.mean(won)
        answer[row] = share, np.sqrt(share * (1 - share) / trials)
    return answer


def expected_nway_accuracy(
    probabilities: npt.ArrayLike, accepted: npt.ArrayLike, n_way: int, top_k: int = 1
) -> npt.NDArray[np.float64]:
    """What `nway_accuracy` is on average over its draws, exactly: float64 (n,). Parameters and errors as there.

    Of m classes that are not accepted, g are more probable than the best accepted one. A trial draws n - 1 of the m
    without putting back and is won where fewer than `top_k` of the g are among them: a hypergeometric probability.
    """
    scores, right = _checked(probabilities, accepted, n_way, top_k)
    answer = np.empty(len(scores))
    for row, (score, own) in enumerate(zip(scores, right, strict=True)):
        others = np.delete(score, np.unique(own))
        above, drawn = int((others > score[own].max()).sum()), n_way - 1
        ways = sum(comb(above, k) * comb(len(others) - above, drawn - k) for k in range(min(top_k, drawn + 1)))
        answer[row] = ways / comb(len(others), drawn)
    return answer


def _checked(
    probabilities: npt.ArrayLike, accepted: npt.ArrayLike, n_way: int, top_k: int
) -> tuple[Array, npt.NDArray[np.int64]]:
    scores, right = np.asarray(probabilities, np.float64), np.atleast_2d(np.asarray(accepted))
    if scores.ndim != 2 or len(scores) != len(right):
        raise DataProblem(f"Probabilities {scores.shape} and classes {right.shape} do not match.", "n-way accuracy")
    if not 2 <= n_way <= scores.shape[1] - right.shape[1] + 1 or not 1 <= top_k <= n_way:
        raise DataProblem(f"{n_way}-way, top {top_k} cannot be drawn from {scores.shape[1]} classes.", "n-way accuracy")
    return scores, right


def nway_chance(n_way: int, top_k: int = 1, accepted: int = 3) -> float:
    """Accuracy of a decoder that knows nothing: the best of `accepted` exchangeable scores against n - 1 others."""
    missed = 1.0
    for place in range(top_k):
        missed *= (n_way - 1 - place) / (n_way - 1 + accepted - place)
    return 1 - missed
