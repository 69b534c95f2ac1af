"""What is wrong with an HCP 7T folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.hcp7t_blocks import MOVIES, REST_AFTER_S
from brainviz.data.hcp7t_layout import RESULTS, RUNS
from brainviz.data.hcp7t_versions import SAW
from brainviz.data.lag_check import Array, expected_response, film_contrast, lag_against_film
from brainviz.data.preprocess import clean_run
from brainviz.data.problems import Problem, Severity
from brainviz.data.timing import TR_S
from brainviz.errors import DataProblem
from brainviz.video.reading import film_info

if TYPE_CHECKING:
    from brainviz.data.base import Progress
    from brainviz.data.hcp7t import HCP7T
    from brainviz.data.hcp7t_layout import HcpScan

_MANY = 0.05  # share of unusable vertices above which a run is in doubt


def discovery_problems(ds: HCP7T) -> list[Problem]:
    """By names, headers and lengths, films first."""
    return [*_film_problems(ds), *_versions(ds), *_scan_problems(ds), *_missing(ds)]


def value_problems(ds: HCP7T, progress: Progress | None = None) -> list[Problem]:
    """Of every usable run: vertices that are constant or no numbers, and a V1 that lies off its film."""
    found: list[Problem] = []
    contrasts: dict[int, Array | None] = {}
    scans = [scan for scan in ds.layout.scans if ds.fault(scan) is None]
    for number, scan in enumerate(scans):
        if progress is not None:
            progress(number / len(scans), f"subject {scan.subject}, film {scan.movie}")
        values = ds.raw(scan.subject, scan.movie)
        finite = np.asarray(np.isfinite(values).all(0))
        constant = int((finite & (values.max(0) == values.min(0))).sum())
        for kind, n, words in (
            ("nan", int((~finite).sum()), "are not numbers"),
            ("constant", constant, "never change"),
        ):
            if n:
                severity: Severity = "error" if n > _MANY * len(finite) else "warning"
                what = f"{n} of {len(finite)} vertices hold values that {words}; they are set to 0."
                remedy = "Copy or download the file again."
                found.append(Problem(kind, severity, what, str(scan.path), remedy, scan.subject, "", scan.movie))
        if scan.movie not in contrasts:
            try:
                contrasts[scan.movie] = _contrast(ds, scan.movie)
            except DataProblem as error:
                contrasts[scan.movie] = None
                found.append(Problem("film", "error", error.what, error.where, error.remedy))
        found += _lag_problem(scan, values, contrasts[scan.movie])
    if progress is not None:
        progress(1.0, "checked")
    return found


def _contrast(ds: HCP7T, movie: int) -> Array | None:
    """Contrast of a whole film; None where the film is missing."""
    file = ds.film_file(movie)
    return film_contrast(file) if file is not None else None


def _lag_problem(scan: HcpScan, values: np.ndarray, contrast: Array | None) -> Iterator[Problem]:
    """V1 of a run against its film, in steps of 2 s, from the recording's start."""
    from brainviz.cortex import glasser

    if contrast is None or len(contrast) < 2:
        return
    v1 = clean_run(values[:, glasser().cortex_vertices("V1")])[0].mean(axis=1)[::2]
    lag = lag_against_film(v1, expected_response(contrast, len(v1), TR_S, 0.0))
    if lag is not None and lag.off:
        what = f"V1 of this run lies {TR_S * lag.lag_tr:+g} s off its film, by the film's contrast."
        remedy = "Were volumes cut, or is this another version of the film? To leave the run out, take its file away."
        yield Problem("lag", "error", what, str(scan.path), remedy, scan.subject, "", scan.movie)


