"""What the Encoding page tells of a region, and the table of all 360."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import encoding_controls, exports, shell, store
from brainviz.components.encoding_map import NEEDS_B, MapChoice
from brainviz.components.encoding_view import (
    EncodingView,
    contrast_rows,
    region_name,
    region_rows,
    region_words,
)
from brainviz.cortex.regions import HEMISPHERES, glasser
from brainviz.figures import encoding as figures
from brainviz.figures.encoders import encoder_look
from brainviz.figures.style import picture_settings
from brainviz.metrics.better_encoder import better_encoder

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.elements.lib.column_types import ColumnConfig


def show(view: EncodingView, choice: MapChoice, region: str) -> None:
    """The panel of a region (``"L_V1"``, or ``"V1"``: both sides, told one by one)."""
    if not region:
        return
    sides = [region] if region in glasser().names else [f"L_{region}", f"R_{region}"]
    st.subheader(f"Region {region_words(region)}", anchor=False)
    for column, side in zip(st.columns(len(sides), gap="large"), sides, strict=True):
        with column, shell.guarded("region"):
            _one_side(view, choice, side, titled=len(sides) > 1)


def _one_side(view: EncodingView, choice: MapChoice, region: str, titled: bool) -> None:
    if titled:
        st.markdown(f"**{region_words(region)}**")
    inside = glasser().vertices(region)
    values = {name: view.map(f"r/{name}")[inside] for name in view.encoders if f"r/{name}" in view.maps}
    rows = rows_of_region(region_rows(), region)
    simulated = store.workspace().simulated
    words = verdict(choice, region)
    if words:
        st.markdown(words)
    figure = figures.region_encoders(values, rows, view.subject, shell.is_dark(), simulated)
    stem = exports.file_stem(f"subject{view.subject}", f"region-{region}", simulated=simulated)
    st.plotly_chart(figure, key=f"region-{region}", config=picture_settings(stem))
    own = rows[rows["subject"] == view.subject]
    used = int(own["n_vertices"].max()) if len(own) else len(inside)
    others = sorted(set(rows["subject"]) - {view.subject})
    also = f" Hollow: subject {', '.join(others)}." if others else ""
    st.caption(
        f"Hills: r of the region's {len(inside)} vertices. Solid: mean over n = {used} vertices of subject "
        f"{view.subject} with its 95 % interval, bootstrap over "
        f"{int(view.summary['n_blocks'].iloc[0])} blocks of volumes.{also} Dashed: the region's noise ceiling."
    )


def rows_of_region(table: pd.DataFrame, region: str) -> pd.DataFrame:
    """A table's rows of one region of one side."""
    hemisphere = HEMISPHERES["LR".index(region[0])]
    return table[(table["hemisphere"] == hemisphere) & (table["region"] == region[2:])]


def verdict(choice: MapChoice, region: str) -> str:
    """Whether A predicts better than B here, in how many subjects; "" where they were not compared."""
    if choice.kind not in NEEDS_B or choice.a == choice.b:
        return ""
    rows = rows_of_region(contrast_rows(choice.a, choice.b), region)
    if rows.empty:
        return ""
    a, b = (encoder_look(name).label for name in (choice.a, choice.b))
    winner = better_encoder(rows, rows_of_region(region_rows(), region))
    better, worse = (
        f"in {int((winner == side).sum())} of {len(rows)} subject{'s' if len(rows) != 1 else ''}" for side in (1, -1)
    )
    return (
        f"**{a}** predicts better than {b} **{better}**, worse **{worse}** "
        "(q < .05 over 360 regions, where the better one predicts)."
    )


# ---- the table


