"""The player on the Motion page: which systems stand beside the film, and what the link says of the view."""

from __future__ import annotations

from typing import Any

import streamlit as st

from brainviz.components import choices, exports, shell, store
from brainviz.components.motion_view import MotionView, view_or_none
from brainviz.components.player import MOST_PANELS, FlowPanel, PlayerClip, pack_clip, player
from brainviz.figures.palette import look, ordered, prior_of
from brainviz.workspace import Workspace

FLAGS = {"smooth": True, "arrows": False, "mask": False}
MOST_SYSTEMS = MOST_PANELS - 1


def usual_systems(available: list[str]) -> list[str]:
    """What stands beside the film if nobody asks: truth, brain, and the system that knows no fMRI."""
    usual = [name for name in ("truth", "brain", prior_of(available)) if name in available]
    return usual or available[:MOST_SYSTEMS]


def shown_systems(available: list[str]) -> list[str]:
    """Systems in the player, in the palette's order: those of the link or of this session, else the usual ones."""
    asked = st.query_params.get("systems", st.session_state.get(choices.PREFIX + "systems", ""))
    wanted = [name for name in asked.split(",") if name in available]
    return ordered(wanted)[:MOST_SYSTEMS] or usual_systems(available)


@st.fragment
def show_player(subject: str, clip: str) -> None:
    """The player, in a fragment: coming to rest reruns this function only."""
    with shell.guarded("player"):
        workspace = store.workspace()
        message = pack_clip(_player_clip(workspace, view_or_none(subject), subject, clip))
        player(message, key="player", on_view_change=_remember_view)


def choose_systems(workspace: Workspace, subject: str) -> None:
    """The menu that adds systems to the player and takes them away."""
    available = ordered(workspace.systems(subject))
    key = "widget:systems"
    st.session_state[key] = shown_systems(available)

    def changed() -> None:
        chosen = ordered(st.session_state[key])[:MOST_SYSTEMS]
        choices.keep("systems", ",".join(chosen), shown=bool(chosen) and chosen != usual_systems(available))

    with st.popover("Compare", icon=":material/compare:", help="Which flow fields stand beside the film"):
        st.pills(
            f"Beside the film (at most {MOST_SYSTEMS})",
            available,
            key=key,
            selection_mode="multi",
            format_func=lambda name: look(name).label,
            on_change=changed,
        )
        for name in st.session_state[key]:
            st.caption(f"**{look(name).label}**: {look(name).explanation}")


def _player_clip(workspace: Workspace, view: MotionView | None, subject: str, clip: str) -> PlayerClip:
    place = workspace.place(clip)
    onset = 2 * place.index
    systems = shown_systems(workspace.systems(subject))
    return PlayerClip(
        id=f"{subject}/{clip}",
        sprite=workspace.film_sprite(clip),
        panels=[panel_of(workspace, view, subject, clip, system) for system in systems],
        step_s=workspace.step_s,
        valid=workspace.flow_valid(clip),
        moving=workspace.object_mask(clip),
        title=f"Subject {subject}, clip {clip}",
        caption=f"{onset}–{onset + 2} s of {place.segment}",
        file_stem=exports.file_stem(f"subject{subject}", clip, *systems, simulated=workspace.simulated),
        simulated=workspace.simulated,
        autoplay="frame" not in st.query_params,
        view=_view_of_link(),
    )


def panel_of(workspace: Workspace, view: MotionView | None, subject: str, clip: str, system: str) -> FlowPanel:
    """One system beside the film. Of a sampled system the first sample is shown, and its mean error quoted."""
    one, samples = look(system), workspace.samples(subject, system)
    error = view.error(clip, system) if view is not None else None
    return FlowPanel(
        id=system,
        label=one.label if samples == 1 else f"{one.label}, sample 1 of {samples}",
        flow=workspace.flow(subject, clip, system),
        colour=one.colour(shell.is_dark()),
        marker=one.marker,
        note="" if error is None else f"{'error' if samples == 1 else 'mean error'} {error:.2f}",
        explanation=one.explanation,
    )


def _view_of_link() -> dict[str, Any]:
    view: dict[str, Any] = {name: _flag(name) for name in FLAGS}
    return view | {"frame": choices.number("frame", 0, 10_000, 0), "film": choices.number("film", 0, 90, 0)}


def _flag(name: str) -> bool:
    saved = st.session_state.get(choices.PREFIX + name, "1" if FLAGS[name] else "0")
    return bool(st.query_params.get(name, saved) == "1")


def _remember_view() -> None:
    """The player came to rest: its frame and switches go into the link. What the browser sends is only a number."""
    view = getattr(st.session_state.get("player"), "view", None)
    if not isinstance(view, dict):
        return
    frame, film = (_whole(view.get(name)) for name in ("frame", "film"))
    choices.keep("frame", str(frame))
    choices.keep("film", str(film), shown=film > 0)
    for name, usual in FLAGS.items():
        value = bool(view.get(name, usual))
        choices.keep(name, "1" if value else "0", shown=value != usual)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 10_000 else 0
