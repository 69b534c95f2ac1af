"""What the Encoding page reads of one subject: encoders, maps, tables. Gathered once per version of the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import store
from brainviz.cortex.regions import HEMISPHERES, glasser
from brainviz.errors import NotReady
from brainviz.figures.encoders import ordered_encoders

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
Map = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class EncodingView:
    """One subject's encoding results.

    Attributes
    ----------
    encoders : list of str
        In the order of figures.
    maps : set of str
        Names of the maps that exist.
    summary : DataFrame
        Index: encoders; columns of the table `encoding`.
    """

    subject: str
    encoders: list[str]
    maps: frozenset[str]
    summary: pd.DataFrame

    def map(self, name: str) -> Map:
        """A map, float32 (64984,), read once per version. Treat it as read-only."""
        return subject_map(self.subject, name)

    def has_pair(self, a: str, b: str, kind: str = "contrast") -> bool:
        """Whether a map of two encoders is stored in either order."""
        return f"{kind}/{a}|{b}" in self.maps or f"{kind}/{b}|{a}" in self.maps

    def contrast(self, a: str, b: str) -> tuple[Map, Map]:
        """Difference of r, a minus b, and its q, each float32 (64984,); only one order of a pair is stored."""
        pair, sign = self.stored_pair(a, b)
        return sign * self.map(f"contrast/{pair}"), self.map(f"contrast-q/{pair}")

    def contrast_interval(self, a: str, b: str, vertex: int) -> tuple[float, float, float, float]:
        """Difference of r at a vertex, a minus b, the ends of its 95 % interval, and its q."""
        pair, sign = self.stored_pair(a, b)
        kinds = ("contrast", "contrast-low", "contrast-high", "contrast-q")
        value, low, high, q = (float(self.map(f"{kind}/{pair}")[vertex]) for kind in kinds)
        return (value, low, high, q) if sign > 0 else (-value, -high, -low, q)

    def stored_pair(self, a: str, b: str) -> tuple[str, int]:
        """The stored name of a pair and the sign that turns it into a minus b; raises `NotReady`."""
        for pair, sign in ((f"{a}|{b}", 1), (f"{b}|{a}", -1)):
            if f"contrast/{pair}" in self.maps:
                return pair, sign
        raise NotReady("These two encoders have not been compared yet.", f"{a}, {b}", "It happens during the run.")

    def at_vertex(self, vertex: int) -> pd.DataFrame:
        """Every encoder at a vertex (full order): index encoders; r, low, high, q, alpha, r2."""
        import pandas as pd

        kinds = ("r", "low", "high", "q", "alpha", "r2")
        rows = {
            name: {kind: float(self.map(f"{kind}/{name}")[vertex]) for kind in kinds if f"{kind}/{name}" in self.maps}
            for name in self.encoders
        }
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(kinds))

    def value(self, name: str, vertex: int) -> float:
        """One map's value at a vertex, NaN where the map does not exist."""
        return float(self.map(name)[vertex]) if name in self.maps else float("nan")

    def mean_row(self, encoder: str) -> dict[str, float]:
        """An encoder's row of the table `encoding`: mean_r, low, high, n_vertices, n_significant, n_blocks."""
        names = ["mean_r", "low", "high", "n_vertices", "n_significant", "n_blocks"]
        return {name: float(self.summary[name].astype(float)[encoder]) for name in names}

    def mean_ceiling(self) -> float:
        """Mean noise ceiling of the vertices that enter an encoder's mean r; NaN where it is not known."""
        if not {"noise-ceiling", "reliability"} <= self.maps or self.summary.empty:
            return float("nan")
        above = float(self.summary["reliability_above"].iloc[0])
        chosen = np.nan_to_num(self.map("reliability"), nan=-1.0) > above
        return float(np.nanmean(self.map("noise-ceiling")[chosen]))

    def clearest_vertex(self, region: str = "") -> int:
        """The vertex with the highest noise ceiling, in a region if one is given: pinned until someone chooses."""
        name = "noise-ceiling" if "noise-ceiling" in self.maps else f"r/{self.encoders[0]}"
        values = np.nan_to_num(self.map(name), nan=-np.inf)
        inside = glasser().vertices(region) if region else np.arange(len(values))
        return int(inside[values[inside].argmax()])