def table(view: EncodingView, choice: MapChoice) -> None:
    """All regions, sortable; a click outlines the region on the map."""
    with_pair = choice.kind in NEEDS_B and choice.a != choice.b and view.has_pair(choice.a, choice.b)
    st.subheader("All 360 regions", anchor=False)
    shown = pair_table(view, choice) if with_pair else encoder_table(view, choice.a)
    shown = shown.astype({name: "float32" for name in shown.select_dtypes("float").columns})
    st.dataframe(
        shown,
        key=f"regions:{view.subject}:{choice.slug}",
        column_config=_columns(choice, with_pair),
        column_order=[name for name in shown.columns if name != "name"],
        hide_index=True,
        height=340,
        on_select=lambda: _picked(f"regions:{view.subject}:{choice.slug}", list(shown["name"])),
        selection_mode="single-row",
    )
    what = "Δr is A minus B; its interval and q are" if with_pair else "r is the mean over vertices; interval and q are"
    st.caption(
        f"{what} of a block bootstrap over {int(view.summary['n_blocks'].iloc[0])} blocks of volumes, q over the 360 "
        "regions (Benjamini and Hochberg). Select a row to outline its region; click a heading to sort."
    )


def _picked(key: str, names: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and 0 <= rows[0] < len(names):
        encoding_controls.open_region(names[rows[0]])


def pair_table(view: EncodingView, choice: MapChoice) -> pd.DataFrame:
    """Regions of one subject for a pair: region, hemisphere, r of both, difference, low, high, q, ceiling, k of n."""
    keys = ["hemisphere", "region"]
    rows = contrast_rows(choice.a, choice.b, view.subject)[[*keys, "n_vertices", "difference", "low", "high", "q"]]
    a, b = (region_rows(view.subject, name).set_index(keys) for name in (choice.a, choice.b))
    found = rows.merge(a[["r", "noise_ceiling"]].rename(columns={"r": "r_a"}), left_on=keys, right_index=True)
    found = found.merge(b[["r"]].rename(columns={"r": "r_b"}), left_on=keys, right_index=True)
    found = found.merge(_subjects_better(choice), left_on=keys, right_index=True, how="left")
    found["name"] = [region_name(*pair) for pair in zip(found["hemisphere"], found["region"], strict=True)]
    order = [*keys, "difference", "low", "high", "q", "k", "r_a", "r_b", "noise_ceiling", "n_vertices", "name"]
    return found[order].sort_values("difference", ascending=False, ignore_index=True)


def _subjects_better(choice: MapChoice) -> pd.DataFrame:
    """In how many subjects A predicts better, as "2 of 3", by hemisphere and region."""
    rows = contrast_rows(choice.a, choice.b)
    hit = rows.assign(hit=better_encoder(rows, region_rows()) > 0)
    grouped = hit.groupby(["hemisphere", "region"], observed=True)["hit"]
    counts = grouped.agg(["sum", "size"])
    return (counts["sum"].astype(str) + " of " + counts["size"].astype(str)).to_frame("k")


def encoder_table(view: EncodingView, encoder: str) -> pd.DataFrame:
    """Regions of one subject for one encoder: region, hemisphere, r, low, high, q, ceiling."""
    rows = region_rows(view.subject, encoder)
    rows = rows.assign(name=[region_name(*pair) for pair in zip(rows["hemisphere"], rows["region"], strict=True)])
    columns = ["hemisphere", "region", "r", "low", "high", "q", "noise_ceiling", "n_vertices", "name"]
    return rows[columns].sort_values("r", ascending=False, ignore_index=True)


def _columns(choice: MapChoice, with_pair: bool) -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    a, b = encoder_look(choice.a).label, encoder_look(choice.b).label
    columns: dict[str, ColumnConfig] = {
        "region": st.column_config.TextColumn("Region", pinned=True),
        "hemisphere": st.column_config.TextColumn("Side"),
        "low": number("from", format="%.3f", help="Lower end of the 95 % interval"),
        "high": number("to", format="%.3f", help="Upper end of the 95 % interval"),
        "q": number("q", format="%.4f"),
        "noise_ceiling": number("Ceiling", format="%.2f", help="Highest mean r that a perfect model can expect"),
        "n_vertices": number("Vertices", format="%d"),
        "r": number("r", format="%.3f", help=f"Mean r of {a}"),
    }
    if with_pair:
        columns |= {
            "difference": number("Δr", format="%.3f", help=f"r of {a} minus r of {b}"),
            "k": st.column_config.TextColumn(
                "Better in", help="Subjects in which A predicts, and better than B, q < .05"
            ),
            "r_a": number("r of A", format="%.3f", help=a),
            "r_b": number("r of B", format="%.3f", help=b),
        }
    return columns
