"""Stages and tasks: what each needs, what its key is, and how one task is done.

A stage is a function of its inputs and its config. The key of a task is made of the stage's version, the config and the
keys of its inputs, so a changed config changes the keys of everything that depends on it and of nothing else.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.errors import BrainvizError
from brainviz.results import Result, ResultStore
from brainviz.storage import create_array, write_array, write_table

if TYPE_CHECKING:
    import pandas as pd
    import zarr

    from brainviz.data.base import Dataset

Progress = Callable[[float, str], None]
"""Called with a fraction in [0, 1] and a short message; raises `Cancelled` where the user asked to stop."""


@dataclass(frozen=True)
class Stage:
    """One kind of work. `function` is ``module:name``, imported only where the work is done."""

    name: str
    version: int
    function: str
    title: str


STAGES = {
    stage.name: stage
    for stage in (
        Stage("simulate_film", 2, "pipelines.stages.simulation:simulate_film", "Film the simulated scenes"),
        Stage("simulate_subject", 1, "pipelines.stages.simulation:simulate_scans", "Scan the simulated subject"),
        Stage("cuts", 1, "pipelines.stages.films:find_cuts", "Find cuts and fades"),
        Stage("flow_labels", 1, "pipelines.stages.films:label_flow", "Measure true flow"),
        Stage("label_error", 1, "pipelines.stages.films:measure_label_error", "Compare with exact flow"),
        Stage("frame_features", 1, "pipelines.stages.films:encode_first_frames", "Encode first frames"),
        Stage("check", 1, "pipelines.stages.films:check_data", "Check the data set"),
        Stage("catalogue", 1, "pipelines.stages.films:catalogue_clips", "List the clips"),
        Stage("near_duplicates", 1, "pipelines.stages.films:search_twins", "Search near-duplicate shots"),
        Stage("codebook", 1, "pipelines.stages.films:fit_codebook", "Fit the flow codebook"),
        Stage("bold", 2, "pipelines.stages.scans:prepare_bold", "Clean the scans"),
        Stage("motion_decoder", 3, "pipelines.stages.decoders:train_and_decode", "Train the decoder, decode"),
        Stage("evaluate_motion", 1, "pipelines.stages.evaluation:evaluate", "Score the motion"),
        Stage("clip_features", 2, "pipelines.stages.encoding:extract_features", "Extract the encoders' features"),
        Stage("film_features", 1, "pipelines.stages.encoding:extract_upload", "Extract features of an uploaded film"),
        Stage("encoding", 1, "pipelines.stages.encoding:fit_encoding", "Fit the encoding model"),
        Stage("joint_encoding", 1, "pipelines.stages.encoding:fit_joint", "Partition the variance of two encoders"),
        Stage("ambiguity", 2, "pipelines.stages.ambiguity:measure_ambiguity", "Measure bits of direction"),
        Stage("leave_out", 1, "pipelines.stages.leave_out:measure_regions", "Leave regions out"),
        Stage(
            "reference_frames", 1, "pipelines.stages.reanimation:keep_reference_frames", "Keep frames to compare with"
        ),
        Stage("object_masks", 1, "pipelines.stages.object_masks:find_objects", "Find the film's objects"),
        Stage("reanimation", 2, "pipelines.stages.reanimation:reanimate", "Reanimate the test clips"),
        Stage("evaluate_reanimation", 2, "pipelines.stages.reanimation:evaluate", "Score the reanimations"),
        Stage("mind_animator_targets", 1, "pipelines.stages.mind_animator:make_targets", "Prepare Mind-Animator"),
        Stage("mind_animator", 3, "pipelines.stages.mind_animator:decode_films", "Train Mind-Animator, decode films"),
        Stage("shuffle_test", 2, "pipelines.stages.mind_animator_tests:shuffle_frames", "Shuffle decoded frames"),
        Stage("corrections", 1, "pipelines.stages.mind_animator_tests:weigh_corrections", "Weigh the corrections"),
        Stage("benchmark_films", 3, "pipelines.stages.benchmark:score_films", "Score decoded films"),
        Stage("benchmark", 2, "pipelines.stages.benchmark:compare_systems", "Compare all systems"),
        Stage("render", 1, "pipelines.stages.rendering:render", "Render one reanimation"),
        Stage("render_drawn", 1, "pipelines.stages.drawing:render_drawn", "Render a drawn motion"),
        Stage("encoding_maps", 1, "pipelines.stages.encoding:compare_encoders", "Compare the encoders"),
    )
}


@dataclass(frozen=True)
class Cost:
    """What a task takes: seconds on one core, peak memory and disk in GB. For plans and progress, never for limits."""

    seconds: float
    memory_gb: float = 0.5
    disk_gb: float = 0.0


@dataclass(frozen=True)
class Task:
    """One unit of a stage, with its key.

    `needs` names the tasks whose results it reads; `dataset` is the data-set folder (relative to the workspace, or
    absolute); it does not enter the key, the fingerprints in `config` do.
    """

    stage: str
    unit: str
    config: dict[str, Any]
    needs: tuple[Task, ...] = ()
    dataset: str = ""
    simulated: bool = False
    cost: Cost = field(default=Cost(1.0), compare=False)

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits from stage version, config and input keys."""
        inputs = sorted((need.stage, need.unit, need.key) for need in self.needs)
        text = json.dumps([self.stage, STAGES[self.stage].version, self.config, inputs], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def name(self) -> str:
        return f"{self.stage}/{self.unit}"

    def __hash__(self) -> int:
        return hash((self.stage, self.unit, self.key))


@dataclass
class Context:
    """What a stage function sees: its config, its inputs, and where its output goes."""

    task: Task
    store: ResultStore
    folder: Path
    device: str
    progress: Progress
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        return self.task.config

    @property
    def unit(self) -> str:
        return self.task.unit

    @property
    def dataset_path(self) -> Path:
        return (self.store.path / self.task.dataset).resolve()

    @property
    def work(self) -> Path:
        """A folder for checkpoints that outlive a killed run."""
        folder = self.store.work_folder(self.task.stage, self.task.unit, self.task.key)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def dataset(self) -> Dataset:
        """The data set that the run works on."""
        from brainviz import open_dataset

        return open_dataset(self.dataset_path)

    def within(self, start: float, length: float) -> Progress:
        """For a part of the work that reports 0 to 1, and is `length` of the whole from `start` on."""
        return lambda fraction, message: self.progress(start + length * fraction, message)

    def inputs(self, stage: str) -> dict[str, Result]:
        """The results of a needed stage by unit, in the order of the plan."""
        import brainviz.storage as storage

        found: dict[str, Result] = {}
        for need in self.task.needs:
            if need.stage == stage:
                folder = self.store.folder(need.stage, need.unit, need.key)
                found[need.unit] = Result(
                    need.stage, need.unit, folder, storage.read_json(folder / "manifest.json", {})
                )
        return found

    def input(self, stage: str, unit: str | None = None) -> Result:
        """The result of one needed task (the only one of its stage where `unit` is left out)."""
        found = self.inputs(stage)
        return found[unit] if unit is not None else next(iter(found.values()))

    def array(self, name: str, values: np.ndarray, chunks: tuple[int, ...] | None = None) -> None:
        """Store an array in the result."""
        write_array(self.folder / "arrays.zarr", name, values, chunks)

    def new_array(self, name: str, shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...]) -> zarr.Array:
        """Create an array in the result, to be filled piece by piece."""
        return create_array(self.folder / "arrays.zarr", name, shape, dtype, chunks)

    def table(self, name: str, table: pd.DataFrame) -> None:
        """Store a tidy table in the result, each row marked as simulated or not."""
        write_table(self.folder / f"{name}.parquet", table.assign(simulated=self.task.simulated))


