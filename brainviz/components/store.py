"""The workspace as the pages see it: found once, opened once per version, its tables read once per version."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from brainviz.errors import BrainvizError, NotReady
from brainviz.results import ResultStore
from brainviz.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "BRAINVIZ_WORKSPACE"


def workspace_path() -> Path:
    """The folder of results: ``BRAINVIZ_WORKSPACE``, else ``workspace`` beside the app."""
    return Path(os.environ.get(VARIABLE) or "workspace").expanduser().absolute()


def has_workspace() -> bool:
    """Whether a workspace has been made, however little it holds yet."""
    return (workspace_path() / "workspace.json").exists()


def version() -> str:
    """Changes whenever a result is added or replaced; "" where there is no workspace."""
    return ResultStore(workspace_path()).version() if has_workspace() else ""


def workspace() -> Workspace:
    """The open workspace, shared by all sessions. Treat what it returns as read-only.

    Raises
    ------
    NotReady
        There is none yet.
    """
    if not has_workspace():
        raise NotReady(
            "There is nothing to show yet.", str(workspace_path()), "Build the demo, or run on your own data."
        )
    return _open(str(workspace_path()), version())


def table(name: str) -> pd.DataFrame:
    """A table of the workspace, read once per version. Never change it in place."""
    return _table(str(workspace_path()), version(), name)


def thumbnail(clip: str) -> bytes | None:
    """A clip's first frame as a small JPEG, kept in memory; None while it is not there yet."""
    return _thumbnail(str(workspace_path()), version(), clip)


def has_results() -> bool:
    """Whether there is something to see: clips with a name and their true flow."""
    if not has_workspace():
        return False
    try:
        found = workspace()
        return found.has_table("clips") and bool(found.systems(found.subjects[0]))
    except BrainvizError:
        return False


@st.cache_resource(max_entries=2, show_spinner=False)
def _open(path: str, version: str) -> Workspace:
    return open_workspace(path)


@st.cache_resource(max_entries=24, show_spinner=False)
def _table(path: str, version: str, name: str) -> pd.DataFrame:
    return _open(path, version).table(name)


@st.cache_resource(max_entries=2000, show_spinner=False)  # about 5 KB each
def _thumbnail(path: str, version: str, clip: str) -> bytes | None:
    try:
        return _open(path, version).thumbnail(clip)
    except NotReady:
        return None
