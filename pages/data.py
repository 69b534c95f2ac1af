"""Data: what is loaded, how good it is, which film time each volume stands for, what was left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from brainviz.components import choices, exports, shell, store
from brainviz.components.heading import subject_heading
from brainviz.data.timing import LAG_S, TR_S, clock_words
from brainviz.errors import NotReady
from brainviz.figures import data as figures
from brainviz.figures.style import picture_settings
from brainviz.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.elements.lib.column_types import ColumnConfig

WINDOW_S = (0.0, 8.0)
MAP_WORDS = {
    "reliability": ("Reliability", "correlation of the two training runs' time courses, per vertex"),
    "noise-ceiling": ("Noise ceiling", "largest correlation a perfect model could reach on the test mean, per vertex"),
}

shell.ensure_app()


def message(workspace: Workspace) -> None:
    """What is loaded, in one line."""
    clips = workspace.clips
    test = int((clips["split"] == "test").sum())
    st.html(
        f'<p class="message">{len(workspace.subjects)} subjects, {len(workspace.segments)} films: '
        f"<b>{len(clips) - test} training and {test} test clips</b> of 2 s</p>"
    )


@st.cache_resource(max_entries=12, show_spinner=False)
def drawn_map(path: str, version: str, subject: str, name: str) -> tuple[bytes, tuple[float, float], int, float]:
    """PNG, limits, number of vertices with a value, their median: drawn once per version of the workspace."""
    values = store.workspace().map(subject, name)
    finite = values[np.isfinite(values)]
    top = float(np.ceil(20 * np.percentile(finite, 99)) / 20) if len(finite) else 1.0
    limits = (0.0, max(top, 0.05))
    return figures.map_picture(values, limits, "sequential"), limits, len(finite), float(np.median(finite))


def cortex(workspace: Workspace, subject: str) -> None:
    maps = [name for name in MAP_WORDS if name in workspace.maps(subject)]
    if not maps and workspace.results.current("bold", subject) is not None:
        st.info("These data are voxels, not vertices of the cortex: they have no map.", icon=":material/blur_on:")
        return
    if not maps:
        raise NotReady("The scans of this subject have not been read yet.", subject, "Its map appears during the run.")
    name = maps[0]
    if len(maps) > 1:
        name = choices.pick_one(
            "map",
            "Map",
            maps,
            maps[0],
            format_func=lambda m: MAP_WORDS[m][0],
            required=True,
            label_visibility="collapsed",
        )
    title, words = MAP_WORDS[name]
    with st.spinner("Drawing the cortex …"):
        png, limits, count, median = drawn_map(str(workspace.path), workspace.version, subject, name)
    st.html(
        figures.picture_tag(png, f"{title} on the flattened cortex of subject {subject}, left and right hemisphere")
    )
    bar, save = st.columns([5, 1], vertical_alignment="center")
    bar.html(figures.colour_bar(limits, "sequential", f"{title}: {words}"))
    stem = exports.file_stem(f"subject{subject}", name, simulated=workspace.simulated)
    save.download_button("PNG", png, f"{stem}.png", "image/png", icon=":material/download:", on_click="ignore")
    mark = " Simulated data." if workspace.simulated else ""
    st.caption(
        f"Left and right hemisphere, flattened (fs_LR 32k, regions of Glasser et al. 2016). n = {count:,} vertices, "
        f"median {median:.2f}.{mark}"
    )


def timing(workspace: Workspace, subject: str) -> None:
    st.subheader("Which film time a volume stands for", anchor=False)
    tr_s, lag_s = workspace.clock(subject)
    if (tr_s, lag_s) != (TR_S, LAG_S):
        st.markdown(clock_words(tr_s, lag_s))
        runs_table(workspace, subject)
        return
    st.markdown(
        "A lag of 4 s is already in the cut: kept volume *k* stands at film time 4 + 2*k* s, whichever way the "
        "recording started. A clip's window takes the volumes from its onset to 8 s after it."
    )
    index = choices.number("timing", 0, 13, 4)
    figure = figures.timing_figure(index, WINDOW_S, shell.is_dark(), workspace.simulated)
    st.plotly_chart(figure, key="timing-figure", config=picture_settings("brainviz_timing"))
    st.session_state["widget:timing"] = index
    st.slider(
        "Clip of the film",
        0,
        13,
        key="widget:timing",
        on_change=lambda: choices.keep("timing", str(st.session_state["widget:timing"])),
    )
    runs_table(workspace, subject)


def runs_table(workspace: Workspace, subject: str) -> None:
    st.subheader(f"Runs of subject {subject}", anchor=False)
    table = with_lags(workspace, workspace.timing(subject), subject)
    used = int(table["used"].sum())
    checked = "film_lag" in table.columns and bool(table["film_lag"].notna().any())
    lags = (
        " Lags come from correlating V1 with the film's contrast, and each run with the film's other runs; a run that "
        "is clearly more than one TR off is reported below."
    )
    st.caption(f"{used} of {len(table)} runs are used.{lags if checked else ''}")
    columns = {
        "segment": st.column_config.TextColumn("Film"),
        "run": st.column_config.NumberColumn("Run"),
        "used": st.column_config.CheckboxColumn("Used"),
        "n_volumes": st.column_config.NumberColumn("Raw volumes"),
        "kind": st.column_config.TextColumn("Recording", width="medium"),
        "first_volume_s": st.column_config.NumberColumn("Film time of raw volume 0", format="%.0f s"),
        "dropped_start": st.column_config.NumberColumn("Dropped at start"),
        "kept": st.column_config.NumberColumn("Kept"),
        "film_lag": st.column_config.TextColumn("Lag to film"),
        "other_lag": st.column_config.TextColumn("Lag to other runs"),
        "note": st.column_config.TextColumn("Why not", width="large"),
    }
    shown = [name for name in columns if name in table.columns]
    st.dataframe(table[shown], column_config=columns, hide_index=True, height=300)


def with_lags(workspace: Workspace, table: pd.DataFrame, subject: str) -> pd.DataFrame:
    """The runs with what the lag check found of each, in words; as they are before the check was made."""
    if not workspace.has_table("lags"):
        return table
    lags = store.table("lags")
    lags = lags[lags["subject"] == subject]
    film = lag_words(lags["lag_tr"], lags["clear"])
    words = lags[["segment", "run"]].assign(film_lag=film, other_lag=lag_words(lags["runs_lag_tr"], lags["runs_clear"]))
    return table.merge(words, on=["segment", "run"], how="left")


def lag_words(lag_tr: pd.Series, clear: pd.Series) -> list[str]:
    return [
        f"{int(lag):+d} TR".replace("+0", "0").replace("-", "−") if sure else "not clear"
        for lag, sure in zip(lag_tr, clear, strict=True)
    ]


def left_out(workspace: Workspace) -> None:
    st.subheader("What was found, and what was left out", anchor=False)
    table = workspace.problems
    if table.empty:
        st.success("Every file was read without a complaint.", icon=":material/check_circle:")
        return
    columns = {
        "what": st.column_config.TextColumn("What", width="large"),
        "left_out": st.column_config.CheckboxColumn("Left out"),
        "where": st.column_config.TextColumn("Where", width="medium"),
        "remedy": st.column_config.TextColumn("What to do", width="large"),
        "severity": st.column_config.TextColumn("Kind"),
    }
    st.dataframe(table[[name for name in columns if name in table.columns]], column_config=columns, hide_index=True)


def labels(workspace: Workspace) -> None:
    st.subheader("The true flow's own quality", anchor=False)
    st.markdown(f"Flow is measured on the film by **{workspace.labeller}**.")
    if workspace.has_table("label_error"):
        table: pd.DataFrame = store.table("label_error")
        if len(table):
            exact_errors(table)
            return
    st.caption("For real films no exact flow exists, so the labels' own error is not known.")


def exact_errors(table: pd.DataFrame) -> None:
    """The labels against the exact flow of the rendered scenes, film by film."""
    names = {"epe": "End-point error (px/step)", "epe_zero": "Mean speed (px/step)", "coverage": "Share of points kept"}
    shown = table.groupby("segment")[[name for name in names if name in table.columns]].mean()
    st.markdown("The films are rendered, so the labels can be held against the exact flow of the scenes:")
    columns: dict[str, ColumnConfig] = {
        name: st.column_config.NumberColumn(words, format="%.3f") for name, words in names.items()
    }
    st.dataframe(shown.rename_axis("Film").reset_index(), column_config=columns, hide_index=True, height="content")


def duplicates(workspace: Workspace) -> None:
    st.subheader("Test shots that training almost contains", anchor=False)
    table = store.table("near_duplicates")
    if table.empty:
        st.markdown("No near-duplicate shot between training and test films was found.")
        return
    st.markdown(
        f"{len(table)} near-duplicates between training and test films; their test clips are easier than new ones."
    )
    st.dataframe(table.drop(columns="simulated", errors="ignore"), hide_index=True, height="content")


def main() -> None:
    workspace = store.workspace()
    subject = subject_heading("Data", workspace)
    message(workspace)
    place = st.container()  # filled last: the first drawing of a map takes a second or two
    with shell.guarded("timing"):
        timing(workspace, subject)
    with shell.guarded("problems"):
        left_out(workspace)
    left, right = st.columns(2, gap="large")
    with left, shell.guarded("labels"):
        labels(workspace)
    with right, shell.guarded("near-duplicates"):
        duplicates(workspace)
    with place, shell.guarded("map"):
        cortex(workspace, subject)


main()
