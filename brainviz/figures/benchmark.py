"""Figures of the Benchmark page: systems ranked by one metric, and two systems clip by clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from brainviz.figures.intervals import add_frozen_line, add_system
from brainviz.figures.palette import look
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ROW_PX = 40
CEILING = "truth"
_GREY = "rgba(140,146,156,.75)"


def ranking(
    rows: pd.DataFrame,
    order: Sequence[str],
    axis: str,
    label: Callable[[str], str],
    dark: bool,
    simulated: bool,
) -> go.Figure:
    """A row per system, best first, a dot and a 95 % interval per subject; chance and the frozen frame as lines.

    Parameters
    ----------
    rows : DataFrame
        One metric of the table `benchmark`: subject, system, value, low, high, chance, n, n_blocks.
    order : sequence of str
        Systems from best to worst, the ceiling last.
    axis : str
        Title of the value axis.
    label : callable
        Name of a system.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    subjects = sorted(rows["subject"].unique())
    _reference_lines(figure, rows, dark)
    for place, system in enumerate(order):
        own = rows[rows["system"] == system].sort_values("subject")
        add_system(figure, own, ("value", "n"), place, label(system), subjects, dark)
    ranked = [name for name in order if name != CEILING]
    names = [f"{ranked.index(s) + 1}  {label(s)}" if s in ranked else label(s) for s in order]
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=names, range=[len(order) - 0.4, -0.6], showgrid=False
    )
    figure.update_xaxes(title_text=axis, nticks=6)
    return finish(figure, 92 + ROW_PX * len(order), simulated, dark)


def _reference_lines(figure: go.Figure, rows: pd.DataFrame, dark: bool) -> None:
    add_frozen_line(figure, rows, "value", dark)
    chance = rows["chance"].dropna()
    if len(chance):
        line = {"color": "#c0392b" if not dark else "#ff8a7a", "width": 1.6, "dash": "dash"}
        words: dict[str, Any] = {
            "annotation_text": "chance",
            "annotation_position": "top left",
            "annotation_font_size": 12,
        }
        figure.add_vline(x=float(chance.mean()), line=line, **words)


def per_clip(
    values: pd.DataFrame,
    names: tuple[str, str],
    labels: tuple[str, str],
    unit: str,
    better: float,
    chosen: str,
    dark: bool,
    simulated: bool,
) -> go.Figure:
    """Every clip as a point: a system against another.

    Parameters
    ----------
    values : DataFrame
        Index: clips; one column per system.
    names, labels : the system across and the system upwards, and what they are called
    unit : str
        Of the metric; "" for none.
    better : float
        1 where a higher value is better, else -1.
    chosen : str
        The clip that is shown.
    """
    import plotly.graph_objects as go

    x, y = names
    both = values[[x, y]].dropna()
    colour = look(y).colour(dark)
    low, high = _limits(both)
    figure = go.Figure()
    line = {"color": _GREY, "dash": "dot"}
    figure.add_scatter(x=[low, high], y=[low, high], mode="lines", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=both[x].to_numpy(),
        y=both[y].to_numpy(),
        mode="markers",
        customdata=both.index.to_list(),
        marker={"color": colour, "symbol": look(y).marker, "size": 9, "opacity": 0.55},
        selected={"marker": {"opacity": 0.55}},
        unselected={"marker": {"opacity": 0.55}},
        hovertemplate=f"<b>%{{customdata}}</b><br>{labels[0]} %{{x:.3f}}<br>{labels[1]} %{{y:.3f}}<extra></extra>",
        name="clips",
    )
    if chosen in both.index:
        mark: dict[str, Any] = {"size": 17, "color": colour, "line": {"width": 3, "color": look(CEILING).colour(dark)}}
        figure.add_scatter(
            x=[both.at[chosen, x]], y=[both.at[chosen, y]], mode="markers", marker=mark, hoverinfo="skip"
        )
    suffix = f" ({unit})" if unit else ""
    figure.update_xaxes(title_text=f"{labels[0]}{suffix}", range=[low, high], nticks=6)
    figure.update_yaxes(title_text=f"{labels[1]}{suffix}", range=[low, high], nticks=6)
    where: dict[str, Any] = (
        {"x": 0.04, "y": 0.97, "xanchor": "left"} if better > 0 else {"x": 0.96, "y": 0.06, "xanchor": "right"}
    )
    arrow = "↖" if better > 0 else "↘"
    figure.add_annotation(
        text=f"{labels[1]} better {arrow}", xref="paper", yref="paper", showarrow=False, opacity=0.75, **where
    )
    finish(figure, 430, simulated, dark)
    if simulated:  # away from the diagonal's end and from the words above
        corner: dict[str, Any] = (
            {"x": 0.98, "y": 0.03, "yanchor": "bottom"} if better > 0 else {"x": 0.02, "xanchor": "left"}
        )
        figure.layout.annotations[-1].update(**corner)
    return figure


def _limits(both: pd.DataFrame) -> tuple[float, float]:
    """Of both axes, alike."""
    if both.empty:
        return 0.0, 1.0
    low, high = float(both.to_numpy().min()), float(both.to_numpy().max())
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room
