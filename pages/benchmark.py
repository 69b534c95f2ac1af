"""Benchmark: every system, every metric, one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import (
    benchmark_exports,
    benchmark_films,
    benchmark_tables,
    benchmark_words,
    choices,
    clip_picker,
    exports,
    shell,
    store,
)
from brainviz.components.benchmark_view import BenchmarkView, benchmark_view, clip_values
from brainviz.components.heading import subject_heading
from brainviz.figures import benchmark as figures
from brainviz.figures.style import picture_settings
from brainviz.metrics.video.benchmark_names import RETRIEVAL, better
from pipelines.interactive import benchmark

if TYPE_CHECKING:
    import pandas as pd

SHOWS = "Every system on the same clips, at the same size, by the same program; the frozen first frame is a control."
SCATTER = "benchmark-scatter"
FILM_PANELS = "films"

shell.ensure_app()


def film(subject: str, clip: str, system: str) -> benchmark.SystemFilm:
    """What a panel shows."""
    return benchmark.system_film(store.workspace(), subject, clip, system)


def choose_pair(systems: list[str]) -> tuple[str, str]:
    """Menus of the two systems that are compared clip by clip: across, and upwards."""
    first = next((name for name in ("mind-animator", "image-only") if name in systems), systems[0])
    second = next((name for name in ("brain-e2e", "brain") if name in systems and name != first), systems[-1])
    pair = []
    for name, words, default in (("a", "Across", first), ("b", "Upwards", second)):
        pair.append(
            choices.pick_one(
                name,
                words,
                systems,
                default,
                format_func=benchmark_words.label,
                widget="list",
                label_visibility="collapsed",
                width=225,
            )
        )
    return pair[0], pair[1]


def show_ranking(view: BenchmarkView, metric: str, subject: str) -> None:
    """Dots and intervals of all systems."""
    rows, simulated = view.of(metric), store.workspace().simulated
    order = benchmark_words.in_order(rows, metric)
    axis, dark = benchmark_words.axis(metric), shell.is_dark()
    figure = figures.ranking(rows, order, axis, benchmark_words.label, dark, simulated)
    stem = exports.file_stem("benchmark", metric, simulated=simulated)
    st.plotly_chart(figure, key="benchmark-ranking", config=picture_settings(stem))
    frozen = " Dotted: the first frame standing still, a control that may win." if "zero" in order else ""
    protocol = benchmark_words.protocol_words(str(rows["protocol"].iloc[0]))
    st.caption(
        f"Mean over up to {rows['n'].max():.0f} test clips, one dot per subject; bars are 95 % intervals over "
        f"{rows['n_blocks'].max():.0f} blocks of whole shots.{frozen} {benchmark_words.explanation(metric)} "
        f"{benchmark_words.chance_words(view.of(metric, subject))} Protocol: {protocol}."
    )


def show_scatter(view: BenchmarkView, subject: str, metric: str, pair: tuple[str, str], clip: str) -> None:
    """Two systems, clip by clip; a click opens the clip."""
    values, simulated = clip_values(subject, metric), store.workspace().simulated
    a, b = pair
    labels = benchmark_words.label(a), benchmark_words.label(b)
    if a == b:
        st.info("Choose two different systems.", icon=":material/compare_arrows:")
        return
    if metric in RETRIEVAL:
        show_found(values[[a, b]].dropna(), labels, benchmark_words.p_between(view.tests_of(metric, subject), a, b))
        return
    unit = benchmark_words.unit(metric)
    figure = figures.per_clip(values, pair, labels, unit, better(metric), clip, shell.is_dark(), simulated)
    stem = exports.file_stem(f"subject{subject}", "benchmark", metric, a, b, simulated=simulated)
    st.plotly_chart(figure, key=SCATTER, on_select=picked, selection_mode="points", config=picture_settings(stem))
    both = values[[a, b]].dropna()
    ahead = int((better(metric) * (both[b] - both[a]) > 0).sum())
    p = benchmark_words.p_between(view.tests_of(metric, subject), a, b)
    st.caption(
        f"Each point is a clip of subject {subject}; click one to open it. {labels[1]} is better in {ahead} of "
        f"{len(both)} clips; {benchmark_words.p_words(p)} (blocks, Holm)."
    )


def show_found(both: pd.DataFrame, labels: tuple[str, str], p: float) -> None:
    """Two systems that find a clip or not: a scatter would have four points."""
    first, second = (both[name] > 0 for name in both)
    counts = {
        "Both": int((first & second).sum()),
        f"Only {labels[0]}": int((first & ~second).sum()),
        f"Only {labels[1]}": int((second & ~first).sum()),
        "Neither": int((~first & ~second).sum()),
    }
    st.dataframe({"The clip is found by": list(counts), "Clips": list(counts.values())}, hide_index=True)
    st.caption(f"Of {len(both)} clips; the difference: {benchmark_words.p_words(p)} (blocks, Holm).")


def picked() -> None:
    """Open the clip that was clicked."""
    points = st.session_state[SCATTER]["selection"]["points"]
    if points:
        clip = points[0].get("customdata")
        clip_picker.open_clip(clip[0] if isinstance(clip, list) else clip)


def link_to_reanimation(subject: str, clip: str, pair: tuple[str, str]) -> None:
    """The way to the Reanimation page with these systems, those that it can move."""
    there = [name for name in pair if name in store.workspace().systems(subject)]
    if there:
        wanted = {"subject": subject, "clip": clip, FILM_PANELS: ",".join(["film", *there])}
        names = " and ".join(benchmark_words.label(name) for name in there)
        st.page_link(
            "pages/reanimation.py",
            label=f"Look closer: {names} on the Reanimation page",
            icon=":material/animation:",
            query_params=wanted,
        )


def default_clip(ids: list[str], subject: str, metric: str) -> str:
    """The first of the compared clips."""
    compared = set(clip_values(subject, metric).index)
    return next((clip for clip in ids if clip in compared), ids[0])


def main() -> None:
    workspace = store.workspace()
    subject = subject_heading("Benchmark", workspace)
    shell.sentence(SHOWS)
    view = benchmark_view()
    words = st.empty()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        metric = choices.pick_one(
            "metric",
            "Metric",
            view.metrics,
            view.metrics[0],
            format_func=benchmark_words.title,
            widget="list",
            label_visibility="collapsed",
            width=260,
        )
        systems = view.systems(metric, subject)
        pair = choose_pair(systems) if len(systems) > 1 else ("", "")
        st.space("stretch")
        benchmark_exports.menu(view, subject, metric)
    with words:
        shell.message(benchmark_words.message(view.of(metric), view.tests_of(metric), metric))
    ids = list(workspace.clips.loc[workspace.clips["split"] == "test", "clip"])
    clip = choices.choose("clip", ids, default_clip(ids, subject, metric), "the clip")
    left, right = st.columns([7, 5], gap="large")
    with left, shell.guarded("ranking"):
        show_ranking(view, metric, subject)
    with right, shell.guarded("clips"):
        if pair[0]:
            show_scatter(view, subject, metric, pair, clip)
        else:
            st.info("Two systems are needed to compare clip by clip.", icon=":material/compare_arrows:")
    if pair[0]:
        st.subheader(f"Clip {clip}", anchor=False)
        benchmark_films.show(view, subject, clip, tuple(dict.fromkeys(pair)), film)
        link_to_reanimation(subject, clip, pair)
    with shell.guarded("all metrics"):
        benchmark_tables.all_metrics(view, subject)
    with shell.guarded("explanations"):
        benchmark_tables.explained(view)
    with shell.guarded("published"):
        benchmark_tables.published()
    benchmark_tables.method()
    with st.expander("Cite", icon=":material/format_quote:"):
        st.code(exports.CITATION, language="bibtex")


with shell.guarded("benchmark"):
    main()
