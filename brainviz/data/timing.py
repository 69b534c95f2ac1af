"""Which film time a volume stands for: the lag rule of CC2017, in this one place; and the window of any data set.

A run shows 12 s of the film's first frame, the film, and 12 s of its last frame. A film of n clips of one TR each gives

- n + 5 raw volumes where the recording starts one TR after the film: raw volume v stands at film time (v + 1) TR;
- n + 6 raw volumes where both start together: raw volume v stands at film time v TR.

The authors (Wen et al. 2018, released code) drop the first 1 or the first 2, so that kept volume k stands at film time
4 s + k TR in both cases: a lag of 4 s is already in. They also drop the last 4; here these are kept, because the
windows of the last clips reach into them. Every run so has n + 4 kept volumes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from brainviz.flow.fields import CLIP_SECONDS

if TYPE_CHECKING:
    import pandas as pd

TR_S = 2.0
LAG_S = 4.0
NO_TIME_AXIS = 0.0
"""Repetition time of data with one response per clip instead of volumes in time."""
PAPER_WINDOW_S = (0.0, 8.0)
"""Window of five volumes around a clip's own, i - 2 to i + 2 (Yeung et al. 2025), in seconds after the clip's onset."""

KEPT_BEYOND_FILM = 4
START_OF_EXTRA = {5: 1, 6: 0}  # raw volumes beyond the film's own -> film time of raw volume 0, in TR
DROPPED_OF_EXTRA = {5: 1, 6: 2}
KINDS = {5: "recording starts 2 s after the film", 6: "recording and film start together"}
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Recording:
    """How the raw volumes of one run lie against its film.

    Attributes
    ----------
    n_raw : int
        Volumes in the file.
    n_film : int
        Volumes (= clips) of the film itself.
    """

    n_raw: int
    n_film: int
    tr_s: float = TR_S

    @property
    def extra(self) -> int:
        """Volumes beyond the film's own: 5 or 6."""
        return self.n_raw - self.n_film

    @property
    def dropped_start(self) -> int:
        """Raw volumes dropped at the start."""
        return DROPPED_OF_EXTRA[self.extra]

    @property
    def n_kept(self) -> int:
        """Volumes kept: one per clip and the four that follow."""
        return self.n_raw - self.dropped_start

    @property
    def kept(self) -> slice:
        """The kept part of the raw volumes."""
        return slice(self.dropped_start, self.n_raw)

    @property
    def kind(self) -> str:
        """The recording start, in words."""
        return KINDS[self.extra]

    def raw_times(self) -> npt.NDArray[np.float64]:
        """Film time of every raw volume in seconds, (n_raw,)."""
        return (np.arange(self.n_raw, dtype=np.float64) + START_OF_EXTRA[self.extra]) * self.tr_s


def is_whole(film_s: float, tr_s: float = TR_S) -> bool:
    """Whether a film lasts a whole number of volumes, give or take an eighth of one.

    Of other films the number of volumes does not tell the recording start for sure.
    """
    return abs(film_s / tr_s - round(film_s / tr_s)) <= 1 / 8


