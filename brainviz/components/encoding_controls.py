"""The choices of the Encoding page and how they stand in the link: map, encoders, pin, region, view of the cortex."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from brainviz.components import choices
from brainviz.components.cortex_view import MODES, USUAL_VIEW, CortexState, cortex_state
from brainviz.components.encoding_map import KINDS, NEEDS_B, MapChoice, kinds_of
from brainviz.components.encoding_view import EncodingView, is_region, region_of_vertex
from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import N_FULL
from brainviz.figures.encoders import encoder_look, usual_pair

CORTEX_KEY = "encoding-cortex"
FIRST_VIEW: dict[str, Any] = USUAL_VIEW | {"two": True}
"""What the cortex shows if nobody asks: values that are not reliable fade into the bare cortex."""
TOGGLES = {"0": False, "1": True}
_LINKED = {  # setting of the view -> name in the link
    "mode": "mode",
    "two": "two",
    "threshold": "dim",
    "q": "fdr",
    "ceiling": "least",
    "opacity": "opacity",
    "limit": "limit",
    "scale": "colours",
    "outlines": "outlines",
    "names": "names",
}


def choose_map(view: EncodingView) -> MapChoice:
    """The choice of map and encoders, as the link or the session has it."""
    a_usual, b_usual = usual_pair(view.encoders)
    a = choices.choose("a", view.encoders, a_usual, "the encoder A")
    b = choices.choose("b", view.encoders, b_usual, "the encoder B")
    if b not in partners(view, a):
        b = next(name for name in (b_usual, a_usual, *partners(view, a)) if name in partners(view, a))
    kinds = kinds_of(view, a, b)
    return MapChoice(choices.choose("map", kinds, kinds[0], "the map"), a, b)


def partners(view: EncodingView, a: str) -> list[str]:
    """Encoders that A was compared with; all others where there was no comparison, A itself where it stands alone."""
    others = [name for name in view.encoders if name != a]
    return [name for name in others if view.has_pair(a, name)] or others or [a]


def map_controls(view: EncodingView, choice: MapChoice, several: bool) -> bool:
    """Menus of map and encoders, and the switch that puts subjects side by side; returns what it says."""
    kinds = kinds_of(view, choice.a, choice.b)
    _menu("map", "Map", kinds, choice.kind, KINDS.__getitem__, 190)
    _menu(
        "a",
        "Encoder A",
        view.encoders,
        choice.a,
        lambda name: f"A: {_label(name)}",
        265,
        off=choice.kind in ("best", "ceiling"),
    )
    st.button(
        "Swap",
        icon=":material/swap_horiz:",
        key="swap",
        help="Swap A and B",
        on_click=_swap,
        args=(choice.b, choice.a),
        disabled=choice.kind not in NEEDS_B,
    )
    _menu(
        "b",
        "Encoder B",
        partners(view, choice.a),
        choice.b,
        lambda name: f"B: {_label(name)}",
        265,
        off=choice.kind not in NEEDS_B,
    )
    return _switch("side", "All subjects", several)


def _label(encoder: str) -> str:
    return encoder_look(encoder).label


def _menu(name: str, label: str, options: list[str], value: str, words: Any, width: int, off: bool = False) -> None:
    key = f"widget:encoding-{name}"
    st.session_state[key] = value
    st.selectbox(
        label,
        options,
        key=key,
        format_func=words,
        disabled=off or len(options) < 2,
        label_visibility="collapsed",
        width=width,
        on_change=lambda: choices.keep(name, st.session_state[key]),
    )


def _swap(a: str, b: str) -> None:
    choices.keep("a", a)
    choices.keep("b", b)


def _switch(name: str, label: str, possible: bool) -> bool:
    value = TOGGLES[choices.choose(name, list(TOGGLES), "0", label.lower())] and possible
    key = f"widget:encoding-{name}"
    st.session_state[key] = value
    st.toggle(
        label,
        key=key,
        disabled=not possible,
        help="Side by side, with one cursor" if possible else "Only one subject has this map so far",
        on_change=lambda: choices.keep(name, "1" if st.session_state[key] else "0", shown=st.session_state[key]),
    )
    return value


# ---- pin and region


def asked_vertex() -> int | None:
    """The vertex of the link or the session, in full order; None where nobody asked, or for one that is not there."""
    asked = _asked("vertex")
    if asked.isascii() and asked.isdecimal() and len(asked) < 6 and int(asked) < N_FULL:
        return int(asked)
    if "vertex" in st.query_params:
        del st.query_params["vertex"]
        choices.notice(f"The link asks for vertex “{asked[:20]}”, which is not there.")
    return None


def pinned_vertex(view: EncodingView) -> tuple[int, bool]:
    """The pinned vertex in full order, and whether the visitor chose it; else one of the region that was asked for."""
    asked, region = asked_vertex(), asked_region()
    if asked is not None:
        return asked, True
    return view.clearest_vertex(region if is_region(region) else ""), False


def shown_region(vertex: int) -> tuple[str, bool]:
    """The region of the page: the one that was asked for, else that of the pinned vertex; and whether it was asked."""
    asked = _asked("region")
    if is_region(asked):
        return asked, True
    if "region" in st.query_params:
        del st.query_params["region"]
        choices.notice(f"The link asks for the region “{asked[:20]}”, which is not there.")
    return region_of_vertex(vertex), False


def asked_region() -> str:
    """The region of the link or the session as it stands there; see `is_region`."""
    return _asked("region")


def open_region(name: str) -> None:
    """Show a region on the map and in its panel."""
    choices.keep("region", name, shown=bool(name))


def seen(key: str, state: CortexState) -> None:
    """Note what the component said in this run, so that the next change can be told from what stood before."""
    st.session_state[f"{key}:seen"] = (state.pinned, state.region)


def remember(key: str = CORTEX_KEY, first_view: Mapping[str, Any] = FIRST_VIEW) -> None:
    """What the visitor did on the cortex goes into the link."""
    state = cortex_state(key)
    pinned, region = st.session_state.get(f"{key}:seen", (None, ""))
    if state.pinned != pinned:
        words = "" if state.pinned is None else str(state.pinned)
        choices.keep("vertex", words, shown=bool(words))
        open_region("")  # the panel of the region follows the pin
    elif state.region != region:
        open_region(state.region)
    seen(key, state)
    if getattr(st.session_state.get(key), "view", None) is None:
        return  # no setting was touched yet
    for setting, name in _LINKED.items():
        value = state.view[setting]
        choices.keep(name, _written(value), shown=value != first_view[setting])


def linked_view(first_view: Mapping[str, Any] = FIRST_VIEW) -> dict[str, Any]:
    """Settings of the cortex as the link has them; what cannot be read is left out."""
    kept = {name: _asked(name) for name in _LINKED.values()}
    return {**first_view, **view_from_link({name: words for name, words in kept.items() if words})}


def _asked(name: str) -> str:
    return str(st.query_params.get(name, st.session_state.get(f"{choices.PREFIX}{name}", "")))


def view_from_link(link: Mapping[str, str]) -> dict[str, Any]:
    """Values of a link as settings: numbers, switches, names."""
    view: dict[str, Any] = {}
    for setting, name in _LINKED.items():
        if name not in link:
            continue
        try:
            value = json.loads(link[name])
        except ValueError:
            value = link[name][:40]
        view[setting] = bool(value) if isinstance(USUAL_VIEW[setting], bool) else value
    if view.get("mode") not in MODES:
        view.pop("mode", None)
    return view


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def all_regions() -> list[str]:
    """Names of the 360 regions, by area and side."""
    return sorted(glasser().names[1:], key=lambda name: (name[2:].lower(), name[0]))
