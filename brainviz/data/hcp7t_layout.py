"""Finding the files of the HCP 7T film runs: scans, surfaces, and the films wherever they lie in the folder.

<subject>/MNINonLinear/Results/tfMRI_MOVIE1_7T_AP/tfMRI_MOVIE1_7T_AP_Atlas*.dtseries.nii
<subject>/MNINonLinear/fsaverage_LR{32k,59k}/<subject>.L.sphere.{32k,59k}_fs_LR.surf.gii
.../7T_MOVIE1_CC1_v2.mp4
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path("MNINonLinear") / "Results"
RUNS = {1: "tfMRI_MOVIE1_7T_AP", 2: "tfMRI_MOVIE2_7T_PA", 3: "tfMRI_MOVIE3_7T_PA", 4: "tfMRI_MOVIE4_7T_AP"}
LAYOUT = f"<subject>/{RESULTS.as_posix()}/{RUNS[1]}/{RUNS[1]}_Atlas.dtseries.nii and 7T_MOVIE1_CC1_v2.mp4"
_FILM = re.compile(r"7T_MOVIE([1-4])_[A-Z]+\d(_v2)?\.mp4", re.IGNORECASE)
_SCAN = re.compile(r"(tfMRI_MOVIE[1-4]_7T_(?:AP|PA))_Atlas(_.*)?\.dtseries\.nii")
_MOST_DEEP = 4


@dataclass(frozen=True)
class HcpScan:
    """One run's file: subject, film (1 to 4), and whether it is of the 1.6-mm, 59k kind."""

    subject: str
    movie: int
    path: Path
    fine: bool


@dataclass(frozen=True)
class HcpLayout:
    """What the folder holds.

    Attributes
    ----------
    root : Path
        The folder of the subjects.
    films : film number -> version ("v1", "v2") -> file
    scans : one file per subject and film
    passed_over : files of a run that has a better one
    misplaced : files that are named like a scan of another folder or run
    subjects : names of all subject folders, with or without usable scans
    """

    root: Path
    films: dict[int, dict[str, Path]]
    scans: list[HcpScan]
    passed_over: list[HcpScan]
    misplaced: list[Path]
    subjects: list[str]


def find_hcp7t(path: str | Path) -> HcpLayout | None:
    """Look the files up in a folder, or up to two folders below it; None where there is no such data set."""
    given = Path(path).expanduser()
    if not given.is_dir():
        return None
    root = next((folder for folder in _folders(given, 2) if _subject_folders(folder)), None)
    if root is None:
        return None
    subjects = _subject_folders(root)
    films = _films(given, set(subjects))
    chosen, passed_over, misplaced = [], [], []
    for subject in subjects:
        found, elsewhere = _scans(root, subject)
        misplaced += elsewhere
        for movie in RUNS:
            files = sorted((s for s in found if s.movie == movie), key=_preference)
            chosen += files[:1]
            passed_over += files[1:]
    return HcpLayout(root, films, chosen, passed_over, misplaced, subjects)


def _folders(top: Path, depth: int) -> Iterator[Path]:
    """A folder and those below it, nearest first, subjects not entered."""
    level = [top]
    for _ in range(depth + 1):
        yield from level
        level = [p for folder in level if not _subject_folders(folder) for p in sorted(folder.iterdir()) if _open(p)]


def _open(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _subject_folders(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if _open(p) and any((p / RESULTS).glob("tfMRI_MOVIE*")))


def _films(top: Path, subjects: set[str]) -> dict[int, dict[str, Path]]:
    """Films by number and version; of several copies the first."""
    found: dict[int, dict[str, Path]] = {}
    for place, folders, files in os.walk(top):
        folder = Path(place)
        deep = len(folder.relative_to(top).parts) >= _MOST_DEEP
        folders[:] = [] if deep else sorted(f for f in folders if f not in subjects and not f.startswith("."))
        for name in sorted(files):
            if match := _FILM.fullmatch(name):
                version = "v2" if match.group(2) else "v1"
                found.setdefault(int(match.group(1)), {}).setdefault(version, folder / name)
    return dict(sorted(found.items()))


def _scans(root: Path, subject: str) -> tuple[list[HcpScan], list[Path]]:
    found, misplaced = [], []
    movies = {name: movie for movie, name in RUNS.items()}
    for path in sorted((root / subject / RESULTS).glob("tfMRI_MOVIE*/*.dtseries.nii")):
        match = _SCAN.fullmatch(path.name)
        if match and match.group(1) == path.parent.name and match.group(1) in movies:
            fine = "_1.6mm" in (match.group(2) or "")
            found.append(HcpScan(subject, movies[match.group(1)], path, fine))
        elif not path.name.startswith("."):
            misplaced.append(path)
    return found, misplaced


def _preference(scan: HcpScan) -> tuple[bool, bool, bool, int, str]:
    """32k before 59k, aligned by areal features before folding alone, cleaned before not."""
    name = scan.path.name
    return scan.fine, "_MSMAll" not in name, "clean" not in name, -len(name), name
