"""Finding a CC2017 data set's files: its folder, films and scans, and help where it is still zipped.

video_fmri_dataset/
  stimuli/{seg1..seg18,test1..test5}.mp4
  subject{1,2,3}/fmri/<segment>/cifti/<segment>_<run>_Atlas.dtseries.nii
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from brainviz.errors import DataProblem

_SUBJECT = re.compile(r"subject([A-Za-z0-9]+)")
_SEGMENT = re.compile(r"(seg|test)([A-Za-z0-9]+)")
_SCAN = re.compile(r"((?:seg|test)[A-Za-z0-9]+)_(\d+)_atlas\.dtseries\.nii", re.IGNORECASE)
OTHERS = (
    "Nor is it HCP 7T (no <subject>/MNINonLinear/Results/tfMRI_MOVIE*) "
    "or Algonauts 2021 (no participants_data_v2021, no AlgonautsVideos268_All_30fpsmax)."
)
LAYOUT = "stimuli/seg1.mp4, subject1/fmri/seg1/cifti/seg1_1_Atlas.dtseries.nii, and so on"


@dataclass(frozen=True)
class ScanFile:
    """One run's file, found by its name."""

    subject: str
    segment: str
    run: int
    path: Path


@dataclass(frozen=True)
class Layout:
    """What a data-set folder holds.

    Attributes
    ----------
    root : Path
        The folder that holds ``stimuli``.
    films : segment -> file, training first, in the order of their numbers
    scans : list of ScanFile
    subjects : names of the subject folders, with or without scans
    misplaced : files that are named like a scan of another folder
    """

    root: Path
    films: dict[str, Path]
    scans: list[ScanFile]
    subjects: list[str]
    misplaced: list[Path]

    @property
    def segments(self) -> list[str]:
        """Segments that have a film or a scan."""
        return sorted({*self.films, *(scan.segment for scan in self.scans)}, key=segment_order)


def find_layout(path: str | Path) -> Layout:
    """Look a data set's files up; `path` is its folder or the one above it.

    Raises
    ------
    DataProblem
        There is no CC2017 data set: says what was looked for, what was found and what to do.
    """
    given = Path(path).expanduser()
    if not given.exists():
        raise DataProblem("There is no such folder.", str(given), "Give the folder of the data set (--dataset DIR).")
    if given.is_file():
        if zipfile.is_zipfile(given):
            raise _zipped([given], given)
        raise DataProblem("A data set is a folder; this is a file.", str(given), f"Give the folder with {LAYOUT}.")
    try:
        root = _root(given)
        if root is None:
            zips = sorted(p for p in given.iterdir() if p.suffix.lower() == ".zip")
            raise _zipped(zips, given) if zips else _not_found(given)
        return _list(root)
    except PermissionError as error:
        remedy = f"Allow reading: chmod -R u+rX '{error.filename}'."
        raise DataProblem("No permission to list the folder.", str(error.filename), remedy) from error


def is_cc2017(path: str | Path) -> bool:
    """Whether the folder, or one right below it, holds films and subjects in this layout."""
    folder = Path(path).expanduser()
    return folder.is_dir() and _root(folder) is not None


def _root(folder: Path) -> Path | None:
    """The folder itself or the one folder in it that holds films; they may be there before any scan is."""
    for candidate in (folder, *sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))):
        if (candidate / "stimuli").is_dir() and (_subject_folders(candidate) or _films(candidate)):
            return candidate
    return None


def _films(root: Path) -> dict[str, Path]:
    return {p.stem: p for p in (root / "stimuli").iterdir() if p.suffix == ".mp4" and _SEGMENT.fullmatch(p.stem)}


def _subject_folders(root: Path) -> dict[str, Path]:
    found = {m.group(1): p for p in root.iterdir() if p.is_dir() and (m := _SUBJECT.fullmatch(p.name))}
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _list(root: Path) -> Layout:
    films, subjects = _films(root), _subject_folders(root)
    scans: list[ScanFile] = []
    misplaced: list[Path] = []
    for subject, folder in subjects.items():
        for path in sorted(folder.glob("fmri/*/cifti/*.dtseries.nii")):
            match = _SCAN.fullmatch(path.name)
            if match and match.group(1) == path.parent.parent.name:
                scans.append(ScanFile(subject, match.group(1), int(match.group(2)), path))
            elif not path.name.startswith("."):
                misplaced.append(path)
    scans.sort(key=lambda s: (_natural(s.subject), segment_order(s.segment), s.run))
    ordered = {name: films[name] for name in sorted(films, key=segment_order)}
    return Layout(root, ordered, scans, list(subjects), misplaced)


def segment_order(segment: str) -> tuple[int, list[tuple[int, str]]]:
    """Sort key: training before test, then by number."""
    return (int(segment.startswith("test")), _natural(segment))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _not_found(folder: Path) -> DataProblem:
    names = sorted(p.name + ("/" if p.is_dir() else "") for p in folder.iterdir() if not p.name.startswith("."))
    found = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    lacking = [
        name
        for name, there in (
            ("stimuli/", (folder / "stimuli").is_dir()),
            ("subject1/ (or another number)", bool(_subject_folders(folder))),
        )
        if not there
    ]
    missing = f"{' and '.join(lacking)} not found; the folder holds {found or 'nothing'}"
    what = f"This is no data set that is known here: {missing}."
    return DataProblem(f"{what} {OTHERS}", str(folder), f"Give the folder with {LAYOUT}.")


def _zipped(zips: list[Path], place: Path) -> DataProblem:
    """Help with the download, a zip inside a zip. Only the archives' lists of names are read."""
    target = place if place.is_dir() else place.parent
    steps = []
    for path in zips[:4]:
        inner = _inner_zips(path)
        steps.append(f"unzip '{path}' -d '{target}'")
        steps += [f"unzip '{target / name}' -d '{target}'" for name in inner[:4]]
    what = f"The data set is still zipped ({', '.join(p.name for p in zips[:4])})."
    remedy = f"Unpack it (it is a zip inside a zip): {'; '.join(steps)}; then give the folder that holds stimuli/."
    return DataProblem(what, str(place), remedy)


def _inner_zips(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".zip")]
    except (zipfile.BadZipFile, OSError):
        return []  # a part of a split or broken archive: `unzip` itself will say so
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]
