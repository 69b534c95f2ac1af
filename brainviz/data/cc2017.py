"""Dynamic Natural Vision, also called CC2017 (Wen et al. 2018, Cerebral Cortex 28; Purdue University).

Three subjects watched 18 training films twice and 5 test films ten times, 480 s each, at TR 2 s. Any film length, any
number of runs, segments and subjects will do; what is missing or damaged is left out and listed in `problems`. A
simulated data set of the same layout has a ``dataset.json`` that marks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.data import timing
from brainviz.data.base import Dataset, Float32, Frames
from brainviz.data.catalogue import Passage, clip_catalogue, clip_place, read_captions
from brainviz.data.cifti import read_cortex, read_header
from brainviz.data.fingerprint import fingerprint_files
from brainviz.data.layout import Layout, ScanFile, find_layout
from brainviz.data.preprocess import average_runs, clean_run
from brainviz.data.problems import Problem, Severity
from brainviz.errors import BrainvizError, DataProblem, UnknownName
from brainviz.storage import read_json
from brainviz.video.reading import FilmInfo, check_film, read_frames

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.video.cuts import Cuts

SIMULATED_FORMAT = "brainviz-simulated"
SPACE = "fsLR32k-cortex"

KNOWN_FAULTS = {("3", "test2", 9): "The film of this run is about 10 s off (a known fault of the released data)."}
MISNAMED_MNI = ("1", "test1", 9)

# Where the ambiguity cases of BrainNRDS stand (Yeung et al. 2025, found by their captions), in seconds of film.
PAPER_CASES = [
    Passage("test1", 20, 22, "a soldier", "soldier"),
    Passage("test1", 152, 168, "an eagle, gliding or flapping", "eagle"),
    Passage("test1", 186, 188, "a jellyfish", "jellyfish"),
    Passage("test1", 242, 258, "the Eiffel Tower under a pan", "tower"),
    Passage("test1", 330, 336, "a space shuttle on its carrier", "shuttle"),
]


class CC2017(Dataset):
    """The adapter. See `brainviz.data.base.Dataset` for what it offers.

    Parameters
    ----------
    path : folder
        The one that holds ``stimuli`` and ``subject*``, or the one above it.

    Raises
    ------
    DataProblem
        There is no such data set; says what was looked for, found, and what to do (also for zips).
    """

    space = SPACE
    tr_s = timing.TR_S
    lag_s = timing.LAG_S

    def __init__(self, path: str | Path) -> None:
        self.layout: Layout = find_layout(path)
        self.path = self.layout.root
        self.simulated = _is_simulated(self.path / "dataset.json")
        self.name = "simulated" if self.simulated else "cc2017"
        self._checked: dict[ScanFile, Problem | None] = {}
        self._film_states: dict[str, FilmInfo | DataProblem] = {}

    # ---- what there is

    @property
    def subjects(self) -> list[str]:
        having = {scan.subject for scan in self.layout.scans}
        return [subject for subject in self.layout.subjects if subject in having]

    @cached_property
    def segments(self) -> list[str]:
        scanned = {scan.segment for scan in self.layout.scans}
        films = [name for name in self.layout.films if isinstance(self.film_state(name), FilmInfo)]
        return [name for name in films if name in scanned] or films

    def film_state(self, segment: str) -> FilmInfo | DataProblem:
        """A film's header, or what is wrong with the film (its last frame is decoded to know)."""
        if segment not in self._film_states:
            path = self.layout.films.get(segment, self.path / "stimuli" / f"{segment}.mp4")
            try:
                self._film_states[segment] = check_film(path)
            except DataProblem as error:
                self._film_states[segment] = error
        return self._film_states[segment]

    def film_facts(self, segment: str) -> FilmInfo:
        """A film's header; raises `UnknownName` where there is no such film, `DataProblem` where it is damaged."""
        if segment not in self.layout.films:
            names = ", ".join(self.layout.films) or "none"
            raise UnknownName(f"There is no segment called {segment!r}.", str(self.path), f"Segments: {names}.")
        state = self.film_state(segment)
        if isinstance(state, DataProblem):
            raise DataProblem(state.what, state.where, state.remedy)
        return state

    @cached_property
    def clips(self) -> pd.DataFrame:
        return self.catalogue()

    def catalogue(self, cuts: Mapping[str, Cuts] | None = None) -> pd.DataFrame:
        chosen = self.segments if cuts is None else [name for name in self.layout.films if name in cuts]
        return clip_catalogue({name: self.n_clips(name) for name in chosen}, self._passages, cuts)

    @cached_property
    def _passages(self) -> list[Passage]:
        path = self.path / "captions.csv"
        if path.is_file() and self.captions_problem is None:
            return read_captions(path)
        return [] if self.simulated else PAPER_CASES

    @cached_property
    def captions_problem(self) -> Problem | None:
        """What is wrong with ``captions.csv``, if anything."""
        path = self.path / "captions.csv"
        try:
            if path.is_file():
                read_captions(path)
        except DataProblem as error:
            return Problem("captions", "warning", error.what, error.where, error.remedy, left_out=True)
        return None

    def n_clips(self, segment: str) -> int:
        return timing.film_volumes(self.film_facts(segment).duration_s, self.tr_s)

    def n_volumes(self, segment: str) -> int:
        return self.n_clips(segment) + timing.KEPT_BEYOND_FILM

    # ---- films

    def film(self, segment: str) -> Path:
        self.film_facts(segment)
        return self.layout.films[segment]

    def frames(self, clip: str, n: int, size: int | None = None) -> Frames:
        from brainviz.video.sprites import clip_frame_numbers

        segment, index = clip_place(clip)
        path = self.film(segment)
        if index >= self.n_clips(segment):
            raise UnknownName(
                f"{segment} has no clip {index}.", clip, f"Its clips are 0 to {self.n_clips(segment) - 1}."
            )
        numbers = clip_frame_numbers(self.film_facts(segment), index)
        steps = np.minimum(np.arange(n) * len(numbers) // max(n - 1, 1), len(numbers) - 1)
        return read_frames(path, numbers[steps], size)

    # ---- scans

    def scans(self, subject: str | None = None, segment: str | None = None) -> list[ScanFile]:
        """Files of runs, usable or not."""
        return [s for s in self.layout.scans if subject in (None, s.subject) and segment in (None, s.segment)]

    def runs(self, subject: str, segment: str) -> list[int]:
        self.check_subject(subject)
        self.check_segment(segment)
        return [s.run for s in self.scans(subject, segment) if self.fault(s) is None]

    def fault(self, scan: ScanFile) -> Problem | None:
        """Why a run is left out, by its header and the known faults; None where it is usable."""
        if scan not in self._checked:
            self._checked[scan] = self._find_fault(scan)
        return self._checked[scan]

    def _find_fault(self, scan: ScanFile) -> Problem | None:
        kind = "scan"
        try:
            read_header(scan.path)
            kind = "length" if isinstance(self.film_state(scan.segment), FilmInfo) else "film"
            self.recording(scan)
        except DataProblem as error:
            return _left_out(kind, scan, error.what, error.remedy)
        known = None if self.simulated else KNOWN_FAULTS.get((scan.subject, scan.segment, scan.run))
        return _left_out("known-fault", scan, known, "Nothing: its other runs are used.", "warning") if known else None

    def recording(self, scan: ScanFile) -> timing.Recording:
        """How a run's volumes lie against its film; raises `DataProblem` where it cannot be used."""
        state = self.film_state(scan.segment)
        header = read_header(scan.path)
        if abs(header.tr_s - self.tr_s) > 1e-3:
            what = f"The scan's repetition time is {header.tr_s:g} s, not {self.tr_s:g} s."
            raise DataProblem(what, str(scan.path), "Use the scan as distributed; it must not be resampled in time.")
        if not isinstance(state, FilmInfo):
            what = "The film of this run cannot be used, so its volumes have no film time."
            film = str(self.path / "stimuli" / f"{scan.segment}.mp4")
            raise DataProblem(what, str(scan.path), f"Put a complete film at {film}.")
        try:
            return timing.recording(header.n_volumes, state.duration_s, self.tr_s)
        except DataProblem as error:
            raise DataProblem(error.what, str(scan.path), error.remedy) from error

    def scan(self, subject: str, segment: str, run: int) -> ScanFile:
        """The file of a run; raises `UnknownName` where there is none."""
        self.check_subject(subject)
        self.check_segment(segment)
        found = {s.run: s for s in self.scans(subject, segment)}
        if run not in found:
            there = ", ".join(map(str, found)) or "none"
            raise UnknownName(f"Subject {subject} has no run {run} of {segment}.", str(self.path), f"Runs: {there}.")
        return found[run]

    def raw(self, subject: str, segment: str, run: int) -> Float32:
        """Kept volumes of a run as scanned, before detrending: float32 (n_volumes, 59412)."""
        scan = self.scan(subject, segment, run)
        fault = self.fault(scan)
        if fault is not None:
            raise DataProblem(fault.what, fault.path, fault.remedy)
        return read_cortex(scan.path, self.recording(scan).kept)

    def bold(self, subject: str, segment: str, run: int | None = None, runs: Sequence[int] | None = None) -> Float32:
        if run is not None:
            return clean_run(self.raw(subject, segment, run))[0]
        usable = self.runs(subject, segment)
        chosen = usable if runs is None else list(runs)
        if not chosen:
            where = str(self.path / f"subject{subject}" / "fmri" / segment)
            raise DataProblem("There is no usable run.", where, "See `python -m pipelines check` for the reasons.")
        return average_runs(clean_run(self.raw(subject, segment, number))[0] for number in chosen)

    def timing(self, subject: str) -> pd.DataFrame:
        """One row per run.

        Columns: subject, segment, run, n_volumes, kind, first_volume_s (film time of raw volume 0), dropped_start,
        dropped_end, kept, used, note.
        """
        import pandas as pd

        self.check_subject(subject)
        return pd.DataFrame([self._timing_row(scan) for scan in self.scans(subject)])

    def _timing_row(self, scan: ScanFile) -> dict[str, object]:
        row: dict[str, object] = {"subject": scan.subject, "segment": scan.segment, "run": scan.run}
        fault = self.fault(scan)
        note = fault.what if fault else ""
        try:
            run = self.recording(scan)
        except DataProblem:
            unknown = {"n_volumes": 0, "kind": "", "first_volume_s": np.nan, "dropped_start": 0, "dropped_end": 0}
            return row | unknown | {"kept": 0, "used": False, "note": note}
        return row | {
            "n_volumes": run.n_raw,
            "kind": run.kind,
            "first_volume_s": float(run.raw_times()[0]),
            "dropped_start": run.dropped_start,
            "dropped_end": 0,
            "kept": run.n_kept,
            "used": fault is None,
            "note": note,
        }

    # ---- state

    @cached_property
    def problems(self) -> list[Problem]:
        from brainviz.data.discovery_problems import discovery_problems

        return discovery_problems(self)

    def fingerprint(self, subject: str | None = None, segment: str | None = None) -> str:
        if subject is not None:
            self.check_subject(subject)
            scans = self.scans(subject, segment)
            names = sorted({scan.segment for scan in scans} & set(self.segments))
            lengths = ",".join(f"{name}:{self.n_clips(name)}" for name in names)  # the cut hangs on the film's length
            return fingerprint_files(((self._relative(s.path), s.path) for s in scans), extra=lengths)
        if segment is not None:
            path = self.film(segment)
            return fingerprint_files([(self._relative(path), path)])
        beside = [p for p in (self.path / "captions.csv", self.path / "dataset.json") if p.is_file()]
        files = [*self.layout.films.values(), *(scan.path for scan in self.layout.scans), *beside]
        return fingerprint_files((self._relative(path), path) for path in files)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


def _is_simulated(path: Path) -> bool:
    try:
        facts = read_json(path, {})
    except (BrainvizError, OSError) as error:
        remedy = "Put the file back as it was written, or take it away if the data are real."
        raise DataProblem("What marks a data set as simulated cannot be read.", str(path), remedy) from error
    return isinstance(facts, dict) and facts.get("format") == SIMULATED_FORMAT


def _left_out(kind: str, scan: ScanFile, what: str, remedy: str, severity: Severity = "error") -> Problem:
    return Problem(kind, severity, what, str(scan.path), remedy, scan.subject, scan.segment, scan.run, left_out=True)
