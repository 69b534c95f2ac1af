"""Figures of the Reanimation page: all test clips, metric by metric, with the frozen first frame as the control."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from brainviz.figures.palette import look, ordered
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ROW_PX = 44
SPREAD = 0.52  # of a row's height, over all its subjects


def summary_intervals(
    summary: pd.DataFrame,
    titles: dict[str, str],
    label: Callable[[str], str],
    dark: bool,
    simulated: bool,
) -> go.Figure:
    """A column per metric, a row per system, a dot and interval per subject.

    Parameters
    ----------
    summary : DataFrame
        One row per subject, system and metric: subject, system, metric, mean, low, high, n_clips, n_blocks.
    titles : dict of metric -> title of its axis
        Also the order of the columns.
    label : callable
        Name of a system on the axis.
    """
    from plotly.subplots import make_subplots

    present = ordered(list(summary["system"].unique()))
    systems = [name for name in present if name != "zero"] + [name for name in present if name == "zero"]
    metrics = [name for name in titles if (summary["metric"] == name).any()]
    figure = make_subplots(1, len(metrics), shared_yaxes=True, horizontal_spacing=0.035)
    for column, metric in enumerate(metrics, 1):
        rows = summary[summary["metric"] == metric]
        for place, system in enumerate(systems):
            _add_system(figure, rows[rows["system"] == system], place, column, label(system), dark)
        _add_control(figure, rows, column, dark)  # last: plotly leaves out lines in columns that are still empty
        figure.update_xaxes(title_text=titles[metric], nticks=5, row=1, col=column)
    figure.update_yaxes(
        tickvals=list(range(len(systems))),
        ticktext=[label(name) for name in systems],
        range=[len(systems) - 0.4, -0.6],
        showgrid=False,
    )
    return finish(figure, 96 + ROW_PX * len(systems), simulated, dark)


def _offsets(subjects: Sequence[str]) -> dict[str, float]:
    middle = (len(subjects) - 1) / 2
    return {name: SPREAD * (i - middle) / max(len(subjects), 2) for i, name in enumerate(subjects)}


def _add_system(figure: go.Figure, rows: pd.DataFrame, place: int, column: int, name: str, dark: bool) -> None:
    if rows.empty:
        return
    rows = rows.sort_values("subject")
    one = look(str(rows["system"].iloc[0]))
    offsets = _offsets(sorted(rows["subject"].unique()))
    numbers = rows[["low", "high", "n_clips", "n_blocks"]].to_numpy(dtype=float)
    hover = [
        f"Subject {subject}<br>95 % interval {low:.3f} to {high:.3f}<br>{clips:.0f} clips in {blocks:.0f} blocks"
        for subject, (low, high, clips, blocks) in zip(rows["subject"], numbers, strict=True)
    ]
    figure.add_scatter(
        x=rows["mean"].to_numpy(),
        y=[place + offsets[subject] for subject in rows["subject"]],
        mode="markers",
        marker={"color": one.colour(dark), "symbol": one.marker, "size": 10},
        error_x={
            "type": "data",
            "array": (rows["high"] - rows["mean"]).to_numpy(),
            "arrayminus": (rows["mean"] - rows["low"]).to_numpy(),
            "thickness": 1.8,
            "width": 0,
            "color": one.colour(dark),
        },
        customdata=hover,
        hovertemplate=f"<b>{name}</b><br>%{{x:.3f}}<br>%{{customdata}}<extra></extra>",
        row=1,
        col=column,
    )


def _add_control(figure: go.Figure, rows: pd.DataFrame, column: int, dark: bool) -> None:
    """The frozen first frame's mean as a line through the whole column."""
    frozen = rows[rows["system"] == "zero"]["mean"]
    if len(frozen):
        line = {"color": look("zero").colour(dark), "width": 1.4, "dash": "dot"}
        figure.add_vline(x=float(frozen.mean()), line=line, row=1, col=column)
