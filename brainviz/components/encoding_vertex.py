"""What the Encoding page tells of the pinned vertex: every encoder, and measured against predicted activity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import streamlit as st

from brainviz.components import choices, exports, shell, store, timecourse
from brainviz.components.encoding_map import NEEDS_B, MapChoice
from brainviz.components.encoding_view import EncodingView, region_of_vertex, region_words
from brainviz.components.timecourse import FrameSheet, TimeCourse
from brainviz.errors import BrainvizError
from brainviz.figures import encoding as figures
from brainviz.figures.encoders import encoder_look
from brainviz.figures.style import picture_settings

if TYPE_CHECKING:
    import pandas as pd

CLIP_S = 2.0
SHEET_COLUMNS = 16


class FilmCourse(Protocol):
    """One vertex over one test film; times in s, activity in z, float32 (t,)."""

    @property
    def segment(self) -> str: ...
    @property
    def times_s(self) -> Any: ...
    @property
    def measured(self) -> Any: ...
    @property
    def predicted(self) -> Any: ...
    @property
    def n_runs(self) -> int: ...


Courses = Callable[[str, str, int], Sequence[FilmCourse]]
"""Subject, encoder, vertex -> one course per test film."""


def show(view: EncodingView, choice: MapChoice, vertex: int, picked: bool, courses: Courses) -> None:
    """The panel of the pinned vertex."""
    region = region_of_vertex(vertex)
    where = region_words(region) if region else "medial wall"
    st.subheader(f"Vertex {vertex} · {where}", anchor=False)
    rows = view.at_vertex(vertex)
    if not np.isfinite(rows["r"].to_numpy(float)).any():
        st.info("This vertex lies on the medial wall: it carries no data. Pick another one.", icon=":material/block:")
        return
    if not picked:
        st.caption("No vertex was chosen: here is the one with the highest noise ceiling. Click the map to pin one.")
    left, right = st.columns([5, 7], gap="large")
    with left, shell.guarded("encoders at the vertex"):
        _encoders(view, choice, vertex, rows)
    with right, shell.guarded("time course"):
        _course(view, choice, vertex, courses)


def _encoders(view: EncodingView, choice: MapChoice, vertex: int, rows: pd.DataFrame) -> None:
    ceiling = view.value("noise-ceiling", vertex)
    simulated = store.workspace().simulated
    chosen = (choice.a, choice.b) if choice.kind in NEEDS_B else (choice.a,)
    figure = figures.encoders_at(rows, ceiling, chosen, shell.is_dark(), simulated)
    stem = exports.file_stem(f"subject{view.subject}", f"vertex{vertex}", "encoders", simulated=simulated)
    st.plotly_chart(figure, key="vertex-encoders", config=picture_settings(stem))
    facts = []
    if choice.a != choice.b and view.has_pair(choice.a, choice.b):
        value, low, high, q = view.contrast_interval(choice.a, choice.b, vertex)
        facts.append(f"A minus B: Δr = {value:+.3f} ({low:+.3f} to {high:+.3f}), q = {q:.2g}".replace("-", "−"))
    if choice.a in rows.index:
        row = rows.loc[choice.a]
        facts.append(f"A: R² = {row['r2']:.3f}, ridge penalty α = {row['alpha']:,.0f}".replace("-", "−"))
    st.markdown("  \n".join(facts))
    blocks = int(view.summary["n_blocks"].iloc[0])
    st.caption(
        f"n = 1 vertex; test films, mean of their runs. Bars: 95 % intervals, bootstrap over {blocks} blocks "
        "of volumes. Dashed: the highest r that a perfect model can expect."
    )


def _course(view: EncodingView, choice: MapChoice, vertex: int, courses: Courses) -> None:
    shown = [choice.a, choice.b] if choice.kind in NEEDS_B else [choice.a]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        encoder = shown[0]
        if len(shown) > 1:
            which = choices.pick_one(
                "course",
                "Prediction of",
                ["a", "b"],
                "a",
                format_func=lambda name: encoder_look(shown["ab".index(name)]).label,
                required=True,
                label_visibility="collapsed",
            )
            encoder = shown["ab".index(which)]
        found = {course.segment: course for course in courses(view.subject, encoder, vertex)}
        if not found:
            raise BrainvizError("No test film was scanned with this subject.", f"subject {view.subject}")
        films = list(found)
        film = choices.pick_one("testfilm", "Test film", films, films[0], required=True, label_visibility="collapsed")
    timecourse.time_course(_shown_course(found[film], encoder, vertex), on_volume=_remember_volume)
    mark = "Simulated data. " if store.workspace().simulated else ""
    st.caption(
        f"{mark}n = 1 vertex. Volume k stands at film time 4 + 2k s; predictions use features of 2 to 8 s before it."
    )


def _shown_course(course: FilmCourse, encoder: str, vertex: int) -> TimeCourse:
    look, last = encoder_look(encoder), len(course.times_s) - 1
    sheet = film_sheet(course.segment)
    return TimeCourse(
        id=course.segment,
        times_s=course.times_s,
        measured=course.measured,
        predicted=course.predicted,
        label=look.label,
        colour=look.colour(shell.is_dark()),
        n_runs=course.n_runs,
        length_s=CLIP_S * (sheet.n if sheet else last + 1),
        sheet=sheet,
        volume=choices.number("volume", 0, last, min(12, last)),
    )


def _remember_volume() -> None:
    volume = timecourse.cursor_volume()
    if volume is not None:
        choices.keep("volume", str(volume))


def film_sheet(segment: str) -> FrameSheet | None:
    """The first frames of a film's clips in one picture, kept in memory; None while they are not there."""
    return _sheet(str(store.workspace_path()), store.version(), segment)


@st.cache_resource(max_entries=12, show_spinner=False)
def _sheet(path: str, version: str, segment: str) -> FrameSheet | None:
    from brainviz.errors import NotReady
    from brainviz.video.sprites import sprite_sheet

    try:
        frames = store.workspace().first_frames(segment)
    except NotReady:
        return None
    _, height, width, _ = frames.shape
    data = sprite_sheet(frames, SHEET_COLUMNS, quality=72)
    return FrameSheet(data, len(frames), SHEET_COLUMNS, width, height, CLIP_S)
