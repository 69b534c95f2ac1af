"""The list of clips: where each stands in its film, its split, its shot, its caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.errors import DataProblem, UnknownName
from brainviz.flow.fields import CLIP_SECONDS

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.video.cuts import Cuts

TEST_PREFIX = "test"
COLUMNS = (
    "clip",
    "segment",
    "index",
    "onset_s",
    "duration_s",
    "split",
    "shot",
    "caption",
    "shot_onset",
    "case",
    "continuation",
)
CAPTION_COLUMNS = ("segment", "shot", "onset_s", "offset_s", "caption", "case", "continuation")


@dataclass(frozen=True)
class Passage:
    """A stretch of film with a caption, and the ambiguity case it belongs to (empty where none)."""

    segment: str
    onset_s: float
    offset_s: float
    caption: str
    case: str = ""
    continuation: str = ""


def split_of(segment: str) -> str:
    """``test`` for segments named so, else ``train``."""
    return "test" if segment.startswith(TEST_PREFIX) else "train"


def clip_name(segment: str, index: int) -> str:
    """E.g. ``seg3-0117``."""
    return f"{segment}-{index:04d}"


def clip_place(clip: str) -> tuple[str, int]:
    """Segment and index of a clip's name; raises `UnknownName` where it is none."""
    segment, _, index = clip.rpartition("-")
    if not segment or not index.isdecimal() or clip_name(segment, int(index)) != clip:
        raise UnknownName(f"{clip!r} is no clip's name.", "", "Clips look like seg3-0117.")
    return segment, int(index)


def read_captions(path: Path) -> list[Passage]:
    """Read ``captions.csv``: segment, shot, onset_s, offset_s, caption, case, continuation.

    Raises
    ------
    DataProblem
        The file cannot be read or lacks a column.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, keep_default_na=False, dtype={"segment": str, "caption": str, "case": str})
    except (OSError, ValueError) as error:
        raise DataProblem("The captions cannot be read.", str(path), "Write it as CSV, or take it away.") from error
    missing = [c for c in CAPTION_COLUMNS if c not in table.columns]
    if missing:
        what = f"The captions lack the columns {', '.join(missing)}."
        raise DataProblem(what, str(path), f"Columns are: {', '.join(CAPTION_COLUMNS)}.")
    try:
        times = [[float(value) for value in table[name]] for name in ("onset_s", "offset_s")]
        words = [[str(value) for value in table[name]] for name in ("caption", "case", "continuation")]
        return [Passage(str(row[0]), *row[1:]) for row in zip(table["segment"], *times, *words, strict=True)]
    except ValueError as error:
        raise DataProblem("The captions hold a time that is no number.", str(path), "Times are seconds.") from error


def clip_catalogue(
    n_clips: Mapping[str, int], passages: list[Passage] | None = None, cuts: Mapping[str, Cuts] | None = None
) -> pd.DataFrame:
    """One row per clip.

    Parameters
    ----------
    n_clips : segment -> number of 2-s clips, in the order wanted
    passages : captions and cases, optional
    cuts : segment -> cuts found in its film (`brainviz.video.cuts.detect_cuts`), optional

    Returns
    -------
    DataFrame with `clip, segment, index, onset_s, duration_s, split, shot, caption, shot_onset, case, continuation`:
        `shot` is the shot on screen at the clip's first frame (``seg3-shot012``; empty without `cuts`), `shot_onset`
        whether the clip is the first of its shot, `caption` and `case` those of the passage at its first frame.
    """
    import pandas as pd

    parts = []
    for segment, n in n_clips.items():
        onset = CLIP_SECONDS * np.arange(n)
        shot = _shots(onset, (cuts or {}).get(segment))
        found = [_passage_at(t, segment, passages or []) for t in onset]
        parts.append(
            pd.DataFrame(
                {
                    "clip": [clip_name(segment, i) for i in range(n)],
                    "segment": segment,
                    "index": np.arange(n),
                    "onset_s": onset,
                    "duration_s": CLIP_SECONDS,
                    "split": split_of(segment),
                    "shot": [f"{segment}-shot{s:03d}" if s >= 0 else "" for s in shot],
                    "caption": [p.caption for p in found],
                    "shot_onset": np.diff(shot, prepend=-1) != 0,
                    "case": [p.case for p in found],
                    "continuation": [p.continuation for p in found],
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _shots(onset_s: np.ndarray, cuts: Cuts | None) -> np.ndarray:
    """Shot on screen at each onset, int (n,); -1 where cuts are not known."""
    if cuts is None:
        return np.full(len(onset_s), -1)
    frames = np.round(onset_s * cuts.fps).astype(np.int64)
    return np.searchsorted(cuts.cuts, frames, side="right")


def _passage_at(time_s: float, segment: str, passages: list[Passage]) -> Passage:
    for passage in passages:
        if passage.segment == segment and passage.onset_s - 1e-6 <= time_s < passage.offset_s - 1e-6:
            return passage
    return Passage(segment, 0.0, 0.0, "")
