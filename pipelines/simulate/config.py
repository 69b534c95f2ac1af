"""What is simulated: how large, how fast, which world. Frozen before any decoder is searched.

Sizes and timing follow the Dynamic Natural Vision data set (Wen et al. 2018: TR 2 s, training segments seen twice,
test segments seen more often, one test segment of the 245-volume kind and the rest of the 246-volume kind), cut down
to what two cores simulate in a minute or two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from brainviz.errors import DataProblem

CLIP_S = 2.0
"""Length of a clip in seconds: one TR of the scanner."""

SIZES = ("tiny", "demo")
WORLDS = ("mixed", "static", "flicker", "nuisance", "noise")
_PLANS: dict[str, dict[str, Any]] = {
    "tiny": {
        "training": {f"seg{k}": 16 for k in (1, 2, 3)},
        "test": {"test1": 16, "test2": 16},
        "frame_px": 96,
        "runs": (2, 3),
    },
    "demo": {
        "training": {f"seg{k}": 120 for k in range(1, 7)},
        "test": {f"test{k}": 120 for k in (1, 2, 3)},
        "frame_px": 224,
        "runs": (2, 4),
    },
}


@dataclass(frozen=True)
class SimulationConfig:
    """One simulated data set.

    Parameters
    ----------
    seed : int
        Seed of everything: film, cortex and noise.
    size : {"demo", "tiny"}
        `tiny` takes seconds (tests), `demo` is what the app shows.
    world : {"mixed", "static", "flicker", "nuisance", "noise"}
        What drives the simulated cortex. The film is the same in all worlds but `flicker`, where the light of each
        shot flickers at random.

    Raises
    ------
    DataProblem
        On an unknown size or world, or a negative seed.
    """

    seed: int = 0
    size: str = "demo"
    world: str = "mixed"

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise DataProblem(f"No simulated data set of size {self.size!r}.", "size", f"Choose {' or '.join(SIZES)}.")
        if self.world not in WORLDS:
            raise DataProblem(f"No simulated world {self.world!r}.", "world", f"Choose one of {', '.join(WORLDS)}.")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise DataProblem(f"The seed {self.seed!r} is not a whole number from 0.", "seed", "Give one, e.g. 0.")

    @property
    def fps(self) -> int:
        """Frames per second of the film."""
        return 15

    @property
    def frame_px(self) -> int:
        """Width and height of the square film in pixels."""
        return int(_PLANS[self.size]["frame_px"])

    @property
    def segments(self) -> dict[str, int]:
        """Every segment, training first, with its number of 2-s clips."""
        return {**_PLANS[self.size]["training"], **_PLANS[self.size]["test"]}

    @property
    def training_segments(self) -> tuple[str, ...]:
        """Names of the training segments."""
        return tuple(_PLANS[self.size]["training"])

    @property
    def test_segments(self) -> tuple[str, ...]:
        """Names of the test segments."""
        return tuple(_PLANS[self.size]["test"])

    @property
    def training_runs(self) -> int:
        """How often a subject sees each training segment."""
        return int(_PLANS[self.size]["runs"][0])

    @property
    def test_runs(self) -> int:
        """How often a subject sees each test segment."""
        return int(_PLANS[self.size]["runs"][1])

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the simulated subjects."""
        return ("1", "2", "3")

    def runs_of(self, segment: str) -> int:
        """Return how often a subject sees a segment."""
        return self.test_runs if segment in self.test_segments else self.training_runs

    def duration_s(self, segment: str) -> float:
        """Return the length of a segment's film in seconds."""
        return CLIP_S * self.segments[segment]

    def extra_volumes(self, segment: str) -> int:
        """Return how many raw volumes a run has beyond one per clip.

        5 for training segments and `test1` (recording starts 2 s after the film), 6 for the other test segments
        (Wen et al. 2018, volume counts of the released files: 245 and 246 for 240 clips).
        """
        return 6 if segment in self.test_segments[1:] else 5

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SimulationConfig:
        """Build from plain values; a key that is no field raises `DataProblem`."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise DataProblem(f"Unknown simulation settings: {', '.join(sorted(unknown))}.", "simulation config")
        return cls(**values)
