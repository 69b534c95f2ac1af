"""The table of the Regions page: all 180 regions under one measure, sortable; a row puts its region in or out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import exports, regions_choice, shell, store
from brainviz.components.regions_view import EXPLAINED, MEASURES, RegionsView
from brainviz.figures import regions as figures
from brainviz.figures.style import picture_settings

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

SHOWN = ["region", "gain", "gain_low", "gain_high", "q", "gain_null", "z", "n_vertices", "reliability", "reason"]


def show(view: RegionsView, measure: str) -> None:
    """Regions against random patches, and the table."""
    rows = view.of(measure)
    chosen = regions_choice.chosen_set()
    simulated = store.workspace().simulated
    left, right = st.columns([5, 7], gap="large")
    with left, shell.guarded("regions against patches"):
        st.subheader("Against random patches", anchor=False)
        axis = f"Error {'taken away' if measure == 'alone' else 'added'} (px per step)"
        figure = figures.against_patches(rows, chosen, axis, shell.is_dark(), simulated)
        stem = exports.file_stem(f"subject{view.subject}", f"regions-{measure}", simulated=simulated)
        st.plotly_chart(figure, key="against-patches", config=picture_settings(stem))
    with right, shell.guarded("table of regions"):
        st.subheader("All 180 regions", anchor=False)
        key = f"regions-table:{view.subject}:{measure}"
        st.dataframe(
            rows[SHOWN].reset_index(drop=True),
            key=key,
            column_config=_columns(),
            hide_index=True,
            height=430,
            on_select=lambda: _picked(key, list(rows["region"])),
            selection_mode="single-row",
        )
    tested = rows[rows["n_vertices"] > 0]
    if len(tested):
        one = tested.iloc[0]
        st.caption(
            f"**{MEASURES[measure]}.** {EXPLAINED[measure]} Both sides together. Bars: 95 % intervals over "
            f"n = {int(one['n_blocks'])} blocks of whole shots ({int(one['n_clips'])} clips). Grey: mean of "
            f"{int(one['n_patches'])} random contiguous patches carried to the region's size and reliability; filled: "
            f"more than such patches, q < .05 over {len(tested)} regions (Benjamini and Hochberg). Select a row to put "
            "its region in or out."
        )


def _picked(key: str, names: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and 0 <= rows[0] < len(names):
        regions_choice.toggle(names[rows[0]])


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "region": st.column_config.TextColumn("Region", pinned=True),
        "gain": number("ΔEPE", format="%.4f", help="Change of the end-point error, px per step; larger: more is lost"),
        "gain_low": number("from", format="%.4f", help="Lower end of the 95 % interval"),
        "gain_high": number("to", format="%.4f", help="Upper end of the 95 % interval"),
        "q": number("q", format="%.3f", help="Against random patches of the same size and reliability"),
        "gain_null": number("Patches", format="%.4f", help="Mean of random patches of this size and reliability"),
        "z": number("z", format="%.1f", help="Distance from the patches in their mean absolute deviations"),
        "n_vertices": number("Vertices", format="%d", help="That the decoder uses"),
        "reliability": number("Reliability", format="%.2f", help="Mean over these vertices, training runs"),
        "reason": st.column_config.TextColumn("Why not"),
    }
