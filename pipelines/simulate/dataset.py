"""The whole simulated data set in one call: films first, then the scans of each subject."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import FilmDrive, film_drive
from pipelines.simulate.film import plan_film, write_film
from pipelines.simulate.subject import simulate_subject

Progress = Callable[[float, str], None]


def write_dataset(config: SimulationConfig, out: Path, progress: Progress, workers: int = 2) -> None:
    """Write a simulated data set in the CC2017 layout.

    Parameters
    ----------
    config : SimulationConfig
        The same config gives the same files, bit for bit, on one machine.
    out : Path
        Folder of the data set; runs that are there already are kept.
    progress : callable
        Called with the fraction done and what was finished.
    workers : int
        Processes to use.
    """
    out.mkdir(parents=True, exist_ok=True)
    total = len(config.segments) + len(config.subjects)
    progress(0.0, "planning the film")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        films = {pool.submit(_film, config, out, name): name for name in config.segments}
        drives: dict[str, FilmDrive] = {}
        for i, done in enumerate(as_completed(films), 1):
            drives[films[done]] = done.result()
            progress(i / total, f"filmed {films[done]}")
        scans: dict[Future[None], str] = {pool.submit(_scan, config, s, drives, out): s for s in config.subjects}
        for i, finished in enumerate(as_completed(scans), len(films) + 1):
            finished.result()
            progress(i / total, f"scanned subject {scans[finished]}")


def _film(config: SimulationConfig, out: Path, segment: str) -> FilmDrive:
    write_film(config, out, [segment])
    return film_drive(plan_film(config), segment)


def _scan(config: SimulationConfig, subject: str, drives: dict[str, FilmDrive], out: Path) -> None:
    simulate_subject(config, subject, drives, out)
