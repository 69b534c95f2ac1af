"""Where on the cortex Mind-Animator reads from: its maps, the foremost regions, one vertex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from brainviz.components import choices, encoding_controls, exports, shell, store
from brainviz.components.cortex_view import USUAL_VIEW, cortex_view
from brainviz.components.encoding_view import is_region, region_of_vertex, region_words
from brainviz.components.mind_animator_view import (
    EXPLAINED,
    KINDS,
    LEAST_VERTICES,
    PARTS,
    MindAnimatorView,
    at_vertex,
    map_name,
    panel_of,
    regions_of,
)
from brainviz.errors import NotReady
from brainviz.figures import mind_animator as figures
from brainviz.figures.style import picture_settings

if TYPE_CHECKING:
    import pandas as pd

CORTEX_KEY = "mind-animator-cortex"
MOST = 14


def chosen_map(view: MindAnimatorView) -> tuple[str, str]:
    """Part and kind of the link or the session; raises `NotReady` where there are no maps."""
    parts = view.parts()
    if not parts:
        raise NotReady("The maps of Mind-Animator are not there yet.", f"subject {view.subject}", "They come with it.")
    part = choices.choose("part", parts, "motion" if "motion" in parts else parts[0], "the part")
    kinds = [kind for kind in KINDS if map_name(part, kind) in view.maps]
    return part, choices.choose("kind", kinds, kinds[0], "the kind of map")


def controls(view: MindAnimatorView) -> tuple[str, str]:
    """Buttons for part and kind; returns what is chosen."""
    part, kind = chosen_map(view)
    kinds = [name for name in KINDS if map_name(part, name) in view.maps]
    words = "  \n".join(f"**{KINDS[name]}**: {EXPLAINED[name]}" for name in kinds)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        choices.pick_one(
            "part",
            "Part of Mind-Animator",
            view.parts(),
            part,
            format_func=PARTS.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        choices.pick_one(
            "kind",
            "Kind of map",
            kinds,
            kind,
            format_func=KINDS.__getitem__,
            required=True,
            label_visibility="collapsed",
            help=words,
        )
    return part, kind


def show(view: MindAnimatorView) -> None:
    """Map on the left, regions on the right, the table and the pinned vertex beneath."""
    part, kind = controls(view)
    vertex = encoding_controls.asked_vertex()
    region, asked = _region(vertex)
    rows = regions_of(view, part, kind)
    st.markdown(_words(view, part, kind, rows))
    left, right = st.columns([8, 5], gap="large")
    with left, shell.guarded("map"):
        _draw(view, part, kind, vertex, region, asked)
        _vertex(view, vertex)
    with right, shell.guarded("regions"):
        _bars(view, part, kind, rows, region)
    with st.expander("All regions", icon=":material/table:"), shell.guarded("table of regions"):
        _table(view, part, kind, rows)


def _region(vertex: int | None) -> tuple[str, bool]:
    """The region that is outlined, and whether it was asked for by name."""
    if vertex is None:
        asked = encoding_controls.asked_region()
        if is_region(asked) or not asked:
            return asked, bool(asked)
    return encoding_controls.shown_region(0 if vertex is None else vertex)


def _words(view: MindAnimatorView, part: str, kind: str, rows: pd.DataFrame) -> str:
    front = rows[rows["n_vertices"] >= LEAST_VERTICES]
    given = int(np.isfinite(view.map(part, kind)).sum())
    if front.empty:
        return f"No region holds {LEAST_VERTICES} of the {given:,} vertices that the decoder was given."
    first = " and ".join(f"{row['region']} ({row['hemisphere']})" for row in front.head(2).to_dict("records"))
    if kind == "pattern":
        return (
            f"What the **{PARTS[part].lower()}** decoder reads is strongest in **{first}**. Patterns show where the "
            "decoded signal is (Haufe et al. 2014)."
        )
    return (
        f"The **{PARTS[part].lower()}** decoder weighs **{first}** most. Filters show what a decoder weighs, be it to "
        "cancel noise: only the pattern may be read as “where”."
    )


def _draw(view: MindAnimatorView, part: str, kind: str, vertex: int | None, region: str, asked: bool) -> None:
    workspace = store.workspace()
    state = cortex_view(
        [panel_of(view, part, kind)],
        key=CORTEX_KEY,
        pinned=vertex,
        region=region,
        follow=asked,
        view=encoding_controls.linked_view(USUAL_VIEW),
        caption=f"Mind-Animator, {PARTS[part].lower()}, {kind}, {workspace.dataset_name}, subject {view.subject}",
        file_stem=map_stem(view.subject, part, kind),
        on_change=_remember,
    )
    encoding_controls.seen(CORTEX_KEY, state)
    given = int(np.isfinite(view.map(part, kind)).sum())
    st.caption(
        f"{given:,} vertices of subject {view.subject}, those whose training runs agree best, were given to the "
        f"decoder; all others have no value. {'Haufe pattern' if kind == 'pattern' else 'Product of the weights'}, "
        "stretched to 0 to 1 over them; colours end at the 98th percentile. Descriptive: no test stands behind it."
    )


def _remember() -> None:
    encoding_controls.remember(CORTEX_KEY, USUAL_VIEW)


def map_stem(subject: str, part: str, kind: str) -> str:
    """Name of files of a map."""
    simulated = store.workspace().simulated
    return exports.file_stem(f"subject{subject}", "mind-animator", part, kind, simulated=simulated)


def _bars(view: MindAnimatorView, part: str, kind: str, rows: pd.DataFrame, region: str) -> None:
    front = rows[rows["n_vertices"] >= LEAST_VERTICES].head(MOST)
    if front.empty:
        return
    figure = figures.region_bars(
        front, region, f"Mean {kind} over the region's vertices", shell.is_dark(), store.workspace().simulated
    )
    stem = f"{map_stem(view.subject, part, kind)}_regions"
    st.plotly_chart(figure, key="mind-animator-regions", config=picture_settings(stem))
    st.caption(f"The {len(front)} largest of the regions that hold {LEAST_VERTICES} such vertices or more.")


def _vertex(view: MindAnimatorView, vertex: int | None) -> None:
    """What is known of the pinned vertex."""
    if vertex is None:
        st.caption("Click the map to pin a vertex.")
        return
    name = region_of_vertex(vertex)
    st.subheader(f"Vertex {vertex} · {region_words(name) if name else 'medial wall'}", anchor=False)
    values = at_vertex(view, vertex)
    if not np.isfinite(values["value"]).any():
        st.info("The decoder was not given this vertex: it has no value. Pick another one.", icon=":material/block:")
        return
    wide = {"Part": [PARTS[part] for part in values["part"].unique()]}
    for kind, rows in values.groupby("kind", sort=False):
        told = zip(rows["value"], rows["rank"], strict=True)
        wide[KINDS[str(kind)]] = [f"{value:.2f} · above {rank:.0%} of vertices" for value, rank in told]
    st.dataframe(wide, hide_index=True, height="content")


def _table(view: MindAnimatorView, part: str, kind: str, rows: pd.DataFrame) -> None:
    number = st.column_config.NumberColumn
    key = f"mind-animator-regions:{view.subject}:{part}:{kind}"
    st.dataframe(
        rows[["region", "hemisphere", "mean", "n_vertices"]],
        key=key,
        column_config={
            "region": st.column_config.TextColumn("Region", pinned=True),
            "hemisphere": st.column_config.TextColumn("Side"),
            "mean": number(f"Mean {kind}", format="%.3f"),
            "n_vertices": number("Vertices", format="%d", help="That the decoder was given"),
        },
        hide_index=True,
        height=340,
        on_select=lambda: _picked(key, list(rows["name"])),
        selection_mode="single-row",
    )
    st.caption(
        f"{len(rows)} of 360 regions (MMP1.0) hold a vertex that the decoder was given. Select a row to outline its "
        "region on the map."
    )


def _picked(key: str, names: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and 0 <= rows[0] < len(names):
        encoding_controls.open_region(names[rows[0]])
