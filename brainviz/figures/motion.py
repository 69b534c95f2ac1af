"""Figures of the Motion page: errors of one clip, all clips, all subjects, and what others published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brainviz.figures.palette import look, ordered
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

EPE_AXIS = "End-point error (px of the 32×32 grid per step)"


def clip_errors(errors: pd.DataFrame, samples: dict[str, int], dark: bool, simulated: bool) -> go.Figure:
    """One dot per system, smallest error on top; a bar spans the samples of a system that has several.

    Parameters
    ----------
    errors : DataFrame
        Index: systems; columns mean, best, worst: end-point errors of one clip.
    samples : dict of system -> number of samples
    """
    import plotly.graph_objects as go

    errors = errors.dropna().sort_values("mean", ascending=False)
    mean, best, worst = errors["mean"], errors["best"], errors["worst"]
    looks = [look(name) for name in mean.index]
    labels = [one.label for one in looks]
    figure = go.Figure()
    for name, label in zip(mean.index, labels, strict=True):
        if samples.get(name, 1) > 1:
            line = {"color": look(name).colour(dark), "width": 3}
            figure.add_scatter(x=[best[name], worst[name]], y=[label] * 2, mode="lines", line=line, hoverinfo="skip")
    hover = [_error_words(mean[name], best[name], worst[name], samples.get(name, 1)) for name in mean.index]
    figure.add_scatter(
        x=mean.to_numpy(),
        y=labels,
        mode="markers+text",
        marker=_markers(looks, dark, 13),
        text=[f"  {value:.2f}" for value in mean],
        textposition=["top center" if samples.get(name, 1) > 1 else "middle right" for name in mean.index],
        cliponaxis=False,
        customdata=hover,
        hovertemplate="<b>%{y}</b><br>%{customdata}<extra></extra>",
    )
    figure.update_xaxes(title_text=EPE_AXIS, range=[0, 1.18 * float(worst.max())])
    figure.update_yaxes(showgrid=True, categoryorder="array", categoryarray=labels)
    return finish(figure, 80 + 36 * len(mean), simulated, dark)


def _error_words(mean: float, best: float, worst: float, n: int) -> str:
    if n == 1:
        return f"{mean:.3f} px per step"
    return f"mean of {n} samples {mean:.3f}, best {best:.3f}, worst {worst:.3f} px per step"


def _markers(looks: list[Any], dark: bool, size: int) -> dict[str, Any]:
    return {"color": [one.colour(dark) for one in looks], "symbol": [one.marker for one in looks], "size": size}


def all_clips(epe: pd.DataFrame, chosen: str, x: str, y: str, dark: bool, simulated: bool) -> go.Figure:
    """Every clip as a point, error of one system against another; below the diagonal `y` is closer to the truth."""
    import plotly.graph_objects as go

    both = epe[[x, y]].dropna()
    top = 1.06 * float(both.to_numpy().max())
    figure = go.Figure()
    grey = "rgba(140,146,156,.65)"
    figure.add_scatter(x=[0, top], y=[0, top], mode="lines", line={"color": grey, "dash": "dot"}, hoverinfo="skip")
    figure.add_scatter(
        x=both[x].to_numpy(),
        y=both[y].to_numpy(),
        mode="markers",
        customdata=both.index.to_list(),
        marker={"color": look(y).colour(dark), "size": 9, "opacity": 0.55, "line": {"width": 0}},
        selected={"marker": {"opacity": 0.55}},
        unselected={"marker": {"opacity": 0.55}},
        hovertemplate="<b>%{customdata}</b><br>"
        + f"{look(x).label} %{{x:.2f}}<br>{look(y).label} %{{y:.2f}} px per step<extra></extra>",
        name="clips",
    )
    if chosen in both.index:
        figure.add_scatter(
            x=[both.at[chosen, x]],
            y=[both.at[chosen, y]],
            mode="markers+text",
            text=["this clip"],
            textposition="top center",
            marker={
                "size": 17,
                "color": look(y).colour(dark),
                "line": {"width": 3, "color": look("truth").colour(dark)},
            },
            hoverinfo="skip",
        )
    figure.update_xaxes(title_text=f"{look(x).label}: error (px per step)", range=[0, top])
    figure.update_yaxes(title_text=f"{look(y).label}: error (px per step)", range=[0, top])
    figure.add_annotation(
        text="fMRI helps ↘", x=0.97 * top, y=0.06 * top, xanchor="right", showarrow=False, opacity=0.75
    )
    return finish(figure, 440, simulated, dark)


def subject_bars(summary: pd.DataFrame, dark: bool, simulated: bool) -> go.Figure:
    """Mean error per subject and system with block-bootstrap intervals, as in the paper's figure, controls added.

    `summary` holds one row per subject and system: subject, system, value, low, high, skill, n_clips, n_blocks.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    subjects = sorted(summary["subject"].unique())
    for system in ordered(list(summary["system"].unique())):
        rows = summary[summary["system"] == system].set_index("subject").reindex(subjects)
        one = look(system)
        numbers = rows[["low", "high", "skill", "n_clips", "n_blocks"]].to_numpy(dtype=float)
        hover = [
            f"95 % interval {low:.3f} to {high:.3f}<br>skill over zero flow {skill:.0%}"
            f"<br>{clips:.0f} clips in {blocks:.0f} blocks"
            for low, high, skill, clips, blocks in numbers
        ]
        figure.add_bar(
            x=[f"Subject {s}" for s in subjects],
            y=rows["value"].to_numpy(),
            name=one.label,
            marker=_filled(system, dark),
            error_y={
                "type": "data",
                "array": (rows["high"] - rows["value"]).to_numpy(),
                "arrayminus": (rows["value"] - rows["low"]).to_numpy(),
                "thickness": 1.6,
                "width": 3,
                "color": look("truth").colour(dark),
            },
            customdata=hover,
            hovertemplate=f"<b>{one.label}</b>, %{{x}}<br>%{{y:.3f}} px per step<br>%{{customdata}}<extra></extra>",
        )
    top = 1.05 * float(summary["high"].clip(upper=3 * summary["value"].max()).max())
    figure.update_yaxes(title_text="Mean end-point error<br>(px of the 32×32 grid per step)", range=[0, top])
    figure.update_layout(barmode="group", bargap=0.22, bargroupgap=0.08)
    finish(figure, 460, simulated, dark)
    legend = {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "xanchor": "left"}
    return figure.update_layout(showlegend=True, legend=legend)


