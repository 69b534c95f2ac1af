"""Stages that make the simulated data set in the workspace: its films, and the scans of each subject."""

from __future__ import annotations

from dataclasses import fields

from brainviz.storage import read_array
from pipelines.graph import Context
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import FilmDrive, film_drive
from pipelines.simulate.film import write_film
from pipelines.simulate.renderer import forget_pictures
from pipelines.simulate.subject import simulate_subject


def simulate_film(context: Context) -> None:
    """Render one film; keep what the simulated cortex sees of it."""
    config = SimulationConfig.from_dict(context.config["simulation"])

    def rendering(done: int, total: int) -> None:
        context.progress(0.9 * done / total, f"frame {done} of {total}")

    plan = write_film(config, context.dataset_path, [context.unit], rendering)
    drive = film_drive(plan, context.unit)
    forget_pictures()
    for entry in fields(FilmDrive):
        context.array(entry.name, getattr(drive, entry.name))
    names = ("dataset.json", "scenes.json", "captions.csv", f"stimuli/{context.unit}.mp4")
    context.facts["files"] = [f"{context.task.dataset}/{name}" for name in names]


def simulate_scans(context: Context) -> None:
    """All runs of one subject."""
    config = SimulationConfig.from_dict(context.config["simulation"])
    drives = {
        segment: FilmDrive(**{entry.name: read_array(result.arrays, entry.name) for entry in fields(FilmDrive)})
        for segment, result in context.inputs("simulate_film").items()
    }
    written = simulate_subject(config, context.unit, drives, context.dataset_path, context.progress)
    context.facts["files"] = [f"{context.task.dataset}/{p.relative_to(context.dataset_path)}" for p in written]
