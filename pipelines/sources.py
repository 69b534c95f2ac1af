"""What a run works on: the films, runs and subjects of the simulated or of a real data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.data.base import CORTEX_SPACE
from brainviz.data.catalogue import split_of
from brainviz.data.timing import rows_per_clip
from brainviz.errors import BrainvizError
from pipelines.graph import Cost, Task
from pipelines.request import TARGETS

if TYPE_CHECKING:
    from brainviz.data.base import Dataset
    from pipelines.request import RunRequest
    from pipelines.simulate.config import SimulationConfig

SIMULATED_FOLDER = "simulated-data"
_CORTEX_ONLY = "need volumes in time over the fs_LR cortex"


@dataclass(frozen=True)
class Source:
    """What there is to work on: clips per segment, runs per subject, and the tasks or fingerprints they come from."""

    dataset: str
    name: str
    simulated: bool
    subjects: tuple[str, ...]
    clips: dict[str, int]
    frame_rate: float
    runs: int
    film_tasks: dict[str, Task]
    scan_tasks: dict[str, Task]
    film_prints: dict[str, str]
    scan_prints: dict[str, str]
    captions: str = ""

    def task(self, stage: str, unit: str, config: dict[str, Any], needs: tuple[Task, ...], cost: Cost) -> Task:
        """A task on this data set."""
        return Task(stage, unit, config, needs, self.dataset, self.simulated, cost)

    @property
    def training(self) -> list[str]:
        return [s for s in self.clips if split_of(s) == "train"]

    @property
    def test(self) -> list[str]:
        return [s for s in self.clips if split_of(s) == "test"]


def find_source(request: RunRequest) -> Source:
    """What the request works on.

    Raises
    ------
    BrainvizError
        The data set cannot be read, or the request names subjects or segments that it does not hold.
    """
    source = _simulated_source(request) if request.demo else _dataset_source(request)
    if not source.training or not source.test:
        raise BrainvizError(
            "A run needs at least one training and one test segment.",
            ", ".join(source.clips) or "none found",
            "Add seg* and test* films, or name both kinds in --segments.",
        )
    return source


def _simulated_source(request: RunRequest) -> Source:
    from pipelines.simulate.config import SimulationConfig

    config = SimulationConfig(request.seed, request.size, request.world)
    subjects = _chosen(request.subjects, tuple(config.subjects), "subject")
    names = _chosen(request.segments, tuple(config.segments), "segment")
    clips = {name: config.segments[name] for name in names}
    # The whole set is simulated even where only a part is worked on: a seed stands for one data set.
    films = {name: _film_simulation(config, name, n) for name, n in config.segments.items()}
    needs = tuple(films.values())
    scans = {
        subject: Task(
            "simulate_subject",
            subject,
            {"simulation": config.to_dict()},
            needs,
            SIMULATED_FOLDER,
            True,
            Cost(0.02 * sum(clips.values()), 1.2, 5e-4 * sum(clips.values())),
        )
        for subject in subjects
    }
    return Source(
        SIMULATED_FOLDER,
        "simulated",
        True,
        subjects,
        clips,
        float(config.fps),
        config.training_runs,
        films,
        scans,
        dict.fromkeys(clips, ""),
        dict.fromkeys(subjects, ""),
    )


def _film_simulation(config: SimulationConfig, segment: str, n_clips: int) -> Task:
    cost = Cost(0.1 * n_clips, 0.6, 2e-4 * n_clips)
    return Task("simulate_film", segment, {"simulation": config.to_dict()}, (), SIMULATED_FOLDER, True, cost)


def _dataset_source(request: RunRequest) -> Source:
    from brainviz import open_dataset
    from brainviz.video.reading import film_info

    dataset = open_dataset(request.dataset)
    farthest = farthest_target(dataset)
    if TARGETS.index(request.until) > TARGETS.index(farthest):
        what = f"{dataset.name} can be run until {farthest!r}: encoding models and maps {_CORTEX_ONLY}."
        raise BrainvizError(what, f"--until {request.until}", f"Give --until {farthest}.")
    subjects = _chosen(request.subjects, tuple(dataset.subjects), "subject")
    names = _chosen(request.segments, tuple(dataset.segments), "segment")
    infos = {name: film_info(dataset.film(name)) for name in names}
    return Source(
        str(Path(request.dataset).resolve()),
        dataset.name,
        dataset.simulated,
        subjects,
        {name: dataset.n_clips(name) for name in names},
        max((info.fps for info in infos.values()), default=30.0),
        _runs_per_segment(dataset, subjects, names),
        {},
        {},
        {name: dataset.fingerprint(segment=name) for name in names},
        {subject: dataset.fingerprint(subject=subject) for subject in subjects},
        _text_print(dataset.path / "captions.csv"),
    )


def farthest_target(dataset: Dataset) -> str:
    """How far a run on a data set can go: encoding models need the fs_LR cortex and whole volumes per clip."""
    try:
        rows_per_clip(dataset.tr_s)
    except BrainvizError:
        return "motion"
    return TARGETS[-1] if dataset.space == CORTEX_SPACE else "motion"


def _text_print(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest() if path.exists() else ""


def _runs_per_segment(dataset: Dataset, subjects: tuple[str, ...], segments: tuple[str, ...]) -> int:
    return max((len(dataset.runs(subject, segment)) for subject in subjects for segment in segments), default=0)


def _chosen(asked: tuple[str, ...], there: tuple[str, ...], kind: str) -> tuple[str, ...]:
    unknown = [name for name in asked if name not in there]
    if unknown:
        raise BrainvizError(
            f"There is no {kind} called {', '.join(unknown)}.",
            f"--{kind}s",
            f"There are: {', '.join(there) or 'none'}.",
        )
    return tuple(name for name in there if name in asked) if asked else there
