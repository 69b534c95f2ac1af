"""Which part of the four HCP 7T films was shown when, and what each part is used for.

Each run shows one film in blocks with rest between them; the last block is the same film in all four runs. Its four
repeats tell how reliable a vertex is, so it belongs to training as one segment with four runs (`repeat`) and to nothing
else. The other blocks of film 4 are the test: about 700 s, which makes 20 blocks of 30 s. All other blocks train.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from brainviz.errors import DataProblem
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.video.parts import Passage

MOVIES = (1, 2, 3, 4)
TEST_MOVIE = 4
REPEAT = "repeat"
BLOCKS_FILE = "blocks.csv"
BLOCKS_S: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((26, 231), (289, 505), (531, 705), (740, 797), (824, 900)),
    2: ((26, 246), (272, 525), (551, 794), (821, 897)),
    3: ((26, 199), (227, 403), (431, 615), (655, 791), (818, 894)),
    4: ((26, 252), (278, 502), (528, 777), (804, 880)),
}
"""Begin and end of each block in seconds of film, which is also the time of recording (HCP's list of clip times)."""

REST_AFTER_S = 21  # of recording after the last block, in the runs as distributed


@dataclass(frozen=True)
class Block:
    """A stretch of one film.

    Attributes
    ----------
    segment : str
        ``movie1a``, ``test4b``; the last block of every film is ``repeat``.
    movie : int
    onset_s, offset_s : float
    """

    segment: str
    movie: int
    onset_s: float
    offset_s: float

    @property
    def n_clips(self) -> int:
        """Whole 2-s clips, from its onset."""
        return int((self.offset_s - self.onset_s + 1e-6) // CLIP_SECONDS)

    def film(self, file: Path) -> Path:
        """This stretch of a film's file, for `brainviz.video.reading`."""
        return Passage(file, self.onset_s, self.offset_s).reference()


def film_blocks(times_s: dict[int, tuple[tuple[float, float], ...]]) -> list[Block]:
    """Blocks with their segments, training first, `repeat` after the other training blocks."""
    found = []
    for movie, times in times_s.items():
        kind = f"test{movie}" if movie == TEST_MOVIE else f"movie{movie}"
        found += [Block(f"{kind}{chr(97 + i)}", movie, *both) for i, both in enumerate(times[:-1])]
    found += [Block(REPEAT, movie, *times[-1]) for movie, times in times_s.items() if times]
    return sorted(found, key=lambda block: (block.segment.startswith("test"), block.segment == REPEAT, block.movie))


def read_blocks(path: Path) -> dict[int, tuple[tuple[float, float], ...]]:
    """Other times than the published ones, for films that were cut otherwise: CSV of movie, onset_s, offset_s.

    Raises
    ------
    DataProblem
        The file cannot be read, lacks a column, or its times are no ascending seconds.
    """
    import pandas as pd

    remedy = "Columns are: movie (1 to 4), onset_s, offset_s; or take the file away for the published times."
    try:
        table = pd.read_csv(path)
        rows = [(int(m), float(a), float(b)) for m, a, b in table[["movie", "onset_s", "offset_s"]].to_numpy()]
    except (OSError, ValueError, KeyError) as error:
        raise DataProblem("The times of the films' blocks cannot be read.", str(path), remedy) from error
    times = {movie: tuple((a, b) for m, a, b in rows if m == movie) for movie in MOVIES}
    for movie, own in times.items():
        edges = [edge for both in own for edge in both]
        if any(later <= earlier for earlier, later in pairwise(edges)):
            raise DataProblem(f"The blocks of film {movie} overlap or run backwards.", str(path), remedy)
    if not any(times.values()) or {m for m, _, _ in rows} - set(MOVIES):
        raise DataProblem("The file names no block of the films 1 to 4, or other films.", str(path), remedy)
    return {movie: own for movie, own in times.items() if own}
