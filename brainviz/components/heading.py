"""The top of a page on one subject: title, simulated badge, choice of subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import choices, shell

if TYPE_CHECKING:
    from brainviz.workspace import Workspace


def subject_heading(title: str, workspace: Workspace) -> str:
    """Draw title, badge and subject buttons; returns the chosen subject."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="content")
        if workspace.simulated:
            shell.simulated_badge()
        st.space("stretch")
        return choices.pick_one(
            "subject",
            "Subject",
            workspace.subjects,
            workspace.subjects[0],
            format_func=lambda name: f"Subject {name}",
            required=True,
            label_visibility="collapsed",
        )
