"""All test clips on the Reanimation page: the summary figure, what was tested, how it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import reanimation_scores, reanimation_words, shell, store
from brainviz.errors import NotReady
from brainviz.figures import reanimation as figures
from brainviz.figures.style import picture_settings

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

SUMMARY_METRICS = 4


def all_clips(backend: str, mask: str) -> None:
    """Dots and intervals of every system under one backend and mask, and the verdict in one sentence."""
    st.subheader("All subjects, all test clips", anchor=False)
    if reanimation_scores.summary_rows(backend, mask) is None:
        st.info(
            "The summary over all test clips appears when every film of this backend and mask has been scored.",
            icon=":material/hourglass_empty:",
        )
        return
    figure, words, caption = summary_figure(
        str(store.workspace_path()), store.version(), backend, mask, shell.is_dark()
    )
    st.plotly_chart(figure, key="summary", config=picture_settings("brainviz_reanimation-summary"))
    st.markdown(words)
    st.caption(caption)


@st.cache_resource(max_entries=8, show_spinner=False)
def summary_figure(path: str, version: str, backend: str, mask: str, dark: bool) -> tuple[go.Figure, str, str]:
    """Dots and intervals, verdict and caption: made once per version of the workspace, backend, mask and theme."""
    rows: pd.DataFrame | None = reanimation_scores.summary_rows(backend, mask)
    if rows is None:
        raise NotReady("Nothing is summarised yet.", "evaluate_reanimation")
    metrics = reanimation_words.metrics_in_order(list(rows["metric"].unique()))[:SUMMARY_METRICS]
    titles = {}
    for metric in metrics:
        words = reanimation_words.metric_words(metric)
        arrow = "← better" if words.smaller_is_better else "better →"
        titles[metric] = f"{words.label}{f' ({words.unit})' if words.unit else ''}<br>{arrow}"
    figure = figures.summary_intervals(rows, titles, reanimation_words.label, dark, store.workspace().simulated)
    caption = (
        f"Mean over {rows['n_clips'].max():.0f} test clips, one dot per subject; bars are 95 % block-bootstrap "
        f"intervals over {rows['n_blocks'].max():.0f} blocks of whole shots. Dotted: the first frame standing still."
    )
    return figure, reanimation_scores.verdict(backend, mask), caption


def method() -> None:
    """How the films are made, and what they do not show."""
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        st.markdown(
            """
- **Every film begins with the true first frame.** What differs is the motion that moves it: predicted from first frame
  and fMRI, from the frame alone, or taken from the film itself. What is seen is shot-level motion over about 10 s, from
  the mean of all test runs; it is not what the person saw.
- **Driven by the true motion** is the most that this way of rendering can reach. **The frozen first frame** is the
  control of every metric: pixel metrics often prefer a frame that stands still to one that moves a little wrongly.
- **A mask from the true film** lets true motion in through the mask; such films are marked in the picture.
- **Expected flow and samples differ.** Prior and Stable Video Diffusion are sampled: one of several samples is shown.
- **Difference** is |panel − film| for every colour, against the film's frame of the same time.
"""
        )
