"""Measured and predicted activity of one vertex over one film, with the film's frame at the cursor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import assets
from brainviz.components.packing import Packer
from brainviz.errors import BrainvizError

PARTS = ("course_paint", "timecourse")
KEY = "timecourse"

Course = npt.NDArray[np.floating]


@dataclass(frozen=True)
class FrameSheet:
    """Frames of a film in one picture.

    Parameters
    ----------
    data : bytes
        WebP, row by row.
    n, columns, width, height : int
    step_s : float
        Frame i is on screen from ``i * step_s`` on.
    """

    data: bytes
    n: int
    columns: int
    width: int
    height: int
    step_s: float


@dataclass(frozen=True, eq=False)
class TimeCourse:
    """What the component shows.

    Parameters
    ----------
    id : str
        Changes with the film; the cursor then goes to `volume`.
    times_s : float (t,)
        Film time of each volume, evenly spaced.
    measured, predicted : float (t,)
        Activity in z; NaN leaves a gap.
    label, colour : str
        Of the encoder.
    n_runs : int
        Runs that `measured` is the mean of; 0 where nothing was measured.
    length_s : float
        Length of the film.
    sheet : FrameSheet, optional
    volume : int
        Where the cursor stands at first.
    """

    id: str
    times_s: Course
    measured: Course
    predicted: Course
    label: str
    colour: str
    n_runs: int
    length_s: float
    sheet: FrameSheet | None = None
    volume: int = 0


_component = st.components.v2.component(
    "brainviz_timecourse",
    html=assets.text("timecourse/timecourse.html"),
    css=assets.text("timecourse/timecourse.css"),
    js=assets.script("timecourse", PARTS),
)


def time_course(course: TimeCourse, on_volume: Callable[[], None], key: str = KEY) -> None:
    """Mount the component. When the cursor rests, `on_volume` runs; `cursor_volume` tells where."""
    sent: set[str] = st.session_state.setdefault(f"{key}:sent", set())
    wanted = st.session_state.pop(f"{key}:wanted", "")
    name = sheet_id(course.sheet)
    with_film = bool(name) and (name not in sent or name == wanted)
    message = pack_course(course, with_film)
    if with_film:
        sent.add(name)
    _component(key=key, data=message, on_volume_change=on_volume, on_missing_change=lambda: _asked(key))


def cursor_volume(key: str = KEY) -> int | None:
    """Where the cursor rests, a whole number from 0; None before it was moved. The browser's word, so it is checked."""
    volume = getattr(st.session_state.get(key), "volume", None)
    whole = isinstance(volume, int | float) and not isinstance(volume, bool) and 0 <= volume < 100_000
    return int(volume) if whole and volume is not None else None


def pack_course(course: TimeCourse, with_film: bool = True) -> bytes:
    """The message for the browser: about 2 KB, and the film's frames where it does not have them.

    Raises
    ------
    BrainvizError
        Where times and values differ in number, or there are none.
    """
    n = len(course.times_s)
    if n < 2 or len(course.measured) != n or len(course.predicted) != n:
        lengths = f"{n} times, {len(course.measured)} measured and {len(course.predicted)} predicted volumes"
        raise BrainvizError(f"This time course cannot be drawn: {lengths}.", course.id, "Build it again.")
    packer = Packer()
    header: dict[str, Any] = {
        "id": course.id,
        "times_s": np.round(np.asarray(course.times_s, float), 3).tolist(),
        "step_s": float(course.times_s[1] - course.times_s[0]),
        "measured": _numbers(course.measured),
        "predicted": _numbers(course.predicted),
        "r": _correlation(course),
        "label": course.label,
        "colour": course.colour,
        "n_runs": course.n_runs,
        "length_s": course.length_s,
        "volume": course.volume,
        "alt": f"Activity in z against film time, measured and predicted by {course.label}, {n} volumes.",
        "sheet": sheet_id(course.sheet),
        "sprite": None,
        "film": None,
    }
    if course.sheet is not None:
        names = ("n", "columns", "width", "height", "step_s")
        header["sprite"] = {name: getattr(course.sheet, name) for name in names}
        header["film"] = packer.add(course.sheet.data) if with_film else None
    return packer.pack(header)


def sheet_id(sheet: FrameSheet | None) -> str:
    """A name for the content of a sheet, "" for none."""
    return "" if sheet is None else hashlib.blake2b(sheet.data, digest_size=12).hexdigest()


def _numbers(values: Course) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def _correlation(course: TimeCourse) -> float | None:
    both = np.isfinite(course.measured) & np.isfinite(course.predicted)
    if both.sum() < 3 or np.ptp(course.measured[both]) == 0 or np.ptp(course.predicted[both]) == 0:
        return None
    return round(float(np.corrcoef(course.measured[both], course.predicted[both])[0, 1]), 4)


def _asked(key: str) -> None:
    missing = getattr(st.session_state.get(key), "missing", None)
    if isinstance(missing, str):
        st.session_state[f"{key}:wanted"] = missing
