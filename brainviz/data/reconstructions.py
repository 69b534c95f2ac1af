"""Films that other systems reconstructed: a folder or .zip archive of one GIF or MP4 per clip.

What is known of published forms: MindVideo's and Mind-Animator's GIFs show the true clip on the left and the
reconstruction on the right, in a grid with 2 pixels of black around and between (torchvision's `make_grid`); their
files are numbered over the test clips from 1 (`test1.gif` to `test1200.gif`). A GIF's own tempo is a matter of display:
every file stands for one clip of 2 s.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem

Frames = npt.NDArray[np.uint8]

LAYOUTS = ("auto", "single", "halves", "padded-halves")
SUFFIXES = (".gif", ".mp4")
PADDING = 2
MOST_FILES, MOST_BYTES, MOST_TOTAL_BYTES = 20_000, 200_000_000, 20_000_000_000
MOST_FRAMES, MOST_SIDE = 600, 4096
_PIECE = 1_000_000
_DARK = 16  # black as GIF palettes and H.264 leave it
_PLACED = re.compile(r"(.+?)[-_ ](\d+)")
_NUMBERED = re.compile(r"\D*(\d+)")


@dataclass(frozen=True)
class ReconstructionFile:
    """One film of the source, not yet read.

    Attributes
    ----------
    name : str
        As in the source, for messages only.
    clip : str
    """

    name: str
    clip: str


def match_clips(names: Iterable[str], clips: Sequence[str], first: int | None = None) -> list[ReconstructionFile]:
    """Which file is which clip.

    A name may be the clip's own (`test1-0042.gif`, also `test1_42`), or hold one number: a place among the given clips
    in their order, counted from 0 where a file says 0, else from 1.

    Parameters
    ----------
    names : file names, folders in front allowed
    clips : clip ids
        The test clips in their order.
    first : int, optional
        Number of the first clip, where it is not as above.

    Returns
    -------
    list of ReconstructionFile, in the order of the clips

    Raises
    ------
    DataProblem
        A file that matches no clip, or two files for one; all of them are named.
    """
    known = set(clips)
    stems = {name: PurePosixPath(name).stem for name in names}
    numbers = {name: int(found[1]) for name, stem in stems.items() if (found := _NUMBERED.fullmatch(stem))}
    start = first if first is not None else 0 if 0 in numbers.values() else 1
    taken: dict[str, list[str]] = {}
    lost = []
    for name, stem in stems.items():
        placed = _PLACED.fullmatch(stem)
        clip = stem if stem in known else f"{placed[1]}-{int(placed[2]):04d}" if placed else ""
        if clip not in known and name in numbers and 0 <= numbers[name] - start < len(clips):
            clip = clips[numbers[name] - start]
        if clip in known:
            taken.setdefault(clip, []).append(name)
        else:
            lost.append(name)
    twice = [f"{' and '.join(files)} (both {clip})" for clip, files in taken.items() if len(files) > 1]
    if lost or twice or not taken:
        raise _unmatched(lost, twice, clips, start)
    return [ReconstructionFile(taken[clip][0], clip) for clip in clips if clip in taken]


def _unmatched(lost: list[str], twice: list[str], clips: Sequence[str], start: int) -> DataProblem:
    if not lost and not twice:
        return DataProblem("There is no GIF or MP4 here.", "", "Give a folder or .zip archive with one film per clip.")
    what = f"{len(lost)} files match no clip and {len(twice)} clips have several files"
    ends = f"{clips[0]} to {clips[-1]}" if clips else "none"
    remedy = (
        f"Name files by clip ({ends}) or number them {start} to {start + len(clips) - 1} (--first says where numbers "
        f"begin). Not matched: {', '.join(sorted(lost)) or 'none'}. Several: {'; '.join(twice) or 'none'}."
    )
    return DataProblem(f"{what}.", "", remedy)


class Reconstructions:
    """The films of one system; use it as a context manager (`with open_reconstructions(...) as films`).

    Attributes
    ----------
    files : list of ReconstructionFile
        In the order of the clips.
    """

    def __init__(self, source: _Source, files: list[ReconstructionFile], layout: str) -> None:
        self._source, self.files, self.layout = source, files, layout

    def digest(self) -> str:
        """A short name of all content: 16 hexadecimal digits."""
        total = hashlib.blake2b(self.layout.encode(), digest_size=8)
        for file in self.files:
            total.update(file.clip.encode())
            with self._source.opened(file.name) as path:
                total.update(hashlib.blake2b(path.read_bytes()).digest())
        return total.hexdigest()

    def frames(self, file: ReconstructionFile, size: int) -> Frames:
        """The reconstruction alone, centre-cropped: uint8 (n, size, size, 3); raises `DataProblem`."""
        from brainviz.video.reading import to_square

        with self._source.opened(file.name) as path:
            whole = _decoded(path, file.name)
        part = reconstruction_part(whole, self.layout)
        return np.stack([to_square(frame, size) for frame in part])


@contextmanager
def open_reconstructions(
    path: str | Path, clips: Sequence[str], layout: str = "auto", first: int | None = None
) -> Iterator[Reconstructions]:
    """A system's films, matched to clips.

    Parameters
    ----------
    path : folder or .zip archive
        Nothing of an archive is written under its own names, and nothing outside a folder is followed.
    clips, first
        As in `match_clips`.
    layout : str
        One of `LAYOUTS`; 'auto' decides film by film, see `reconstruction_part`.

    Raises
    ------
    DataProblem
        Not there, unsafe names, too many or too large files, names that match no clip.
    """
    if layout not in LAYOUTS:
        raise BrainvizError(f"Unknown layout {layout!r}.", "--layout", f"Choose of: {', '.join(LAYOUTS)}.")
    place = Path(path).expanduser()
    with tempfile.TemporaryDirectory() as scratch:
        if place.is_dir():
            source: _Source = _Folder(place)
        elif place.is_file() and zipfile.is_zipfile(place):
            source = _Archive(place, Path(scratch) / "film")
        else:
            raise DataProblem("There is no folder or .zip archive here.", str(place), "Unpack other archives first.")
        yield Reconstructions(source, match_clips(source.names(), clips, first), layout)


def reconstruction_part(film: Frames, layout: str = "auto") -> Frames:
    """The reconstruction of a film that may show the truth beside it.

    Parameters
    ----------
    film : uint8 (n, h, w, 3)
    layout : str
        'single': all of it. 'halves': the right half. 'padded-halves': the right one of two pictures with 2 pixels of
        black around and between. 'auto': by the shape of two squares (w = 2 h, or w = 2 h - 2 with padding), or by the
        black lines themselves where the pictures are no squares; else single.

    Returns
    -------
    uint8 (n, h', w', 3)
    """
    _, h, w, _ = film.shape
    if layout == "auto":
        layout = "halves" if w == 2 * h else "padded-halves" if w == 2 * h - 2 or _has_lines(film) else "single"
    if layout == "single":
        return film
    if layout == "halves":
        return film[:, :, w // 2 :]
    side = (w - 3 * PADDING) // 2
    if h <= 2 * PADDING or side < 1:
        raise DataProblem(f"A film of {w} x {h} pixels holds no two padded pictures.", "", "Choose another --layout.")
    return film[:, PADDING : h - PADDING, w - PADDING - side : w - PADDING]


def _has_lines(film: Frames) -> bool:
    """Black lines around and in the middle, with pictures in between."""
    _, h, w, _ = film.shape
    if w < 1.5 * h or w % 2 or h <= 2 * PADDING:
        return False
    middle = slice(w // 2 - PADDING // 2, w // 2 + PADDING // 2)
    lines = (film[:, :PADDING], film[:, -PADDING:], film[:, :, :PADDING], film[:, :, -PADDING:], film[:, :, middle])
    return all(int(line.max()) <= _DARK for line in lines) and int(film.max()) > 2 * _DARK


def _decoded(path: Path, name: str) -> Frames:
    """All frames: uint8 (n, h, w, 3)."""
    import av

    frames: list[Frames] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataProblem("The file holds no picture.", name)
            for frame in container.decode(video=0):
                if max(frame.width, frame.height) > MOST_SIDE or len(frames) >= MOST_FRAMES:
                    raise DataProblem(f"A clip has at most {MOST_FRAMES} frames of {MOST_SIDE} pixels.", name)
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))
    except (av.FFmpegError, ValueError) as error:
        raise DataProblem("The file cannot be decoded as a film.", name, "Copy or download it again.") from error
    if not frames or len({frame.shape for frame in frames}) > 1:
        raise DataProblem("The film has no frames, or frames of several sizes.", name)
    return np.stack(frames)


class _Source(Protocol):
    def names(self) -> list[str]:
        """All films, by their names in the source."""
        ...

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """A film as a file that can be read."""
        ...


@dataclass(frozen=True)
class _Folder:
    place: Path

    def names(self) -> list[str]:
        files = [path for path in sorted(self.place.rglob("*")) if _is_film(path.name) and path.is_file()]
        home = self.place.resolve()
        outside = [path.name for path in files if not path.resolve().is_relative_to(home)]
        if outside:
            raise DataProblem(f"Links lead out of the folder: {', '.join(outside[:5])}.", str(self.place))
        _check_sizes([path.stat().st_size for path in files], self.place)
        return [str(path.relative_to(self.place)) for path in files]

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        yield self.place / name


@dataclass(frozen=True)
class _Archive:
    place: Path
    scratch: Path  # the one file that members are written to, one after another

    def names(self) -> list[str]:
        with zipfile.ZipFile(self.place) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and _is_film(info.filename)]
        parts = {info.filename: PurePosixPath(info.filename.replace("\\", "/")) for info in members}
        unsafe = [name for name, path in parts.items() if path.is_absolute() or ".." in path.parts or ":" in name]
        if unsafe:
            raise DataProblem(f"Names in the archive lead out of it: {', '.join(unsafe[:5])}.", str(self.place))
        _check_sizes([info.file_size for info in members], self.place)
        return sorted(parts)

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        target = self.scratch.with_suffix(PurePosixPath(name).suffix.lower())
        try:
            with zipfile.ZipFile(self.place) as archive, archive.open(name) as member, target.open("wb") as out:
                # A member may hold more than its header says.
                for _ in range(0, MOST_BYTES, _PIECE):
                    if not (piece := member.read(_PIECE)):
                        break
                    out.write(piece)
                else:
                    raise DataProblem(f"A film is larger than {MOST_BYTES / 1e6:.0f} MB.", name)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError) as error:
            raise DataProblem(
                f"The archive is damaged or locked ({error}).", name, "Pack or download it again."
            ) from error
        yield target


def _is_film(name: str) -> bool:
    """GIF or MP4, but none of the hidden files that other systems leave (`__MACOSX/._a.gif`)."""
    file = PurePosixPath(name.replace("\\", "/")).name
    return file.lower().endswith(SUFFIXES) and not file.startswith(".")


def _check_sizes(sizes: list[int], place: Path) -> None:
    if len(sizes) > MOST_FILES or max(sizes, default=0) > MOST_BYTES or sum(sizes) > MOST_TOTAL_BYTES:
        limits = f"{MOST_FILES} films, {MOST_BYTES / 1e6:.0f} MB each, {MOST_TOTAL_BYTES / 1e9:.0f} GB in all"
        raise DataProblem(f"There is too much: at most {limits}.", str(place), "Give one system and subject at a time.")
