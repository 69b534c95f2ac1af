"""What is wrong with a CC2017 folder by its names, headers and lengths, without reading all volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainviz.data.problems import Problem
from brainviz.data.timing import is_whole
from brainviz.errors import DataProblem

if TYPE_CHECKING:
    from brainviz.data.cc2017 import CC2017


def discovery_problems(ds: CC2017) -> list[Problem]:
    """All of them at once, films first."""
    return [*_film_problems(ds), *_scan_problems(ds), *_missing(ds), *_notes(ds)]


def _film_problems(ds: CC2017) -> list[Problem]:
    found = []
    scanned = {scan.segment for scan in ds.layout.scans}
    for segment in ds.layout.films:
        state = ds.film_state(segment)
        if isinstance(state, DataProblem):
            remedy = f"{state.remedy} Until then its scans are left out."
            found.append(Problem("film", "error", state.what, state.where, remedy, "", segment, left_out=True))
            continue
        if not state.steady:
            path = ds.layout.films[segment]
            what = "The film's frame rate varies, so that frames cannot be told by number to the last one."
            remedy = f"Convert it: ffmpeg -i {path.name} -vf fps={round(state.fps)} steady.mp4, and use that."
            found.append(Problem("film", "warning", what, str(path), remedy, "", segment))
        if not is_whole(state.duration_s):
            what = f"The film lasts {state.duration_s:g} s, no whole number of 2-s volumes: the cut may be off by one."
            remedy = "Compare its length with that of the data set's description; is it complete?"
            found.append(Problem("length", "warning", what, str(ds.layout.films[segment]), remedy, "", segment))
        if segment not in scanned:
            what = "No subject has a scan of this film."
            remedy = f"Add subject*/fmri/{segment}/cifti, or ignore this."
            found.append(
                Problem("missing", "warning", what, str(ds.layout.films[segment]), remedy, "", segment, left_out=True)
            )
    for segment in ds.layout.segments:
        if segment not in ds.layout.films:
            path = ds.path / "stimuli" / f"{segment}.mp4"
            what, remedy = (
                "The film of scanned runs is missing.",
                "Put the film there. Until then its scans are left out.",
            )
            found.append(Problem("missing", "error", what, str(path), remedy, "", segment, left_out=True))
    return found


def _scan_problems(ds: CC2017) -> list[Problem]:
    """Of each scan; what its film alone is to blame for is said once, with the film."""
    faults = [fault for scan in ds.layout.scans if (fault := ds.fault(scan)) is not None and fault.kind != "film"]
    what, remedy = "This scan's name does not fit its folder.", "Name it <segment>_<run>_Atlas.dtseries.nii."
    misplaced = [Problem("name", "warning", what, str(p), remedy, left_out=True) for p in ds.layout.misplaced]
    return faults + misplaced


def _missing(ds: CC2017) -> list[Problem]:
    """Subjects without scans, segments that some subject lacks, run numbers left out in the middle or at the end."""
    found = []
    if not ds.layout.subjects:
        what, remedy = "There is no subject.", "Add subject1/fmri/<segment>/cifti/*_Atlas.dtseries.nii."
        found.append(Problem("missing", "error", what, str(ds.path), remedy))
    if not ds.layout.films:
        what, remedy = "There is no film.", "Add stimuli/seg1.mp4 and so on."
        found.append(Problem("missing", "error", what, str(ds.path / "stimuli"), remedy))
    for subject in ds.layout.subjects:
        folder = ds.path / f"subject{subject}" / "fmri"
        if subject not in ds.subjects:
            what, remedy = "This subject has no scan.", "Add fmri/<segment>/cifti/*_Atlas.dtseries.nii, or ignore this."
            found.append(Problem("missing", "error", what, str(folder), remedy, subject, left_out=True))
            continue
        for segment in ds.segments:
            found += _missing_runs(ds, subject, segment)
    return found


def _missing_runs(ds: CC2017, subject: str, segment: str) -> list[Problem]:
    folder = ds.path / f"subject{subject}" / "fmri" / segment / "cifti"
    there = {scan.run for scan in ds.scans(subject, segment)}
    expected = {run for other in ds.subjects for run in range(1, _last_run(ds, other, segment) + 1)}
    if not there:
        what, remedy = f"Subject {subject} has no run of {segment}.", "Add its runs, or go on without this segment."
        return [Problem("missing", "warning", what, str(folder), remedy, subject, segment)]
    lacking = sorted(expected - there)
    if not lacking:
        return []
    names = ", ".join(map(str, lacking))
    what = f"Subject {subject} lacks run {names} of {segment}, which other runs or subjects speak for."
    return [Problem("missing", "warning", what, str(folder), "Add it, or go on without.", subject, segment, lacking[0])]


def _last_run(ds: CC2017, subject: str, segment: str) -> int:
    return max((scan.run for scan in ds.scans(subject, segment)), default=0)


def _notes(ds: CC2017) -> list[Problem]:
    """Faults of files that this program does not read, and of the captions."""
    from brainviz.data.cc2017 import MISNAMED_MNI

    found = [ds.captions_problem] if ds.captions_problem else []
    subject, segment, run = MISNAMED_MNI
    folder = ds.path / f"subject{subject}" / "fmri" / segment / "mni"
    if not ds.simulated and folder.is_dir() and not (folder / f"{segment}_{run}_mni.nii.gz").exists():
        what = f"The MNI file of run {run} has another name (a known fault of the released data)."
        remedy = "Nothing: MNI files are not read."
        found.append(Problem("known-fault", "warning", what, str(folder), remedy, subject, segment, run))
    return found
