"""What a user asks for, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from brainviz.errors import BrainvizError

TARGETS = ("motion", "encoding", "reanimation", "benchmark")
"""How far a run can go; each target includes the ones before it."""


@dataclass(frozen=True)
class RunRequest:
    """What a user asks for. Refuses what cannot be run; see `python -m pipelines run --help` for each field.

    Raises
    ------
    BrainvizError
        Neither or both of demo and data set given, or an unknown target.
    """

    demo: bool = False
    dataset: str = ""
    subjects: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    until: str = TARGETS[-1]
    device: str = "cpu"
    scheduler: str = ""
    workers: int = 0
    seed: int = 0
    size: str = "demo"
    world: str = "mixed"
    labeller: str = "auto"
    frame_encoder: str = "auto"
    svd: str = ""
    encoders: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    film: str = ""
    reanimate_with: tuple[str, ...] = ()
    object_masks: tuple[str, ...] = ()
    reanimate_clips: int = 100
    corrections: bool = False
    render: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if sum(map(bool, (self.demo, self.dataset, self.film, self.render))) != 1:
            raise BrainvizError(
                "Say what to work on: the demo or one data set.", "run", "Give --demo, or --dataset DIR, not both."
            )
        if self.until not in TARGETS:
            raise BrainvizError(f"There is no target {self.until!r}.", "--until", f"Choose of: {', '.join(TARGETS)}.")
        if self.reanimate_clips < 1:
            raise BrainvizError("At least one clip must be rendered.", "--reanimate-clips", "100 is the default.")
        if self.workers < 0:
            raise BrainvizError("The number of workers cannot be negative.", "--workers", "0 chooses by itself.")

    @property
    def title(self) -> str:
        """What it works on, in words."""
        if self.film:
            return f"Uploaded film {self.film}, {', '.join(self.encoders)}"
        if self.render:
            return "Reanimation of {clip}, {system}, {backend}".format_map(self.render)
        return "Demo" if self.demo else self.dataset

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, for the run's folder."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunRequest:
        """Read a request back; an unknown field raises `BrainvizError`."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise BrainvizError(f"Unknown settings: {', '.join(sorted(unknown))}.", "run request", "Remove them.")
        lists = {f.name: tuple(values[f.name]) for f in fields(cls) if f.default == () and f.name in values}
        return cls(**{**values, **lists})
