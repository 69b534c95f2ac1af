"""The synced player: film and flow fields of one clip, painted in the browser from one frame clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import assets
from brainviz.components.packing import Packer, quantise
from brainviz.errors import BrainvizError

PARTS = ("flow_colours", "payload", "clock", "paint", "readout", "still", "player")
MOST_PANELS = 6
NICE = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 24.0, 32.0)

Flow = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FlowPanel:
    """One flow field beside the film: float (3, grid, grid, 2), right and down, grid pixels per step."""

    id: str
    label: str
    flow: Flow
    colour: str = ""
    marker: str = ""
    note: str = ""
    explanation: str = ""


@dataclass(frozen=True)
class PlayerClip:
    """Everything the player shows of one clip.

    Parameters
    ----------
    id : str
        Changes when another clip is shown (the frame is then set from `view`).
    sprite
        The film: an object with ``data`` (WebP bytes), ``n``, ``columns``, ``width``, ``height``, ``fps``.
    panels : list of FlowPanel
        At most five; the film is the sixth.
    step_s : float (3,)
        Duration of the steps in seconds.
    valid, moving : bool (3, grid, grid)
        Where flow counts; what moves against the camera (None: no mask to show).
    title, caption, file_stem : str
        For the export, under the film, and for file names.
    view : dict
        What the URL says: frame, smooth, arrows, mask, film.
    """

    id: str
    sprite: Any
    panels: list[FlowPanel]
    step_s: npt.NDArray[np.floating]
    valid: Mask
    moving: Mask | None
    title: str
    caption: str
    file_stem: str
    simulated: bool
    autoplay: bool = True
    view: dict[str, Any] = field(default_factory=dict)


def colour_maximum(flows: list[Flow], valid: Mask) -> float:
    """One maximum for all panels of a view: the 98th percentile of the fastest field, rounded up to a plain number.

    Give the true flow alone where it is shown, so that one wild guess does not pale everything else.
    """
    speeds = [np.hypot(flow[..., 0], flow[..., 1])[valid] for flow in flows]
    fastest = max((float(np.percentile(s[np.isfinite(s)], 98)) for s in speeds if np.isfinite(s).any()), default=1.0)
    return next((value for value in NICE if value >= fastest), NICE[-1])


def view_maximum(panels: list[FlowPanel], valid: Mask) -> float:
    """The maximum of a view: that of the true flow, or of all fields where the truth is not shown."""
    truth = [panel.flow for panel in panels if panel.id == "truth"]
    return colour_maximum(truth or [panel.flow for panel in panels], valid)


def pack_clip(clip: PlayerClip) -> bytes:
    """The message for one clip (about 12 KB per flow panel, plus the film).

    Raises
    ------
    BrainvizError
        More panels than fit, or fields of different grids.
    """
    grid = clip.valid.shape[-1]
    if len(clip.panels) >= MOST_PANELS:
        raise BrainvizError("The player shows the film and at most five flow fields.", "", "Choose fewer systems.")
    for panel in clip.panels:
        if panel.flow.shape != (*clip.valid.shape, 2):
            raise BrainvizError(f"This flow field has the shape {panel.flow.shape}.", panel.label, "Build it again.")
    packer = Packer()
    mark = "simulated" if clip.simulated else ""
    panels: list[dict[str, Any]] = [
        {"id": "film", "label": "Film", "note": mark, "explanation": "The film that was shown."}
    ]
    panels += [_panel_header(panel, packer) for panel in clip.panels]
    header = {
        "id": clip.id,
        "frames": int(clip.sprite.n),
        "fps": float(clip.sprite.fps),
        "ends": np.cumsum(np.asarray(clip.step_s, float)).tolist(),
        "grid": grid,
        "maximum": view_maximum(clip.panels, clip.valid),
        "panels": panels,
        "sprite": {name: int(getattr(clip.sprite, name)) for name in ("columns", "width", "height")},
        "film": packer.add(bytes(clip.sprite.data)),
        "valid": packer.add(clip.valid.astype(np.uint8).tobytes()),
        "moving": None if clip.moving is None else packer.add(clip.moving.astype(np.uint8).tobytes()),
        "title": clip.title,
        "caption": clip.caption,
        "file_stem": clip.file_stem,
        "simulated": clip.simulated,
        "autoplay": clip.autoplay,
        "view": clip.view,
    }
    return packer.pack(header)


def _panel_header(panel: FlowPanel, packer: Packer) -> dict[str, Any]:
    vectors, scale = quantise(panel.flow)
    place: dict[str, Any] = packer.add(vectors)
    place["scale"] = scale
    return {
        "id": panel.id,
        "label": panel.label,
        "colour": panel.colour,
        "marker": panel.marker,
        "note": panel.note,
        "explanation": panel.explanation,
        "vectors": place,
    }


_component = st.components.v2.component(
    "brainviz_player",
    html=assets.markup("player/player.html"),
    css=assets.text("player/player.css"),
    js=assets.script("player", PARTS),
)


def player(message: bytes, key: str, on_view_change: Callable[[], None]) -> Any:
    """Mount the player. When it comes to rest it sends its view: frame, smooth, arrows, mask, film (percent)."""
    return _component(key=key, data=message, on_view_change=on_view_change)
