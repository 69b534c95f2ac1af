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
    _given(key, {"pinned": pinned, "region": region, "view": dict(view or {})})
    now = cortex_state(key)
    settings = {"pinned": now.pinned, "region": now.region, "follow": follow, "view": now.view}
    message = cortex_message(panels, play, caption, file_stem, **settings)

    def heard(name: str) -> Callable[[], None]:
        return lambda: _heard(key, name, on_change)

    _component(
        key=key,
        data=_payload(message, key),
        on_pinned_change=heard("pinned"),
        on_region_change=heard("region"),
        on_view_change=heard("view"),
        on_time_change=heard("time"),
        on_missing_change=lambda: _asked(key),
    )
    return now


def cortex_state(key: str) -> CortexState:
    """What stands in the component with this key: what the visitor did, or what was handed in since. All is checked."""
    latest = st.session_state.get(f"{key}:latest", {})
    pinned, region, time, sent_view = (latest.get(name) for name in ("pinned", "region", "time", "view"))
    whole = isinstance(pinned, int | float) and not isinstance(pinned, bool) and 0 <= pinned < N_FULL
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


def _given(key: str, values: dict[str, Any]) -> None:
    """A value handed in counts from the run on which it changed; the same value again does not undo the visitor's."""
    before = st.session_state.setdefault(f"{key}:given", {})
    latest = st.session_state.setdefault(f"{key}:latest", {})
    for name, value in values.items():
        if name not in before or before[name] != value:
            before[name] = latest[name] = value


def _heard(key: str, name: str, on_change: Callable[[], None] | None) -> None:
    st.session_state.setdefault(f"{key}:latest", {})[name] = getattr(st.session_state.get(key), name, None)
    if on_change is not None:
        on_change()
