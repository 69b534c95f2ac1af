"""What a visitor of the pages with films can take away: MP4 and GIF of one film or of the row, table, settings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import exports

if TYPE_CHECKING:
    from brainviz.video.composing import CaptionedFilm

SIMULATED_LINE = "SIMULATED DATA: recovers what was planted, replicates nothing"
SIMULATED_MARK = "simulated data"
ROW = "row"
GIF_SIDE = {True: 192, False: 256}  # of a panel in a row, of a single film
MIMES = {"mp4": "video/mp4", "gif": "image/gif", "csv": "text/csv", "json": "application/json"}


@dataclass(frozen=True, eq=False)
class FilmExports:
    """What can be taken away from a view.

    Attributes
    ----------
    panels : dict of panel id -> label
        Films that exist, in their order.
    films : callable
        Panel ids -> the films themselves; called when a visitor asks for a file.
    name_parts : tuple of str
        Of every file's name, before the panels'.
    lines : tuple of str
        Below the films.
    settings : str
        JSON.
    table : callable or None
        CSV of what is scored.
    """

    panels: dict[str, str]
    films: Callable[[Sequence[str]], list[CaptionedFilm]]
    name_parts: tuple[str, ...]
    lines: tuple[str, ...]
    settings: str
    simulated: bool
    table: Callable[[], str] | None = None


def menu(offer: FilmExports) -> None:
    """The export menu. Files are made when asked for, not before."""
    with st.popover("Export", icon=":material/download:", help="Films, tables, settings; PNG is in the player"):
        what = st.selectbox(
            "What to export",
            [ROW, *offer.panels],
            format_func=lambda name: "The row, side by side" if name == ROW else offer.panels[name],
            key="export:what",
            disabled=not offer.panels,
        )
        chosen = list(offer.panels) if what == ROW or what not in offer.panels else [what]
        stem = exports.file_stem(*offer.name_parts, *chosen, simulated=offer.simulated)
        with st.container(horizontal=True, gap="small"):
            for kind, icon in (("mp4", "movie"), ("gif", "gif_box")):
                make = partial(film_file, offer, tuple(chosen), kind)
                _download(f"Film ({kind.upper()})", icon, make, f"{stem}.{kind}", off=not chosen)
        base = exports.file_stem(*offer.name_parts, simulated=offer.simulated)
        if offer.table is not None:
            _download("Scores of this clip (CSV)", "table", offer.table, f"{base}_scores.csv")
        _download("Settings of this view (JSON)", "data_object", lambda: offer.settings, f"{stem}.json")
        st.caption(
            "Captions, and the mark of simulated data, are in the films. A picture of the view (PNG) is saved by the "
            "arrow in the player. The address bar is a link to exactly this view."
        )


def film_file(offer: FilmExports, chosen: Sequence[str], kind: str) -> bytes:
    """The chosen films side by side, as the bytes of an MP4 or a GIF."""
    from brainviz.video.composing import compose_row
    from brainviz.video.writing import write_gif, write_mp4

    lines = [*offer.lines, *([SIMULATED_LINE] if offer.simulated else [])]
    side = GIF_SIDE[len(chosen) > 1] if kind == "gif" else 256
    row = compose_row(offer.films(chosen), lines, side=side, gif=kind == "gif")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film.{kind}"
        write = write_gif if kind == "gif" else write_mp4
        write(path, row.frames(), row.fps)
        return path.read_bytes()


def _download(label: str, icon: str, make: Callable[[], str | bytes], name: str, off: bool = False) -> None:
    exports.download(label, icon, make, name, MIMES[name.rsplit(".", 1)[1]], off)
