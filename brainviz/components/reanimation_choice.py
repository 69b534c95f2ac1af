"""What the Reanimation page shows: which films, driven how; kept in the link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from brainviz.components import choices
from brainviz.components.film_player import FIRST_VIEW, MOST_PANELS, checked_view
from brainviz.components.reanimation_words import FILM, MASK_NOTES, MASKS, explanation, label
from brainviz.figures.palette import ordered

NOT_DRIVING = ("persistence", "codebook-oracle")
MOST_SAMPLES, MOST_SEEDS = 64, 1000
_VIEW_NAMES = {"frame": "frame", "mode": "compare", "left": "left", "right": "right", "split": "split"}


@dataclass(frozen=True)
class ReanimationChoice:
    """What is on the screen.

    Attributes
    ----------
    subject, clip : str
    panels : tuple of str
        Systems in their order, ``film`` among them.
    backend, mask : str
    sample : int
        From 0, of systems that give several flows.
    seed : int
        Of backends that draw at random.
    """

    subject: str
    clip: str
    panels: tuple[str, ...]
    backend: str
    mask: str
    sample: int
    seed: int


def driving_systems(systems: Sequence[str]) -> list[str]:
    """Panels on offer: the film, then the systems whose flow can move a frame, in the palette's order."""
    return [FILM, *ordered([name for name in systems if name not in NOT_DRIVING])]


def usual_panels(available: Sequence[str]) -> list[str]:
    """What stands there if nobody asks: the film, with fMRI, without the brain, and driven by the truth."""
    without = next((name for name in ("image-only", "prior", "svd") if name in available), "")
    return [name for name in (FILM, "brain", without, "truth") if name in available]


def shown_panels(available: Sequence[str]) -> list[str]:
    """Panels of the link or of this session, in the link's order; else the usual ones."""
    asked = st.query_params.get("films", st.session_state.get(choices.PREFIX + "films", ""))
    wanted = [name for name in dict.fromkeys(asked.split(",")) if name in available]
    return wanted[:MOST_PANELS] or usual_panels(available)


def choose_panels(available: Sequence[str]) -> None:
    """The menu that adds films and takes them away."""
    key = "widget:films"
    st.session_state[key] = shown_panels(available)

    def changed() -> None:
        chosen = [name for name in available if name in st.session_state[key]]
        usual = usual_panels(available)
        chosen = [name for name in usual if name in chosen] + [name for name in chosen if name not in usual]
        if len(chosen) > MOST_PANELS:
            choices.notice(f"At most {MOST_PANELS} films stand side by side: take one away first.")
        choices.keep("films", ",".join(chosen[:MOST_PANELS]), shown=bool(chosen) and chosen != usual)

    with st.popover("Films", icon=":material/view_column:", help="Which films stand side by side"):
        st.pills(
            f"Side by side (at most {MOST_PANELS})",
            available,
            key=key,
            selection_mode="multi",
            format_func=label,
            on_change=changed,
        )
        for name in st.session_state[key]:
            st.caption(f"**{label(name)}**: {explanation(name)}")


def choose_rendering(
    backends: Sequence[str], titles: dict[str, str], seeded: Sequence[str], samples: int
) -> tuple[str, str, int, int]:
    """The menu of what makes the films: backend, mask, sample, seed. `seeded`: backends that draw at random."""
    with st.popover("Rendering", icon=":material/tune:", help="Backend, mask, sample and seed"):
        backend = choices.pick_one(
            "backend", "Backend", backends, backends[0], format_func=lambda name: titles[name], widget="list"
        )
        mask = choices.pick_one(
            "objects", "What moves", list(MASKS), "none", format_func=MASKS.__getitem__, widget="list"
        )
        st.caption(MASK_NOTES[mask])
        sample = _numbered("sample", "Sample of systems that give several", 1, max(1, samples), 1) - 1
        seed = 0
        if backend in seeded:
            seed = _numbered("seed", "Seed of the backend", 0, MOST_SEEDS, 0)
    return backend, mask, sample, seed


def _numbered(name: str, words: str, low: int, high: int, default: int) -> int:
    value = choices.number(name, low, high, int(st.session_state.get(choices.PREFIX + name, default)))
    value = min(max(value, low), high)
    key = f"widget:{name}"
    st.session_state[key] = value
    st.number_input(
        words,
        low,
        high,
        key=key,
        step=1,
        disabled=low == high,
        on_change=lambda: choices.keep(name, str(st.session_state[key]), shown=st.session_state[key] != default),
    )
    return value


def view_of_link(panels: Sequence[str]) -> dict[str, Any]:
    """Frame, mode, pair and divider as the link has them; what cannot be used is left out."""
    asked: dict[str, Any] = {field: _asked(name) for field, name in _VIEW_NAMES.items()}
    for field in ("frame", "split"):
        asked[field] = int(asked[field]) if asked[field].isascii() and asked[field].isdecimal() else FIRST_VIEW[field]
    view = checked_view(asked)
    for side in ("left", "right"):
        view[side] = view[side] if view[side] in panels else ""
    return view


def _asked(name: str) -> str:
    return str(st.query_params.get(name, st.session_state.get(choices.PREFIX + name, "")))[:60]


def remember_view(key: str, panels: Sequence[str]) -> None:
    """The player came to rest: its frame and view go into the link. What the browser sends is checked first."""
    said = getattr(st.session_state.get(key), "view", None)
    if not isinstance(said, dict):
        return
    view = checked_view(said)
    choices.keep("frame", str(view["frame"]))
    choices.keep("compare", view["mode"], shown=view["mode"] != "row")
    sliding = view["mode"] == "slider"
    for side in ("left", "right"):
        if view[side] in panels:
            choices.keep(side, view[side], shown=sliding)
    choices.keep("split", str(view["split"]), shown=sliding and view["split"] != FIRST_VIEW["split"])
