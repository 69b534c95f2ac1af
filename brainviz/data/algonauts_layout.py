"""Finding the files of the Algonauts Project 2021: its films and the responses of each subject.

AlgonautsVideos268_All_30fpsmax/0001_*.mp4 .. 1102_*.mp4
participants_data_v2021/{mini_track,full_track}/subNN/{V1,..,WB}.pkl
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from brainviz.video.parts import numbered_films

RESPONSES = "participants_data_v2021"
FILMS = "AlgonautsVideos268_All_30fpsmax"
WHOLE_BRAIN = "WB"
TRACKS = ("full_track", "mini_track")
REGIONS = ("V1", "V2", "V3", "V4", "EBA", "FFA", "LOC", "PPA", "STS")
N_TRAINING = 1000  # films 1 to 1000 have responses; those of 1001 to 1102 were never released
LAYOUT = f"{RESPONSES}/full_track/sub01/WB.pkl and {FILMS}/0001_*.mp4"
_SUBJECT = re.compile(r"sub(\d+)")
_CLIPS_PER_BLOCK, _FEWEST_PER_BLOCK, _BLOCKS = 50, 6, 20
_TEST_EVERY = 3


@dataclass(frozen=True)
class ClipBlock:
    """Consecutive films that make one segment.

    Attributes
    ----------
    segment : str
        Named by its first film: ``seg0001``, or ``test0051`` where it is kept for testing.
    first, last : int
        Numbers of the films, both included.
    """

    segment: str
    first: int
    last: int

    @property
    def rows(self) -> slice:
        """Their rows among the responses."""
        return slice(self.first - 1, self.last)


@dataclass(frozen=True)
class AlgonautsLayout:
    """What the folder holds.

    Attributes
    ----------
    root, films : Path
        The folder of all, and that of the films.
    track : str
        ``full_track`` where a subject has a whole-brain file, else ``mini_track``.
    responses : subject -> region -> file
    folders : names of all subject folders of the track, with or without files
    n_clips : int
        Films with responses, by the highest number that is not above 1000.
    """

    root: Path
    films: Path
    track: str
    responses: dict[str, dict[str, Path]]
    folders: list[str]
    n_clips: int


def find_algonauts(path: str | Path) -> AlgonautsLayout | None:
    """Look the files up in a folder or the one folder below it; None where there is no such data set."""
    given = Path(path).expanduser()
    if not given.is_dir():
        return None
    below = sorted(p for p in given.iterdir() if p.is_dir() and not p.name.startswith("."))
    for root in (given, *below):
        if (root / RESPONSES).is_dir() or (root / FILMS).is_dir():
            return _list(root)
    return None


def _list(root: Path) -> AlgonautsLayout:
    found = {track: _responses(root / RESPONSES / track, track) for track in TRACKS}
    track = next((name for name in TRACKS if any(found[name].values())), TRACKS[0])
    numbers = [number for number in numbered_films(root / FILMS) if number <= N_TRAINING]
    files = {subject: own for subject, own in found[track].items() if own}
    return AlgonautsLayout(root, root / FILMS, track, files, list(found[track]), max(numbers, default=0))


def _responses(folder: Path, track: str) -> dict[str, dict[str, Path]]:
    regions = (WHOLE_BRAIN,) if track == TRACKS[0] else REGIONS
    found = {}
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if place.is_dir() and (match := _SUBJECT.fullmatch(place.name)):
            files = {region: place / f"{region}.pkl" for region in regions}
            found[match.group(1)] = {region: file for region, file in files.items() if file.is_file()}
    return found


def clip_blocks(n_clips: int) -> list[ClipBlock]:
    """Cut the films into blocks of 50 (fewer in smaller sets), training first; every third block is for testing.

    The challenge kept the responses to its test films, so part of the training films has to serve. Whole blocks, so
    that films shown close in number stay together: of 1,000 films, 650 train and 350 test.
    """
    size = min(_CLIPS_PER_BLOCK, max(_FEWEST_PER_BLOCK, -(-n_clips // _BLOCKS)))
    starts = list(range(0, n_clips, size))
    if len(starts) > 1 and n_clips - starts[-1] < size / 2:
        starts.pop()
    blocks = []
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < len(starts) else n_clips
        kind = "test" if number % _TEST_EVERY == 1 else "seg"
        blocks.append(ClipBlock(f"{kind}{start + 1:04d}", start + 1, stop))
    return sorted(blocks, key=lambda block: (block.segment.startswith("test"), block.first))
