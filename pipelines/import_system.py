"""`python -m pipelines import-system`: another system's films into the workspace, normalised, as a result like any."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainviz.data.reconstructions import Reconstructions, open_reconstructions
from brainviz.errors import BrainvizError
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.imported import CLIPS_PER_ARRAY, STAGE, ImportedFilms, array_name, source_of_frames
from brainviz.storage import safe_name, write_array
from brainviz.workspace import SHARED_UNIT, Workspace

Progress = Callable[[float, str], None]

OWN = ("truth", "svd", "mind-animator", "mind-animator-released", "brain-e2e")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class ImportSettings:
    """How films are taken.

    Attributes
    ----------
    subject : str
        Whose they are; empty where they stand for all subjects.
    layout : str
        As in `brainviz.data.reconstructions`.
    first : int or None
        Number of the first clip in file names.
    size : int
        Side of the square clips in pixels.
    replace : bool
        Put them in the place of films that stand under the same name.
    """

    subject: str = ""
    layout: str = "auto"
    first: int | None = None
    size: int = 256
    replace: bool = False

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 1024:
            raise BrainvizError("Clips have 32 to 1024 pixels.", "--size", "256 is usual.")


def import_system(
    workspace: Workspace, name: str, source: Path, settings: ImportSettings, progress: Progress
) -> ImportedFilms:
    """Copy a system's films into the workspace.

    Parameters
    ----------
    workspace : Workspace
    name : str
        What the system is called from now on: small letters, digits and hyphens.
    source : Path
        Folder or .zip archive.
    settings : ImportSettings
    progress : callable

    Raises
    ------
    BrainvizError
        A name that cannot be used or stands for one of the project's own systems, or films that stand there already.
    DataProblem
        As `open_reconstructions`.
    """
    owner = settings.subject or SHARED_UNIT
    _check_name(workspace, name, settings.subject)
    unit = safe_name(f"{owner}.{name}")
    table = workspace.clips
    clips = table["clip"][table["split"] == "test"].tolist()
    with open_reconstructions(source, clips, settings.layout, settings.first) as films:
        progress(0.0, f"{len(films.files)} films found")
        key = f"{films.digest()}-{settings.size}"
        current = workspace.results.current(STAGE, unit)
        if current is not None and current.manifest["key"] != key and not settings.replace:
            remedy = "Choose another name, or give --replace."
            raise BrainvizError(f"Other films of {name!r} are here already.", f"subject {owner}", remedy)
        with workspace.results.lock(STAGE, unit, key):
            if not workspace.results.complete(STAGE, unit, key):
                with workspace.results.writing(STAGE, unit, key) as (folder, manifest):
                    manifest["facts"] = _written(folder, films, settings.size, progress) | {
                        "system": name,
                        "source": source.name,
                        "layout": settings.layout,
                    }
            workspace.results.point(STAGE, unit, key)
    result = workspace.results.current(STAGE, unit)
    if result is None:
        raise BrainvizError("The imported films have gone.", unit, "Import them again.")
    return ImportedFilms(name, result)


def _check_name(workspace: Workspace, name: str, subject: str) -> None:
    if not _NAME.fullmatch(name):
        remedy = "Use small letters, digits and hyphens, such as mind-video."
        raise BrainvizError(f"A system cannot be called {name!r}.", "import-system", remedy)
    if subject and subject not in workspace.subjects:
        known = ", ".join(workspace.subjects)
        raise BrainvizError(f"There is no subject called {subject!r}.", "--subject", f"Subjects: {known}.")
    own = {*OWN, *(system for one in workspace.subjects for system in workspace.systems(one))}
    if name in own or source_of_frames(name):
        remedy = f"Choose another name; taken are {', '.join(sorted(own))}."
        raise BrainvizError(f"{name!r} is one of the project's own systems.", "import-system", remedy)


def _written(folder: Path, films: Reconstructions, size: int, progress: Progress) -> dict[str, object]:
    """Write all clips; returns what the manifest says of them. Shorter clips of a block are filled up with black."""
    lengths: list[int] = []
    for start in range(0, len(films.files), CLIPS_PER_ARRAY):
        some = [films.frames(file, size) for file in films.files[start : start + CLIPS_PER_ARRAY]]
        rows = np.zeros((len(some), max(map(len, some)), size, size, 3), np.uint8)
        for row, film in zip(rows, some, strict=True):
            row[: len(film)] = film
        write_array(folder / "arrays.zarr", array_name(start), rows, (1, *rows.shape[1:]))
        lengths += map(len, some)
        progress(len(lengths) / len(films.files), f"{len(lengths)} of {len(films.files)} films")
    fps = [n / CLIP_SECONDS for n in lengths]
    return {"clips": [file.clip for file in films.files], "n_frames": lengths, "fps": fps, "size": size}
