"""Simulate one subject watching the film: every run's CIFTI file, and the truth that was planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from brainviz.errors import DataProblem, UnknownName
from pipelines.simulate.cifti import quantise, read_description, write_dtseries
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import DRIVE_HZ, FilmDrive
from pipelines.simulate.noise import amplitude, draw_noise_model, locked_courses, run_bold
from pipelines.simulate.responses import noise_free
from pipelines.simulate.streams import stream
from pipelines.simulate.truth import write_truth
from pipelines.simulate.vertices import draw_subject

VERSION = 1
"""Raised when the simulated cortex changes: files of an older version are made again."""

Progress = Callable[[float, str], None]


def run_path(out: Path, subject: str, segment: str, run: int) -> Path:
    """Where a run's file lies in the CC2017 layout; runs count from 1."""
    return out / f"subject{subject}" / "fmri" / segment / "cifti" / f"{segment}_{run}_Atlas.dtseries.nii"


def description(config: SimulationConfig) -> str:
    """The mark in a file's header: that it is simulated, and from what."""
    return f"brainviz simulated v{VERSION} seed={config.seed} {config.size} {config.world}"


def simulate_subject(
    config: SimulationConfig,
    subject: str,
    drives: Mapping[str, FilmDrive],
    out: Path,
    progress: Progress | None = None,
) -> list[Path]:
    """Write every run of one subject that is not there yet, and its planted truth.

    A run counts as there when its file exists (files appear only when complete) and its header names the same
    simulation. Each run has its own random stream: one that is made again alone is the same to the bit.

    Parameters
    ----------
    config : SimulationConfig
        Which simulation.
    subject : str
        "1", "2" or "3".
    drives : mapping of str to FilmDrive
        Every segment of the film.
    out : Path
        The data set's folder.
    progress : callable, optional
        Told the finished fraction and what was just done.

    Returns
    -------
    list of Path
        The runs' files, all of them.

    Raises
    ------
    UnknownName
        When the subject is not part of the simulation.
    DataProblem
        When a segment's drive is missing or has another length than the segment.
    """
    from threadpoolctl import threadpool_limits

    _check(config, subject, drives)
    runs = [(segment, run) for segment in config.segments for run in range(1, config.runs_of(segment) + 1)]
    paths = [run_path(out, subject, segment, run) for segment, run in runs]
    missing = [k for k, path in enumerate(paths) if read_description(path) != description(config)]
    truth = out / "truth" / f"subject{subject}.npz"
    if not missing and truth.is_file():
        return paths
    # Sums of floats depend on how threads split them; one thread gives the same bits everywhere on a machine.
    with threadpool_limits(1):
        drawn = draw_subject(config.seed, subject)
        write_truth(truth, config, drawn)
        signals = noise_free(config, drawn, drives)
        for signal in signals.values():
            signal *= amplitude(drawn.reliability)[:, None]
        model = draw_noise_model(config, subject)
        locked = {segment: locked_courses(config, subject, segment, drives[segment]) for segment in drives}
        for done, k in enumerate(missing, 1):
            segment, run = runs[k]
            rng = stream(config.seed, "run", subject, segment, run)
            bold = run_bold(model, signals[segment], drawn.vertices, locked[segment], rng)
            stored = np.empty(bold.shape, np.int16)
            quantise(bold, stored)
            write_dtseries(paths[k], stored, description(config))
            if progress:
                progress(done / len(missing), f"subject {subject}, {segment}, run {run}")
    return paths


def _check(config: SimulationConfig, subject: str, drives: Mapping[str, FilmDrive]) -> None:
    if subject not in config.subjects:
        raise UnknownName(f"No simulated subject {subject!r}.", "subject", f"Choose {', '.join(config.subjects)}.")
    for segment in config.segments:
        if segment not in drives:
            raise DataProblem("A segment of the film has no drive.", segment, "Give the drives of all segments.")
        expected = round(config.duration_s(segment) * DRIVE_HZ)
        if drives[segment].n_samples != expected:
            what = f"A segment's drive has {drives[segment].n_samples} samples, not {expected}."
            raise DataProblem(what, segment, "Make the drives anew from the film's plan.")
