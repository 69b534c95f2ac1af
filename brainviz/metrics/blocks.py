"""Exchangeable units of a film: blocks of whole shots.

Neighbouring clips share shots and fMRI windows, so clips are not independent. The unit that a test may flip or a
bootstrap may draw is a block: consecutive whole shots of one segment that together last 30 s or more.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainviz.errors import DataProblem

BLOCK_SECONDS = 30.0
"""Shortest block: longer than the haemodynamic response and the decoder's window together."""

STRONG_CLAIM_BLOCKS = 20
"""Fewest blocks on which this project states p < .001."""

_COLUMNS = ("segment", "onset_s", "duration_s", "shot")


def shot_blocks(clips: pd.DataFrame, minimum_s: float = BLOCK_SECONDS) -> np.ndarray:
    """Assign every clip to a block of whole shots of at least `minimum_s` seconds of film.

    A block is closed as soon as it is long enough, which gives the largest possible number of blocks; what is left at
    the end of a segment joins the segment's last block. No block spans two segments. A segment shorter than
    `minimum_s` is one block.

    Parameters
    ----------
    clips : DataFrame
        One row per clip, in any order: segment, onset_s, duration_s, shot. A shot may carry any label; the same label
        on neighbouring clips means the same shot.
    minimum_s : float
        Shortest block in seconds.

    Returns
    -------
    int64 array (n_clips,)
        Block of each row, numbered from 0 in order of segment (as they first appear) and time.

    Raises
    ------
    DataProblem
        Where a column is missing or `minimum_s` is not positive.
    """
    _check_columns(clips, _COLUMNS)
    if minimum_s <= 0:
        raise DataProblem(f"The shortest block must last more than 0 s, not {minimum_s}.", "minimum_s")
    blocks = np.full(len(clips), -1, dtype=np.int64)
    segment = clips["segment"].to_numpy()
    n_blocks = 0
    for name in dict.fromkeys(segment):
        rows = np.flatnonzero(segment == name)
        rows = rows[np.argsort(clips["onset_s"].to_numpy(float)[rows], kind="stable")]
        of_segment = _blocks_of_segment(clips.iloc[rows], minimum_s)
        blocks[rows] = of_segment + n_blocks
        n_blocks += int(of_segment.max()) + 1
    return blocks


def at_shot_onset(clips: pd.DataFrame) -> np.ndarray:
    """Whether each clip is the first of its shot: bool array (n_clips,).

    A clip later in its shot follows seconds of the same picture, so the fMRI window around it holds one shot only; at
    an onset the window spans the cut. The two are reported apart.
    """
    _check_columns(clips, ("segment", "onset_s", "shot"))
    order = np.lexsort((clips["onset_s"].to_numpy(float), pd.factorize(clips["segment"])[0]))
    segment, shot = clips["segment"].to_numpy()[order], clips["shot"].to_numpy()[order]
    first = np.ones(len(clips), dtype=bool)
    first[1:] = (segment[1:] != segment[:-1]) | (shot[1:] != shot[:-1])
    answer = np.empty(len(clips), dtype=bool)
    answer[order] = first
    return answer


def enough_blocks(n_blocks: int) -> bool:
    """Whether a claim of p < .001 may rest on this many blocks."""
    return n_blocks >= STRONG_CLAIM_BLOCKS


def _blocks_of_segment(clips: pd.DataFrame, minimum_s: float) -> np.ndarray:
    """Blocks of one segment's clips, which are in order of time: int array (n_clips,) from 0."""
    shot = clips["shot"].to_numpy()
    onset = clips["onset_s"].to_numpy(float)
    end = onset + clips["duration_s"].to_numpy(float)
    blocks = np.zeros(len(clips), dtype=np.int64)
    current, start_s = 0, onset[0]
    for row in range(1, len(clips)):
        if shot[row] != shot[row - 1] and end[row - 1] - start_s >= minimum_s - 1e-6:
            current, start_s = current + 1, onset[row]
        blocks[row] = current
    if current > 0 and end[-1] - start_s < minimum_s - 1e-6:
        blocks[blocks == current] = current - 1
    return blocks


def _check_columns(clips: pd.DataFrame, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in clips.columns]
    if missing:
        raise DataProblem(f"The table of clips lacks {', '.join(missing)}.", "clips", f"It needs {', '.join(needed)}.")
