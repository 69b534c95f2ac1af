"""What all figures share: quiet axes, the mark of simulated data, file names of their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

GRID_LIGHT, GRID_DARK = "rgba(27,31,38,.10)", "rgba(232,234,238,.13)"


def finish(figure: go.Figure, height: int, simulated: bool, dark: bool = False) -> go.Figure:
    """Set size, margins and grid lines; write "simulated data" into the figure itself, so that exports carry it."""
    grid = GRID_DARK if dark else GRID_LIGHT
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 12, "b": 8},
        hoverlabel={"font_size": 13},
        showlegend=False,
        dragmode=False,
        font={"size": 14},
    )
    figure.update_xaxes(gridcolor=grid, zeroline=False, automargin=True, title_standoff=8)
    figure.update_yaxes(gridcolor=grid, zeroline=False, automargin=True, title_standoff=8)
    if simulated:
        figure.add_annotation(
            text="simulated data",
            xref="paper",
            yref="paper",
            x=1,
            y=1,
            xanchor="right",
            yanchor="top",
            showarrow=False,
            opacity=0.55,
            font={"size": 12},
        )
    return figure


def picture_settings(stem: str) -> dict[str, Any]:
    """Plotly's configuration: a save button that writes a sharp PNG under a telling name, nothing else."""
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": stem, "scale": 3},
        "scrollZoom": False,
    }
