"""A dot and an interval per subject: how figures of several pages show one system under one metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brainviz.figures.palette import look

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

SPREAD = 0.52  # of a row's height, over all its subjects
FROZEN = "zero"


def add_system(
    figure: go.Figure,
    own: pd.DataFrame,
    columns: tuple[str, str],
    place: int,
    name: str,
    subjects: Sequence[str],
    dark: bool,
    **where: Any,
) -> None:
    """One system's row of a figure; nothing where the system has no row in the table.

    Parameters
    ----------
    own : DataFrame
        The system's rows, one per subject, in order: subject, system, low, high, n_blocks and the `columns`.
    columns : (value, number of clips)
        Their names in the table.
    place : int
        The row's height on the figure's y axis.
    subjects : sequence of str
        All that share the row; each has its own height in it.
    where : of `add_scatter`, such as the subplot's row and col.
    """
    if own.empty:
        return
    value, clips = columns
    one = look(str(own["system"].iloc[0]))
    middle = (len(subjects) - 1) / 2
    offsets = {s: SPREAD * (i - middle) / max(len(subjects), 2) for i, s in enumerate(subjects)}
    numbers = own[["low", "high", clips, "n_blocks"]].to_numpy(dtype=float)
    hover = [
        f"Subject {subject}<br>95 % interval {low:.3f} to {high:.3f}<br>{n:.0f} clips in {blocks:.0f} blocks"
        for subject, (low, high, n, blocks) in zip(own["subject"], numbers, strict=True)
    ]
    figure.add_scatter(
        x=own[value].to_numpy(),
        y=[place + offsets[subject] for subject in own["subject"]],
        mode="markers",
        marker={"color": one.colour(dark), "symbol": one.marker, "size": 10},
        error_x={
            "type": "data",
            "array": (own["high"] - own[value]).to_numpy(),
            "arrayminus": (own[value] - own["low"]).to_numpy(),
            "thickness": 1.8,
            "width": 0,
            "color": one.colour(dark),
        },
        customdata=hover,
        hovertemplate=f"<b>{name}</b><br>%{{x:.3f}}<br>%{{customdata}}<extra></extra>",
        **where,
    )


def add_frozen_line(figure: go.Figure, rows: pd.DataFrame, value: str, dark: bool, **where: Any) -> None:
    """The frozen first frame's mean over subjects as a line through the whole column."""
    frozen = rows.loc[rows["system"] == FROZEN, value]
    if len(frozen):
        line = {"color": look(FROZEN).colour(dark), "width": 1.4, "dash": "dot"}
        figure.add_vline(x=float(frozen.mean()), line=line, **where)
