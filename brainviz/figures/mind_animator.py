"""Figures of the Mind-Animator page: shown against shifted fMRI, regions of a map, what each correction is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.figures.palette import look
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ALPHA = 0.05
SYSTEM, SHIFTED, FROZEN = "mind-animator", "shuffled", "zero"  # whose colours and markers are used
HELPS, COSTS = ("#0072b2", "#2f9bdc"), ("#d55e00", "#e8742a")
ORANGE = COSTS
ROW_PX = 42
_PLOT = (0.0, 0.8)  # share of the width that the axis takes where p stands beside it


def against_shifted(
    rows: pd.DataFrame,
    turn: int,
    frozen: Mapping[str, float],
    axis: str,
    p_words: Sequence[str],
    chosen: str,
    dark: bool,
    simulated: bool,
) -> go.Figure:
    """One measure of the frame-shuffle test: a row per subject, shifted fMRI in grey, shown fMRI in colour.

    The bar is the 95 % interval of their difference, drawn from the grey mark: where it stays clear of that mark, the
    two differ.

    Parameters
    ----------
    rows : DataFrame
        One measure of the table `shuffle_test_shift`, one row per subject.
    turn : int
        1 where a larger value is better, -1 where a smaller one is: `difference` is above 0 where shown is better.
    frozen : mapping of subject -> float
        What a film that stands still has; empty where that means nothing.
    axis : str
        Title of the value axis.
    p_words : sequence of str
        One per row.
    chosen : str
        The subject whose name is printed bold.
    """
    import plotly.graph_objects as go

    figure, at = go.Figure(), np.arange(len(rows))
    colour, grey = look(SYSTEM).colour(dark), look(SHIFTED).colour(dark)
    for y, row in zip(at, rows.to_dict("records"), strict=True):
        ends = [row["shifted"] + turn * row[name] for name in ("low", "high")]
        pair = [row["shifted"], row["shown"]]
        figure.add_scatter(x=pair, y=[y, y], mode="lines", line={"color": grey, "width": 1.2}, hoverinfo="skip")
        figure.add_scatter(x=ends, y=[y, y], mode="lines", line={"color": colour, "width": 5}, hoverinfo="skip")
    sure = (rows["p_holm"] < ALPHA) & (rows["difference"] > 0)
    _marks(figure, rows["shifted"], at, rows, "shifted fMRI", {"color": grey, "symbol": look(SHIFTED).marker})
    shapes = [look(SYSTEM).marker + ("" if one else "-open") for one in sure]
    _marks(figure, rows["shown"], at, rows, "shown fMRI", {"color": colour, "symbol": shapes, "size": 14})
    still = [frozen.get(str(subject), np.nan) for subject in rows["subject"]]
    if np.isfinite(still).any():
        tick = {"color": look("truth").colour(dark), "symbol": "line-ns-open", "size": 24, "line": {"width": 2}}
        _marks(figure, still, at, rows, "frozen film", tick)
    if rows[["shown", "shifted"]].to_numpy().min() <= 0:
        figure.add_vline(x=0, line={"color": grey, "width": 1, "dash": "dot"})
    _name_rows(figure, [f"<b>Subject {name}</b>" if name == chosen else f"Subject {name}" for name in rows["subject"]])
    _p_beside(figure, p_words)
    figure.update_xaxes(title_text=axis, nticks=5, domain=_PLOT)
    return _finished(figure, 84 + ROW_PX * len(rows), simulated, dark)


def _marks(figure: go.Figure, values: Any, at: Any, rows: pd.DataFrame, words: str, marker: dict[str, Any]) -> None:
    tests = [
        f"{difference:.3f} px better than shifted ({low:.3f} to {high:.3f})<br>{n:.0f} clips in {blocks:.0f} blocks"
        for difference, low, high, n, blocks in rows[["difference", "low", "high", "n", "n_blocks"]].to_numpy(float)
    ]
    shown = words == "shown fMRI"
    figure.add_scatter(
        x=np.asarray(values, float),
        y=at,
        mode="markers",
        name=words,
        marker={"size": 11, **marker},
        customdata=[f"<br>{test}" if shown else "" for test in tests],
        hovertemplate=f"<b>{words}</b><br>%{{x:.3f}} px%{{customdata}}<extra></extra>",
    )


def region_bars(rows: pd.DataFrame, chosen: str, axis: str, dark: bool, simulated: bool) -> go.Figure:
    """Means of a map over its foremost regions.

    Parameters
    ----------
    rows : DataFrame
        name, words, mean, n_vertices; in the order of the figure, the chosen region among them or not.
    chosen : str
        Name of the region that is drawn in orange.
    axis : str
        Title of the value axis.
    """
    import plotly.graph_objects as go

    colours = [ORANGE[dark] if name == chosen else look(SYSTEM).colour(dark) for name in rows["name"]]
    figure = go.Figure()
    figure.add_bar(
        x=rows["mean"].to_numpy(),
        y=np.arange(len(rows)),
        orientation="h",
        marker={"color": colours, "line": {"width": 0}},
        text=[f"{value:.2f}".removeprefix("0") for value in rows["mean"]],
        textposition="outside",
        cliponaxis=False,
        customdata=rows[["words", "n_vertices"]].to_numpy(),
        hovertemplate="<b>%{customdata[0]}</b><br>%{x:.3f}, %{customdata[1]} vertices<extra></extra>",
    )
    _name_rows(figure, list(rows["words"]))
    figure.update_xaxes(title_text=axis, rangemode="tozero", nticks=5)
    figure.update_layout(bargap=0.35)
    return _finished(figure, 84 + 25 * len(rows), simulated, dark)


def corrections(
    rows: pd.DataFrame, names: Sequence[str], axis: str, p_words: Sequence[str], dark: bool, simulated: bool
) -> go.Figure:
    """Gains of the corrections by one metric with 95 % intervals; right of 0 the correction helps.

    Parameters
    ----------
    rows : DataFrame
        One metric of the table `corrections`.
    names, p_words : sequence of str
        One per row.
    axis : str
        Title of the value axis.
    """
    import plotly.graph_objects as go

    figure, grey = go.Figure(), look(FROZEN).colour(dark)
    for y, row in enumerate(rows.to_dict("records")):
        colour, symbol = verdict_look(row["gain"], row["p_holm"], dark)
        figure.add_scatter(
            x=[row["gain"]],
            y=[y],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 13},
            error_x={
                "type": "data",
                "array": [row["high"] - row["gain"]],
                "arrayminus": [row["gain"] - row["low"]],
                "thickness": 2.5,
                "width": 0,
                "color": colour,
            },
            hovertemplate=f"<b>{names[y]}</b><br>with it {row['mean_whole']:.4f}, without {row['mean_undone']:.4f}<br>"
            f"gain {row['gain']:.4f} ({row['low']:.4f} to {row['high']:.4f})<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": grey, "width": 1.4})
    _name_rows(figure, names)
    _p_beside(figure, p_words)
    figure.update_xaxes(title_text=axis, nticks=5, domain=_PLOT)
    return _finished(figure, 96 + ROW_PX * len(rows), simulated, dark)


def all_corrections(
    rows: pd.DataFrame,
    forms: Sequence[str],
    names: Sequence[str],
    metrics: Mapping[str, str],
    chosen: str,
    dark: bool,
    simulated: bool,
) -> go.Figure:
    """Where each correction helps, costs, or is not told apart from nothing: a mark per correction and metric.

    Parameters
    ----------
    rows : DataFrame
        The table `corrections` of one subject.
    forms, names : sequence of str
        Rows of the figure, and what they are called.
    metrics : mapping of metric -> short name
        Columns of the figure.
    chosen : str
        The metric whose name is printed bold.
    """
    import plotly.graph_objects as go

    figure, columns = go.Figure(), list(metrics)
    band = columns.index(chosen) if chosen in columns else -1
    if band >= 0:
        figure.add_vrect(x0=band - 0.5, x1=band + 0.5, fillcolor="rgba(140,146,156,.16)", line_width=0, layer="below")
    for row in rows.to_dict("records"):
        if row["form"] not in forms or row["metric"] not in metrics:
            continue
        colour, symbol = verdict_look(row["gain"], row["p_holm"], dark)
        y = list(forms).index(row["form"])
        figure.add_scatter(
            x=[columns.index(row["metric"])],
            y=[y],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9 if symbol == "circle-open" else 15},
            hovertemplate=f"<b>{names[y]}</b><br>{metrics[row['metric']]}: {row['gain']:+.4f}, p = {row['p_holm']:.3g} "
            "(Holm)<extra></extra>".replace("-", "−"),
        )
    _name_rows(figure, names)
    words = [f"<b>{metrics[name]}</b>" if name == chosen else metrics[name] for name in columns]
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=words, range=[-0.6, len(columns) - 0.4], tickangle=-40
    )
    return _finished(figure, 96 + ROW_PX * len(forms), simulated, dark)


def verdict_look(gain: float, p_holm: float, dark: bool) -> tuple[str, str]:
    """Colour and marker of a gain: helps, costs, or not told apart from nothing."""
    if not p_holm < ALPHA:
        return look(FROZEN).colour(dark), "circle-open"
    return (HELPS[dark], "triangle-up") if gain > 0 else (COSTS[dark], "triangle-down")


def _name_rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Names beside the rows, the first on top."""
    at = list(range(len(names)))
    figure.update_yaxes(tickvals=at, ticktext=list(names), range=[len(at) - 0.45, -0.55], showgrid=False)


def _p_beside(figure: go.Figure, words: Sequence[str]) -> None:
    for y, text in enumerate(words):
        figure.add_annotation(
            text=text, x=_PLOT[1] + 0.02, xref="paper", y=y, xanchor="left", showarrow=False, font={"size": 13}
        )


def _finished(figure: go.Figure, height: int, simulated: bool, dark: bool) -> go.Figure:
    """As all figures, but the mark of simulated data stands above the rows, where it covers none."""
    finish(figure, height, simulated, dark)
    figure.update_layout(margin={"t": 26})
    if simulated:
        figure.layout.annotations[-1].update(yanchor="bottom", yshift=4)
    return figure