def published_errors(table: pd.DataFrame, dark: bool) -> go.Figure:
    """Published means with their drawn bars, on an axis of their own: unit and threshold are not ours.

    `table` is `brainviz.published.published("brainnrds_motion")`.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, label in enumerate(dict.fromkeys(table["system"])):
        rows = table[table["system"] == label]
        system, hatch = PUBLISHED_LOOKS[i % len(PUBLISHED_LOOKS)]
        figure.add_bar(
            x=[f"Subject {subject}" for subject in rows["subject"]],
            y=rows["value"].to_numpy(),
            name=label,
            marker=_filled(system, dark, hatch),
            error_y={"type": "data", "array": rows["error"].to_numpy(), "thickness": 1.6, "width": 3},
            hovertemplate=f"<b>{label}</b>, %{{x}}<br>%{{y:.3f}}<extra></extra>",
        )
    figure.update_yaxes(title_text="Published end-point error<br>(unit not stated)", rangemode="tozero")
    figure.update_layout(barmode="group", bargap=0.3, bargroupgap=0.08)
    finish(figure, 420, False, dark)
    legend = {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "xanchor": "left"}
    return figure.update_layout(showlegend=True, legend=legend)


# The paper's systems in the order of its figure: with the true frame, end to end, another decoder, no brain.
PUBLISHED_LOOKS = (("brain-reference", "/"), ("brain-e2e", ""), ("mind-animator", "."), ("svd", "+"))


def _filled(system: str, dark: bool, shape: str | None = None) -> dict[str, Any]:
    """A bar in the system's colour, with a hatch so that colour never stands alone."""
    hatch = {
        "shape": HATCHES.get(system, "") if shape is None else shape,
        "fillmode": "overlay",
        "fgcolor": "rgba(255,255,255,.55)",
        "size": 7,
    }
    return {"color": look(system).colour(dark), "pattern": hatch | {"solidity": 0.3}, "line": {"width": 0}}


HATCHES = {
    "brain-reference": "/",
    "image-only": ".",
    "shuffled": "\\",
    "ridge": "|",
    "mean": "-",
    "zero": "",
    "persistence": "x",
    "prior": "+",
    "svd": "+",
    "codebook-oracle": "/",
}
