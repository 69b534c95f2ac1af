"""Shuffle test: does a film's motion get worse when its frames are put in another order?

Any smooth film passes it, whatever it shows: a shuffled order has large jumps, and these cost end-point error. So the
test is run on films decoded from shifted fMRI too, and the time-reversed and the frozen film stand beside it: only what
the true film gains over these speaks for decoded motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import DataProblem

ROUNDS, DRAWS_PER_ROUND = 5, 100
FARNEBACK = (0.5, 3, 15, 3, 5, 1.2, 0)
"""pyramid scale, levels, window, iterations, poly_n, poly_sigma, flags."""


@dataclass(frozen=True)
class StepErrors:
    """Error of the flow from any frame of a predicted film to any other, against each true step.

    Attributes
    ----------
    error : float64 (clips, steps, frames, frames): [c, s, i, j] is the mean end-point error (pixels) of the flow from
        predicted frame i to j against the true flow from frame s to s + 1; NaN on the diagonal.
    frozen : float64 (clips,), error of a film that does not move: the mean true speed.
    """

    error: NDArray[np.float64]
    frozen: NDArray[np.float64]

    def of_order(self, order: NDArray[np.integer]) -> NDArray[np.float64]:
        """Error of each clip with its frames in this order: (frames,) -> float64 (clips,)."""
        return np.mean([self.error[:, s, i, j] for s, (i, j) in enumerate(pairwise(order))], axis=0)


def farneback(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Farneback flow between neighbouring grey frames, uint8 (t, h, w) -> float32 (t - 1, h, w, 2) in pixels."""
    return np.stack([_flow(a, b) for a, b in pairwise(frames)])


def _flow(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    import cv2

    return cv2.calcOpticalFlowFarneback(a, b, None, *FARNEBACK)  # type: ignore[call-overload]


def step_errors(true: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> StepErrors:
    """All errors a shuffle can need, each flow computed once: grey films uint8 (clips, frames, h, w)."""
    if true.shape != predicted.shape or true.ndim != 4 or true.shape[1] < 2:
        raise DataProblem(f"Films of shapes {true.shape} and {predicted.shape} do not match.", "shuffle test")
    clips, frames = true.shape[:2]
    error = np.full((clips, frames - 1, frames, frames), np.nan)
    frozen = np.empty(clips)
    for clip in range(clips):
        flow = farneback(true[clip])
        frozen[clip] = np.linalg.norm(flow, axis=-1).mean()
        for i in range(frames):
            for j in range(frames):
                if i != j:
                    made = _flow(predicted[clip, i], predicted[clip, j])
                    error[clip, :, i, j] = np.linalg.norm(flow - made, axis=-1).mean((1, 2))
    return StepErrors(error, frozen)


@dataclass(frozen=True)
class ShuffleTest:
    """Errors in pixels, means over clips.

    Attributes
    ----------
    observed, reversed, frozen : of the film as decoded, of its frames from last to first, of one that stands still.
    shuffled : float64 (draws,), of one random order for all clips.
    per_clip, reversed_per_clip : float64 (clips,), of the film as decoded, and backwards.
    shuffled_per_clip : float64 (clips,), the mean over the random orders.
    """

    observed: float
    reversed: float
    frozen: float
    shuffled: NDArray[np.float64]
    per_clip: NDArray[np.float64]
    reversed_per_clip: NDArray[np.float64]
    shuffled_per_clip: NDArray[np.float64]

    @property
    def p(self) -> float:
        """(1 + shuffles at least as good) / (1 + shuffles)."""
        return float((1 + (self.shuffled <= self.observed).sum()) / (1 + len(self.shuffled)))

    def counts_per_round(self, draws: int = DRAWS_PER_ROUND) -> NDArray[np.int64]:
        """As released: in each round of `draws`, how many shuffles are not worse than the film, int64 (rounds,)."""
        return draws - (self.shuffled.reshape(-1, draws) > self.observed).sum(1)


def random_orders(n: int, frames: int, draws: np.random.RandomState) -> NDArray[np.int64]:
    """`n` random orders of `frames`, int64 (n, frames); the order itself may come up."""
    return np.array([draws.permutation(frames) for _ in range(n)])


def shuffle_test(errors: StepErrors, orders: NDArray[np.integer]) -> ShuffleTest:
    """Shuffle the frames of all clips by each of `orders` (draws, frames)."""
    frames = errors.error.shape[2]
    own = errors.of_order(np.arange(frames))
    backwards = errors.of_order(np.arange(frames)[::-1])
    shuffled = np.array([errors.of_order(order) for order in orders])
    observed, reverse, frozen = (float(values.mean()) for values in (own, backwards, errors.frozen))
    return ShuffleTest(observed, reverse, frozen, shuffled.mean(1), own, backwards, shuffled.mean(0))
