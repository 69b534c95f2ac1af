"""Figures of the Reanimation page: all test clips, metric by metric, with the frozen first frame as the control."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from brainviz.figures.intervals import add_frozen_line, add_system
from brainviz.figures.palette import ordered
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ROW_PX = 44


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
            own = rows[rows["system"] == system].sort_values("subject")
            subjects = sorted(own["subject"].unique())
            add_system(figure, own, ("mean", "n_clips"), place, label(system), subjects, dark, row=1, col=column)
        # Last: plotly leaves out lines in columns that are still empty.
        add_frozen_line(figure, rows, "mean", dark, row=1, col=column)
        figure.update_xaxes(title_text=titles[metric], nticks=5, row=1, col=column)
    figure.update_yaxes(
        tickvals=list(range(len(systems))),
        ticktext=[label(name) for name in systems],
        range=[len(systems) - 0.4, -0.6],
        showgrid=False,
    )
    return finish(figure, 96 + ROW_PX * len(systems), simulated, dark)
