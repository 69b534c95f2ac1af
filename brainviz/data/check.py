"""Everything that is wrong with a data set, listed at once, before any work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.cifti import map_cortex
from brainviz.data.fingerprint import fingerprint_files, same_content
from brainviz.data.lag_check import (
    TOLERATED,
    Array,
    LagFinding,
    expected_response,
    film_contrast,
    lag_against_film,
    lag_against_runs,
)
from brainviz.data.preprocess import clean_run
from brainviz.data.problems import Problem, Severity
from brainviz.errors import DataProblem

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.data.base import Dataset
    from brainviz.data.cc2017 import CC2017
    from brainviz.data.layout import ScanFile

Progress = Callable[[float, str], None]

_MANY = 0.05  # share of unusable vertices above which a run is in doubt
_BLOCK = 4096  # vertices looked at at once
_LAG_COLUMNS = ("subject", "segment", "run", "lag_tr", "peak", "clear", "runs_lag_tr", "runs_clear", "off")


@dataclass(frozen=True)
class Examination:
    """Result of `examine`.

    Attributes
    ----------
    problems : list of Problem
    lags : DataFrame
        subject, segment, run, lag_tr (against the film), peak, clear, runs_lag_tr (against the other runs), runs_clear,
        off. Lags are missing in runs too short to tell.
    """

    problems: list[Problem]
    lags: pd.DataFrame


def check_dataset(ds: Dataset, thorough: bool = True, progress: Progress | None = None) -> list[Problem]:
    """List all problems of a data set.

    Parameters
    ----------
    ds : data set
    thorough : bool
        Also read every film and volume: damaged frames, values that are not finite, constant vertices, runs that are
        copies of each other, runs that lie off their film. Otherwise only names, headers and lengths.
    progress : callable (fraction, message), optional
    """
    return examine(ds, progress).problems if thorough else list(ds.problems)


def examine(ds: Dataset, progress: Progress | None = None) -> Examination:
    """The thorough check; with the measured lags where the data set's timing is known to be in doubt (CC2017)."""
    import pandas as pd

    from brainviz.data.cc2017 import CC2017

    if not isinstance(ds, CC2017):
        return Examination([*ds.problems, *ds.value_problems(progress)], pd.DataFrame(columns=list(_LAG_COLUMNS)))
    problems = list(ds.problems)
    rows: list[dict[str, object]] = []
    contrasts: dict[str, Array | None] = {}
    pairs = [(subject, segment) for subject in ds.subjects for segment in ds.segments]
    for number, (subject, segment) in enumerate(pairs):
        if progress is not None:
            progress(number / max(len(pairs), 1), f"subject {subject}, {segment}")
        if segment not in contrasts:
            contrasts[segment] = _contrast(ds, segment, problems)
        v1, found = _examine_runs(ds, subject, segment)
        problems += found
        own = _lag_rows(ds, subject, segment, v1, contrasts[segment])
        problems += _pair_problems(ds, own)
        rows += own
    problems += [_lag_problem(ds, row) for row in rows if row["off"]]
    problems += _copies(ds)
    if progress is not None:
        progress(1.0, "checked")
    return Examination(problems, pd.DataFrame(rows, columns=list(_LAG_COLUMNS)))


def _contrast(ds: CC2017, segment: str, problems: list[Problem]) -> Array | None:
    """The film's contrast; reading it to the end also finds damaged frames."""
    try:
        return film_contrast(ds.film(segment))
    except DataProblem as error:
        problems.append(Problem("film", "error", error.what, error.where, error.remedy, "", segment))
        return None


def _examine_runs(ds: CC2017, subject: str, segment: str) -> tuple[dict[int, Array], list[Problem]]:
    """V1 of every usable run, float32 (tr, vertex), z-scored; and what is wrong with the runs' values."""
    from brainviz.cortex import glasser

    v1_vertices = glasser().cortex_vertices("V1")
    v1: dict[int, Array] = {}
    problems: list[Problem] = []
    for run in ds.runs(subject, segment):
        scan = ds.scan(subject, segment, run)
        stored, _ = map_cortex(scan.path)
        kept = stored[:, ds.recording(scan).kept]
        problems += _value_problems(scan, *_count_unusable(kept))
        v1[run] = clean_run(kept[v1_vertices].T)[0]
    return v1, problems


