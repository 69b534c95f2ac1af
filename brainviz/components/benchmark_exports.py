"""What a visitor of the Benchmark page can take away: tables, a LaTeX table, a report that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from brainviz.components import benchmark_words, exports, store
from brainviz.components.benchmark_view import BenchmarkView
from brainviz.figures.benchmark_latex import latex_table
from brainviz.figures.benchmark_report import ReportFacts, html_report

CSV = {"benchmark": "Ranking", "benchmark_clips": "Every clip", "benchmark_tests": "Tests"}


def menu(view: BenchmarkView, subject: str, metric: str) -> None:
    """The export menu. Files are made when asked for."""
    simulated = store.workspace().simulated
    stem = partial(exports.file_stem, simulated=simulated)
    files: list[tuple[str, str, Callable[[], str], str, str]] = [
        ("Report (HTML)", "description", partial(report, view), f"{stem('benchmark')}.html", "text/html"),
        (
            "Table (LaTeX)",
            "functions",
            partial(latex, view, subject),
            f"{stem('benchmark', f'subject{subject}')}.tex",
            "text/x-tex",
        ),
    ]
    for name, words in CSV.items():
        file = f"{stem(name.replace('_', '-'))}.csv"
        files.append((f"{words} (CSV)", "table", partial(table_csv, name), file, "text/csv"))
    chosen = {**st.query_params.to_dict(), "subject": subject, "metric": metric}
    settings = partial(settings_json, view, chosen)
    name = f"{stem('benchmark', metric)}.json"
    files.append(("Settings of this view (JSON)", "data_object", settings, name, "application/json"))
    with st.popover("Export", icon=":material/download:", help="Report, tables, settings"):
        for label, icon, make, file, mime in files:
            exports.download(label, icon, make, file, mime)
        st.caption("The report opens without a network. The address is a link to exactly this view.")


def table_csv(name: str) -> str:
    """All rows of a table of the benchmark."""
    return str(store.table(name).to_csv(index=False))


def settings_json(view: BenchmarkView, chosen: dict[str, str]) -> str:
    """The view and where its values come from."""
    workspace = store.workspace()
    facts = {"dataset": workspace.dataset_name, "simulated": workspace.simulated, "results": workspace.version}
    return exports.settings_json(chosen, {**facts, "made": view.made})


def latex(view: BenchmarkView, subject: str) -> str:
    """Means and intervals of one subject, for booktabs."""
    workspace = store.workspace()
    return latex_table(
        view.summary[view.summary["subject"] == subject],
        view.metrics,
        benchmark_words.label,
        f"Subject {subject}, {workspace.dataset_name}",
        workspace.simulated,
    )


def report(view: BenchmarkView) -> str:
    """Everything that was compared, as one HTML file."""
    workspace = store.workspace()
    made = next(iter(view.made.values()), {})
    facts = ReportFacts(
        dataset=workspace.dataset_name,
        simulated=workspace.simulated,
        size=int(made.get("size", 0)),
        labeller=workspace.labeller,
        seed=int(made.get("seed", 0)),
        versions={str(k): str(v) for k, v in made.get("made_with", {}).items()},
        results=workspace.version,
    )
    return html_report(
        view.summary, view.tests, view.absent, facts, benchmark_words.label, benchmark_words.protocol_words
    )
