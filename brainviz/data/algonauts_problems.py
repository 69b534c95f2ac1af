"""What is wrong with an Algonauts 2021 folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from brainviz.data.algonauts_layout import FILMS, N_TRAINING, REGIONS, RESPONSES, TRACKS
from brainviz.data.problems import Problem, Severity
from brainviz.errors import DataProblem
from brainviz.video.parts import NUMBERED, numbered_films

if TYPE_CHECKING:
    from brainviz.data.algonauts2021 import Algonauts2021
    from brainviz.data.base import Progress

_MANY = 0.05  # share of unusable voxels above which the responses are in doubt


def discovery_problems(ds: Algonauts2021) -> list[Problem]:
    """Films and files that are missing or damaged, by their names and the films' headers."""
    return [*_film_problems(ds), *_file_problems(ds)]


def value_problems(ds: Algonauts2021, progress: Progress | None = None) -> list[Problem]:
    """What reading the responses finds: refused or damaged files, other shapes, values that say nothing."""
    found = []
    for number, subject in enumerate(ds.subjects):
        if progress is not None:
            progress(number / len(ds.subjects), f"subject {subject}")
        fault = ds.fault(subject)
        if fault is not None:
            remedy = f"{fault.remedy} Until then the subject is left out."
            found.append(Problem("responses", "error", fault.what, fault.where, remedy, subject, left_out=True))
            continue
        zero = (ds.responses(subject) == 0).all(axis=1)
        for run, share in enumerate(zero.mean(axis=1), start=1):
            if share > 0:
                what = f"{int(zero[run - 1].sum())} of {zero.shape[1]} voxels are constant or not numbers; they are 0."
                where = str(next(iter(ds.layout.responses[subject].values())).parent)
                severity: Severity = "error" if share > _MANY else "warning"
                remedy = "Copy or download the files again."
                found.append(Problem("constant", severity, what, where, remedy, subject, "", run))
    if progress is not None:
        progress(1.0, "checked")
    return found


def _film_problems(ds: Algonauts2021) -> Iterator[Problem]:
    folder = ds.layout.films
    if not ds.layout.n_clips:
        what = "There are no numbered films."
        yield Problem("missing", "error", what, str(folder), f"Put 0001_*.mp4 and so on into {FILMS}.")
    for segment in ds.blocks:
        state = ds.films.state(segment)
        if isinstance(state, DataProblem):
            remedy = f"{state.remedy} Until then the block {segment} is left out."
            yield Problem("film", "error", state.what, state.where, remedy, "", segment, left_out=True)
    names = [path for path in sorted(folder.iterdir()) if NUMBERED.fullmatch(path.name)] if folder.is_dir() else []
    first = numbered_films(folder)
    for path in names:
        number = int(path.name.split("_")[0].split(".")[0])
        if first[number] != path:
            what = f"Two films have the number {number}; {first[number].name} is used."
            yield Problem("copy", "warning", what, str(path), "Take one of them away.", left_out=True)
    if 0 < ds.layout.n_clips < N_TRAINING:
        what = f"The films with responses go up to number {ds.layout.n_clips}, not {N_TRAINING}."
        yield Problem("missing", "warning", what, str(folder), "Is this the whole data set?")


def _file_problems(ds: Algonauts2021) -> Iterator[Problem]:
    place = ds.path / RESPONSES / ds.layout.track
    if not ds.layout.folders:
        what = "There is no subject."
        yield Problem("missing", "error", what, str(place), f"Add {RESPONSES}/full_track/sub01/WB.pkl and so on.")
    for subject in ds.layout.folders:
        there = ds.layout.responses.get(subject, {})
        folder = place / f"sub{subject}"
        if not there:
            what = "This subject has no file of responses."
            yield Problem("missing", "error", what, str(folder), "Add it, or ignore this.", subject, left_out=True)
        elif ds.layout.track != TRACKS[0] and len(there) < len(REGIONS):
            lacking = ", ".join(region for region in REGIONS if region not in there)
            what = f"The files of {lacking} are missing; the other regions are used."
            yield Problem("missing", "warning", what, str(folder), "Add them, or go on without.", subject)
