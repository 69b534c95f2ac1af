"""What the Regions page reads of one subject, and what it says of it. Gathered once per version of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from brainviz.components import store
from brainviz.components.cortex_message import MapPanel
from brainviz.components.encoding_view import Map, subject_map
from brainviz.errors import NotReady

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
MEASURES = {"unique": "Unique", "reliance": "Reliance", "alone": "Alone"}
EXPLAINED = {
    "unique": "Error added when the decoder is refitted without the region: what no other region makes up for.",
    "reliance": "Error added when the region's activity is replaced by what the rest of the cortex lets expect, the "
    "decoder staying as it is.",
    "alone": "Error taken away, against no brain at all, by a decoder fitted to nothing but the region.",
}
STEPS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1)
NOT_DECODED = "not decoded from"


@dataclass(frozen=True, eq=False)
class RegionsView:
    """One subject's table `leave_out`.

    Attributes
    ----------
    rows : DataFrame
        As the table, with `gain`: the contribution, larger for more under every measure (`epe_change`, its sign turned
        for `alone`), and `gain_low`, `gain_high`, `gain_null` likewise.
    """

    subject: str
    rows: pd.DataFrame

    def of(self, measure: str) -> pd.DataFrame:
        """Rows of a measure, largest contribution first, regions that are not decoded from last; index: region."""
        rows = self.rows[self.rows["measure"] == measure]
        return rows.sort_values("gain", ascending=False, na_position="last").set_index("region", drop=False)

    def decoded(self) -> list[str]:
        """Regions that the decoder uses, by name."""
        known = self.rows[(self.rows["measure"] == "unique") & (self.rows["n_vertices"] > 0)]
        return sorted(known["region"], key=str.lower)

    def map(self, measure: str) -> Map:
        """Contribution on the surface, float32 (64984,)."""
        return _turn(measure) * subject_map(self.subject, f"leave-out-{measure}")


def _turn(measure: str) -> int:
    return -1 if measure == "alone" else 1


def regions_view(subject: str) -> RegionsView:
    """The view of the current workspace; raises `NotReady` before the regions were left out."""
    return _view(str(store.workspace_path()), store.version(), subject)


@st.cache_resource(max_entries=12, show_spinner=False)
def _view(path: str, version: str, subject: str) -> RegionsView:
    table = store.table("leave_out")
    rows = table[table["subject"] == subject].reset_index(drop=True)
    if rows.empty:
        raise NotReady(f"No region of subject {subject} has been left out yet.", "leave_out", "It comes near the end.")
    sign = rows["measure"].map(_turn).astype(float)
    ends = np.sort(np.stack([sign * rows["low"], sign * rows["high"]]), axis=0)
    rows = rows.assign(gain=sign * rows["epe_change"], gain_low=ends[0], gain_high=ends[1])
    return RegionsView(subject, rows.assign(gain_null=sign * rows["null"]))


def panel_of(view: RegionsView, measure: str) -> MapPanel:
    """The map of a measure. Both signs share one symmetric scale: orange where the decoder loses without the region."""
    values = view.map(measure)
    top = float(np.nanmax(np.abs(values), initial=0.0))
    limit = next((step for step in STEPS if step >= top), top)
    workspace = store.workspace()
    return MapPanel(
        id="regions",
        title=f"{MEASURES[measure]}: error {'taken away' if measure == 'alone' else 'added'}",
        values=values,
        limits=(-limit, limit),
        symbol="ΔEPE",
        unit="px",
        note=f"subject {view.subject}",
        explanation=EXPLAINED[measure],
        simulated=workspace.simulated,
    )


# ---- words


def px(value: float) -> str:
    """A length as the page writes it: .012, .0004."""
    places = 3 if abs(value) >= 0.0095 else 4
    return f"{abs(value):.{places}f}".removeprefix("0") if abs(value) < 1 else f"{abs(value):.2f}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in a sentence: V1, MT and V3A; V1, MT, V3A and 5 more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def measure_message(view: RegionsView, measure: str) -> str:
    """The page's message while no region is chosen, as HTML."""
    rows = view.of(measure)
    tested = rows[rows["n_vertices"] > 0]
    if tested.empty:
        return "This decoder uses no vertex of any region"
    first = tested.iloc[0]
    beyond = int((tested["q"] < ALPHA).sum())
    counted = f"{beyond} of {len(tested)} regions contribute more than random patches of their size"
    against = f"<small>{counted} (q &lt; .05)</small>"
    name, size = first["region"], px(first["gain"])
    if measure == "alone":
        return f"Alone, <b>{name}</b> takes most error away: {size} px against no brain {against}"
    if measure == "unique":
        return f"Refitted, this decoder loses most without <b>{name}</b>: {size} px {against}"
    return f"As it stands, this decoder relies most on <b>{name}</b>: {size} px {against}"