def film_volumes(film_s: float, tr_s: float = TR_S) -> int:
    """Volumes that a film of this many seconds fills; up to a quarter of a TR may be missing at its end."""
    return int((film_s + tr_s / 4) // tr_s)


def recording(n_raw: int, film_s: float, tr_s: float = TR_S) -> Recording:
    """Find the recording start of a run by its number of volumes.

    Parameters
    ----------
    n_raw : int
        Volumes in the file.
    film_s : float
        Length of the film (without the stills) in seconds.

    Raises
    ------
    DataProblem
        The number of volumes is neither n + 5 nor n + 6.
    """
    n_film = film_volumes(film_s, tr_s)
    if n_raw - n_film not in START_OF_EXTRA:
        raise DataProblem(
            f"This run has {n_raw} volumes; its film of {film_s:g} s asks for {n_film + 5} or {n_film + 6}.",
            remedy="Use scan and film as distributed: uncut, the stills before and after the film in the scan only.",
        )
    return Recording(n_raw, n_film, tr_s)


def volume_times(n_volumes: int, tr_s: float = TR_S, lag_s: float = LAG_S) -> npt.NDArray[np.float64]:
    """Film time of every kept volume in seconds: lag_s + tr_s * k, (n_volumes,)."""
    return lag_s + tr_s * np.arange(n_volumes, dtype=np.float64)


def window_volumes(
    onset_s: npt.ArrayLike,
    window_s: tuple[float, float] = PAPER_WINDOW_S,
    tr_s: float = TR_S,
    lag_s: float = LAG_S,
    n_volumes: int | None = None,
) -> npt.NDArray[np.int64]:
    """Kept volumes that stand in a window after each clip's onset.

    Volume k is in the window when onset + start <= lag_s + tr_s * k <= onset + stop. Data without a time axis
    (`tr_s` = `NO_TIME_AXIS`) hold one response per clip: row j is all that there is of clip j.

    Parameters
    ----------
    onset_s : float (n_clips,)
        Film time of the clips' onsets in seconds.
    window_s : (start, stop)
        Seconds after onset, both ends included; (0, 8) gives the paper's five volumes.
    n_volumes : int, optional
        Kept volumes of the recording; without it only the start of the recording bounds the window.

    Returns
    -------
    int64 (n_clips, n_window)
        Indices of kept volumes in the order of time; -1 where the recording has no such volume.

    Raises
    ------
    BrainvizError
        Onset or window does not fall on volumes, or the window is empty.
    """
    onset = np.atleast_1d(np.asarray(onset_s, dtype=np.float64))
    if tr_s == NO_TIME_AXIS:  # one row per clip takes the place of a window
        window_s, tr_s, lag_s = (0.0, 0.0), CLIP_SECONDS, 0.0
    first = (onset + window_s[0] - lag_s) / tr_s
    length = (window_s[1] - window_s[0]) / tr_s
    if length < 0 or not np.isfinite(first).all():
        raise BrainvizError(f"The window {window_s} s holds no volume.", "window", "Give start <= stop, in seconds.")
    if abs(length - round(length)) > _TOLERANCE or (np.abs(first - np.round(first)) > _TOLERANCE).any():
        remedy = f"Onsets and both ends of the window must be multiples of {tr_s:g} s after {lag_s:g} s."
        raise BrainvizError(f"The window {window_s} s does not fall on volumes.", "window", remedy)
    volumes = np.round(first).astype(np.int64)[:, None] + np.arange(round(length) + 1)
    missing = volumes < 0 if n_volumes is None else (volumes < 0) | (volumes >= n_volumes)
    return np.where(missing, -1, volumes)


def clock_words(tr_s: float, lag_s: float) -> str:
    """Which film time kept volume k stands for, in words, for data cut otherwise than CC2017."""
    if tr_s == NO_TIME_AXIS:
        return "These data have no time axis: one response per clip and repetition, which takes the place of a window."
    return (
        f"Kept volume *k* stands at {lag_s:g} + {tr_s:g} *k* s of its film or block. A clip's window takes the volumes "
        f"from its onset to {PAPER_WINDOW_S[1]:g} s after it."
    )


def window_words(tr_s: float, window_s: tuple[float, float] = PAPER_WINDOW_S) -> str:
    """What a decoder is given of the fMRI for one clip, in words."""
    if tr_s == NO_TIME_AXIS:
        return "the response to the clip"
    n = round((window_s[1] - window_s[0]) / tr_s) + 1
    return f"fMRI of {window_s[0]:g} to {window_s[1]:g} s after clip onset ({n} volumes)"


def rows_per_clip(tr_s: float) -> int:
    """Kept volumes from one clip's onset to the next: every so many rows make a recording at one volume per clip.

    Raises
    ------
    BrainvizError
        The clip's length is no whole number of repetition times, or the data have no time axis.
    """
    ratio = CLIP_SECONDS / tr_s if tr_s > 0 else 0.0
    if ratio < 1 or abs(ratio - round(ratio)) > _TOLERANCE:
        what = f"Clips of {CLIP_SECONDS:g} s are no whole number of volumes at a repetition time of {tr_s:g} s."
        raise BrainvizError(what, "encoding model", "Decode only: --until motion.")
    return round(ratio)


def volume_table(run: Recording) -> pd.DataFrame:
    """Which film time each raw volume stands for, one row per volume, to be read by people.

    Columns: raw_volume, film_time_s, kept_volume (-1 where dropped), on_screen, use.
    """
    import pandas as pd

    raw = np.arange(run.n_raw)
    times = run.raw_times()
    kept = np.where(raw >= run.dropped_start, raw - run.dropped_start, -1)
    end = run.n_film * run.tr_s
    on_screen = [
        "first frame, still" if t < 0 else "last frame, still" if t >= end else f"clip {int(t // run.tr_s)}"
        for t in times
    ]
    use = [
        "dropped"
        if k < 0
        else f"clip {k}, {LAG_S:g} s after its onset"
        if k < run.n_film
        else "windows of the last clips"
        for k in kept
    ]
    return pd.DataFrame(
        {"raw_volume": raw, "film_time_s": times, "kept_volume": kept, "on_screen": on_screen, "use": use}
    )
