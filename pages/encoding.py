"""Encoding: which features predict which part of cortex, browsed on the flat map by vertex and by region."""

from __future__ import annotations

import streamlit as st

from brainviz.components import (
    encoding_controls,
    encoding_exports,
    encoding_map,
    encoding_overview,
    encoding_region,
    encoding_vertex,
    encoding_words,
    exports,
    shell,
    store,
)
from brainviz.components.cortex_view import cortex_view
from brainviz.components.encoding_map import MapChoice
from brainviz.components.encoding_view import EncodingView, encoding_view
from brainviz.components.heading import subject_heading
from pipelines.interactive import cortex

MOST_SUBJECTS = 4
SHOWS = (
    "Where on the cortex one encoder's features predict fMRI better than another's, on films that no model has seen."
)

shell.ensure_app()


def courses(subject: str, encoder: str, vertex: int) -> list[cortex.FilmCourse]:
    """Measured and predicted time courses of a vertex, one per test film."""
    return cortex.time_course(store.workspace(), subject, encoder, vertex)


def head(view: EncodingView, choice: MapChoice) -> list[str]:
    """Message and choices; returns the subjects to show."""
    shell.message(encoding_words.message_of(view, choice))
    having = [name for name in store.workspace().subjects if encoding_map.has_map(name, choice)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="encoding-menus"):
        aside = encoding_controls.map_controls(view, choice, len(having) > 1)
        st.space("stretch")
        encoding_exports.menu(view, choice)
    others = [name for name in having if name != view.subject]
    return [view.subject, *others][:MOST_SUBJECTS] if aside else [view.subject]


@st.fragment
def browse(choice: MapChoice, subject: str, subjects: list[str]) -> None:
    """The map, and what is known of the pinned vertex and its region; a pick reruns only this."""
    with shell.guarded("encoding"):
        view = encoding_view(subject)
        vertex, picked = encoding_controls.pinned_vertex(view)
        region, asked = encoding_controls.shown_region(vertex)
        encoding_exports.note(subject, choice)
        draw(choice, subjects, vertex, region if asked or picked else "", asked)
        with st.container():
            with shell.guarded("vertex"):
                encoding_vertex.show(view, choice, vertex, picked, courses)
            with shell.guarded("region"):
                encoding_region.show(view, choice, region)


def draw(choice: MapChoice, subjects: list[str], vertex: int, region: str, asked: bool) -> None:
    """The map or maps on the cortex."""
    workspace = store.workspace()
    state = cortex_view(
        [encoding_map.panel_of(encoding_view(name), choice, subjects) for name in sorted(subjects)],
        key=encoding_controls.CORTEX_KEY,
        pinned=vertex,
        region=region,
        follow=asked,
        view=encoding_controls.linked_view(),
        caption=f"{encoding_map.title_of(choice)}, {workspace.dataset_name}, subject {', '.join(sorted(subjects))}",
        file_stem=exports.file_stem(f"subject{'-'.join(subjects)}", choice.slug, simulated=workspace.simulated),
        on_change=encoding_controls.remember,
    )
    encoding_controls.seen(encoding_controls.CORTEX_KEY, state)


def main() -> None:
    with shell.guarded("encoding"):
        with st.container(gap="xxsmall"):
            subject = subject_heading("Encoding", store.workspace())
            shell.sentence(SHOWS)
            view = encoding_view(subject)
            choice = encoding_controls.choose_map(view)
            subjects = head(view, choice)
            browse(choice, subject, subjects)
        with shell.guarded("regions"):
            encoding_region.table(view, choice)
        with shell.guarded("all subjects"):
            encoding_overview.all_subjects()
    with (
        st.expander("Published values, on their own axis", icon=":material/library_books:"),
        shell.guarded("published"),
    ):
        encoding_overview.published()
    encoding_overview.method()
    encoding_overview.citation()


main()
