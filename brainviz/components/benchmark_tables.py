"""The lower half of the Benchmark page: all metrics, what is absent, what others published, what the metrics mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import benchmark_words
from brainviz.components.benchmark_view import BenchmarkView
from brainviz.figures.palette import ordered

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.elements.lib.column_types import ColumnConfig

PUBLISHED = ("mind_animator_benchmark", "mind_animator_ablations", "mind_animator_retrieval", "brainnrds_generation")
METHOD = """
- **One protocol.** Every system is scored on the same clips, at the same size, unpadded, by the same program; where a
  system lacks a clip, no system of ours is scored on it. Imported films keep their gaps, and n says so.
- **Intervals and tests** are over blocks of whole shots of 30 s of film or more: neighbouring clips are not
  independent. Every pair of systems is tested by flipping the signs of whole blocks, seeded, corrected after Holm over
  the pairs of a metric. A claim of p < .001 needs 20 blocks.
- **Given and decoded frames differ.** Systems that start from the true first frame know what the scene looks like; fMRI
  alone and Mind-Animator do not. Compare like with like.
- **The frozen first frame** is a control that may win: pixel metrics often prefer a frame that stands still to one that
  moves a little wrongly, and metrics that never look at the film give it full marks.
- **True motion** is the first frame moved by the film's own flow: the most that this way of rendering can reach. It is
  not ranked and not tested.
- **Retrieval** is tested against the same vectors shifted circularly against each film by 30 s or more.
"""


def all_metrics(view: BenchmarkView, subject: str) -> None:
    """Means of every system under every metric."""
    st.subheader("All metrics", anchor=False)
    st.dataframe(_wide(view, subject), hide_index=True, height="content", column_config=_columns(view))
    counted = view.summary[view.summary["subject"] == subject].groupby("metric")["n"].max()
    words = ", ".join(f"{benchmark_words.title(m)} {counted[m]:.0f}" for m in view.metrics if m in counted)
    st.caption(f"Subject {subject}, means over clips; clips per metric: {words}. Intervals are in the exports.")


def _wide(view: BenchmarkView, subject: str) -> pd.DataFrame:
    rows = view.summary[view.summary["subject"] == subject]
    wide = rows.pivot_table(index="system", columns="metric", values="value", observed=True)
    wide = wide.reindex(index=ordered(list(wide.index)), columns=[m for m in view.metrics if m in wide])
    wide.insert(0, "name", [benchmark_words.label(name) for name in wide.index])
    return wide.reset_index(drop=True)


def _columns(view: BenchmarkView) -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    named: dict[str, ColumnConfig] = {"name": st.column_config.TextColumn("System", pinned=True)}
    for metric in view.metrics:
        digits = {"psnr": 1, "warping-error": 4}.get(metric, 3)
        named[metric] = number(
            benchmark_words.title(metric), format=f"%.{digits}f", help=benchmark_words.explanation(metric)
        )
    return named


def explained(view: BenchmarkView) -> None:
    """One line on each metric, its protocol, and what is absent with its reason."""
    with st.expander("What each metric means", icon=":material/help:"):
        for metric in view.metrics:
            tag = str(view.of(metric)["protocol"].iloc[0])
            words = benchmark_words.explanation(metric)
            st.markdown(f"**{benchmark_words.title(metric)}.** {words} *{benchmark_words.protocol_words(tag)}*")
    with st.expander("What is not scored, and why", icon=":material/block:"):
        for (system, reason), rows in _absent(view).groupby(["system", "reason"], sort=False):
            names = ", ".join(benchmark_words.title(m) for m in rows["metric"])
            who = f"{benchmark_words.label(str(system))}: " if system else ""
            st.markdown(f"**{who}{names}.** {reason}")


def _absent(view: BenchmarkView) -> pd.DataFrame:
    return view.absent[["system", "metric", "reason"]].drop_duplicates()


def published() -> None:
    """What others published, each protocol for itself, never beside our values."""
    from brainviz.published import published as collection

    with st.expander("What others published, by other protocols", icon=":material/history_edu:"):
        st.markdown(
            "These values come from other protocols: other sizes, other flow, other crops, other chance levels. They "
            "stand apart from ours and, where the protocol differs, from each other."
        )
        for name in PUBLISHED:
            table = collection(name)
            for tag, rows in table.groupby("protocol", sort=False):
                st.markdown(f"**{table.attrs['title']}** · protocol `{tag}`")
                mean = rows[rows["subject"].isin(["mean of 3", "all"])]
                wide = (mean if len(mean) else rows).pivot_table(
                    index="system", columns="metric", values="value", sort=False
                )
                st.dataframe(wide.reset_index(), hide_index=True, height="content")
                st.caption(f"{rows['source'].iloc[0]}. {rows['protocol_note'].iloc[0]}")


def method() -> None:
    """How the comparison is made, and what it does not show."""
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        st.markdown(METHOD)
