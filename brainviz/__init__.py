"""Motion read from brains watching films: the domain's own objects and how they look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brainviz.data.base import Dataset
    from brainviz.workspace import Workspace

__all__ = ["open_dataset", "open_workspace"]
__version__ = "0.1.0"


def open_dataset(path: str | Path) -> Dataset:
    """Open the data set in a folder; the adapter is found by the folder's layout.

    Raises
    ------
    DataProblem
        No adapter knows this layout; the message names what was looked for and what was found.
    """
    from brainviz.data import open_dataset as opened

    return opened(path)


def open_workspace(path: str | Path) -> Workspace:
    """Open a workspace folder: subjects, clips, tables, flow fields, maps (see `brainviz.workspace.Workspace`)."""
    from brainviz.workspace import open_workspace as opened

    return opened(path)