def _count_unusable(values: np.ndarray) -> tuple[int, int, int]:
    """Vertices with values that are not finite, constant vertices, and all vertices, of (vertex, tr)."""
    not_finite = constant = 0
    for start in range(0, len(values), _BLOCK):
        block = np.asarray(values[start : start + _BLOCK])
        finite = np.isfinite(block).all(axis=1)
        not_finite += int((~finite).sum())
        constant += int((finite & (block.max(axis=1) == block.min(axis=1))).sum())
    return not_finite, constant, len(values)


def _value_problems(scan: ScanFile, not_finite: int, constant: int, n: int) -> Iterator[Problem]:
    def problem(kind: str, share: float, what: str, remedy: str) -> Problem:
        severity: Severity = "error" if share > _MANY else "warning"
        return Problem(kind, severity, what, str(scan.path), remedy, scan.subject, scan.segment, scan.run)

    if not_finite:
        what = f"{not_finite} of {n} vertices hold values that are not numbers (NaN or infinite); they are set to 0."
        yield problem("nan", not_finite / n, what, "Copy or download the file again, or preprocess it anew.")
    if constant:
        what = f"{constant} of {n} vertices are constant; they are set to 0."
        yield problem("constant", constant / n, what, "Is this the complete, preprocessed file?")


def _lag_rows(
    ds: CC2017, subject: str, segment: str, v1: dict[int, Array], contrast: Array | None
) -> list[dict[str, object]]:
    rows = []
    for run, own in v1.items():
        film = None
        if contrast is not None and len(contrast) > 1:
            film = lag_against_film(own.mean(axis=1), expected_response(contrast, len(own), ds.tr_s, ds.lag_s))
        among = lag_against_runs(own, [other for number, other in v1.items() if number != run])
        rows.append(
            {
                "subject": subject,
                "segment": segment,
                "run": run,
                "lag_tr": film.lag_tr if film else None,
                "peak": film.peak if film else None,
                "clear": bool(film and film.clear),
                "runs_lag_tr": among.lag_tr if among else None,
                "runs_clear": bool(among and among.clear),
                "off": _is_off(film, among, len(v1)),
            }
        )
    return rows


def _is_off(film: LagFinding | None, among: LagFinding | None, n_runs: int) -> bool:
    """Either measure may convict; three runs or more also acquit, being the stronger evidence."""
    if n_runs > 2 and among is not None and among.clear:
        return among.off
    return bool(film and film.off)


def _pair_problems(ds: CC2017, rows: list[dict[str, object]]) -> Iterator[Problem]:
    """Two runs of which one is off, without telling which."""
    if len(rows) != 2 or any(row["off"] for row in rows):
        return
    lag = rows[1]["runs_lag_tr"]
    if rows[1]["runs_clear"] and lag is not None and abs(int(str(lag))) > TOLERATED:
        subject, segment, run = (str(rows[1][name]) for name in ("subject", "segment", "run"))
        path = ds.scan(subject, segment, int(run)).path
        what = f"V1 of the two runs of {segment} lies {abs(int(str(lag)))} TR apart; one of them is off its film."
        remedy = f"To leave a run out, rename its file, for instance to {path.name}.off."
        yield Problem("lag", "warning", what, str(path), remedy, subject, segment, int(run))


def _lag_problem(ds: CC2017, row: dict[str, object]) -> Problem:
    subject, segment, run = str(row["subject"]), str(row["segment"]), int(str(row["run"]))
    path = ds.scan(subject, segment, run).path
    by_film = row["clear"] and abs(int(str(row["lag_tr"]))) > TOLERATED
    lag = row["lag_tr"] if by_film else row["runs_lag_tr"]
    against = "its film's contrast" if by_film else "the other runs"
    what = f"V1 of this run lies {int(str(lag)):+d} TR off the lag rule, by {against}."
    remedy = f"Scan and film may not belong together. To leave the run out, rename it to {path.name}.off."
    return Problem("lag", "error", what, str(path), remedy, subject, segment, run)


def _copies(ds: CC2017) -> list[Problem]:
    """Runs whose files hold the same bytes."""
    alike: dict[str, list[ScanFile]] = defaultdict(list)
    for scan in ds.scans():
        if ds.fault(scan) is None:
            alike[fingerprint_files([("", scan.path)])].append(scan)
    problems = []
    for first, *others in alike.values():
        for scan in others:
            if same_content(first.path, scan.path):
                what = f"This run is a copy of {_below(ds, first.path)}."
                remedy = "Put the true run in its place, or take the copy away: it counts twice in the average."
                problems.append(
                    Problem("copy", "error", what, str(scan.path), remedy, scan.subject, scan.segment, scan.run)
                )
    return problems


def _below(ds: CC2017, path: Path) -> str:
    return path.relative_to(ds.path).as_posix()
