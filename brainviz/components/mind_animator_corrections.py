"""What each correction of Mind-Animator is worth: gains by one metric, all metrics at a glance, the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import benchmark_words, choices, exports, mind_animator_words, shell, store
from brainviz.components.mind_animator_view import correction_metrics
from brainviz.errors import NotReady
from brainviz.figures import mind_animator as figures
from brainviz.figures.style import picture_settings
from brainviz.metrics.video.benchmark_names import BENCHMARK, SHORT

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.elements.lib.column_types import ColumnConfig


def show() -> None:
    """The section; raises `NotReady` before the corrections were weighed."""
    if not store.workspace().has_table("corrections"):
        remedy = "Each form is trained anew: on your own data, run with --corrections."
        raise NotReady("The corrections have not been weighed.", "corrections", remedy)
    table, metrics = store.table("corrections"), correction_metrics()
    subject = str(table["subject"].iloc[0])
    rows = table[table["subject"] == subject]
    forms = mind_animator_words.in_order(list(rows["form"].unique()))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        metric = choices.pick_one(
            "metric",
            "Metric",
            metrics,
            "epe" if "epe" in metrics else metrics[0],
            format_func=benchmark_words.title,
            widget="list",
            label_visibility="collapsed",
            width=260,
        )
        st.markdown(f"Of subject {subject} only: each form is trained anew.", width="content")
    chosen = rows[rows["metric"] == metric].set_index("form").reindex(forms).reset_index().dropna(subset=["gain"])
    st.markdown(f"{mind_animator_words.correction_message(chosen, metric)}  \n{mind_animator_words.costs_words(rows)}")
    left, right = st.columns([6, 6], gap="large")
    with left, shell.guarded("gains"):
        _gains(chosen, subject, metric)
    with right, shell.guarded("all metrics"):
        _glance(rows, forms, metrics, subject, metric)
    _caption(chosen, metric)
    with st.expander("What the released program does instead", icon=":material/help:"):
        for name, instead in mind_animator_words.CORRECTIONS.values():
            st.markdown(f"**{name}.** {instead}")
    with st.expander("All numbers of the corrections", icon=":material/table:", expanded=False), shell.guarded("table"):
        _table(rows, forms, metrics)


def _gains(rows: pd.DataFrame, subject: str, metric: str) -> None:
    simulated, unit = store.workspace().simulated, benchmark_words.unit(metric)
    st.html(
        f'<p class="tile"><b>{benchmark_words.title(metric)}</b> <small>right of 0 the correction helps</small></p>'
    )
    figure = figures.corrections(
        rows,
        [mind_animator_words.correction_name(form) for form in rows["form"]],
        f"Gain{f' ({unit})' if unit else ''}",
        [benchmark_words.p_words(float(p)) for p in rows["p_holm"]],
        shell.is_dark(),
        simulated,
    )
    stem = exports.file_stem(f"subject{subject}", "mind-animator", "corrections", metric, simulated=simulated)
    st.plotly_chart(figure, key="corrections-gains", config=picture_settings(stem))


def _glance(rows: pd.DataFrame, forms: list[str], metrics: list[str], subject: str, metric: str) -> None:
    simulated = store.workspace().simulated
    st.html('<p class="tile"><b>All metrics</b> <small>▲ helps, ▼ costs (p &lt; .05), ○ not told apart</small></p>')
    figure = figures.all_corrections(
        rows,
        forms,
        [mind_animator_words.correction_name(form) for form in forms],
        {name: SHORT.get(name, name) for name in metrics},
        metric,
        shell.is_dark(),
        simulated,
    )
    stem = exports.file_stem(f"subject{subject}", "mind-animator", "corrections", simulated=simulated)
    st.plotly_chart(figure, key="corrections-glance", config=picture_settings(stem))


def _caption(rows: pd.DataFrame, metric: str) -> None:
    alone = "" if BENCHMARK[metric].against_truth else " This metric rewards films that stand still."
    n, blocks = (mind_animator_words.span(rows[name].astype(float).tolist(), "{:.0f}") for name in ("n", "n_blocks"))
    st.caption(
        "The corrected form against itself with one correction undone; the last row against the released form. Bars: "
        f"95 % intervals over {blocks} blocks of whole shots ({n} clips); p: sign flips over blocks, Holm over the "
        f"rows of one metric.{alone}{mind_animator_words.few_blocks_words(rows)}"
    )


def _table(rows: pd.DataFrame, forms: list[str], metrics: list[str]) -> None:
    place = {form: i for i, form in enumerate(forms)}
    shown = rows[rows["metric"].isin(metrics)].assign(
        correction=rows["form"].map(mind_animator_words.correction_name),
        named=rows["metric"].map(benchmark_words.title),
        at=rows["metric"].map(metrics.index),
        row=rows["form"].map(place),
    )
    columns = ["named", "correction", "gain", "low", "high", "p_holm", "mean_whole", "mean_undone", "n", "n_blocks"]
    shown = shown.sort_values(["at", "row"])[columns]
    st.dataframe(shown, column_config=_columns(), hide_index=True, height="content")


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "named": st.column_config.TextColumn("Metric", pinned=True),
        "correction": st.column_config.TextColumn("Correction"),
        "gain": number("Gain", format="%.3g", help="Above 0 where the correction helps, whichever way the metric runs"),
        "low": number("from", format="%.3g", help="Lower end of the 95 % interval"),
        "high": number("to", format="%.3g", help="Upper end of the 95 % interval"),
        "p_holm": number("p (Holm)", format="%.2g", help="Over the rows of one metric"),
        "mean_whole": number("With it", format="%.4f", help="Mean of the corrected form"),
        "mean_undone": number("Without it", format="%.4f", help="Mean of the form without this correction"),
        "n": number("Clips", format="%d"),
        "n_blocks": number("Blocks", format="%d"),
    }