def complete(store: ResultStore, task: Task) -> bool:
    """Whether the task's result stands, with every file it wrote outside the result folder still there."""
    if not store.complete(task.stage, task.unit, task.key):
        return False
    from brainviz.storage import read_json

    manifest = read_json(store.folder(task.stage, task.unit, task.key) / "manifest.json", {})
    return all((store.path / name).exists() for name in manifest.get("facts", {}).get("files", []))


def perform(task: Task, workspace: Path, device: str, progress: Progress) -> bool:
    """Do one task unless its result is complete; point to it. Returns whether anything was computed.

    A second process asked for the same task waits for the first and then finds it done.
    """
    store = ResultStore(workspace)
    computed = False
    with store.lock(task.stage, task.unit, task.key):
        if not complete(store, task):
            _make(task, store, device, progress)
            computed = True
    store.point(task.stage, task.unit, task.key)
    return computed


def _make(task: Task, store: ResultStore, device: str, progress: Progress) -> None:
    stage = STAGES[task.stage]
    module, _, name = stage.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    started = time.monotonic()
    with store.writing(task.stage, task.unit, task.key) as (folder, manifest):
        context = Context(task, store, folder, device, progress)
        progress(0.0, stage.title)
        try:
            function(context)
        except MemoryError as error:
            raise BrainvizError(
                "There was not enough memory.", task.name, "Use fewer workers, or a machine with more memory."
            ) from error
        manifest |= {
            "version": stage.version,
            "config": task.config,
            "inputs": {need.name: need.key for need in task.needs},
            "simulated": task.simulated,
            "facts": context.facts,
            "seconds": round(time.monotonic() - started, 3),
            "peak_gb": round(peak_memory_gb(), 3),
            "made_with": provenance(device),
        }


def peak_memory_gb() -> float:
    """Peak resident memory of this process so far, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def provenance(device: str) -> dict[str, str]:
    """What made a result: program, Python and library versions, device. Recorded, never part of a key."""
    from importlib.metadata import version

    import brainviz

    libraries = ("numpy", "torch", "opencv-python", "zarr", "nibabel", "scikit-learn")
    return {
        "brainviz": brainviz.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": device,
        **{name: version(name) for name in libraries},
    }
