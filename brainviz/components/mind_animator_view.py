"""What the Mind-Animator page reads, gathered once per version of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from brainviz.components import store
from brainviz.components.cortex_message import MapPanel
from brainviz.components.encoding_view import Map, region_name, region_words, subject_map
from brainviz.errors import NotReady
from brainviz.metrics.video.benchmark_names import BENCHMARK

if TYPE_CHECKING:
    import pandas as pd

PARTS = {"semantic": "Semantics", "structure": "First frame", "motion": "Motion"}
KINDS = {"pattern": "Pattern", "filter": "Filter"}
STEPS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LEAST_VERTICES = 10
"""Regions with fewer vertices stand in the table, not in the figure: a mean of two says little of a region."""
EXPLAINED = {
    "pattern": "Where the decoded signal is: how strongly each vertex goes with what was decoded.",
    "filter": "What the decoder weighs: a weight may be there to cancel noise, so it does not say where the signal is.",
}
_READS = {"semantic": "what is seen", "structure": "the first frame", "motion": "motion"}


@dataclass(frozen=True, eq=False)
class MindAnimatorView:
    """One subject's Mind-Animator, in its corrected form.

    Attributes
    ----------
    maps : set of str
        Names of the maps that exist, ``mind-animator/<part>/<kind>``.
    facts : mapping
        Of the result: generator, vertices, shift_s, fps and others.
    """

    subject: str
    maps: frozenset[str]
    facts: Mapping[str, Any]

    def parts(self) -> list[str]:
        """Parts that have maps."""
        return [part for part in PARTS if any(map_name(part, kind) in self.maps for kind in KINDS)]

    def map(self, part: str, kind: str) -> Map:
        """A map, float32 (64984,), 0 to 1, NaN where the decoder was given no vertex. Treat it as read-only."""
        return subject_map(self.subject, map_name(part, kind))


def map_name(part: str, kind: str) -> str:
    """Name of a map in the workspace."""
    return f"mind-animator/{part}/{kind}"


def mind_animator_view(subject: str) -> MindAnimatorView:
    """The view of the current workspace; raises `NotReady` before Mind-Animator was trained on the subject."""
    return _view(str(store.workspace_path()), store.version(), subject)


@st.cache_resource(max_entries=12, show_spinner=False)
def _view(path: str, version: str, subject: str) -> MindAnimatorView:
    workspace = store.workspace()
    result = workspace.results.current("mind_animator", f"{subject}.corrected")
    if result is None:
        remedy = "It is trained in a run until the benchmark, on films that have captions."
        raise NotReady(f"Mind-Animator has not been trained on subject {subject} yet.", "mind_animator", remedy)
    return MindAnimatorView(subject, frozenset(workspace.maps(subject)), result.manifest.get("facts", {}))


# ---- maps


def panel_of(view: MindAnimatorView, part: str, kind: str) -> MapPanel:
    """A map as a panel; colours end at the 98th percentile, rounded up."""
    values = view.map(part, kind)
    top = float(np.nanpercentile(values, 98)) if np.isfinite(values).any() else 1.0
    return MapPanel(
        id="mind-animator",
        title=f"{PARTS[part]}, {KINDS[kind].lower()}",
        values=values,
        limits=(0.0, next((step for step in STEPS if step >= top), 1.0)),
        colormap="sequential",
        symbol=kind,
        note=f"subject {view.subject}",
        explanation=f"Decoder of {_READS[part]}. {EXPLAINED[kind]} 0 to 1 over the vertices that it was given.",
        simulated=store.workspace().simulated,
    )


def regions_of(view: MindAnimatorView, part: str, kind: str) -> pd.DataFrame:
    """Regions that hold a vertex with a value, largest mean first.

    Columns: hemisphere, region, mean (of the map), n_vertices (with a value), name (``L_V1``), words (``V1, left``).
    """
    return _regions(str(store.workspace_path()), store.version(), view.subject, part, kind)


@st.cache_resource(max_entries=24, show_spinner=False)
def _regions(path: str, version: str, subject: str, part: str, kind: str) -> pd.DataFrame:
    import pandas as pd

    from brainviz.cortex.regions import HEMISPHERES, N_REGIONS_PER_SIDE, glasser
    from brainviz.cortex.surface import full_to_cortex
    from brainviz.metrics.region_means import glasser_regions, means_of_map

    means, counts = means_of_map(full_to_cortex(subject_map(subject, map_name(part, kind))), glasser_regions())
    areas, n = list(glasser().areas), N_REGIONS_PER_SIDE
    table = pd.DataFrame({"hemisphere": np.repeat(HEMISPHERES, n), "region": areas * 2})
    table = table.assign(mean=means[:-1], n_vertices=counts[:-1])
    table["name"] = [region_name(*pair) for pair in zip(table["hemisphere"], table["region"], strict=True)]
    table["words"] = [region_words(name) for name in table["name"]]
    return table[table["n_vertices"] > 0].sort_values("mean", ascending=False, ignore_index=True)


def at_vertex(view: MindAnimatorView, vertex: int) -> pd.DataFrame:
    """Every map at a vertex (full order): part, kind, value, rank (share of vertices with a smaller value)."""
    import pandas as pd

    rows = []
    for part in view.parts():
        for kind in KINDS:
            if map_name(part, kind) in view.maps:
                values = view.map(part, kind)
                known = values[np.isfinite(values)]
                rank = float((known < values[vertex]).mean()) if len(known) else float("nan")
                rows.append({"part": part, "kind": kind, "value": float(values[vertex]), "rank": rank})
    return pd.DataFrame(rows, columns=["part", "kind", "value", "rank"])


# ---- tables


def shift_rows(measure: str) -> pd.DataFrame:
    """Rows of one measure of the table `shuffle_test_shift`, by subject."""
    table = store.table("shuffle_test_shift")
    return table[table["measure"] == measure].sort_values("subject", ignore_index=True)


def shuffle_rows(fmri: str) -> pd.DataFrame:
    """Rows of the table `shuffle_test` for the ``shown`` or the ``shifted`` fMRI, by subject."""
    table = store.table("shuffle_test")
    return table[table["fmri"] == fmri].sort_values("subject", ignore_index=True)


def correction_metrics() -> list[str]:
    """Metrics of the table `corrections`, in the order of the Benchmark page."""
    there = set(store.table("corrections")["metric"])
    return [name for name in BENCHMARK if name in there]
