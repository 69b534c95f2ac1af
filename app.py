"""The front door: the pages, the shared choices, the error boundary. Imports nothing heavy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st

from brainviz.components import assets, run_card, shell, store

STRIP_S = 3.0
PAGES = Path(__file__).parent / "pages"
LISTED = (  # file, title, icon; the file's name is the page's address
    ("motion", "Motion", ":material/motion_photos_on:"),
    ("reanimation", "Reanimation", ":material/animation:"),
    ("draw", "Draw", ":material/draw:"),
    ("encoding", "Encoding", ":material/neurology:"),
    ("insilico", "In silico", ":material/movie:"),
    ("ambiguity", "Ambiguity", ":material/call_split:"),
    ("regions", "Regions", ":material/grid_view:"),
    ("benchmark", "Benchmark", ":material/leaderboard:"),
    ("mind_animator", "Mind-Animator", ":material/movie_filter:"),
    ("data", "Data", ":material/database:"),
    ("runs", "Runs", ":material/play_circle:"),
)


def build_navigation() -> st.Page:
    """All pages, listed along the top. ``/`` is the start page, which hands over to Motion once there are results."""
    start = st.Page(
        PAGES / "start.py",
        title="Start",
        icon=":material/home:",
        default=True,
        visibility="hidden" if store.has_results() else "visible",
    )
    listed = [st.Page(PAGES / f"{name}.py", title=title, icon=icon) for name, title, icon in LISTED]
    return st.navigation([start, *listed], position="top")


def start_demo_once() -> None:
    """With ``BRAINVIZ_AUTO_DEMO=1`` (set by `make app`) the demo builds by itself where there is nothing yet."""
    if os.environ.get("BRAINVIZ_AUTO_DEMO") != "1" or store.has_workspace():
        return
    from pipelines import runs

    if not runs.list_runs(store.workspace_path()):
        runs.submit(store.workspace_path(), runs.RunRequest(demo=True))


@st.fragment(run_every=STRIP_S)
def follow_run(seen: str) -> None:
    """One line while results are on their way; the page fills as soon as something new is there."""
    with shell.guarded("progress"):
        if store.version() != seen:
            st.rerun(scope="app")
        state = active_run()
        if state is None:
            st.rerun(scope="app")
        else:
            run_card.strip(state)


def active_run() -> dict[str, Any] | None:
    """State of the run that works on this workspace now, if any."""
    from pipelines import runs

    newest = next(iter(runs.list_runs(store.workspace_path())), None)
    state = runs.status(newest) if newest else None
    return state if state and state["status"] not in runs.ENDED else None


def main() -> None:
    st.set_page_config(page_title="brainviz", page_icon=assets.icon("brainviz.svg"), layout="wide")
    shell.style()
    page = build_navigation()
    with shell.guarded("start of the demo"):
        start_demo_once()
    if page.title != "Runs" and store.has_results() and active_run():
        follow_run(store.version())
    with shell.guarded(page.title):
        page.run()
    shell.finish_page()


main()
