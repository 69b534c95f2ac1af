"""One message for the cortex component: panels, settings, and those blobs that the browser does not have yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.components.cortex_packing import (
    Blob,
    inflated_blob,
    make_blob,
    quantise_classes,
    quantise_map,
    quantise_q,
    surface_blob,
)
from brainviz.components.packing import Packer
from brainviz.cortex.colours import SCALES, TITLES, scale_kind
from brainviz.cortex.picture import default_limits
from brainviz.cortex.surface import UNITS_PER_MM, on_full
from brainviz.errors import BrainvizError, UnknownName

MOST_PANELS = 4
MOST_FRAMES = 400

Values = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class MapPanel:
    """One map on the cortex.

    Parameters
    ----------
    id : str
        Names the panel; panels whose ids stay keep their place when the maps change.
    title : str
        What stands above it.
    values : float (64984,) or (59412,)
        NaN shows the bare cortex. For `classes`: their numbers.
    limits : (low, high), optional
        Values at the ends of the colours; from the values by default (see `brainviz.cortex.picture.default_limits`).
    colormap : str
        A name in `brainviz.cortex.colours.SCALES`.
    reliability : float (64984,) or (59412,), optional
        0 to 1: second axis of the colours; what is not reliable fades.
    q : float, optional
        False-discovery-rate q per vertex.
    ceiling : float, optional
        Noise ceiling per vertex, in units of r.
    classes : tuple of (label, colour), optional
        Colour as six hexadecimal digits; makes this a map of classes.
    symbol, unit, note, explanation : str
        Of the value in the read-out (``r``, ``Δr``), beside the title, and in words for those who cannot see the map.
    """

    id: str
    title: str
    values: Values
    limits: tuple[float, float] | None = None
    colormap: str = "diverging"
    reliability: Values | None = None
    q: Values | None = None
    ceiling: Values | None = None
    classes: tuple[tuple[str, str], ...] = ()
    symbol: str = ""
    unit: str = ""
    note: str = ""
    explanation: str = ""
    simulated: bool = False

    def shown_limits(self) -> tuple[float, float]:
        """The limits in use.

        Raises
        ------
        BrainvizError
            When they do not increase.
        """
        if self.limits is None:
            return default_limits(on_full(self.values).astype(np.float32), self.colormap)
        low, high = (float(limit) for limit in self.limits)
        if not low < high:
            raise BrainvizError(f"The colour limits {low} and {high} do not increase.", self.title)
        return low, high


@dataclass(frozen=True, eq=False)
class FilmResponse:
    """A response that plays in step with its film, in the first panel.

    Parameters
    ----------
    id : str
        Changes when another film is shown.
    values : float (t, 59412) or (t, 64984)
        One map per volume.
    first_s, step_s : float
        Film time of the first volume, and between volumes.
    sprite
        The film: an object with ``data`` (WebP bytes), ``n``, ``columns``, ``width``, ``height``, ``fps``; or None.
    duration_s : float
        Length of the film.
    start_s : float
        Where the clock stands at first.
    """

    id: str
    values: Values
    first_s: float
    step_s: float
    duration_s: float
    sprite: Any = None
    start_s: float = 0.0


@dataclass(frozen=True)
class CortexMessage:
    """A header and the blobs it names."""

    header: dict[str, Any]
    blobs: dict[str, Blob] = field(repr=False)
    on_request: frozenset[str] = frozenset()  # the surface: sent only when the browser asks

    def packed(self, known: Collection[str] = (), wanted: Collection[str] = ()) -> tuple[bytes, frozenset[str]]:
        """The message without the blobs in `known` (unless in `wanted`), and the ids of those it carries."""
        carried = [
            blob
            for blob in self.blobs.values()
            if blob.id in wanted or (blob.id not in known and blob.id not in self.on_request)
        ]
        packer = Packer()
        places: dict[str, dict[str, Any]] = {}
        for blob in carried:
            place: dict[str, Any] = packer.add(blob.data)
            place["deflated"] = blob.deflated
            places[blob.id] = place
        return packer.pack({**self.header, "blobs": places}), frozenset(places)


def cortex_message(
    panels: Sequence[MapPanel],
    play: FilmResponse | None = None,
    caption: str = "",
    file_stem: str = "brainviz_cortex",
    **settings: Any,
) -> CortexMessage:
    """Panels (1 to 4) as a message.

    Raises
    ------
    BrainvizError
        Too many panels, values that do not fit the surface, or limits that do not increase.
    UnknownName
        A colour scale that is not there.
    """
    if not 1 <= len(panels) <= MOST_PANELS:
        raise BrainvizError(f"The cortex shows one to {MOST_PANELS} maps, not {len(panels)}.", "", "Choose fewer maps.")
    blobs: dict[str, Blob] = {}
    surface, inflated = surface_blob(), inflated_blob()
    headers = [_panel_header(panel, blobs) for panel in panels]
    marked = "Simulated data. " if any(panel.simulated for panel in panels) else ""
    header = {
        "id": " | ".join(panel.id for panel in panels),
        "surface": surface.id,
        "inflated": inflated.id,
        "units": UNITS_PER_MM,
        "scales": _scales(),
        "panels": headers,
        "play": None if play is None else _play_header(play, blobs),
        "caption": marked + caption,
        "file_stem": file_stem,
        **settings,
    }
    blobs |= {surface.id: surface, inflated.id: inflated}
    return CortexMessage(header, blobs, frozenset({surface.id, inflated.id}))


def _scales() -> dict[str, dict[str, Any]]:
    return {
        name: {"title": TITLES[name], "kind": scale_kind(name), "anchors": list(anchors)}
        for name, anchors in SCALES.items()
    }


def _panel_header(panel: MapPanel, blobs: dict[str, Blob]) -> dict[str, Any]:
    if panel.colormap not in SCALES:
        remedy = f"Choose one of {', '.join(SCALES)}."
        raise UnknownName("No colour scale has this name.", panel.colormap, remedy)

    def place(values: Values | None) -> dict[str, Any] | None:
        return None if values is None else _place(quantise_map(values), blobs)

    if panel.classes:
        values = _place(quantise_classes(panel.values, len(panel.classes)), blobs)
        limits = (0.0, float(max(1, len(panel.classes) - 1)))
    else:
        values, limits = _place(quantise_map(panel.values), blobs), panel.shown_limits()
    return {
        "id": panel.id,
        "title": panel.title,
        "note": panel.note,
        "explanation": panel.explanation,
        "alt": f"{panel.title}: map on the flattened cortex, left hemisphere left. {panel.explanation}".strip(),
        "symbol": panel.symbol,
        "unit": panel.unit,
        "simulated": panel.simulated,
        "colormap": panel.colormap,
        "limits": list(limits),
        "classes": [{"label": label, "colour": colour.lstrip("#")} for label, colour in panel.classes],
        "values": values,
        "reliability": place(panel.reliability),
        "ceiling": place(panel.ceiling),
        "q": None if panel.q is None else _place((quantise_q(panel.q), 0.0, 1.0), blobs),
    }


def _place(coded: tuple[npt.NDArray[np.uint8], float, float], blobs: dict[str, Blob]) -> dict[str, Any]:
    codes, low, step = coded
    blob = make_blob(codes.tobytes())
    blobs[blob.id] = blob
    return {"hash": blob.id, "low": low, "step": step}


def _play_header(play: FilmResponse, blobs: dict[str, Blob]) -> dict[str, Any]:
    if not 1 <= len(play.values) <= MOST_FRAMES:
        raise BrainvizError(f"A response of {len(play.values)} volumes cannot be played.", play.id, "Cut the film.")
    sprite: dict[str, float] | None = None
    film = None
    if play.sprite is not None:
        sprite = {name: getattr(play.sprite, name) for name in ("n", "columns", "width", "height", "fps")}
        content = bytes(play.sprite.data)
        blob = Blob(make_blob(content).id, content, False)
        blobs[blob.id] = blob
        film = {"hash": blob.id}
    return {
        "id": play.id,
        "n": len(play.values),
        "first_s": float(play.first_s),
        "step_s": float(play.step_s),
        "duration_s": float(play.duration_s),
        "start_s": float(play.start_s),
        "values": _place(quantise_map(play.values), blobs),
        "film": film,
        "sprite": sprite,
    }
