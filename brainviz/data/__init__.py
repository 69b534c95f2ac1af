"""Data-set adapters behind one interface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainviz.errors import DataProblem

if TYPE_CHECKING:
    from brainviz.data.base import Dataset


def open_dataset(path: str | Path) -> Dataset:
    """Open the data set in a folder; the adapter is found by the folder's layout.

    Raises
    ------
    DataProblem
        No adapter knows this layout; the message names what was looked for and what was found.
    """
    from brainviz.data.algonauts2021 import Algonauts2021
    from brainviz.data.algonauts_layout import find_algonauts
    from brainviz.data.cc2017 import CC2017
    from brainviz.data.hcp7t import HCP7T
    from brainviz.data.hcp7t_layout import find_hcp7t
    from brainviz.data.layout import is_cc2017

    try:
        if not is_cc2017(path):
            if find_hcp7t(path) is not None:
                return HCP7T(path)
            if find_algonauts(path) is not None:
                return Algonauts2021(path)
    except PermissionError as error:
        remedy = f"Allow reading: chmod -R u+rX '{error.filename}'."
        raise DataProblem("No permission to list the folder.", str(error.filename), remedy) from error
    return CC2017(path)  # says what was looked for and found where this is none either
