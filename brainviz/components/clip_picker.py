"""Picking a clip: words, case and order above a page of thumbnails."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import choices, clip_list, store
from brainviz.components.gallery import Card, gallery
from brainviz.components.motion_view import MotionView, first_clip, view_or_none
from brainviz.errors import NotReady
from brainviz.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

PER_PAGE = 16


def open_clip(clip: object) -> None:
    """Show another clip, from its first frame; what comes from the browser is looked up before use."""
    if isinstance(clip, str) and clip in set(store.workspace().clips["clip"]):
        choices.keep("clip", clip)
        choices.keep("frame", "0", shown=False)


def picker(workspace: Workspace, view: MotionView | None, clips: pd.DataFrame, clip: str) -> None:
    """Search, case, order and the thumbnails. `clips`: those on offer."""
    st.subheader("Pick a clip", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = choices.search_text("find", "Search clips", "Search: cat, test1-0042, bird …")
        order = _choose_order(view)
        case = _choose_case(clips)
    found = clip_list.filtered(clips, words, case)
    if view is not None:
        found = clip_list.in_order(found, order, view.gain, view.epe_zero)
    _gallery_page(workspace, view, list(found["clip"]), clip, (words, order, case))


def neighbour(ids: list[str], clip: str, by: int) -> str:
    """The clip before or after this one, in the film's order, around the ends."""
    return ids[(ids.index(clip) + by) % len(ids)]


def neighbour_buttons(ids: list[str], clip: str) -> None:
    """The ways to the clip before and to the next one."""
    for by, icon, tip in ((-1, "chevron_left", "The clip before"), (1, "chevron_right", "The next clip")):
        st.button(
            "",
            key=f"clip{by}",
            icon=f":material/{icon}:",
            help=tip,
            on_click=open_clip,
            args=(neighbour(ids, clip, by),),
        )


def shown_clip(workspace: Workspace, subject: str) -> tuple[MotionView | None, pd.DataFrame, str]:
    """The motion's scores where there are any, the test clips, and the one that is shown.

    Raises
    ------
    NotReady
        There is no flow yet.
    """
    clips = workspace.clips[workspace.clips["split"] == "test"]
    ids = list(clips["clip"])
    if not ids or not workspace.systems(subject):
        raise NotReady("The clips are there, their flow is not yet.", "flow_labels", "It is the next thing to come.")
    view = view_or_none(subject)
    clip = choices.choose("clip", ids, first_clip(view, ids), "the clip")
    choices.keep("clip", clip)
    return view, clips, clip


def _choose_order(view: MotionView | None) -> str:
    orders = list(clip_list.ORDERS) if view is not None and len(view.gain) else ["film"]
    names = clip_list.ORDERS
    return choices.pick_one(
        "order",
        "Order",
        orders,
        "film",
        format_func=names.__getitem__,
        widget="list",
        label_visibility="collapsed",
        width=210,
    )


def _choose_case(clips: pd.DataFrame) -> str:
    names = ["", *clip_list.cases(clips)]
    if len(names) == 1:
        return ""
    return choices.pick_one(
        "case",
        "Ambiguity case",
        names,
        "",
        format_func=lambda name: f"Case: {name}" if name else "All clips",
        widget="list",
        label_visibility="collapsed",
        width=170,
    )


def _gallery_page(
    workspace: Workspace, view: MotionView | None, ids: list[str], clip: str, asked: tuple[str, ...]
) -> None:
    if not ids:
        st.info("No clip matches. Shorten the search, or choose all clips.", icon=":material/search_off:")
        return
    pages = -(-len(ids) // PER_PAGE)
    if st.session_state.get("gallery-of") != (asked, clip):
        st.session_state["gallery-of"] = (asked, clip)
        st.session_state["gallery-page"] = clip_list.page_of(ids.index(clip) if clip in ids else 0, PER_PAGE)
    page = min(max(st.session_state["gallery-page"], 0), pages - 1)
    shown = ids[page * PER_PAGE : (page + 1) * PER_PAGE]
    words = workspace.clips.set_index("clip")[["caption", "case"]].fillna("").astype(str).to_dict("index")
    cards = [_card(view, name, words[name]) for name in shown]
    gallery(cards, clip, "gallery", _picked)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Back", icon=":material/chevron_left:", on_click=_turn, args=(page - 1,), disabled=page == 0)
        st.button("More", icon=":material/chevron_right:", on_click=_turn, args=(page + 1,), disabled=page == pages - 1)
        ranked = f" {clip_list.ORDER_NOTE}" if view is not None and len(view.gain) else ""
        st.caption(f"{page * PER_PAGE + 1}–{page * PER_PAGE + len(shown)} of {len(ids)} clips.{ranked}")


def _picked() -> None:
    open_clip(getattr(st.session_state.get("gallery"), "pick", None))


def _turn(page: int) -> None:
    st.session_state["gallery-page"] = page


def _card(view: MotionView | None, clip: str, words: dict[Hashable, Any]) -> Card:
    gain = view.gain_even(clip) if view is not None else None
    note = "" if gain is None else f"gain {gain:+.2f} px"
    return Card(clip, words["caption"], note, words["case"], store.thumbnail(clip))
