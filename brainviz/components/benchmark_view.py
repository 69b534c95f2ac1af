"""What the Benchmark page reads, gathered once per version of the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import store
from brainviz.errors import NotReady
from brainviz.figures.palette import ordered
from brainviz.metrics.video.benchmark_names import BENCHMARK

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class BenchmarkView:
    """The tables of the benchmark.

    Attributes
    ----------
    summary, tests, absent : DataFrame
        `benchmark`, `benchmark_tests`, `benchmark_absent`, all subjects.
    made : mapping of subject -> facts of the result that its rows come from: size, labeller, seed, versions
    """

    summary: pd.DataFrame
    tests: pd.DataFrame
    absent: pd.DataFrame
    made: dict[str, dict[str, Any]]

    @property
    def metrics(self) -> list[str]:
        """Metrics with values, in the page's order."""
        there = set(self.summary["metric"])
        return [name for name in BENCHMARK if name in there]

    def of(self, metric: str, subject: str = "") -> pd.DataFrame:
        """Rows of a metric, of one subject or all."""
        keep = self.summary["metric"] == metric
        return self.summary[keep & (self.summary["subject"] == subject) if subject else keep]

    def tests_of(self, metric: str, subject: str = "") -> pd.DataFrame:
        """Tests of a metric, in one subject or all."""
        keep = self.tests["metric"] == metric
        return self.tests[keep & (self.tests["subject"] == subject) if subject else keep]

    def systems(self, metric: str, subject: str) -> list[str]:
        """Systems that the metric has in a subject, in the palette's order."""
        return ordered(list(self.of(metric, subject)["system"].unique()))


def benchmark_view() -> BenchmarkView:
    """The view of the current workspace; raises `NotReady` before the systems were compared."""
    return _view(str(store.workspace_path()), store.version())


@st.cache_resource(max_entries=2, show_spinner=False)
def _view(path: str, version: str) -> BenchmarkView:
    workspace = store.workspace()
    summary = store.table("benchmark")
    if summary.empty:
        raise NotReady("No system has been compared yet.", "benchmark", "The comparison comes at the end of a run.")
    made = {}
    for result in workspace.results.all_current("benchmark"):
        made[result.unit] = {**result.manifest.get("facts", {}), "made_with": result.manifest.get("made_with", {})}
    return BenchmarkView(summary, store.table("benchmark_tests"), store.table("benchmark_absent"), made)


def clip_values(subject: str, metric: str) -> pd.DataFrame:
    """Values of one subject and metric: index clips, one column per system."""
    return _clip_values(str(store.workspace_path()), store.version(), subject, metric)


@st.cache_resource(max_entries=32, show_spinner=False)
def _clip_values(path: str, version: str, subject: str, metric: str) -> pd.DataFrame:
    table = store.table("benchmark_clips")
    rows = table[(table["subject"] == subject) & (table["metric"] == metric)]
    return rows.pivot_table(index="clip", columns="system", values="value", observed=True)
