"""Figures of the Regions page: regions against random patches, errors of one lesion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from brainviz.figures.palette import look
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

BLUE = ("#0072b2", "#2f9bdc")
ORANGE = ("#d55e00", "#e8742a")
MOST = 18


def against_patches(rows: pd.DataFrame, chosen: Sequence[str], axis: str, dark: bool, simulated: bool) -> go.Figure:
    """Contribution of the foremost regions with intervals, beside what random patches of their size contribute.

    Parameters
    ----------
    rows : DataFrame
        region, gain, gain_low, gain_high, gain_null, q, n_vertices; largest first.
    chosen : regions drawn in orange.
    axis : title of the axis.
    """
    import plotly.graph_objects as go

    front = rows[rows["n_vertices"] > 0]
    shown = front[(np.arange(len(front)) < MOST) | front["region"].isin(chosen)].iloc[::-1]
    at = np.arange(len(shown))
    colours = [(ORANGE if name in chosen else BLUE)[dark] for name in shown["region"]]
    figure = go.Figure()
    for y, (_, row), colour in zip(at, shown.iterrows(), colours, strict=True):
        ends = [row["gain_low"], row["gain_high"]]
        figure.add_scatter(x=ends, y=[y, y], mode="lines", line={"color": colour, "width": 3}, hoverinfo="skip")
    grey = look("zero").colour(dark)
    figure.add_scatter(
        x=shown["gain_null"],
        y=at,
        mode="markers",
        marker={"color": grey, "symbol": "line-ns-open", "size": 13, "line": {"width": 2}},
        hovertemplate="random patches: %{x:.4f} px<extra></extra>",
    )
    figure.add_scatter(
        x=shown["gain"],
        y=at,
        mode="markers",
        marker={"color": colours, "size": 12, "symbol": ["circle" if q < 0.05 else "circle-open" for q in shown["q"]]},
        customdata=np.stack([shown["region"], shown["q"], shown["n_vertices"]], axis=1),
        hovertemplate="<b>%{customdata[0]}</b><br>%{x:.4f} px, q = %{customdata[1]:.3g}, "
        "%{customdata[2]} vertices<extra></extra>",
    )
    figure.update_yaxes(tickvals=at, ticktext=list(shown["region"]), range=[-0.8, len(shown) - 0.2], showgrid=False)
    figure.update_xaxes(title_text=axis, zeroline=True, zerolinecolor=grey, zerolinewidth=1)
    return finish(figure, 80 + 23 * len(shown), simulated, dark)


def lesion_errors(
    clip: tuple[float, float, float], everything: tuple[float, float, float], name: str, dark: bool, simulated: bool
) -> go.Figure:
    """End-point error with the lesion, of the full decoder and without a brain: this clip and all test clips.

    `clip`, `everything` : lesioned, full, no brain; px per step.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    labels = ("This clip", "All test clips")
    looks = (
        (name, ORANGE[dark], "diamond"),
        ("Full decoder", look("truth").colour(dark), "circle"),
        ("No brain", look("mean").colour(dark), "cross"),
    )
    for i, (label, colour, marker) in enumerate(looks):
        figure.add_scatter(
            x=[clip[i], everything[i]],
            y=[1, 0],
            mode="markers",
            name=label,
            marker={"color": colour, "symbol": marker, "size": 14, "opacity": 0.9},
            hovertemplate=f"<b>{label}</b>: %{{x:.3f}} px<extra></extra>",
        )
    figure.update_yaxes(tickvals=[1, 0], ticktext=labels, range=[-0.6, 1.6], showgrid=False)
    top = np.nanmax([*clip, *everything, 0.1])
    figure.update_xaxes(title_text="End-point error (px per step)", range=[0, 1.06 * float(top)])
    finish(figure, 190, simulated, dark)
    return figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.25, "x": 0, "font": {"size": 13}})
