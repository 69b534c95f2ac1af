"""Colour scales for maps: safe for colour blindness, even in lightness, numpy only."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.errors import UnknownName

# Anchors in sRGB. The diverging scale has its own hue on each side (blue, orange) with equal lightness steps, the
# sequential one rises steadily in lightness from dark violet to pale yellow.
SCALES: dict[str, tuple[str, ...]] = {
    "diverging": ("08306b", "2166ac", "4f9bce", "a4cce3", "f4f4f1", "f7cfa3", "ee9a54", "c8601d", "7a2d06"),
    "diverging-purple-green": (
        "40004b",
        "762a83",
        "a778b4",
        "d8bfdd",
        "f4f4f1",
        "bfe3bb",
        "72b97c",
        "1b7837",
        "00441b",
    ),
    "sequential": ("1b0c41", "4a0c6b", "781c6d", "a52c60", "cf4446", "ed6925", "fb9b06", "f7d13d", "fcffa4"),
    "sequential-viridis": ("440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725"),
    "sequential-blue": ("f2f6fa", "d3e3f1", "a8cce4", "74b0d4", "4391c1", "2171a8", "0f548b", "08396b", "041f45"),
    "classes": ("0072b2", "e69f00", "009e73", "cc79a7", "56b4e9", "d55e00", "f0e442", "555555"),
}
TITLES = {
    "diverging": "Blue to orange",
    "diverging-purple-green": "Purple to green",
    "sequential": "Violet to yellow",
    "sequential-viridis": "Viridis",
    "sequential-blue": "White to blue",
    "classes": "Classes",
}


def scale_kind(name: str) -> str:
    """``"diverging"``, ``"sequential"`` or ``"classes"``: scales of one kind may stand in for each other."""
    return name.split("-", 1)[0]


@cache
def colour_table(name: str = "diverging", n: int = 256) -> npt.NDArray[np.uint8]:
    """A scale as uint8 (n, 3), interpolated between its anchors; ``classes`` repeats its anchors instead.

    Raises
    ------
    UnknownName
        When there is no such scale.
    """
    if name not in SCALES:
        raise UnknownName("No colour scale has this name.", name, f"Choose one of {', '.join(SCALES)}.")
    anchors = np.array([[int(code[k : k + 2], 16) for k in (0, 2, 4)] for code in SCALES[name]], np.float64)
    if name == "classes":
        table = anchors[np.arange(n) % len(anchors)]
    else:
        at = np.linspace(0, len(anchors) - 1, n)
        table = np.stack([np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)], 1)
    colours = np.round(table).astype(np.uint8)
    colours.setflags(write=False)
    return colours
