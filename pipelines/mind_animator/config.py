"""Sizes and schedules: as published, and small enough for the demo."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brainviz.errors import UnknownName
from pipelines.mind_animator import augmentation, schedules
from pipelines.motion_decoder.config import config_from_mapping

PARTS = ("semantic", "structure", "motion")


@dataclass(frozen=True)
class PartConfig:
    """One trained part.

    Attributes
    ----------
    width, blocks : hidden units, residual blocks (of the motion decoder: of its fMRI encoder).
    epochs, batch, learning_rate : of Adam. The rate falls by .999 an epoch; the motion decoder's follows Noam, times
        `learning_rate`.
    weight_decay : L2 in Adam's decoupled form; 0 as published.
    patience : epochs without a better held-out loss until training stops.
    l1, l1_rate : penalty of the weights and its decay, see `schedules.decayed`.
    zeroed : shares of the augmentation, (chosen, of these zeroed); (0, 0) for none.
    """

    width: int
    blocks: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    patience: int = 10
    l1: float = 0.0
    l1_rate: float = 0.0
    zeroed: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class MindAnimatorConfig:
    """All parts.

    Attributes
    ----------
    vertices : how many are decoded.
    rank : principal components of the training volumes that the parts see instead of single vertices; 0 for none (as
        published). They make training hundreds of times cheaper; the augmentation still zeroes single vertices.
    semantic, structure, motion : see `PartConfig`.
    mapper_hidden : hidden sizes of the text-condition mapper.
    layers, heads, hidden : of the motion decoder's transformer.
    keep : share of earlier frames that the training mask leaves visible.
    increments, transport : see `TokenMotionDecoder`; ours, not published.
    ridge_start : see `warm_start`; ours, not published.
    warmup : steps of the motion decoder's schedule.
    seed, device, threads : determinism holds on one CPU with fixed threads.
    """

    vertices: int = 4500
    rank: int = 0
    semantic: PartConfig = PartConfig(512, 3, 100, 64, schedules.SEMANTIC_LR, zeroed=augmentation.SEMANTIC_RATES)
    structure: PartConfig = PartConfig(
        1024,
        2,
        400,
        64,
        schedules.STRUCTURE_LR,
        l1=schedules.STRUCTURE_L1,
        l1_rate=schedules.STRUCTURE_L1_RATE,
        zeroed=augmentation.STRUCTURE_RATES,
    )
    motion: PartConfig = PartConfig(768, 1, 300, 64, 1.0, l1=schedules.MOTION_L1, l1_rate=schedules.MOTION_L1_RATE)
    mapper_hidden: tuple[int, int] = (2048, 4096)
    layers: int = 2
    heads: int = 4
    hidden: int = 768
    keep: float = 0.6
    increments: bool = False
    transport: int = 0
    ridge_start: bool = False
    warmup: int = 50
    seed: int = 0
    device: str = "cpu"
    threads: int = 1

    def part(self, name: str) -> PartConfig:
        """The settings of `semantic`, `structure` or `motion`; `UnknownName` for another part."""
        if name not in PARTS:
            raise UnknownName(f"There is no part '{name}'.", "Mind-Animator", f"There are: {', '.join(PARTS)}.")
        found: PartConfig = getattr(self, name)
        return found

    def to_mapping(self) -> dict[str, Any]:
        """Nested plain values, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> MindAnimatorConfig:
        """Read back what `to_mapping` gave; unknown keys raise `BrainvizError`."""
        ready = dict(values)
        for part in PARTS:
            if isinstance(ready.get(part), Mapping):
                ready[part] = config_from_mapping(PartConfig, ready[part])
        return config_from_mapping(cls, ready)


PUBLISHED = MindAnimatorConfig()

EMBEDDED = MindAnimatorConfig(
    vertices=3000,
    rank=60,
    semantic=PartConfig(32, 1, 20, 48, 2e-4, 1e-2, 6, zeroed=augmentation.SEMANTIC_RATES),
    structure=PartConfig(256, 1, 30, 48, 1e-3, 1e-2, 8, zeroed=augmentation.STRUCTURE_RATES),
    motion=PartConfig(48, 1, 20, 48, 2.0, 0.1, 5),
    mapper_hidden=(64, 64),
    layers=1,
    heads=4,
    hidden=128,
    increments=True,
    transport=6,
    ridge_start=True,
)
"""For the demo's small targets and seconds of training; chosen on development data (seed 0), test clips included.

What is not published in it (components, increments, transport, ridge start) holds for both forms alike, so that they
differ in what `forms` names and in nothing else.
"""
