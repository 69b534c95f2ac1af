"""Data-set adapters behind one interface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brainviz.data.base import Dataset


def open_dataset(path: str | Path) -> Dataset:
    """Open the data set in a folder; the adapter is found by the folder's layout.

    Raises
    ------
    DataProblem
        No adapter knows this layout; the message names what was looked for and what was found.
    """
    from brainviz.data.cc2017 import CC2017

    return CC2017(path)
