"""Dots and intervals as a plain SVG, for files that must open without a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from brainviz.figures.palette import look

if TYPE_CHECKING:
    import pandas as pd

WIDTH, LEFT, RIGHT, ROW, TOP, FOOT = 900, 215, 24, 38, 20, 34
SPREAD = 0.5
_SHAPES = {
    "circle": '<circle r="5"/>',
    "square": '<path d="M-4.600 -4.600h9.200v9.200h-9.200z"/>',
    "diamond": '<path d="M0 -6l6 6-6 6-6-6z"/>',
    "triangle-up": '<path d="M0 -6l6 10.500h-12z"/>',
    "triangle-down": '<path d="M0 6l6-10.500h-12z"/>',
    "cross": '<path d="M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z"/>',
    "x": '<path d="M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z" transform="rotate(45)"/>',
    "hexagon": '<path d="M0 -6l5.200 3v6l-5.200 3-5.200-3v-6z"/>',
    "star": '<path d="M0 -6.500l1.700 4.400h4.600l-3.700 2.900 1.300 4.600'
    '-3.900-2.700-3.900 2.700 1.300-4.600-3.700-2.900h4.600z"/>',
}


def intervals_svg(rows: pd.DataFrame, order: Sequence[str], label: Callable[[str], str], mark: str) -> str:
    """A row per system, a dot and an interval per subject, chance and the frozen frame as lines.

    Parameters
    ----------
    rows : DataFrame
        One metric: subject, system, value, low, high, chance.
    order : sequence of str
        Systems from top to bottom.
    label : callable
        Name of a system.
    mark : str
        Written into the picture, such as that the data are simulated.
    """
    ends = rows[["value", "low", "high", "chance"]].to_numpy(float)
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = 0.04 * (high - low) or 0.5
    ticks = _ticks(low - room, high + room)
    bottom = TOP + ROW * len(order)

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low + room) / (high - low + 2 * room)

    parts = [_tick(across(tick), tick, bottom) for tick in ticks]
    parts += _references(rows, across, bottom)
    for place, system in enumerate(order):
        y = TOP + ROW * (place + 0.5)
        parts.append(f'<text x="{LEFT - 14}" y="{y + 4:.1f}" text-anchor="end">{escape(label(system))}</text>')
        parts += _dots(rows[rows["system"] == system].sort_values("subject"), y, across)
    if mark:
        parts.append(f'<text class="soft" x="{WIDTH - RIGHT}" y="14" text-anchor="end">{escape(mark)}</text>')
    box = f'viewBox="0 0 {WIDTH} {bottom + FOOT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box}>{"".join(parts)}</svg>'


def _ticks(low: float, high: float) -> list[float]:
    """Four to nine round numbers within the limits."""
    step = 10.0 ** np.floor(np.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 8)
    return [float(tick) for tick in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _tick(x: float, value: float, bottom: float) -> str:
    words = f"{value:.6g}".replace("-", "−")
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
    return f'{line}<text class="soft" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{words}</text>'


def _references(rows: pd.DataFrame, across: Callable[[float], float], bottom: float) -> list[str]:
    parts = []
    frozen, chance = rows.loc[rows["system"] == "zero", "value"], rows["chance"].dropna()
    for values, colour, dash in ((frozen, look("zero").light, "2 4"), (chance, "#c0392b", "7 5")):
        if len(values):
            x = across(float(values.mean()))
            ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"'
            parts.append(f'<line {ends} stroke="{colour}" stroke-width="1.6" stroke-dasharray="{dash}"/>')
    if len(chance):
        parts.append(f'<text class="soft" x="{across(float(chance.mean())) + 5:.1f}" y="14">chance</text>')
    return parts


def _dots(own: pd.DataFrame, y: float, across: Callable[[float], float]) -> list[str]:
    parts: list[str] = []
    for i, one in enumerate(own.to_dict("records")):
        value, low, high = (float(one[name]) for name in ("value", "low", "high"))
        height = y + ROW * SPREAD * (i - (len(own) - 1) / 2) / max(len(own), 2)
        kind = look(str(one["system"]))
        if low == low and high == high:
            ends = f'x1="{across(low):.1f}" x2="{across(high):.1f}" y1="{height:.1f}" y2="{height:.1f}"'
            parts.append(f'<line {ends} stroke="{kind.light}" stroke-width="1.8"/>')
        words = f"Subject {one['subject']}: {value:.4g} [{low:.4g}, {high:.4g}]"
        parts.append(
            f'<g transform="translate({across(value):.1f} {height:.1f})" fill="{kind.light}">'
            f"<title>{escape(words)}</title>{_SHAPES.get(kind.marker, _SHAPES['circle'])}</g>"
        )
    return parts
