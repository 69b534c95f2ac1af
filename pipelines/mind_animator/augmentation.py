"""Augmentation: zeros in the fMRI, words swapped or left out of captions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

SEMANTIC_RATES = (0.2, 0.5)
STRUCTURE_RATES = (0.4, 0.5)


Draws = np.random.RandomState | np.random.Generator


def zeroed_entries(size: int, chosen: float, zeroed: float, draws: Draws) -> NDArray[np.intp]:
    """Flat indices to set to zero: of `size` entries a share `chosen` is drawn, of these a share `zeroed`.

    A Generator draws several times faster than a RandomState, which is what the released program uses.
    """
    n = int(chosen * size)
    if isinstance(draws, np.random.Generator):
        drawn = draws.choice(size, n, replace=False, shuffle=False)
        return draws.choice(drawn, int(zeroed * n), replace=False, shuffle=False)
    drawn = draws.choice(size, n, replace=False)
    return draws.choice(drawn, int(zeroed * n), replace=False)


def sparsified(
    data: NDArray[np.floating], rates: tuple[float, float], draws: Draws, in_place: bool = False
) -> NDArray[np.floating]:
    """fMRI with some entries zeroed, any shape.

    With `in_place` (as released) the zeros are written into `data`, also where it is a view of a larger array, and
    pile up: called every epoch with (.2, .5), 90 % of the entries are left after one, 4 % after thirty-one.
    """
    made = data if in_place else data.copy()
    made.flat[zeroed_entries(data.size, *rates, draws)] = 0
    return made


def swapped(words: Sequence[T], n: int, draws: random.Random) -> list[T]:
    """`n` times two places exchange their words (easy data augmentation, Wei & Zou 2019)."""
    made = list(words)
    for _ in range(n):
        first = second = draws.randint(0, len(made) - 1)
        for _ in range(4):
            if second != first:
                break
            second = draws.randint(0, len(made) - 1)
        else:
            continue
        made[first], made[second] = made[second], made[first]
    return made


def thinned(words: Sequence[T], share: float, draws: random.Random) -> list[T]:
    """Each word left out with probability `share`; one word at least stays."""
    if len(words) == 1:
        return list(words)
    kept = [word for word in words if draws.uniform(0, 1) > share]
    return kept or [words[draws.randint(0, len(words) - 1)]]