def _film_problems(ds: HCP7T) -> Iterator[Problem]:
    from brainviz.data.hcp7t import FPS

    for movie in MOVIES:
        if movie not in ds.layout.films and any(block.movie == movie for block in ds.blocks):
            remedy = f"Put 7T_MOVIE{movie}_*.mp4 anywhere below this folder. Until then its blocks are left out."
            yield Problem("missing", "error", f"Film {movie} is missing.", str(ds.path), remedy, left_out=True)
    for block in ds.blocks:
        own = ds.film_file(block.movie)
        if own is not None and ds.films.films[block.segment] != block.film(own):  # another film shows it in its stead
            yield from _film_problem(block.film(own), block.segment)
    seen: set[str] = set()
    for segment in ds.films.films:
        state = ds.films.state(segment)
        if isinstance(state, DataProblem):
            remedy = f"{state.remedy} Until then the segment is left out."
            yield Problem("film", "error", state.what, state.where, remedy, "", segment, left_out=True)
        elif abs(state.fps - FPS) > 0.1 and (file := str(ds.films.films[segment]).split("#t=")[0]) not in seen:
            seen.add(file)
            what = f"The film has {state.fps:g} frames per second, not {FPS:g}."
            yield Problem("film", "warning", what, file, "Is this the film as distributed, not converted?")


def _film_problem(film: Path, segment: str) -> Iterator[Problem]:
    try:
        film_info(film)
    except DataProblem as error:
        yield Problem("film", "error", error.what, error.where, error.remedy, "", segment)


def _versions(ds: HCP7T) -> Iterator[Problem]:
    if not ds.layout.films:
        return
    for movie, versions in ds.layout.films.items():
        if ds.version not in versions:
            other = next(iter(versions))
            what = f"Film {movie} is there as {other} only, the others as {ds.version}; {other} is used."
            remedy = f"Add {ds.version} of this film: both versions were not shown to one subject."
            yield Problem("version", "warning", what, str(versions[other]), remedy)
    for subject in ds.subjects:
        if (seen := SAW.get(subject, ds.version)) != ds.version:
            what = f"Subject {subject} saw version {seen[1:]} of the films; version {ds.version[1:]} is used for all."
            remedy = f"Leave the subject out (--subjects), or keep it in a folder of its own with the {seen} films."
            yield Problem("version", "warning", what, str(ds.path / subject), remedy, subject)
    others = [subject for subject in ds.subjects if subject not in SAW]
    if others:
        what = f"The films are {ds.version}; which version {_some(others)} saw is not on HCP's list."
        remedy = "Ask where the scans come from; keep subjects who saw the other version in another folder."
        yield Problem("version", "warning", what, str(ds.path), remedy)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{'subjects' if len(names) > 1 else 'subject'} {', '.join(names[:4])}{more}"


def _scan_problems(ds: HCP7T) -> Iterator[Problem]:
    for scan in ds.layout.scans:
        fault = ds.fault(scan)
        if fault is not None:
            yield fault
        elif ds.published_times:
            expected = round(max(b.offset_s for b in ds.blocks if b.movie == scan.movie)) + REST_AFTER_S
            n = int(ds.timing(scan.subject).query("run == @scan.movie")["n_volumes"].max())
            if n != expected:
                what = f"The run has {n} volumes; as distributed it has {expected}."
                remedy = "If volumes were cut at its start, no film time is right: use the file as distributed."
                yield Problem("length", "warning", what, str(scan.path), remedy, scan.subject, "", scan.movie)
    for scan in ds.layout.passed_over:
        what = "Another file of this run is used instead: 32k before 59k, MSMAll and cleaned before not."
        remedy = "Nothing; or take the other away."
        yield Problem("copy", "warning", what, str(scan.path), remedy, scan.subject, "", scan.movie, left_out=True)
    for path in ds.layout.misplaced:
        remedy = f"Names are {RUNS[1]}_Atlas*.dtseries.nii, in a folder of the same name; films 2 and 3 are PA."
        yield Problem("name", "warning", "This scan's name does not fit.", str(path), remedy, left_out=True)


def _missing(ds: HCP7T) -> Iterator[Problem]:
    for subject in ds.layout.subjects:
        there = {scan.movie for scan in ds.scans(subject)}
        lacking = [movie for movie in MOVIES if movie not in there and any(b.movie == movie for b in ds.blocks)]
        if lacking:
            names = ", ".join(map(str, lacking))
            what = f"Subject {subject} lacks the run of film {names}."
            severity: Severity = "warning" if there else "error"
            yield Problem(
                "missing", severity, what, str(ds.path / subject / RESULTS), "Add it, or go on without.", subject
            )
