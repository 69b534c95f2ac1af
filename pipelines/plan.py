"""From a request to a plan: which tasks, in which order, with what cost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.data.catalogue import split_of
from brainviz.errors import BrainvizError
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Cost, Task

if TYPE_CHECKING:
    from brainviz.data.base import Dataset
    from pipelines.simulate.config import SimulationConfig

SIMULATED_FOLDER = "simulated-data"
TARGETS = ("motion",)
SUBJECT_SYSTEMS = ("ridge", "brain", "brain-reference", "shuffled")
SHARED_SYSTEMS = ("image-only", "mean", "zero", "persistence", "prior")


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
    until: str = "motion"
    device: str = "cpu"
    scheduler: str = ""
    workers: int = 0
    seed: int = 0
    size: str = "demo"
    world: str = "mixed"
    labeller: str = "auto"
    frame_encoder: str = "auto"
    svd: str = ""

    def __post_init__(self) -> None:
        if self.demo == bool(self.dataset):
            raise BrainvizError(
                "Say what to work on: the demo or one data set.", "run", "Give --demo, or --dataset DIR, not both."
            )
        if self.until not in TARGETS:
            raise BrainvizError(f"There is no target {self.until!r}.", "--until", f"Choose of: {', '.join(TARGETS)}.")
        if self.workers < 0:
            raise BrainvizError("The number of workers cannot be negative.", "--workers", "0 chooses by itself.")

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, for the run's folder."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunRequest:
        """Read a request back; an unknown field raises `BrainvizError`."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise BrainvizError(f"Unknown settings: {', '.join(sorted(unknown))}.", "run request", "Remove them.")
        lists = {name: tuple(values[name]) for name in ("subjects", "segments") if name in values}
        return cls(**{**values, **lists})


@dataclass(frozen=True)
class Plan:
    """Tasks in order of work (first subject first), and what the workspace says of its data set."""

    tasks: tuple[Task, ...]
    facts: dict[str, Any] = field(default_factory=dict)


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

    @property
    def training(self) -> list[str]:
        return [s for s in self.clips if split_of(s) == "train"]

    @property
    def test(self) -> list[str]:
        return [s for s in self.clips if split_of(s) == "test"]


