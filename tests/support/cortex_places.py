"""Where vertices stand on the cortex component's canvas, from the mesh alone, and what the canvas shows there."""

from __future__ import annotations

from typing import Any

import numpy as np

from brainviz.cortex import glasser, load_surface


def place_of(page: Any, vertex: int, panel: str) -> tuple[float, float]:
    """Screen position of a vertex when the whole map is shown."""
    surface = load_surface()
    used = surface.flat[np.unique(surface.flat_faces)]
    low, high = used.min(0), used.max(0)
    box = page.locator(f"[data-panel={panel}]").bounding_box()
    scale = min((box["width"] - 8) / (high - low)[0], (box["height"] - 8) / (high - low)[1])
    x, y = (surface.flat[vertex] - (low + high) / 2) * scale
    return float(box["x"] + box["width"] / 2 + x), float(box["y"] + box["height"] / 2 - y)


def middle_vertex(region: str) -> int:
    """A vertex well inside a region."""
    surface = load_surface()
    inside = glasser().vertices(region)
    centre = np.median(surface.flat[inside], 0)
    return int(inside[((surface.flat[inside] - centre) ** 2).sum(1).argmin()])
