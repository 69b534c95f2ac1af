"""Figures of the Data page: which film time a volume stands for; maps on the flat cortex."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.figures.palette import look
from brainviz.figures.style import finish

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN_S = 36.0


def timing_figure(clip_index: int, window_s: tuple[float, float], dark: bool, simulated: bool) -> go.Figure:
    """The start of a film and of its scans on one time axis, with the volumes that one clip's window takes.

    Rows: the film's 2-s clips; a run whose recording starts 2 s after the film; one that starts with it. A raw volume
    is drawn at the film time it stands for; hollow ones are dropped.
    """
    import plotly.graph_objects as go

    from brainviz.data.timing import TR_S, Recording, volume_times, window_volumes

    n_film = 40
    figure = go.Figure()
    blue, grey = look("brain").colour(dark), look("truth").colour(dark)
    for clip in range(int(SHOWN_S / TR_S)):
        inside = clip == clip_index
        figure.add_shape(
            type="rect",
            x0=clip * TR_S + 0.06,
            x1=(clip + 1) * TR_S - 0.06,
            y0=1.75,
            y1=2.25,
            line={"width": 0},
            fillcolor=blue if inside else "rgba(140,146,156,.28)",
        )
    chosen = window_volumes([clip_index * TR_S], window_s, n_volumes=n_film + 4)[0]
    times = volume_times(n_film + 4)[chosen[chosen >= 0]]
    for row, extra in ((1.0, 5), (0.0, 6)):
        run = Recording(n_film + extra, n_film)
        at, kept = run.raw_times(), np.zeros(run.n_raw, bool)
        kept[run.kept] = True
        used = kept & np.isin(at, times)
        _volumes(figure, at, row, ~kept, "dropped", {"symbol": "circle-open", "color": grey, "size": 10})
        _volumes(
            figure, at, row, kept & ~used, "kept", {"symbol": "circle", "color": "rgba(140,146,156,.6)", "size": 10}
        )
        _volumes(
            figure,
            at,
            row,
            used,
            f"in the window of clip {clip_index}",
            {"symbol": "circle", "color": blue, "size": 14},
        )
    names = ["starts with the film (n + 6)", "starts 2 s later (n + 5)", "film, clips of 2 s"]
    figure.update_yaxes(tickvals=[0, 1, 2], ticktext=names, range=[-0.5, 2.6], showgrid=False)
    figure.update_xaxes(title_text="film time that a raw volume stands for (s)", range=[-0.8, SHOWN_S], dtick=4)
    return finish(figure, 250, simulated, dark)


def _volumes(
    figure: go.Figure, at: npt.NDArray[np.float64], row: float, keep: npt.NDArray[np.bool_], words: str, marker: Any
) -> None:
    numbers = np.flatnonzero(keep)
    figure.add_scatter(
        x=at[keep],
        y=np.full(len(numbers), row),
        mode="markers",
        marker=marker,
        customdata=numbers,
        hovertemplate=f"raw volume %{{customdata}}<br>film time %{{x:.0f}} s<br>{words}<extra></extra>",
    )


def map_picture(values: npt.NDArray[np.floating], limits: tuple[float, float], scale: str, height: int = 460) -> bytes:
    """A cortical map as a PNG of both flattened hemispheres; low values fade into the bare cortex."""
    from PIL import Image

    from brainviz.cortex import flatmap_image

    buffer = io.BytesIO()
    opacity = np.clip((values - limits[0]) / (0.4 * (limits[1] - limits[0])), 0, 1)
    picture = flatmap_image(values, colormap=scale, limits=limits, height=height, opacity=opacity)
    Image.fromarray(picture).save(buffer, "PNG", optimize=False, compress_level=4)
    return buffer.getvalue()


def colour_bar(limits: tuple[float, float], scale: str, title: str) -> str:
    """The map's colour bar as HTML, its ends labelled."""
    from brainviz.cortex.colours import colour_table

    colours = colour_table(scale)[::16]
    stops = ", ".join(f"rgb({r},{g},{b})" for r, g, b in colours.tolist())
    low, high = limits
    return (
        f'<div class="colour-bar"><span>{low:g}</span><i style="background:linear-gradient(90deg,{stops})"></i>'
        f"<span>{high:g}</span><small>{title}</small></div>"
    )


def picture_tag(png: bytes, alt: str) -> str:
    """A PNG as an HTML image that scales with the page."""
    return f'<img class="flatmap" alt="{alt}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
