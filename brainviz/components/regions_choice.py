"""The choices of the Regions page and how they stand in the link: measure, set of regions, way, view of the cortex."""

from __future__ import annotations

import streamlit as st

from brainviz.components import choices
from brainviz.components.cortex_view import cortex_state
from brainviz.components.encoding_view import region_of_vertex
from brainviz.components.regions_view import EXPLAINED, MEASURES, RegionsView
from brainviz.cortex.regions import glasser

CORTEX_KEY = "regions-cortex"
WAYS = {"without": "Leave out", "only": "Keep only", "conditional": "Replace"}
WAYS_EXPLAINED = {
    "without": "the decoder is refitted without them",
    "only": "the decoder is refitted with nothing but them",
    "conditional": "their activity is replaced by what the rest of the cortex lets expect; the decoder stays as it is",
}
_SET = "set"


def choose_measure() -> str:
    """Buttons for the three measures."""
    words = "  \n".join(f"**{MEASURES[name]}**: {EXPLAINED[name]}" for name in MEASURES)
    return choices.pick_one(
        "measure",
        "Measure on the map",
        list(MEASURES),
        "unique",
        format_func=MEASURES.__getitem__,
        required=True,
        label_visibility="collapsed",
        help=words,
    )


def choose_way() -> str:
    """Buttons for what happens to the chosen regions."""
    return choices.pick_one(
        "way",
        "Chosen regions",
        list(WAYS),
        "without",
        format_func=WAYS.__getitem__,
        required=True,
        label_visibility="collapsed",
        help="  \n".join(f"**{WAYS[name]}**: {WAYS_EXPLAINED[name]}" for name in WAYS),
    )


def chosen_set() -> tuple[str, ...]:
    """Regions of the link or the session, both sides of each, in the parcellation's order."""
    asked = str(st.query_params.get(_SET, st.session_state.get(choices.PREFIX + _SET, "")))
    wanted = {name for name in asked.split(",") if name}
    known = tuple(name for name in glasser().areas if name in wanted)
    if len(known) < len(wanted):
        missing = ", ".join(sorted(wanted - set(known)))[:60]
        choices.notice(f"The link asks for the region “{missing}”, which is not there.")
        keep_set(known)
    return known


def keep_set(names: tuple[str, ...] | list[str]) -> None:
    """Set the regions, in the session and in the link."""
    words = ",".join(name for name in glasser().areas if name in set(names))
    choices.keep(_SET, words, shown=bool(words))


def toggle(area: str) -> None:
    """Put a region into the set, or take it out."""
    now = chosen_set()
    keep_set([name for name in now if name != area] if area in now else [*now, area])


def choose_set(view: RegionsView) -> tuple[str, ...]:
    """The field in which regions are searched, added and taken out."""
    now, key = chosen_set(), "widget:regions-set"
    decoded = view.decoded()
    st.session_state[key] = list(now)
    used = set(decoded)
    st.multiselect(
        "Regions",
        [*decoded, *(name for name in glasser().areas if name not in used)],
        key=key,
        format_func=lambda name: name if name in used else f"{name} (not decoded from)",
        placeholder="Click regions on the map, or search: V1, MT …",
        label_visibility="collapsed",
        on_change=lambda: keep_set(st.session_state[key]),
    )
    return now


def remember() -> None:
    """A click on the map puts its region in or out; so does a search."""
    state = cortex_state(CORTEX_KEY)
    pinned, region = st.session_state.get(f"{CORTEX_KEY}:seen", (None, ""))
    if state.pinned is not None and state.pinned != pinned:
        name = region_of_vertex(state.pinned)
        if name:
            toggle(name[2:])
    elif state.region and state.region != region:
        area = state.region[2:] if state.region in glasser().names else state.region
        if area not in chosen_set():
            toggle(area)
    seen()


def seen() -> None:
    """Note what the component said, so that the next change can be told from what stood before."""
    state = cortex_state(CORTEX_KEY)
    st.session_state[f"{CORTEX_KEY}:seen"] = (state.pinned, state.region)
