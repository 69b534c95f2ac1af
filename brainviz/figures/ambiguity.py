"""Figures of the Ambiguity page: roses of directions, and the bits of every instance of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.figures.palette import look
from brainviz.figures.style import GRID_DARK, GRID_LIGHT, finish
from brainviz.flow.summary import DIRECTIONS, NO_DIRECTION

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ROSE_HEIGHT = 268
RIM = 1.16
CEILING = 1.0
BITS_AXIS = "Usable bits of direction, by this decoder"
SYMBOLS = ("circle", "diamond-open")
ARROWS = dict(zip(DIRECTIONS, ["→", "↘", "↓", "↙", "←", "↖", "↑", "↗", "·"], strict=True))


def rose(
    probabilities: npt.NDArray[np.floating],
    system: str,
    true: str,
    dark: bool,
    simulated: bool,
    others: Sequence[str] = (),
    samples: npt.NDArray[np.integer] | None = None,
) -> go.Figure:
    """Probabilities of the eight directions as a rose; that of none stands in its middle.

    Parameters
    ----------
    probabilities : float (9,)
        In the order of `brainviz.flow.summary.DIRECTIONS`.
    system : str
        Whose they are, for colour and name.
    true : str
        True direction, marked on the rim ("" marks none).
    others : directions marked hollow on the rim
        What else followed the same frame.
    samples : int (9,), optional
        How many samples of the prior go each way: crosses along their direction.
    """
    import plotly.graph_objects as go

    one, top = look(system), max(0.5, 1.08 * float(probabilities[:NO_DIRECTION].max()))
    angles = 45.0 * np.arange(NO_DIRECTION)
    figure = go.Figure()
    figure.add_barpolar(
        r=probabilities[:NO_DIRECTION],
        theta=angles,
        width=[41] * NO_DIRECTION,
        marker={"color": one.colour(dark), "opacity": 0.88, "line": {"width": 0}},
        customdata=list(DIRECTIONS[:NO_DIRECTION]),
        hovertemplate=f"<b>{one.label}</b><br>%{{customdata}} %{{r:.1%}}<extra></extra>",
    )
    if samples is not None:
        _crosses(figure, samples, top, dark)
    _rim_marks(figure, [name for name in others if name != true], top, dark, "triangle-up-open", "another continuation")
    _rim_marks(figure, [true], top, dark, "triangle-up", "true direction")
    finish(figure, ROSE_HEIGHT, simulated, dark)
    grid = GRID_DARK if dark else GRID_LIGHT
    ring = {"range": [0, RIM * top], "tickvals": [top / 2, top], "showticklabels": False, "showline": False}
    figure.update_polars(
        radialaxis=ring | {"gridcolor": grid, "ticks": ""},
        angularaxis={"direction": "clockwise", "rotation": 0, "tickvals": angles.tolist(), "showticklabels": False}
        | {"gridcolor": grid, "linecolor": grid, "ticks": ""},
        bgcolor="rgba(0,0,0,0)",
        hole=0.24,
    )
    figure.add_annotation(
        text=f"none<br><b>{100 * probabilities[NO_DIRECTION]:.0f} %</b>",
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 12},
    )
    return figure.update_layout(margin={"l": 6, "r": 6, "t": 20, "b": 6})


def _crosses(figure: go.Figure, samples: npt.NDArray[np.integer], top: float, dark: bool) -> None:
    """One cross per sample of the prior, from the rim inwards."""
    one = look("prior")
    radius, theta = [], []
    for d in range(NO_DIRECTION):
        for k in range(int(samples[d])):
            radius.append(top * (0.95 - 0.13 * (k % 6)))
            theta.append(45.0 * d + 9.0 * (k // 6))
    if radius:
        figure.add_scatterpolar(
            r=radius,
            theta=theta,
            mode="markers",
            marker={"symbol": one.marker, "size": 8, "color": one.colour(dark)},
            hovertemplate=f"<b>{one.label}</b>: a sample, no fMRI<extra></extra>",
        )


def _rim_marks(figure: go.Figure, directions: Sequence[str], top: float, dark: bool, symbol: str, what: str) -> None:
    named = [name for name in directions if name in DIRECTIONS[:NO_DIRECTION]]
    if not named:
        return
    theta = [45.0 * DIRECTIONS.index(name) for name in named]
    marker: dict[str, Any] = {"symbol": symbol, "size": 15, "color": look("truth").colour(dark), "line": {"width": 2}}
    figure.add_scatterpolar(
        r=[1.09 * top] * len(named),
        theta=theta,
        mode="markers",
        marker=marker | {"angle": [angle + 90 for angle in theta]},
        customdata=named,
        cliponaxis=False,
        hovertemplate=f"{what}: %{{customdata}}<extra></extra>",
    )


def instances(
    dots: pd.DataFrame, means: pd.DataFrame, chosen: tuple[str, str], words: dict[str, str], dark: bool, simulated: bool
) -> go.Figure:
    """Usable bits of every instance of a case, a row per subject, with mean and interval.

    Parameters
    ----------
    dots : DataFrame
        subject, clip (to open), continuation, bits; one row per subject and instance.
    means : DataFrame
        Index: subjects; columns usable_bits, low, high, n.
    chosen : (subject, clip)
        The instance on show.
    words : continuation -> its name
    """
    import plotly.graph_objects as go

    subjects = list(means.index)[::-1]
    figure = go.Figure()
    grey = look("truth").colour(dark)
    for x, dash in ((0.0, "solid"), (CEILING, "dash")):
        line = {"color": grey, "width": 1.5, "dash": dash}
        figure.add_shape(
            type="line", x0=x, x1=x, y0=-0.5, y1=len(subjects) - 0.3, line=line, opacity=0.7, layer="below"
        )
    names = list(dict.fromkeys(dots["continuation"]))
    for k, name in enumerate(names):
        part = dots[dots["continuation"] == name]
        rows = part["subject"].map(subjects.index).to_numpy(float)
        figure.add_scatter(
            x=part["bits"].to_numpy(),
            y=rows + _jitter(part["bits"].to_numpy()) + (0.04 - 0.08 * k if len(names) > 1 else 0.0),
            mode="markers",
            name=words.get(name, name) or "clip",
            customdata=part[["clip", "subject"]].to_numpy(),
            marker={"symbol": SYMBOLS[k % 2], "size": 10, "color": look("brain").colour(dark), "opacity": 0.62},
            selected={"marker": {"opacity": 0.62}},
            unselected={"marker": {"opacity": 0.62}},
            hovertemplate="<b>%{customdata[0]}</b>, subject %{customdata[1]}<br>%{x:+.2f} bits<extra></extra>",
        )
    own = dots[(dots["subject"] == chosen[0]) & (dots["clip"] == chosen[1])]
    for i, subject in enumerate(subjects):
        _mean(figure, means.loc[subject], i, subject, dark)
    if len(own):
        at = subjects.index(chosen[0])
        figure.add_scatter(
            x=own["bits"].to_numpy(),
            y=[at + 0.33],
            mode="markers+text",
            text=["shown above"],
            textposition="middle left" if float(own["bits"].iloc[0]) > CEILING else "middle right",
            marker={"symbol": "triangle-down", "size": 12, "color": grey},
            hoverinfo="skip",
            showlegend=False,
        )
    low, high = float(min(dots["bits"].min(), -0.3)), float(max(dots["bits"].max(), 1.4))
    figure.update_xaxes(title_text=BITS_AXIS, range=[low - 0.2, high + 0.2])
    figure.update_yaxes(
        tickvals=list(range(len(subjects))),
        ticktext=[f"Subject {subject}" for subject in subjects],
        range=[-0.75, len(subjects) - 0.1],
        showgrid=False,
    )
    for x, text in ((0.0, "chance"), (CEILING, "1 bit: all a pair holds")):
        figure.add_annotation(
            x=x, y=len(subjects) - 0.28, text=text, showarrow=False, yanchor="bottom", xanchor="left", font={"size": 12}
        )
    finish(figure, 110 + 74 * len(subjects), simulated, dark)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"}
    return figure.update_layout(showlegend=len(names) > 1, legend=legend, margin={"t": 34})


def _jitter(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Small shifts that keep neighbours apart: the order of the values decides, so the same every time."""
    shift = np.empty(len(values))
    shift[np.argsort(values, kind="stable")] = 0.2 * (((np.arange(len(values)) * 0.618034) % 1) - 0.5)
    return shift


def _mean(figure: go.Figure, row: pd.Series, at: float, subject: str, dark: bool) -> None:
    colour = look("brain").colour(dark)
    words = f"mean {row['usable_bits']:.2f} bits<br>95 % interval {row['low']:.2f} to {row['high']:.2f}"
    figure.add_scatter(
        x=[row["low"], row["high"]],
        y=[at - 0.27] * 2,
        mode="lines",
        line={"color": colour, "width": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=[row["usable_bits"]],
        y=[at - 0.27],
        mode="markers",
        marker={"symbol": "diamond", "size": 14, "color": colour, "line": {"width": 2, "color": _page(dark)}},
        hovertemplate=f"<b>Subject {subject}</b>, {int(row['n'])} instances<br>{words}<extra></extra>",
        showlegend=False,
    )


def _page(dark: bool) -> str:
    return "#13161b" if dark else "#ffffff"
