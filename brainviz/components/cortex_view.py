"""Maps on the cortex, browsed in the browser: flat panels with one cursor, and the inflated surface beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from brainviz.components import assets
from brainviz.components.cortex_message import CortexMessage, FilmResponse, MapPanel, cortex_message
from brainviz.cortex.colours import SCALES
from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import N_FULL

__all__ = ["CortexState", "FilmResponse", "MapPanel", "cortex_state", "cortex_view"]

PARTS = (
    "store",
    "mesh",
    "outlines",
    "raster",
    "paint",
    "flat_panel",
    "surface_panel",
    "panels",
    "search",
    "hands",
    "film",
    "still",
    "cortex",
)
USUAL_VIEW: dict[str, Any] = {
    "scale": "",
    "limit": None,
    "threshold": 0.0,
    "q": 0.0,
    "ceiling": 0.0,
    "opacity": 100,
    "outlines": True,
    "names": True,
    "two": False,
    "mode": "flat",
}
MODES = ("flat", "both", "surface")
HIGHEST = {"limit": 1e9, "threshold": 1e9, "q": 1.0, "ceiling": 1.0, "opacity": 100.0}


@dataclass(frozen=True)
class CortexState:
    """What the visitor last did in the component, checked: pinned vertex (full order), region, settings, film time."""

    pinned: int | None = None
    region: str = ""
    view: dict[str, Any] = field(default_factory=lambda: dict(USUAL_VIEW))
    time_s: float = 0.0


_component = st.components.v2.component(
    "brainviz_cortex",
    html=assets.text("cortex/cortex.html"),
    css=assets.text("cortex/cortex.css"),
    js=assets.script("cortex", PARTS),
)


def cortex_view(
    panels: Sequence[MapPanel],
    *,
    key: str,
    pinned: int | None = None,
    region: str = "",
    follow: bool = True,
    view: Mapping[str, Any] | None = None,
    play: FilmResponse | None = None,
    caption: str = "",
    file_stem: str = "brainviz_cortex",
    on_change: Callable[[], None] | None = None,
) -> CortexState:
    """Mount the maps.

    Parameters
    ----------
    panels : one to four MapPanel
        Share zoom, cursor, pin and settings.
    key : str
        Of the component; `cortex_state` with this key tells what the visitor did, also inside `on_change`.
    pinned : int, optional
        Vertex in full order. What the visitor pins comes back in the state: hand it in again on the next run.
    region : str
        ``"V1"`` (both sides) or ``"L_V1"``: outlined. `follow`: a newly named region is also brought into sight.
    view : mapping
        Settings to start from, any of `USUAL_VIEW` (the URL's, say); later changes are the visitor's own.
    play : FilmResponse, optional
        A response that plays in the first panel beside its film.
    caption, file_stem : str
        Under a saved picture, and its name.
    on_change : callable
        Called when pin, region, settings or the time at rest have changed.

    Returns
    -------
    CortexState
        As of this run.
    """
    message = cortex_message(
        panels,
        play,
        caption,
        file_stem,
        pinned=pinned if pinned is not None and 0 <= pinned < N_FULL else None,
        region=region if _known_region(region) else "",
        follow=follow,
        view=checked_view(view or {}),
    )
    report = on_change or _nothing
    _component(
        key=key,
        data=_payload(message, key),
        on_pinned_change=report,
        on_region_change=report,
        on_view_change=report,
        on_time_change=report,
        on_missing_change=lambda: _asked(key),
    )
    return cortex_state(key)


def cortex_state(key: str) -> CortexState:
    """What the visitor last did in the component with this key. All of it is the browser's word, so it is checked."""
    said = st.session_state.get(key)
    pinned, region, time = (getattr(said, name, None) for name in ("pinned", "region", "time"))
    whole = isinstance(pinned, int | float) and not isinstance(pinned, bool) and 0 <= pinned < N_FULL
    sent_view = getattr(said, "view", None)
    return CortexState(
        pinned=int(pinned) if whole and pinned is not None else None,
        region=region if isinstance(region, str) and _known_region(region) else "",
        view=checked_view(sent_view if isinstance(sent_view, Mapping) else {}),
        time_s=float(time) if isinstance(time, int | float) and 0 <= time < 1e6 else 0.0,
    )


def checked_view(view: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that the component can show: unknown ones are left out, impossible ones become the usual."""
    checked = dict(USUAL_VIEW)
    for name in ("outlines", "names", "two"):
        checked[name] = bool(view.get(name, USUAL_VIEW[name]))
    for name, highest in HIGHEST.items():
        value = view.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest:
            checked[name] = value
    if checked["limit"] == 0:
        checked["limit"] = None
    if view.get("mode") in MODES:
        checked["mode"] = view["mode"]
    if view.get("scale") in SCALES:
        checked["scale"] = view["scale"]
    return checked


def _known_region(region: str) -> bool:
    return region in glasser().names or region in glasser().areas


def _payload(message: CortexMessage, key: str) -> bytes:
    """Each blob once per session; again when the browser says that it is missing (a lost message, a new browser)."""
    sent: set[str] = st.session_state.setdefault(f"{key}:sent", set())
    wanted: Collection[str] = st.session_state.pop(f"{key}:wanted", ())
    data, carried = message.packed(known=sent, wanted=wanted)
    sent.update(carried)
    return data


def _asked(key: str) -> None:
    missing = getattr(st.session_state.get(key), "missing", None)
    if isinstance(missing, list | tuple):
        st.session_state[f"{key}:wanted"] = {name for name in missing if isinstance(name, str)}


def _nothing() -> None:
    """A change that no one listens to; Streamlit needs a callback to report a value at all."""
