"""Figures that other groups published, each with its source and protocol.

They come from other protocols, some in unstated units, so they stand in panels of their own, on axes of their own, and
never in one table with ours.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from brainviz.errors import UnknownName

if TYPE_CHECKING:
    import pandas as pd

TAGS = {
    "A": "the authors' own text, page or slides",
    "B": "a secondary summary",
    "C": "read in public code",
    "D": "digitised from the authors' figure",
}
"""How each value came to us."""

_FOLDER = "published"  # data files beside this module


def published_names() -> list[str]:
    """Names of the collections that `published` knows, sorted."""
    folder = resources.files("brainviz").joinpath(_FOLDER)
    return sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json"))


def published(name: str) -> pd.DataFrame:
    """Return one collection of published figures.

    Parameters
    ----------
    name : str
        For example "brainnrds_motion"; all are in `published_names()`.

    Returns
    -------
    DataFrame
        system, subject, metric, value, error (half-width, NaN where none is given), unit, protocol, protocol_note,
        source, tag (a key of `TAGS`), note. `DataFrame.attrs` holds `title` and `error_note`.

    Raises
    ------
    UnknownName
        If there is no such collection.
    """
    import pandas as pd

    content = _content(name)
    table = pd.DataFrame(content["rows"], columns=content["columns"])
    table["error"] = table["error"].astype(float)
    if "protocol" not in table:
        table["protocol"] = content["protocol"]
    table["protocol_note"] = content["protocol_note"]
    table["unit"] = content["unit"]
    table["source"] = f"{content['citation']}, arXiv:{content['arxiv']}"
    table.attrs = {"title": content["title"], "error_note": content["error_note"]}
    order = ["system", "subject", "metric", "value", "error", "unit", "protocol", "protocol_note", "source", "tag"]
    return table[[*order, "note"]]


def _content(name: str) -> dict[str, Any]:
    known = published_names()
    if name not in known:
        raise UnknownName(f"No published figures are called {name!r}.", "published", f"Choose {', '.join(known)}.")
    text = resources.files("brainviz").joinpath(_FOLDER, f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