def encoding_view(subject: str) -> EncodingView:
    """The view of the current workspace; raises `NotReady` before an encoder was fitted to the subject."""
    return _view(str(store.workspace_path()), store.version(), subject)


def subjects_with(kind: str) -> list[str]:
    """Subjects that have a map of this name."""
    workspace = store.workspace()
    return [subject for subject in workspace.subjects if kind in workspace.maps(subject)]


def subject_map(subject: str, name: str) -> Map:
    """A map of the current workspace, read once per version (260 KB each)."""
    return _map(str(store.workspace_path()), store.version(), subject, name)


@st.cache_resource(max_entries=24, show_spinner=False)
def _view(path: str, version: str, subject: str) -> EncodingView:
    workspace = store.workspace()
    encoders = ordered_encoders(workspace.encoders(subject))
    if not encoders or not workspace.has_table("encoding"):
        raise NotReady(
            f"No encoder has been fitted to subject {subject} yet.", "encoding", "It happens after the motion decoders."
        )
    table = store.table("encoding")
    summary = table[table["subject"] == subject].set_index("encoder").reindex(encoders)
    return EncodingView(subject, encoders, frozenset(workspace.maps(subject)), summary)


@st.cache_resource(max_entries=240, show_spinner=False)
def _map(path: str, version: str, subject: str, name: str) -> Map:
    values = store.workspace().map(subject, name)
    values.setflags(write=False)
    return values


# ---- tables


def contrast_rows(a: str, b: str, subject: str | None = None) -> pd.DataFrame:
    """The table `contrasts` for one pair, a minus b, whichever order is stored; of one subject or of all."""
    return _contrasts(str(store.workspace_path()), store.version(), a, b, subject)


@st.cache_resource(max_entries=48, show_spinner=False)
def _contrasts(path: str, version: str, a: str, b: str, subject: str | None) -> pd.DataFrame:
    import pandas as pd

    table = store.table("contrasts")
    mine = table if subject is None else table[table["subject"] == subject]
    as_asked = mine[(mine["a"] == a) & (mine["b"] == b)]
    turned = mine[(mine["a"] == b) & (mine["b"] == a)].copy()
    turned[["a", "b"]] = [a, b]
    turned["difference"] *= -1
    turned[["low", "high"]] = -turned[["high", "low"]].to_numpy()
    return pd.concat([as_asked, turned], ignore_index=True)


def region_rows(subject: str | None = None, encoder: str | None = None) -> pd.DataFrame:
    """The table `regions`, of one subject and of one encoder where asked."""
    return _regions(str(store.workspace_path()), store.version(), subject, encoder)


@st.cache_resource(max_entries=48, show_spinner=False)
def _regions(path: str, version: str, subject: str | None, encoder: str | None) -> pd.DataFrame:
    table = store.table("regions")
    if subject is not None:
        table = table[table["subject"] == subject]
    if encoder is not None:
        table = table[table["encoder"] == encoder]
    return table.reset_index(drop=True)


# ---- regions and vertices


def region_name(hemisphere: str, region: str) -> str:
    """``"L_V1"`` from the tables' columns."""
    return f"{'LR'[HEMISPHERES.index(hemisphere)]}_{region}"


def region_words(name: str) -> str:
    """``"V1, left"`` from ``"L_V1"``, ``"V1, both sides"`` from ``"V1"``."""
    if name in glasser().names:
        return f"{name[2:]}, {HEMISPHERES['LR'.index(name[0])]}"
    return f"{name}, both sides"


def region_of_vertex(vertex: int) -> str:
    """``"L_V1"`` of a vertex in full order, "" on the medial wall."""
    return glasser().names[int(glasser().labels[vertex])]


def is_region(name: str) -> bool:
    """Whether the parcellation has this region, of one side or of both."""
    return bool(name) and (name in glasser().names or name in glasser().areas)
