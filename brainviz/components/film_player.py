"""Films in step: up to six panels painted in the browser from one clock, films of other rates mapped by time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import assets
from brainviz.components.packing import Packer
from brainviz.errors import BrainvizError

if TYPE_CHECKING:
    from brainviz.video.sprites import Sprite

SHARED_PARTS = ("payload", "clock", "readout")
PARTS = ("film_paint", "film_pair", "films")
MOST_PANELS = 6
MODES = ("row", "difference", "slider")
FIRST_VIEW: dict[str, Any] = {"frame": 0, "mode": "row", "left": "", "right": "", "split": 50}


@dataclass(frozen=True)
class Metric:
    """One figure under a panel, with what it means for the pointer that rests on it."""

    label: str
    value: str
    title: str = ""


@dataclass(frozen=True)
class FilmPanel:
    """One film.

    Parameters
    ----------
    id, label, colour, marker, note, explanation : str
        As of a system; the note stands at the right of the label.
    sprite : Sprite or None
        None where there is no film yet: then `absent` says why, over the first frame.
    flag : str
        A mark in the picture, such as that the true film entered.
    metrics : tuple of Metric
    words : str
        In the place of the metrics where there are none.
    """

    id: str
    label: str
    sprite: Sprite | None
    colour: str = ""
    marker: str = ""
    note: str = ""
    explanation: str = ""
    flag: str = ""
    metrics: tuple[Metric, ...] = ()
    words: str = ""
    absent: str = ""


@dataclass(frozen=True)
class FilmView:
    """Everything the player shows.

    Parameters
    ----------
    id : str
        Changes when another clip is shown (the frame is then set from `view`).
    film : Sprite
        What differences are taken from; its rate is the clock's.
    panels : list of FilmPanel
    caption : str
        One line under the films.
    lines : tuple of str
        Below an exported picture: where it comes from.
    view : mapping
        What the URL says: frame, mode, left, right, split.
    """

    id: str
    film: Sprite
    panels: list[FilmPanel]
    caption: str
    lines: tuple[str, ...]
    file_stem: str
    autoplay: bool = True
    view: Mapping[str, Any] = field(default_factory=dict)


def clock_frames(film: Sprite, panels: list[FilmPanel]) -> int:
    """Frames of the clock: the longest film shown, counted at the film's rate."""
    lengths = [panel.sprite.n / panel.sprite.fps for panel in panels if panel.sprite is not None]
    return max([film.n, *(round(length * film.fps) for length in lengths)])


def pack_films(films: FilmView) -> bytes:
    """The message for the browser: about 100 KB per film of 30 frames.

    Raises
    ------
    BrainvizError
        No panel, or more than six.
    """
    if not 1 <= len(films.panels) <= MOST_PANELS:
        raise BrainvizError(f"The player shows 1 to {MOST_PANELS} films, not {len(films.panels)}.", "", "Choose fewer.")
    packer = Packer()
    sent: dict[bytes, dict[str, int]] = {}
    header = {
        "id": films.id,
        "frames": clock_frames(films.film, films.panels),
        "fps": float(films.film.fps),
        "film": _sheet(films.film, packer, sent),
        "panels": [_panel_header(panel, packer, sent) for panel in films.panels],
        "caption": films.caption,
        "lines": list(films.lines),
        "file_stem": films.file_stem,
        "autoplay": films.autoplay,
        "view": checked_view(films.view),
    }
    return packer.pack(header)


def checked_view(view: object) -> dict[str, Any]:
    """A view from a link or the browser with every value checked; what cannot be used is as in `FIRST_VIEW`."""
    given = view if isinstance(view, Mapping) else {}
    names = {name: str(given.get(name, ""))[:60] for name in ("left", "right")}
    mode = given.get("mode")
    return {
        "frame": _whole(given.get("frame"), 0, 9_999, 0),
        "mode": mode if mode in MODES else "row",
        "split": _whole(given.get("split"), 0, 100, 50),
        **names,
    }


def _whole(value: object, low: int, high: int, default: int) -> int:
    plain = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    return int(value) if plain else default  # type: ignore[call-overload]


def _panel_header(panel: FilmPanel, packer: Packer, sent: dict[bytes, dict[str, int]]) -> dict[str, Any]:
    words = ("id", "label", "colour", "marker", "note", "explanation", "flag", "words", "absent")
    header: dict[str, Any] = {name: getattr(panel, name) for name in words}
    header["metrics"] = [{"label": m.label, "value": m.value, "title": m.title} for m in panel.metrics]
    return header | (_sheet(panel.sprite, packer, sent) if panel.sprite is not None else {"sheet": None})


def _sheet(sprite: Sprite, packer: Packer, sent: dict[bytes, dict[str, int]]) -> dict[str, Any]:
    """Where a film's sheet lies in the message; the same sheet is sent once."""
    if sprite.data not in sent:
        sent[sprite.data] = packer.add(sprite.data)
    measures = {name: int(getattr(sprite, name)) for name in ("columns", "width", "height")}
    return {"frames": int(sprite.n), "fps": float(sprite.fps), "sprite": measures, "sheet": sent[sprite.data]}


_component = st.components.v2.component(
    "brainviz_films",
    html=assets.markup("films/films.html"),
    css=assets.text("player/player.css") + assets.text("films/films.css"),
    js="\n".join([assets.script("player", SHARED_PARTS), assets.script("films", PARTS)]),
)


def film_player(message: bytes, key: str, on_view_change: Callable[[], None]) -> Any:
    """Mount the player. When it comes to rest it sends its view: frame, mode, left, right, split (percent)."""
    return _component(key=key, data=message, on_view_change=on_view_change)
