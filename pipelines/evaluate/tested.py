"""Columns that every table of paired block tests has."""

from __future__ import annotations

from typing import Any

from brainviz.metrics.blocks import enough_blocks
from brainviz.metrics.corrections import holm
from brainviz.metrics.statistics import BlockTest


def tested(test: BlockTest) -> dict[str, Any]:
    """difference, low, high, p, p_holm (over the test's columns), n, n_blocks, enough_blocks: one entry per column."""
    return {
        "difference": test.difference,
        "low": test.low,
        "high": test.high,
        "p": test.p,
        "p_holm": holm(test.p),
        "n": test.n_clips,
        "n_blocks": test.n_blocks,
        "enough_blocks": [enough_blocks(int(n)) for n in test.n_blocks],
    }
