"""Figures of the Encoding page: encoders at a vertex and in a region, all subjects, and what others published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.figures.encoders import EncoderLook, encoder_look, ordered_encoders
from brainviz.figures.palette import look
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

R_AXIS = "Pearson r of measured<br>and predicted activity"
N_BINS = 48


def encoders_at(rows: pd.DataFrame, ceiling: float, chosen: Sequence[str], dark: bool, simulated: bool) -> go.Figure:
    """Every encoder's r with its interval, best on top, and the noise ceiling as a line.

    Parameters
    ----------
    rows : DataFrame
        Index: encoders; columns r, low, high (ends of the 95 % interval), q.
    ceiling : float
        Highest r that a perfect model can expect; NaN where it is not known.
    chosen : the encoders of the page, drawn at full strength.
    """
    import plotly.graph_objects as go

    rows = rows.dropna(subset=["r"]).sort_values("r")
    figure = go.Figure()
    _zero_and_ceiling(figure, ceiling, len(rows), dark)
    for i, (name, row) in enumerate(rows.iterrows()):
        one, strong = encoder_look(str(name)), name in chosen
        _interval(figure, one, (row["r"], row["low"], row["high"]), i, dark, 1.0 if strong else 0.5, _words(row))
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[encoder_look(str(name)).label for name in rows.index],
        range=[-0.85, len(rows) - 0.3],
        showgrid=False,
    )
    figure.update_xaxes(title_text=R_AXIS, range=_span(rows[["low", "high"]].to_numpy(float), ceiling))
    return finish(figure, 118 + 34 * len(rows), simulated, dark)


def _words(row: pd.Series) -> str:
    words = f"r = {row['r']:.3f}<br>95 % interval {row['low']:.3f} to {row['high']:.3f}"
    return words + (f"<br>q = {row['q']:.2g} (r &gt; 0)" if "q" in row and np.isfinite(row["q"]) else "")


def _interval(
    figure: go.Figure,
    one: EncoderLook,
    values: tuple[float, float, float],
    at: float,
    dark: bool,
    opacity: float,
    words: str,
) -> None:
    r, low, high = values
    colour = one.colour(dark)
    figure.add_scatter(
        x=[low, high], y=[at, at], mode="lines", line={"color": colour, "width": 3}, opacity=opacity, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[r],
        y=[at],
        mode="markers",
        marker={"color": colour, "symbol": one.marker, "size": 13},
        opacity=opacity,
        hovertemplate=f"<b>{one.label}</b><br>{words}<extra></extra>",
    )


def _zero_and_ceiling(figure: go.Figure, ceiling: float, rows: int, dark: bool) -> None:
    grey = look("truth").colour(dark)
    figure.add_shape(type="line", x0=0, x1=0, y0=-0.8, y1=rows - 0.4, line={"color": grey, "width": 1}, opacity=0.5)
    if np.isfinite(ceiling):
        line = {"color": grey, "width": 2, "dash": "dash"}
        figure.add_shape(type="line", x0=ceiling, x1=ceiling, y0=-0.8, y1=rows - 0.45, line=line, opacity=0.8)
        figure.add_annotation(
            x=ceiling,
            y=-0.62,
            text=f"ceiling {ceiling:.2f} ",
            showarrow=False,
            yanchor="middle",
            xanchor="right",
            font={"size": 12},
        )


def _span(values: npt.NDArray[np.float64], ceiling: float) -> list[float]:
    top = max(float(np.nanmax(values, initial=0.1)), ceiling if np.isfinite(ceiling) else 0.0)
    low = min(float(np.nanmin(values, initial=0.0)), 0.0)
    room = 0.04 * (top - low)
    return [low - room, top + room]


def region_encoders(
    values: dict[str, npt.NDArray[np.floating]], rows: pd.DataFrame, subject: str, dark: bool, simulated: bool
) -> go.Figure:
    """Encoders of one region, best on top: how r spreads over its vertices, and its mean in every subject.

    Parameters
    ----------
    values : encoder -> float (n,)
        r of the region's vertices of `subject`.
    rows : DataFrame
        subject, encoder, r, low, high, q, noise_ceiling; one row per subject and encoder.
    subject : str
        Drawn solid; the others hollow.
    """
    import plotly.graph_objects as go

    own = rows[rows["subject"] == subject].set_index("encoder")
    order = list(own["r"].sort_values().index)
    subjects = sorted(rows["subject"].unique(), key=lambda name: (name != subject, name))
    ceiling = float(own["noise_ceiling"].iloc[0]) if len(own) else float("nan")
    figure = go.Figure()
    _zero_and_ceiling(figure, ceiling, len(order), dark)
    for i, name in enumerate(order):
        one = encoder_look(name)
        _spread(figure, one, values.get(name, np.empty(0)), i, dark)
        for k, other in enumerate(subjects):
            found = rows[(rows["subject"] == other) & (rows["encoder"] == name)]
            if len(found):
                at = i - 0.13 * k
                row = found.iloc[0]
                words = f"subject {other}<br>{_words(row)} over regions"
                _subject_mark(figure, one, row, at, other == subject, dark, words)
    shown = rows[rows["encoder"].isin(order)]
    spread = np.concatenate([shown[["low", "high"]].to_numpy(float).ravel(), *values.values()])
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[encoder_look(name).label for name in order],
        range=[-0.85, len(order) - 0.1],
        showgrid=False,
    )
    figure.update_xaxes(title_text=R_AXIS, range=_span(spread, ceiling))
    return finish(figure, 118 + 54 * len(order), simulated, dark)


def _spread(figure: go.Figure, one: EncoderLook, values: npt.NDArray[np.floating], at: float, dark: bool) -> None:
    """How r is distributed over vertices, as a smooth hill upon the row's line."""
    finite = values[np.isfinite(values)]
    if len(finite) < 2 or np.ptp(finite) == 0:
        return
    counts, edges = np.histogram(finite, N_BINS)
    weights = np.exp(-0.5 * (np.arange(-6, 7) / 2.2) ** 2)
    hill = np.convolve(np.pad(counts, 6), weights, "same")
    step = edges[1] - edges[0]
    x = edges[0] + step * (np.arange(len(hill)) - 5.5)
    figure.add_scatter(
        x=np.round(np.concatenate([x, x[::-1]]), 4),
        y=np.round(np.concatenate([at + 0.08 + 0.62 * hill / hill.max(), np.full(len(x), at + 0.08)]), 3),
        mode="lines",
        fill="toself",
        line={"width": 0, "color": one.colour(dark)},
        opacity=0.28,
        hoverinfo="skip",
    )


