"""Random numbers of the simulated cortex: every quantity has its own stream, named by what it belongs to."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """The generator of one quantity, e.g. ``stream(seed, "noise", subject, segment, run)``.

    Streams with different labels are independent, so any part can be drawn again alone, in any order.
    """
    words = [zlib.crc32(f"{type(label).__name__}:{label}".encode()) for label in labels]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
