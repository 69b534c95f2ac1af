"""A small vocabulary of motions: k-means words of flow vectors (k = 40, Yeung et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem

Array = npt.NDArray[np.float32]

MAX_WORDS = 256  # indices are stored as uint8
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Codebook:
    """Flow words.

    Attributes
    ----------
    words : float32 (k, 2)
        In pixels of the 32x32 grid per step, slowest first.
    """

    words: Array

    def __post_init__(self) -> None:
        words = np.ascontiguousarray(self.words, dtype=np.float32)
        if words.ndim != 2 or words.shape[1] != 2 or not 1 <= len(words) <= MAX_WORDS or not np.isfinite(words).all():
            raise BrainvizError(f"A codebook holds 1 to {MAX_WORDS} finite words of 2 numbers; got {words.shape}.")
        object.__setattr__(self, "words", words)

    def __len__(self) -> int:
        return len(self.words)

    def assign(self, flow: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Index of the nearest word: (..., 2) -> uint8 (...)."""
        vectors = np.asarray(flow, dtype=np.float32)
        return _nearest(vectors.reshape(-1, 2), self.words)[0].astype(np.uint8).reshape(vectors.shape[:-1])

    def decode(self, indices: npt.ArrayLike) -> Array:
        """Words of the indices: (...) -> float32 (..., 2)."""
        return self.words[np.asarray(indices)]

    def expected(self, probabilities: npt.ArrayLike) -> Array:
        """Probability-weighted sum of the words: (..., k) -> float32 (..., 2)."""
        return np.asarray(probabilities, dtype=np.float32) @ self.words

    def quantised(self, flow: npt.ArrayLike) -> Array:
        """The flow as the codebook can say it at best (the 'codebook oracle'): (..., 2) -> float32 (..., 2)."""
        return self.decode(self.assign(flow))


def fit_codebook(
    vectors: npt.ArrayLike, k: int = 40, seed: int = 0, max_vectors: int = 100_000, iterations: int = 100
) -> Codebook:
    """k-means with greedy k-means++ seeding (Arthur & Vassilvitskii 2007); the same input gives the same words.

    Parameters
    ----------
    vectors : float (n, 2)
        Valid flow vectors of training clips only.
    k : int
        Number of words, at most 256.
    seed : int
        Seeds the subsample and the starting words.
    max_vectors : int
        More vectors than this are subsampled without replacement.
    iterations : int
        Most Lloyd iterations; stops earlier when the error falls by less than 1 in 100,000.

    Raises
    ------
    DataProblem
        If there are fewer than k distinct vectors, or any is not finite.
    """
    points = np.ascontiguousarray(np.asarray(vectors, dtype=np.float32).reshape(-1, 2))
    if not 1 <= k <= MAX_WORDS:
        raise BrainvizError(f"A codebook has 1 to {MAX_WORDS} words, not {k}.")
    if not np.isfinite(points).all():
        raise DataProblem("Flow vectors for the codebook hold NaN or infinite values.", remedy="Pass valid ones only.")
    rng = np.random.default_rng(seed)
    if len(points) > max_vectors:
        points = points[np.sort(rng.choice(len(points), max_vectors, replace=False))]
    if len(np.unique(points, axis=0)) < k:
        raise DataProblem(
            f"The training clips hold fewer than {k} distinct flow vectors.", remedy="Use more clips or a smaller k."
        )
    words = _lloyd(points, _seed_words(points, k, rng), iterations)
    return Codebook(words[np.argsort(np.hypot(words[:, 0], words[:, 1]), kind="stable")])


def _seed_words(points: Array, k: int, rng: np.random.Generator) -> Array:
    """Greedy k-means++: each new word is the best of a few drawn in proportion to the squared distance."""
    trials = 2 + int(np.log(k))
    words = np.empty((k, 2), dtype=np.float32)
    words[0] = points[rng.integers(len(points))]
    closest = _squared(points, words[0])
    for i in range(1, k):
        cumulative = np.cumsum(closest, dtype=np.float64)
        drawn = np.searchsorted(cumulative, rng.random(trials) * cumulative[-1])
        candidates = [np.minimum(closest, _squared(points, points[min(j, len(points) - 1)])) for j in drawn]
        best = int(np.argmin([c.sum(dtype=np.float64) for c in candidates]))
        words[i], closest = points[min(drawn[best], len(points) - 1)], candidates[best]
    return words


def _lloyd(points: Array, words: Array, iterations: int) -> Array:
    previous = np.inf
    for _ in range(iterations):
        index, distance = _nearest(points, words)
        count = np.bincount(index, minlength=len(words))
        sums = np.stack([np.bincount(index, weights=points[:, c], minlength=len(words)) for c in (0, 1)], axis=1)
        words = (sums / np.maximum(count, 1)[:, None]).astype(np.float32)
        empty = np.flatnonzero(count == 0)
        # A word nobody chose moves to a vector that is served worst.
        words[empty] = points[np.argsort(distance, kind="stable")[::-1][: len(empty)]]
        error = float(distance.mean(dtype=np.float64))
        if not len(empty) and previous - error <= 1e-5 * error:
            break
        previous = error
    return words


def _squared(points: Array, word: Array) -> Array:
    difference = points - word
    return difference[:, 0] ** 2 + difference[:, 1] ** 2


def _nearest(points: Array, words: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Nearest word and squared distance to it, in chunks that stay in the cache."""
    index, distance = np.empty(len(points), dtype=np.int64), np.empty(len(points), dtype=np.float32)
    half_norm = (words**2).sum(axis=1) / 2
    for start in range(0, len(points), _CHUNK):
        part = points[start : start + _CHUNK]
        score = part @ words.T - half_norm
        best = score.argmax(axis=1)
        index[start : start + _CHUNK] = best
        difference = part - words[best]
        distance[start : start + _CHUNK] = difference[:, 0] ** 2 + difference[:, 1] ** 2
    return index, distance
