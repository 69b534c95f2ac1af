"""The drawing board: arrows on a first frame, and the frame moving under them at once, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from brainviz.components import assets, choices
from brainviz.components.packing import Packer
from brainviz.errors import BrainvizError
from brainviz.flow.drawn import LEAST_REACH, MOST_REACH, USUAL_REACH, Drawing, drawing_from_code

KEY = "board"
_SEEN, _REVISION = "draw:seen", "draw:revision"


@dataclass(frozen=True, eq=False)
class DrawBoard:
    """What the board shows.

    Attributes
    ----------
    id : str
        Changes with the frame.
    picture : bytes
        The first frame, as PNG, JPEG or WebP.
    drawing : Drawing
    revision : int
        Raised whenever the drawing was set by something else than the board.
    frames, fps : int, float
        Of the film that is made.
    """

    id: str
    picture: bytes
    drawing: Drawing
    revision: int
    frames: int
    fps: float
    caption: str
    lines: tuple[str, ...]
    file_stem: str


def pack_board(board: DrawBoard) -> bytes:
    """The message for the browser: the frame and the arrows."""
    packer = Packer()
    header = {
        "id": board.id,
        "picture": packer.add(board.picture),
        "arrows": [list(arrow) for arrow in board.drawing.arrows],
        "reach": board.drawing.reach,
        "revision": board.revision,
        "frames": board.frames,
        "fps": board.fps,
        "seconds": round(board.frames / board.fps, 3),
        "caption": board.caption,
        "lines": list(board.lines),
        "file_stem": board.file_stem,
        "autoplay": bool(board.drawing.arrows),
    }
    return packer.pack(header)


_component = st.components.v2.component(
    "brainviz_draw",
    html=assets.markup("draw/draw.html"),
    css=assets.text("player/player.css") + assets.text("draw/draw.css"),
    js="\n".join(
        [
            assets.script("player", ("payload", "clock", "paint")),
            assets.script("films", ("film_paint",)),
            assets.script("draw", ("field", "mesh", "arrows", "arrow_list", "draw")),
        ]
    ),
)


def draw_board(board: DrawBoard, on_drawing: Callable[[], None]) -> None:
    """Mount the board; when a hand lets go, `on_drawing` runs: let it call `remember_drawing`."""
    _component(key=KEY, data=pack_board(board), on_drawing_change=on_drawing)


# ---- the drawing in the link


def linked_drawing() -> tuple[Drawing, int]:
    """The drawing of the link or of this session, and its revision; what cannot be read gives an empty one."""
    code = str(st.query_params.get("arrows", st.session_state.get(choices.PREFIX + "arrows", "")))
    low, high = round(100 * LEAST_REACH), round(100 * MOST_REACH)
    kept = str(st.session_state.get(choices.PREFIX + "reach", round(100 * USUAL_REACH)))
    reach = choices.number("reach", low, high, int(kept)) / 100
    try:
        drawing = drawing_from_code(code, reach)
    except BrainvizError as error:
        choices.notice(error.what)
        keep_drawing(Drawing())
        drawing = Drawing()
    state = (drawing.code(), drawing.reach)
    if st.session_state.get(_SEEN) != state:
        st.session_state[_SEEN] = state
        st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1
    return drawing, st.session_state.get(_REVISION, 0)


def keep_drawing(drawing: Drawing) -> None:
    """Set the drawing from outside the board: the board then takes it over."""
    percent = round(100 * drawing.reach)
    choices.keep("arrows", drawing.code(), shown=bool(drawing.arrows))
    choices.keep("reach", str(percent), shown=percent != round(100 * USUAL_REACH))


def remember_drawing() -> None:
    """A hand has let go of the board: its arrows go into the link. What the browser sends is checked first."""
    drawing = checked_drawing(getattr(st.session_state.get(KEY), "drawing", None))
    if drawing is None:
        return
    keep_drawing(drawing)
    st.session_state[_SEEN] = (drawing.code(), drawing.reach)


def checked_drawing(said: Any) -> Drawing | None:
    """A drawing as the browser sends it ({arrows: [[x, y, dx, dy], ...], reach}); None where it is none."""
    if not isinstance(said, dict) or not isinstance(said.get("arrows"), list):
        return None
    rows = said["arrows"]
    plain = all(isinstance(row, list) and len(row) == 4 and all(_number(value) for value in row) for row in rows)
    if not plain or not _number(said.get("reach")):
        return None
    try:
        arrows = tuple((float(x), float(y), float(dx), float(dy)) for x, y, dx, dy in rows)
        rounded = drawing_from_code(Drawing(arrows, round(float(said["reach"]), 2)).code())
        return Drawing(rounded.arrows, round(float(said["reach"]), 2))
    except BrainvizError:
        return None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
