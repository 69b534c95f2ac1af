"""What is on the screen: a map, its companions and the settings under which it is seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex.colours import SCALES, colour_table, scale_kind
from brainviz.cortex.picture import colours_at, compose, default_limits, interpolate
from brainviz.cortex.raster import flatmap_raster
from brainviz.cortex.surface import full_to_cortex, on_full
from brainviz.errors import BrainvizError

DIMMED = 0.2  # of its opacity is left to what is below a threshold; the browser uses the same
SIMULATED = "Simulated data"

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shown:
    """One map as it is seen.

    Parameters
    ----------
    title, caption : str
    values : float (64984,) or (59412,)
        For `classes`: their numbers.
    limits : (low, high), optional
        Values at the ends of the colours.
    colormap : str
        A name in `brainviz.cortex.colours.SCALES`.
    threshold : float
        Smaller magnitudes are dimmed.
    q, q_level : float (64984,) or (59412,); float
        Vertices with q above the level are dimmed; level 0 dims none.
    ceiling, least_ceiling : likewise for vertices whose noise ceiling is lower.
    reliability : optional
        0 to 1: opacity of the colours.
    opacity : float
        0 to 1, of the whole map.
    classes : tuple of (label, colour)
        Colour as six hexadecimal digits.
    """

    title: str
    values: npt.NDArray[np.floating]
    limits: tuple[float, float] | None = None
    colormap: str = "diverging"
    threshold: float = 0.0
    q: npt.NDArray[np.floating] | None = None
    q_level: float = 0.0
    ceiling: npt.NDArray[np.floating] | None = None
    least_ceiling: float = 0.0
    reliability: npt.NDArray[np.floating] | None = None
    opacity: float = 1.0
    classes: tuple[tuple[str, str], ...] = ()
    outlines: bool = True
    names: bool = True
    region: str = ""
    unit: str = ""
    caption: str = ""
    simulated: bool = False

    @classmethod
    def from_panel(cls, panel: Any, view: Mapping[str, Any], caption: str = "", region: str = "") -> Shown:
        """A `MapPanel` under the settings of a `CortexState.view`. Reliability counts only if the view shows it."""
        low, high = panel.shown_limits() if not panel.classes else (0.0, 1.0)
        limit = view.get("limit")
        factor = float(limit) / high if limit else 1.0
        chosen = view.get("scale") or panel.colormap
        fits = chosen in SCALES and scale_kind(chosen) == scale_kind(panel.colormap)
        return cls(
            title=panel.title,
            values=panel.values,
            limits=(low * factor if low < 0 else low, high * factor),
            colormap=chosen if fits else panel.colormap,
            threshold=float(view.get("threshold", 0)),
            q=panel.q,
            q_level=float(view.get("q", 0)),
            ceiling=panel.ceiling,
            least_ceiling=float(view.get("ceiling", 0)),
            reliability=panel.reliability if view.get("two") else None,
            opacity=float(view.get("opacity", 100)) / 100,
            classes=panel.classes,
            outlines=bool(view.get("outlines", True)),
            names=bool(view.get("names", True)),
            region=region,
            unit=panel.unit or panel.symbol,
            caption=caption,
            simulated=panel.simulated,
        )

    @property
    def full(self) -> Float32:
        """The values in full order, float32 (64984,)."""
        return np.asarray(on_full(self.values), np.float32)

    @property
    def cortex(self) -> Float32:
        """The values in cortex order, float32 (59412,)."""
        return np.asarray(full_to_cortex(self.full), np.float32)

    @property
    def scale(self) -> tuple[float, float]:
        """The limits in use.

        Raises
        ------
        BrainvizError
            When they do not increase.
        """
        low, high = self.limits or default_limits(self.full, self.colormap)
        if not low < high:
            raise BrainvizError(f"The colour limits {low} and {high} do not increase.", self.title)
        return float(low), float(high)

    @property
    def table(self) -> npt.NDArray[np.uint8]:
        """The colours, uint8 (n, 3)."""
        if not self.classes:
            return colour_table(self.colormap)
        return np.array(
            [[int(colour.lstrip("#")[k : k + 2], 16) for k in (0, 2, 4)] for _, colour in self.classes], np.uint8
        )

    def kept(self) -> npt.NDArray[np.bool_]:
        """Vertices with a value that is not dimmed, bool (64984,)."""
        values = self.full
        keep = np.isfinite(values)
        if not self.classes:
            keep &= ~(np.abs(np.nan_to_num(values)) < self.threshold)
        if self.q is not None and self.q_level > 0:
            keep &= np.asarray(on_full(self.q), np.float32) <= np.float32(self.q_level)
        if self.ceiling is not None and self.least_ceiling > 0:
            keep &= np.asarray(on_full(self.ceiling), np.float32) >= self.least_ceiling
        return keep

    def companions(self) -> dict[str, Float32]:
        """The other maps by name, in full order: q, noise ceiling, reliability, and `kept` as 0 or 1."""
        given = {"q": self.q, "noise ceiling": self.ceiling, "reliability": self.reliability}
        maps = {name: np.asarray(on_full(one), np.float32) for name, one in given.items() if one is not None}
        return maps | {"kept": np.where(np.isfinite(self.full), self.kept(), np.nan).astype(np.float32)}

    def settings(self) -> str:
        """The settings as JSON, for the metadata of files."""
        low, high = self.scale
        words = {
            "title": self.title,
            "colormap": self.colormap,
            "limits": [low, high],
            "threshold": self.threshold,
            "q_level": self.q_level if self.q is not None else 0,
            "least_ceiling": self.least_ceiling if self.ceiling is not None else 0,
            "opacity": self.opacity,
            "reliability_as_opacity": self.reliability is not None,
            "unit": self.unit,
            "simulated": self.simulated,
        }
        return json.dumps(words, sort_keys=True)

    def words(self) -> str:
        """The caption, with the mark of simulated data first, and what is dimmed."""
        dim = []
        if self.threshold > 0 and not self.classes:
            dim.append(f"|value| < {self.threshold:g}")
        if self.q is not None and self.q_level > 0:
            dim.append(f"q > {self.q_level:g}")
        if self.ceiling is not None and self.least_ceiling > 0:
            dim.append(f"noise ceiling < {self.least_ceiling:g}")
        parts = [f"{SIMULATED}." if self.simulated else "", self.caption, f"Dimmed: {', '.join(dim)}." if dim else ""]
        return " ".join(part for part in parts if part)

    def image(self, height: int = 512) -> npt.NDArray[np.uint8]:
        """The map as RGBA uint8 (h, w, 4), coloured as on the screen, without names."""
        raster = flatmap_raster(height)
        values, present = interpolate(raster, self.full)
        if self.classes:
            nearest = raster.corners[np.arange(len(raster.corners)), raster.weights.argmax(1)]
            numbers = np.nan_to_num(self.full[nearest]).astype(np.intp)
            colour = self.table[np.clip(numbers, 0, len(self.table) - 1)].astype(np.float32)
        else:
            colour = colours_at(values, self.table, self.scale)
        alpha = present * self.opacity * np.where(self._clear(values, height), 1.0, DIMMED)
        if self.reliability is not None:
            alpha = alpha * np.clip(interpolate(raster, np.asarray(on_full(self.reliability), np.float32))[0], 0, 1)
        return compose(height, colour, alpha.astype(np.float32), 0.35 if self.outlines else 0.0)

    def _clear(self, values: Float32, height: int) -> npt.NDArray[np.bool_]:
        """Pixels that are not dimmed: companions are interpolated like the values, q in its logarithm."""
        raster = flatmap_raster(height)
        clear = np.ones(len(values), bool) if self.classes else np.abs(values) >= self.threshold
        if self.q is not None and self.q_level > 0:
            logarithm = np.log10(np.clip(np.asarray(on_full(self.q), np.float32), 1e-7, 1))
            clear &= interpolate(raster, logarithm)[0] <= np.log10(self.q_level) + 1e-6
        if self.ceiling is not None and self.least_ceiling > 0:
            clear &= interpolate(raster, np.asarray(on_full(self.ceiling), np.float32))[0] >= self.least_ceiling
        return clear