def build_plan(request: RunRequest, workspace: Path) -> Plan:
    """All tasks that the request needs, complete or not.

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
    ordered = _in_order(_all_tasks(source, request))
    facts = {
        "dataset": source.dataset,
        "dataset_name": source.name,
        "simulated": source.simulated,
        "subjects": list(source.subjects),
    }
    return Plan(tuple(ordered), facts)


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


def _film_tasks(source: Source, request: RunRequest) -> dict[str, Task]:
    """Per-film tasks and what is fitted on the training films, by task name."""
    from pipelines.features.first_frame import resolve_frame_encoder
    from pipelines.flow_labels import resolve_labeller

    labeller, encoder = resolve_labeller(request.labeller), resolve_frame_encoder(request.frame_encoder)
    tasks: list[Task] = list(source.film_tasks.values())
    for segment, n in source.clips.items():
        film = (source.film_tasks[segment],) if segment in source.film_tasks else ()
        base = {"film": source.film_prints[segment], "n_clips": n}
        frames = 2 * source.frame_rate * n
        cuts = _task(source, "cuts", segment, base, film, Cost(3e-4 * frames))
        label_seconds = frames * (1.5 if labeller == "raft" else 2e-3)
        tasks += [
            cuts,
            _task(source, "flow_labels", segment, base | {"labeller": labeller}, (cuts,), Cost(label_seconds, 0.6)),
            _task(source, "frame_features", segment, base | {"encoder": encoder}, film, Cost(6e-3 * n, 0.6, 3e-4 * n)),
        ]
    named = {task.name: task for task in tasks}
    cuts_tasks = tuple(named[f"cuts/{s}"] for s in source.clips)
    named["catalogue/all"] = _task(source, "catalogue", SHARED_UNIT, {"captions": source.captions}, cuts_tasks, Cost(3))
    training_labels = tuple(named[f"flow_labels/{s}"] for s in source.training)
    config = {"k": 40, "seed": 0}
    named["codebook/all"] = _task(source, "codebook", SHARED_UNIT, config, training_labels, Cost(4))
    return named


def _all_tasks(source: Source, request: RunRequest) -> dict[str, Task]:
    """Films, scans, decoders and evaluation, by task name."""
    from pipelines.motion_decoder.config import DecoderConfig

    named = _film_tasks(source, request)
    labels = tuple(named[f"flow_labels/{s}"] for s in source.clips)
    features = tuple(named[f"frame_features/{s}"] for s in source.clips)
    film_needs = (*labels, *features, named["codebook/all"])
    clips = sum(source.clips.values())
    settings = {k: v for k, v in DecoderConfig().to_mapping().items() if k not in ("device", "threads")}
    base = {"training": source.training, "test": source.test, "settings": settings}
    labeller = next(iter(labels)).config["labeller"]
    shared = [*SHARED_SYSTEMS] if not request.svd else [*SHARED_SYSTEMS, "svd"]
    for system in shared:
        config = base | {"system": system} | ({"weights": request.svd, "labeller": labeller} if system == "svd" else {})
        unit = f"{SHARED_UNIT}.{system}"
        named[f"motion_decoder/{unit}"] = _task(
            source, "motion_decoder", unit, config, film_needs, Cost(_decoder_seconds(system, clips), 1.0)
        )
    for subject in source.subjects:
        _subject_tasks(source, named, subject, base, film_needs, shared)
    scans = tuple(source.scan_tasks.values())
    prints = {"films": source.film_prints, "scans": source.scan_prints}
    named["check/all"] = _task(source, "check", SHARED_UNIT, prints, (*source.film_tasks.values(), *scans), Cost(20))
    return named


def _subject_tasks(
    source: Source,
    named: dict[str, Task],
    subject: str,
    base: dict[str, Any],
    film_needs: tuple[Task, ...],
    shared: list[str],
) -> None:
    clips = sum(source.clips.values())
    scan = (source.scan_tasks[subject],) if subject in source.scan_tasks else ()
    for task in scan:
        named[task.name] = task
    config = {"scans": source.scan_prints[subject], "segments": list(source.clips)}
    bold = _task(source, "bold", subject, config, scan, Cost(0.01 * clips, 1.5, 4e-4 * clips))
    named[bold.name] = bold
    decoders = []
    for system in SUBJECT_SYSTEMS:
        unit = f"{subject}.{system}"
        cost = Cost(_decoder_seconds(system, clips), 1.5, 5e-5 * clips)
        task = _task(source, "motion_decoder", unit, base | {"system": system}, (*film_needs, bold), cost)
        named[task.name] = task
        decoders.append(task)
    needs = (
        *decoders,
        *(named[f"motion_decoder/{SHARED_UNIT}.{s}"] for s in shared),
        bold,
        named["catalogue/all"],
        named["codebook/all"],
        *(named[f"flow_labels/{s}"] for s in source.clips),
    )
    named[f"evaluate_motion/{subject}"] = _task(
        source, "evaluate_motion", subject, {"test": source.test}, needs, Cost(8)
    )


def _decoder_seconds(system: str, clips: int) -> float:
    per_clip = {"brain": 0.025, "brain-reference": 0.02, "shuffled": 0.025, "image-only": 0.015, "ridge": 0.004}
    return 1.0 + per_clip.get(system, 0.002) * clips + (60.0 * clips if system == "svd" else 0.0)


def _task(source: Source, stage: str, unit: str, config: dict[str, Any], needs: tuple[Task, ...], cost: Cost) -> Task:
    return Task(stage, unit, config, needs, source.dataset, source.simulated, cost)


def _in_order(named: dict[str, Task]) -> list[Task]:
    """First subject first, every task after what it needs: a depth-first walk from the last stages."""
    ordered: dict[Task, None] = {}

    def visit(task: Task) -> None:
        if task not in ordered:
            for need in task.needs:
                visit(need)
            ordered[task] = None

    for task in sorted(named.values(), key=lambda t: (t.stage != "evaluate_motion", t.unit)):
        visit(task)
    return list(ordered)
