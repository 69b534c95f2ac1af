"""The most telling clips of the whole film, and the clips that visitors marked."""

from __future__ import annotations

import numpy as np
import streamlit as st

from brainviz.components import store
from brainviz.components.ambiguity_cases import show_clip
from brainviz.components.ambiguity_view import AmbiguityView
from brainviz.components.gallery import Card, gallery
from brainviz.errors import BrainvizError
from brainviz.figures.ambiguity import ARROWS
from brainviz.marked_cases import mark_case, marked_cases, unmark_case
from brainviz.workspace import Workspace

PER_PAGE = 16
KEY = "telling"
NAME_KEY = "mark-name"
FAILED = "mark-failed"


def telling_clips(workspace: Workspace, view: AmbiguityView, clip: str) -> None:
    """Clips of the whole film, those where fMRI tells most first; a click opens one."""
    st.subheader("Where fMRI tells most, in the whole film", anchor=False)
    words = workspace.clips.set_index("clip")[["caption", "case"]].fillna("").astype(str)
    ranked = view.ranked
    pages = -(-len(ranked) // PER_PAGE)
    page = min(max(int(st.session_state.get("telling-page", 0)), 0), pages - 1)
    shown = ranked[page * PER_PAGE : (page + 1) * PER_PAGE]
    marks = marked_cases(workspace)
    cards = [
        Card(
            name,
            words["caption"][name] or name,
            _note(view, name),
            marks.get(name, words["case"][name]),
            store.thumbnail(name),
        )
        for name in shown
    ]
    gallery(cards, clip, KEY, _picked)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, icon, by, off in (
            ("Back", "chevron_left", -1, page == 0),
            ("More", "chevron_right", 1, page == pages - 1),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                key=f"telling{by}",
                on_click=_turn,
                args=(page + by,),
                disabled=off,
            )
        order = "Ranked on odd test runs; the bits shown are those of even runs." if view.is_ranked else "Film order."
        st.caption(f"{page * PER_PAGE + 1}–{page * PER_PAGE + len(shown)} of {len(ranked)} clips. {order}")


def _note(view: AmbiguityView, clip: str) -> str:
    bits, true = view.bits(clip), view.true(clip)
    return f"{ARROWS.get(true, '')} {bits:+.2f} bits" if np.isfinite(bits) else "no direction"


def _picked() -> None:
    show_clip(store.workspace(), getattr(st.session_state.get(KEY), "pick", None))


def _turn(page: int) -> None:
    st.session_state["telling-page"] = page


def marking(workspace: Workspace, clip: str) -> None:
    """Keep the clip on show as a case, or forget one."""
    marks = marked_cases(workspace)
    label = "Marked" if clip in marks else "Mark"
    with st.popover(label, icon=":material/bookmark:", help="Keep this clip as an ambiguity case of your own"):
        st.text_input(
            f"Name of the case that {clip} shows",
            key=NAME_KEY,
            placeholder=marks.get(clip, "e.g. Cat: jumps or sits"),
            max_chars=60,
        )
        st.button("Keep", icon=":material/bookmark_add:", key="mark-keep", on_click=_keep, args=(clip,), type="primary")
        failed = st.session_state.pop(FAILED, "")
        if failed:
            st.error(failed, icon=":material/error:")
        for kept, name in marks.items():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(
                    f"{name} · {kept}",
                    key=f"mark-open:{kept}",
                    type="tertiary",
                    on_click=_open,
                    args=(kept,),
                    width="stretch",
                )
                st.button(
                    "",
                    icon=":material/delete:",
                    key=f"mark-remove:{kept}",
                    help=f"Forget {name}",
                    on_click=_forget,
                    args=(kept,),
                )


def _keep(clip: str) -> None:
    try:
        mark_case(store.workspace(), clip, str(st.session_state.get(NAME_KEY, "")))
        st.session_state[NAME_KEY] = ""
    except BrainvizError as error:
        st.session_state[FAILED] = f"{error.what} {error.remedy}"


def _forget(clip: str) -> None:
    try:
        unmark_case(store.workspace(), clip)
    except BrainvizError as error:
        st.session_state[FAILED] = f"{error.what} {error.remedy}"


def _open(clip: str) -> None:
    from brainviz.components import choices
    from brainviz.components.ambiguity_cases import CHOICE, MARKED

    if clip in marked_cases(store.workspace()):
        choices.keep(CHOICE, MARKED)
        choices.keep("clip", clip)
