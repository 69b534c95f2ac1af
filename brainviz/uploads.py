"""Films that a visitor brings: checked, written anew as MP4, kept in the workspace under a name made of their content.

Nothing of an upload's own name or header enters a path.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem, UnknownName
from brainviz.storage import read_json, write_json

MOST_BYTES = 50_000_000
SHORTEST_S, LONGEST_S = 4.0, 60.0
SIDE_PX = 256
MOST_FPS = 30.0
_KEY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class UploadedFilm:
    """One film of a workspace's visitors.

    Attributes
    ----------
    key : str
        16 hexadecimal digits, from its content.
    name : str
        What the visitor called it; for display only.
    n_clips : int
        Whole clips of 2 s.
    duration_s : float
    """

    key: str
    name: str
    n_clips: int
    duration_s: float


def add_film(workspace: Path, name: str, data: bytes) -> UploadedFilm:
    """Keep an MP4 or GIF; the same film twice is kept once.

    Parameters
    ----------
    workspace : Path
    name : str
        For display only.
    data : bytes
        The file as it came.

    Raises
    ------
    BrainvizError
        Too large, too short, too long, or no film that can be decoded.
    """
    if len(data) > MOST_BYTES:
        raise BrainvizError(
            f"The film has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are taken.",
            name,
            "Upload a shorter or smaller film.",
        )
    key = hashlib.blake2b(data, digest_size=8).hexdigest()
    folder = workspace / "uploads" / key
    if not (folder / "film.json").exists():
        _keep(folder, name, data)
    return uploaded_film(workspace, key)


def _keep(folder: Path, name: str, data: bytes) -> None:
    from brainviz.video.reading import film_info
    from brainviz.video.writing import write_mp4

    with tempfile.TemporaryDirectory() as scratch:
        original = Path(scratch) / "upload"
        original.write_bytes(data)
        duration, fps = _measure(original, name)
        folder.mkdir(parents=True, exist_ok=True)
        write_mp4(folder / "film.mp4", _frames(original, fps, duration), fps)
    written = film_info(folder / "film.mp4")
    facts = {"name": name[:80], "n_clips": int(written.duration_s / 2 + 1e-3), "duration_s": written.duration_s}
    write_json(folder / "film.json", facts)


def _measure(path: Path, name: str) -> tuple[float, float]:
    """Duration in seconds and the frame rate it is kept at; raises where it is no film of usable length."""
    import av

    remedy = "Upload an MP4 or GIF of 4 to 60 seconds."
    last, count = 0.0, 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataProblem("The file holds no picture.", name, remedy)
            for frame in container.decode(video=0):
                last, count = max(last, float(frame.time or 0.0)), count + 1
                if last > LONGEST_S:
                    raise DataProblem(f"The film is longer than {LONGEST_S:.0f} s.", name, remedy)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataProblem("The file cannot be decoded as a film.", name, remedy) from error
    duration = last * count / max(count - 1, 1)
    if count < 2 or duration < SHORTEST_S:
        raise DataProblem(f"The film has {duration:.1f} s; at least {SHORTEST_S:.0f} s are needed.", name, remedy)
    return duration, min(MOST_FPS, max(10.0, round(count / duration)))


def _frames(path: Path, fps: float, duration: float) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames at an even rate, each the last one shown by then: films of varying rate (GIFs) keep their timing."""
    import av

    from brainviz.video.reading import to_square

    due, shown = 0, None
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            while shown is not None and due < (float(frame.time or 0.0) - 1e-6) * fps:
                yield shown
                due += 1
            shown = to_square(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), SIDE_PX)
    while shown is not None and due < round(duration * fps):
        yield shown
        due += 1


def uploaded_films(workspace: Path) -> list[UploadedFilm]:
    """All kept films, by name."""
    keys = [folder.parent.name for folder in (workspace / "uploads").glob("*/film.json")]
    return sorted((uploaded_film(workspace, key) for key in keys if _KEY.fullmatch(key)), key=lambda film: film.name)


def uploaded_film(workspace: Path, key: str) -> UploadedFilm:
    """A kept film; `UnknownName` where there is none of that key."""
    facts = read_json(workspace / "uploads" / key / "film.json") if _KEY.fullmatch(key) else None
    if facts is None:
        raise UnknownName("There is no such uploaded film.", key[:40], "Upload it again.")
    return UploadedFilm(key, str(facts["name"]), int(facts["n_clips"]), float(facts["duration_s"]))


def film_path(workspace: Path, key: str) -> Path:
    """The MP4 of a kept film; `UnknownName` where there is none."""
    return workspace / "uploads" / uploaded_film(workspace, key).key / "film.mp4"
