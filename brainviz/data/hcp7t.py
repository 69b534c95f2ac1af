"""HCP 7T film runs (Human Connectome Project, Young Adult, 7 T): four films of 15 min, TR 1 s, 24 frames per second.

A segment is one block of a film, between two rests; see `brainviz.data.hcp7t_blocks` for their times and their split.
The film starts with the recording: raw volume v stands at film time v s. Kept volumes of a block begin 4 s after its
onset and end 10 s after its last clip's end. The 4 s are our choice (nothing in the data set prescribes a lag): the
same as in CC2017; windows are given in seconds after onset and read alike in both. A run is detrended and z-scored as a
whole, rests included, and cut into blocks after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.data.base import CORTEX_SPACE, Dataset, Float32, Frames
from brainviz.data.catalogue import clip_catalogue
from brainviz.data.cifti import read_cortex, read_header
from brainviz.data.film_states import FilmStates
from brainviz.data.fingerprint import fingerprint_files
from brainviz.data.hcp7t_blocks import BLOCKS_FILE, BLOCKS_S, Block, film_blocks, read_blocks
from brainviz.data.hcp7t_fine import fine_weights, missing_spheres, read_fine_cortex, read_fine_header
from brainviz.data.hcp7t_layout import LAYOUT, RUNS, HcpLayout, HcpScan, find_hcp7t
from brainviz.data.hcp7t_versions import version_for
from brainviz.data.preprocess import average_runs, clean_run
from brainviz.data.problems import Problem
from brainviz.errors import DataProblem, UnknownName
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.video.reading import FilmInfo

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.data.base import Progress
    from brainviz.video.cuts import Cuts

TR_S, LAG_S, FPS = 1.0, 4.0, 24.0
KEPT_BEYOND_S = 10.0  # after the last clip's end


class HCP7T(Dataset):
    """The adapter. See `brainviz.data.base.Dataset` for what it offers.

    Of two versions of the films, the one that most subjects saw is used for all (`hcp7t_versions`).

    Parameters
    ----------
    path : folder
        One that holds the subjects' folders and, anywhere below, the films.

    Raises
    ------
    DataProblem
        There is no such data set, or its ``blocks.csv`` cannot be read.
    """

    name = "hcp7t"
    simulated = False
    space = CORTEX_SPACE
    tr_s = TR_S
    lag_s = LAG_S

    def __init__(self, path: str | Path) -> None:
        found = find_hcp7t(path)
        if found is None:
            raise DataProblem("This is no HCP 7T data set.", str(path), f"Give the folder with {LAYOUT}.")
        self.layout: HcpLayout = found
        self.path = found.root
        own = self.path / BLOCKS_FILE
        self.published_times = not own.is_file()
        self.blocks = film_blocks(BLOCKS_S if self.published_times else read_blocks(own))
        there = {version for versions in found.films.values() for version in versions}
        self.version = version_for(found.subjects, there)
        self.films = FilmStates(self._films(), self.path)
        self._faults: dict[HcpScan, Problem | None] = {}
        self._weights: dict[str, Any] = {}
        self._cleaned: tuple[HcpScan, Float32] | None = None

    def _films(self) -> dict[str, Path]:
        """The film of each segment; of the repeated block, that of the first film there is."""
        films: dict[str, Path] = {}
        for block in self.blocks:
            file = self.film_file(block.movie)
            if file is not None:
                films.setdefault(block.segment, block.film(file))
        return films

    def film_file(self, movie: int) -> Path | None:
        """The file of a film, of the version in use where it is there; None where the film is missing."""
        versions = self.layout.films.get(movie, {})
        return versions.get(self.version) or next(iter(versions.values()), None)

    # ---- what there is

    @property
    def subjects(self) -> list[str]:
        having = {scan.subject for scan in self.layout.scans}
        return [subject for subject in self.layout.subjects if subject in having]

    @cached_property
    def segments(self) -> list[str]:
        scanned = {scan.movie for scan in self.layout.scans}
        usable = self.films.usable()
        return [name for name in usable if any(b.movie in scanned for b in self.of(name))] or usable

    def of(self, segment: str) -> list[Block]:
        """The blocks of a segment: one, or the repeated one of each film."""
        return [block for block in self.blocks if block.segment == segment]

    @cached_property
    def clips(self) -> pd.DataFrame:
        return self.catalogue()

    def catalogue(self, cuts: Mapping[str, Cuts] | None = None) -> pd.DataFrame:
        chosen = self.segments if cuts is None else [name for name in self.films.films if name in cuts]
        return clip_catalogue({name: self.n_clips(name) for name in chosen}, None, cuts)

    def n_clips(self, segment: str) -> int:
        self.films.info(segment)
        return min(block.n_clips for block in self.of(segment))

    def n_volumes(self, segment: str) -> int:
        return _n_kept(self.n_clips(segment))

    def film(self, segment: str) -> Path:
        self.films.info(segment)
        return self.films.films[segment]

    def frames(self, clip: str, n: int, size: int | None = None) -> Frames:
        return self.films.frames(clip, n, size)

    # ---- scans

    def runs(self, subject: str, segment: str) -> list[int]:
        """Numbers of the films whose run holds the segment: one, or up to four for the repeated block."""
        self.check_subject(subject)
        self.check_segment(segment)
        movies = {block.movie for block in self.of(segment)}
        return [s.movie for s in self.scans(subject) if s.movie in movies and self.fault(s) is None]

    def scans(self, subject: str) -> list[HcpScan]:
        """A subject's files, usable or not."""
        return [scan for scan in self.layout.scans if scan.subject == subject]

    def fault(self, scan: HcpScan) -> Problem | None:
        """Why a run is left out, by its header; None where it is usable."""
        if scan not in self._faults:
            try:
                self._faults[scan] = None
                self._check(scan)
            except DataProblem as error:
                self._faults[scan] = Problem(
                    "scan", "error", error.what, error.where, error.remedy, scan.subject, "", scan.movie, left_out=True
                )
        return self._faults[scan]

    def _check(self, scan: HcpScan) -> None:
        header = read_fine_header(scan.path) if scan.fine else read_header(scan.path)
        if abs(header.tr_s - TR_S) > 1e-3:
            what = f"The scan's repetition time is {header.tr_s:g} s, not {TR_S:g} s."
            raise DataProblem(what, str(scan.path), "Use the scan as distributed; it must not be resampled in time.")
        end = max((b.offset_s for b in self.blocks if b.movie == scan.movie), default=0.0)
        if header.n_volumes <= end + KEPT_BEYOND_S:
            what = f"The run has {header.n_volumes} volumes; its last block ends at {end:g} s and 11 more are needed."
            raise DataProblem(what, str(scan.path), "Use the scan as distributed, uncut.")
        if not any(b.movie == scan.movie and b.segment in self.films.films for b in self.blocks):
            what = "The film of this run is missing, so its volumes have no film time."
            raise DataProblem(what, str(scan.path), f"Put 7T_MOVIE{scan.movie}_*.mp4 below {self.path}.")
        lacking = missing_spheres(self.path / scan.subject) if scan.fine else ""
        if lacking:
            what = "The scan is on the 59k surface (1.6 mm), and the spheres to bring it to 32k are not all there."
            remedy = f"Add {lacking} of the subject; or take the 32k file, {RUNS[scan.movie]}_Atlas_MSMAll_*."
            raise DataProblem(what, str(scan.path), remedy)

    def scan(self, subject: str, run: int) -> HcpScan:
        """The file of a run; raises `UnknownName` where there is none, `DataProblem` where it cannot be used."""
        self.check_subject(subject)
        found = {s.movie: s for s in self.scans(subject)}
        if run not in found:
            there = ", ".join(map(str, found)) or "none"
            raise UnknownName(f"Subject {subject} has no run of film {run}.", str(self.path), f"Films: {there}.")
        fault = self.fault(found[run])
        if fault is not None:
            raise DataProblem(fault.what, fault.path, fault.remedy)
        return found[run]

    def raw(self, subject: str, run: int) -> Float32:
        """All volumes of a run as scanned, on the 32k cortex: float32 (n_raw, 59412)."""
        scan = self.scan(subject, run)
        if not scan.fine:
            return read_cortex(scan.path)
        if subject not in self._weights:
            self._weights = {subject: fine_weights(self.path / subject, read_fine_header(scan.path))}
        return read_fine_cortex(scan.path, self._weights[subject])

    def cleaned(self, subject: str, run: int) -> Float32:
        """A whole run, detrended and z-scored; the last one asked for is kept, as all its blocks are wanted in turn."""
        scan = self.scan(subject, run)
        if self._cleaned is None or self._cleaned[0] != scan:
            self._cleaned = None
            self._cleaned = scan, clean_run(self.raw(subject, run))[0]
        return self._cleaned[1]

    def bold(self, subject: str, segment: str, run: int | None = None, runs: Sequence[int] | None = None) -> Float32:
        there = self.runs(subject, segment)
        chosen = [run] if run is not None else there if runs is None else list(runs)
        if not chosen:
            where = str(self.path / subject)
            raise DataProblem("There is no usable run.", where, "See `python -m pipelines check` for the reasons.")
        blocks = {block.movie: block for block in self.of(segment)}
        unknown = [number for number in chosen if number not in blocks]
        if unknown:
            what = f"Run {unknown[0]} does not show {segment}."
            raise UnknownName(what, str(self.path), f"Runs: {', '.join(map(str, there)) or 'none'}.")
        n = self.n_volumes(segment)
        return average_runs(self.cleaned(subject, number)[kept_volumes(blocks[number], n)] for number in chosen)

    def timing(self, subject: str) -> pd.DataFrame:
        """One row per segment and run; times are those of the whole run."""
        import pandas as pd

        self.check_subject(subject)
        rows = []
        for segment in self.segments:
            movies = {block.movie: block for block in self.of(segment)}
            for scan in (s for s in self.scans(subject) if s.movie in movies):
                fault = self.fault(scan)
                kept = kept_volumes(movies[scan.movie], self.n_volumes(segment))
                n = 0 if fault else _n_volumes(scan)
                facts = {"subject": subject, "segment": segment, "run": scan.movie, "n_volumes": n}
                facts |= {"kind": f"film {scan.movie} from {movies[scan.movie].onset_s:g} s", "first_volume_s": 0.0}
                facts |= {"dropped_start": kept.start, "dropped_end": max(n - kept.stop, 0)}
                facts |= {"kept": 0 if fault else kept.stop - kept.start, "used": fault is None}
                rows.append(facts | {"note": fault.what if fault else ""})
        return pd.DataFrame(rows)

    # ---- state

    @cached_property
    def problems(self) -> list[Problem]:
        from brainviz.data.hcp7t_problems import discovery_problems

        return discovery_problems(self)

    def value_problems(self, progress: Progress | None = None) -> list[Problem]:
        from brainviz.data.hcp7t_problems import value_problems

        return value_problems(self, progress)

    def fingerprint(self, subject: str | None = None, segment: str | None = None) -> str:
        if subject is not None:
            self.check_subject(subject)
            movies = {b.movie for b in self.blocks if segment in (None, b.segment)}
            scans = [s for s in self.scans(subject) if s.movie in movies]
            return fingerprint_files(((self._relative(s.path), s.path) for s in scans), repr(self.blocks))
        if segment is not None:
            return fingerprint_files([(segment, self.film(segment))], repr(self.of(segment)))
        films = [(name, self.films.films[name]) for name in self.films.usable()]
        files = [(self._relative(scan.path), scan.path) for scan in self.layout.scans]
        return fingerprint_files([*films, *files], repr(self.blocks))

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()

    def film_facts(self, segment: str) -> FilmInfo:
        """A film's header; raises `UnknownName` or `DataProblem`."""
        return self.films.info(segment)


def kept_volumes(block: Block, n_kept: int) -> slice:
    """Raw volumes kept of a run for one block: the first is the one `LAG_S` after the block's onset."""
    first = round(block.onset_s + LAG_S)
    return slice(first, first + n_kept)


def _n_kept(n_clips: int) -> int:
    return round((n_clips * CLIP_SECONDS + KEPT_BEYOND_S - LAG_S) / TR_S) + 1


def _n_volumes(scan: HcpScan) -> int:
    return (read_fine_header(scan.path) if scan.fine else read_header(scan.path)).n_volumes
