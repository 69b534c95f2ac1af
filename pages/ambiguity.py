"""Ambiguity: where one frame allows several motions, and how many bits fMRI adds."""

from __future__ import annotations

import streamlit as st

from brainviz.components import (
    ambiguity_cases,
    ambiguity_clips,
    ambiguity_exports,
    ambiguity_story,
    motion_player,
    shell,
    store,
)
from brainviz.components.ambiguity_cases import PLANTED
from brainviz.components.ambiguity_view import ambiguity_view
from brainviz.components.heading import subject_heading

SHOWS = "One frame often allows several motions. What the frame alone expects, what frame and fMRI predict, what came."

shell.ensure_app()


def main() -> None:
    workspace = store.workspace()
    subject = subject_heading("Ambiguity", workspace)
    shell.sentence(SHOWS)
    view = ambiguity_view(subject)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        case = ambiguity_cases.choose_case(ambiguity_cases.cases_of(workspace, list(view.clips.index)))
        clip = ambiguity_cases.choose_clip(
            case, view.telling(case.clips) if case.kind == PLANTED else view.in_order(case.clips)
        )
        st.space("stretch")
        ambiguity_clips.marking(workspace, clip)
        ambiguity_exports.menu(workspace, view, case, clip)
    shell.message(ambiguity_story.message(view, case, clip))
    with shell.guarded("story"):
        ambiguity_story.story(workspace, view, case, clip)
    st.caption(
        f"Subject {subject}, {view.runs_words}. Petals: probability of each direction. ▲ on the rim: what came; △ what "
        "also followed the same frame. × samples of the prior, no fMRI."
    )
    if case.kind == PLANTED:
        with shell.guarded("instances"):
            ambiguity_story.all_instances(workspace, view, case, clip)
    with shell.guarded("flow"):
        st.subheader("The flow behind it", anchor=False)
        motion_player.show_player(subject, clip)
    with shell.guarded("telling clips"):
        ambiguity_clips.telling_clips(workspace, view, clip)
    with shell.guarded("method"):
        ambiguity_exports.method(view)


main()
