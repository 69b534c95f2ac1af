"""The lower half of the Encoding page: all subjects, what others published, how it is made, what to cite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import exports, shell, store
from brainviz.components.encoding_view import encoding_view
from brainviz.errors import NotReady
from brainviz.figures import encoding as figures
from brainviz.figures.encoders import encoder_look, ordered_encoders
from brainviz.figures.style import picture_settings

if TYPE_CHECKING:
    import plotly.graph_objects as go

METHOD = """
- **Model.** Ridge regression from an encoder's features of 2-s clips to each vertex, with delays of 2 to 8 s after clip
  onset. Every vertex has its own penalty α, chosen by cross-validation over whole training films. Layers are chosen on
  training films too.
- **r** is the correlation of measured and predicted activity over all test films, which no model has seen; measured is
  the mean over the runs of each film.
- **Noise ceiling**: the highest r that a perfect model can expect, from the spread between test runs (Sahani and Linden
  2003; Schoppe 2016). Noise that is locked to the film inflates it.
- **Intervals and tests** resample whole blocks of volumes, paired between encoders. q values control the false
  discovery rate: over vertices in the maps, over the 360 regions of Glasser et al. (2016) in the tables. Over three
  subjects no test is made: "in 2 of 3".
- **Reliability** (second axis of the colours): split-half correlation of the training runs, stepped up to their mean.
- **What a difference does not show.** Encoders differ in more than motion: training data, architecture, number of
  frames. The same encoder on a frozen and on a reversed clip differs in nothing else. Gaze, arousal and self-motion
  that follow the film are not excluded, and a difference of r is not unique variance.
"""


def all_subjects() -> None:
    """Bars of every encoder and subject."""
    st.subheader("All subjects, all encoders", anchor=False)
    figure, caption = _bars(str(store.workspace_path()), store.version(), shell.is_dark())
    st.plotly_chart(figure, key="encoder-bars", config=picture_settings("brainviz_encoders"))
    st.caption(caption)
    names = ordered_encoders(list(store.table("encoding")["encoder"].unique()))
    st.caption("  \n".join(f"**{encoder_look(name).label}**: {encoder_look(name).explanation}" for name in names))


@st.cache_resource(max_entries=4, show_spinner=False)
def _bars(path: str, version: str, dark: bool) -> tuple[go.Figure, str]:
    workspace = store.workspace()
    if not workspace.has_table("encoding"):
        raise NotReady("No encoder has been fitted yet.", "encoding", "It happens after the motion decoders.")
    summary = store.table("encoding")
    ceilings = {subject: encoding_view(subject).mean_ceiling() for subject in sorted(summary["subject"].unique())}
    above = float(summary["reliability_above"].iloc[0])
    blocks = int(summary["n_blocks"].max())
    numbers = summary.groupby("subject")["n_vertices"].first()
    counts = ", ".join(f"subject {subject} n = {n:,}" for subject, n in numbers.items())
    caption = (
        f"Mean r over vertices whose training runs agree with r > {above:g} ({counts}). Bars: 95 % block-bootstrap "
        f"intervals over {blocks} blocks of volumes. Dashed: mean noise ceiling of the same vertices."
    )
    return figures.encoder_bars(summary, ceilings, dark, workspace.simulated), caption


def published() -> None:
    """What the paper reports, apart: which voxels it averages over is not stated, so its axis is its own."""
    figure, caption = _published(shell.is_dark())
    st.plotly_chart(figure, key="published-encoders", config=picture_settings("brainviz_published-encoders"))
    st.caption(caption)


@st.cache_resource(max_entries=2, show_spinner=False)
def _published(dark: bool) -> tuple[go.Figure, str]:
    from brainviz.published import published as published_set

    table = published_set("brainnrds_encoding")
    first = table.iloc[0]
    caption = (
        f"Published: {first['source']}. {first['protocol_note']} Digitised from the figure; "
        f"{table.attrs['error_note']} ± {first['error']:g}. Blue: video encoders; orange: image encoders; green: "
        "encoders for robots. Not comparable with the values above."
    )
    return figures.published_bars(table, dark), caption


def method() -> None:
    """Method and limits, one click away."""
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        st.markdown(METHOD)


def citation() -> None:
    """What to cite, ready to copy."""
    with st.expander("Cite", icon=":material/format_quote:"):
        st.code(exports.CITATION, language="bibtex")
