"""What a visitor of the Motion page can take away: film, tables, settings, link, citation."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from brainviz.components import exports, motion_player, store
from brainviz.components.motion_view import MotionView
from brainviz.components.player import view_maximum
from brainviz.workspace import Workspace


def stem(workspace: Workspace, subject: str, clip: str, *more: str) -> str:
    """File name without ending."""
    return exports.file_stem(f"subject{subject}", clip, *more, simulated=workspace.simulated)


def menu(workspace: Workspace, view: MotionView | None, subject: str, clip: str) -> None:
    """The export menu. Films and tables are made when asked for, not before."""
    systems = motion_player.shown_systems(workspace.systems(subject))
    name = stem(workspace, subject, clip, *systems)
    with st.popover("Export", icon=":material/download:", help="Film, tables, settings; PNG is in the player"):
        exports.download(
            "Film of the panels (MP4)", "movie", lambda: film_mp4(subject, clip, systems), f"{name}.mp4", "video/mp4"
        )
        if view is not None:
            csv = f"{stem(workspace, subject, clip)}_errors.csv"
            exports.download("Errors of this clip (CSV)", "table", lambda: clip_csv(subject, clip), csv, "text/csv")
            everything = f"{exports.file_stem(f'subject{subject}', 'motion', simulated=workspace.simulated)}.csv"
            exports.download(
                "Errors of all clips (CSV)", "table_view", lambda: subject_csv(subject), everything, "text/csv"
            )
        json_text = settings(workspace, subject, clip, systems)
        exports.download(
            "Settings of this view (JSON)", "data_object", lambda: json_text, f"{name}.json", "application/json"
        )
        st.caption(
            "A picture of the view (PNG) is saved by the arrow in the player; figures save themselves on hover. "
            "The address bar is a link to exactly this view."
        )


def citation() -> None:
    """What to cite, ready to copy."""
    with st.expander("Cite", icon=":material/format_quote:"):
        st.code(exports.CITATION, language="bibtex")


def film_mp4(subject: str, clip: str, systems: list[str]) -> bytes:
    """The composed panels as an H.264 film."""
    from brainviz.figures.panels import Still, compose_film
    from brainviz.video.writing import write_mp4

    workspace = store.workspace()
    panels = [motion_player.panel_of(workspace, None, subject, clip, system) for system in systems]
    sprite, valid = workspace.film_sprite(clip), workspace.flow_valid(clip)
    lines = [f"Subject {subject}, clip {clip}, {workspace.dataset_name}; true flow: {workspace.labeller}"]
    if workspace.simulated:
        lines.append("SIMULATED DATA: recovers what was planted, replicates nothing")
    still = Still(["Film", *(panel.label for panel in panels)], lines)
    flows, maximum = [panel.flow for panel in panels], view_maximum(panels, valid)
    frames = compose_film(sprite, flows, valid, workspace.step_s, maximum, still)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_mp4(path, frames, sprite.fps)
        return path.read_bytes()


def clip_csv(subject: str, clip: str) -> str:
    """All rows of this clip in the motion table."""
    motion = store.table("motion")
    return str(motion[(motion["subject"] == subject) & (motion["clip"] == clip)].to_csv(index=False))


def subject_csv(subject: str) -> str:
    """All rows of this subject in the motion table."""
    motion = store.table("motion")
    return str(motion[motion["subject"] == subject].to_csv(index=False))


def settings(workspace: Workspace, subject: str, clip: str, systems: list[str]) -> str:
    """The view's settings and where the data come from, as JSON."""
    chosen: dict[str, Any] = {**st.query_params.to_dict(), "subject": subject, "clip": clip, "systems": systems}
    facts = {
        "dataset": workspace.dataset_name,
        "simulated": workspace.simulated,
        "labeller": workspace.labeller,
        "step_s": [round(float(step), 6) for step in workspace.step_s],
        "grid": 32,
        "results_version": workspace.version,
    }
    return exports.settings_json(chosen, facts)
