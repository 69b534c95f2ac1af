"""Films that do not exist yet: what is needed before they can be made, or one button that starts the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def missing_weights(title: str, size_gb: float, licence: str, reason: str, commands: Sequence[str]) -> None:
    """Why a backend cannot run here, how large its weights are, and the commands that fetch them."""
    with st.container(border=True):
        st.markdown(f":material/download: **{title} needs weights that are not here: {size_gb:.1f} GB.**")
        st.caption(f"Licence: {licence}. {reason}")
        st.code("\n".join(commands), language="bash")


def render_button(
    backend: str, title: str, films: Sequence[str], submit: Callable[..., None], args: tuple[Any, ...]
) -> None:
    """One button for all films of a backend that are missing; `films` are their captions."""
    count = "This film is" if len(films) == 1 else f"{len(films)} films are"
    with st.container(border=True):
        st.markdown(f":material/hourglass_empty: **{count} not rendered with {title} yet.**")
        st.caption("Rendering is a run with progress; the page fills by itself as the films arrive.")
        st.button(
            f"Render: {', '.join(films)}",
            icon=":material/play_arrow:",
            type="primary",
            key=f"render:{backend}",
            on_click=submit,
            args=args,
        )