def _subject_mark(
    figure: go.Figure, one: EncoderLook, row: pd.Series, at: float, own: bool, dark: bool, words: str
) -> None:
    colour = one.colour(dark)
    line = {"color": colour, "width": 3 if own else 1.4}
    figure.add_scatter(x=[row["low"], row["high"]], y=[at, at], mode="lines", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=[row["r"]],
        y=[at],
        mode="markers",
        marker={
            "color": colour if own else ("#13161b" if dark else "#ffffff"),
            "symbol": one.marker,
            "size": 13 if own else 9,
            "line": {"color": colour, "width": 0 if own else 2},
        },
        hovertemplate=f"<b>{one.label}</b>, {words}<extra></extra>",
    )


def encoder_bars(summary: pd.DataFrame, ceilings: dict[str, float], dark: bool, simulated: bool) -> go.Figure:
    """Mean r per subject and encoder with block-bootstrap intervals, and each subject's mean ceiling.

    Parameters
    ----------
    summary : DataFrame
        subject, encoder, mean_r, low, high, n_vertices, n_significant, n_blocks.
    ceilings : subject -> mean noise ceiling of the same vertices.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    subjects = sorted(summary["subject"].unique())
    for encoder in ordered_encoders(list(summary["encoder"].unique())):
        rows = summary[summary["encoder"] == encoder].set_index("subject").reindex(subjects)
        one = encoder_look(encoder)
        numbers = rows[["low", "high", "n_significant", "n_vertices", "n_blocks"]].to_numpy(float)
        hover = [
            f"95 % interval {low:.3f} to {high:.3f}<br>q &lt; .05 at {found:,.0f} of {n:,.0f} vertices"
            f"<br>{blocks:.0f} blocks"
            for low, high, found, n, blocks in numbers
        ]
        figure.add_bar(
            x=list(range(len(subjects))),
            y=rows["mean_r"].to_numpy(),
            name=one.label,
            marker=filled(one, dark),
            error_y=_error(rows["high"] - rows["mean_r"], rows["mean_r"] - rows["low"], dark),
            customdata=hover,
            hovertemplate=f"<b>{one.label}</b><br>mean r %{{y:.3f}}<br>%{{customdata}}<extra></extra>",
        )
    top = float(summary["high"].max())
    for i, subject in enumerate(subjects):
        top = max(top, _ceiling_line(figure, i, ceilings.get(subject, float("nan")), dark))
    figure.update_yaxes(title_text="Mean r over reliable vertices", range=[min(0.0, summary["low"].min()), 1.1 * top])
    figure.update_xaxes(tickvals=list(range(len(subjects))), ticktext=[f"Subject {s}" for s in subjects])
    figure.update_layout(barmode="group", bargap=0.24, bargroupgap=0.1)
    return _with_legend(finish(figure, 440, simulated, dark))


def _ceiling_line(figure: go.Figure, at: int, ceiling: float, dark: bool) -> float:
    if not np.isfinite(ceiling):
        return 0.0
    grey = look("truth").colour(dark)
    line = {"color": grey, "width": 2, "dash": "dash"}
    figure.add_shape(type="line", x0=at - 0.4, x1=at + 0.4, y0=ceiling, y1=ceiling, line=line, opacity=0.8)
    words = f"mean ceiling {ceiling:.2f}"
    figure.add_annotation(x=at, y=ceiling, text=words, showarrow=False, yanchor="bottom", font={"size": 12})
    return ceiling


def published_bars(table: pd.DataFrame, dark: bool) -> go.Figure:
    """Published mean r per encoder and subject, on an axis of their own: which voxels they are over is not stated.

    `table` is `brainviz.published.published("brainnrds_encoding")`.
    """
    import plotly.graph_objects as go

    wide = table.pivot(index="system", columns="subject", values="value")
    wide = wide.loc[wide.mean(axis=1).sort_values().index]
    figure = go.Figure()
    for subject, symbol in zip(wide.columns, ("circle", "square", "triangle-up", "diamond"), strict=False):
        figure.add_scatter(
            x=wide[subject].to_numpy(),
            y=list(wide.index),
            mode="markers",
            name=f"Subject {subject}",
            marker={
                "symbol": symbol,
                "size": 10,
                "color": [encoder_look(published_id(name)).colour(dark) for name in wide.index],
                "line": {"width": 0},
            },
            hovertemplate=f"<b>%{{y}}</b>, subject {subject}<br>r = %{{x:.3f}}<extra>published</extra>",
        )
    low, high = float(wide.to_numpy().min()), float(wide.to_numpy().max())
    figure.update_xaxes(title_text="Published mean r (voxel choice not stated)", range=[0.9 * low, 1.03 * high])
    figure.update_yaxes(showgrid=True)
    return _with_legend(finish(figure, 110 + 24 * len(wide), False, dark), y=-0.14)


def published_id(name: str) -> str:
    """Our id of an encoder that the paper names: ``"CLIP ConvNeXt-all-frames"`` is ``"clip-convnext.all-frames"``."""
    plain = {"VideoMAE": "videomae-base", "Hiera Base+": "hiera-base-plus"}
    base, variant = (name.removesuffix("-all-frames"), "all-frames" if name.endswith("-all-frames") else "")
    return ".".join(filter(None, [plain.get(base, base.lower().replace(" ", "-")), variant]))


def filled(one: EncoderLook, dark: bool) -> dict[str, Any]:
    """A bar in the encoder's colour, with a hatch so that colour never stands alone."""
    pattern = {"shape": one.hatch, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,.55)", "size": 7}
    return {"color": one.colour(dark), "pattern": pattern | {"solidity": 0.3}, "line": {"width": 0}}


def _error(above: pd.Series, below: pd.Series, dark: bool) -> dict[str, Any]:
    bar = {"type": "data", "thickness": 1.6, "width": 3, "color": look("truth").colour(dark)}
    return bar | {"array": above.to_numpy(), "arrayminus": below.to_numpy()}


def _with_legend(figure: go.Figure, y: float = -0.12) -> go.Figure:
    legend = {"orientation": "h", "y": y, "yanchor": "top", "x": 0, "xanchor": "left"}
    return figure.update_layout(showlegend=True, legend=legend)
