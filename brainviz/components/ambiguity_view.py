"""What the Ambiguity page reads, gathered once per subject and version of the workspace."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import store
from brainviz.errors import NotReady
from brainviz.flow.summary import DIRECTIONS

if TYPE_CHECKING:
    import pandas as pd

ALL_RUNS, RANKED_ON, REPORTED_ON = "all", "odd", "even"


@dataclass(frozen=True)
class AmbiguityView:
    """One subject's bits of direction.

    Attributes
    ----------
    runs : str
        Test runs of `clips` and `chances`: the even ones, clips being ranked on the odd; all where these were not
        decoded apart.
    clips : DataFrame
        Index: clips; columns of the table `ambiguity`.
    chances : system -> clip -> float (9,)
        Probabilities of the directions, from `image-only`, `brain` and `shuffled`.
    """

    subject: str
    runs: str
    clips: pd.DataFrame
    chances: dict[str, dict[str, npt.NDArray[np.float64]]]

    @property
    def ranked(self) -> list[str]:
        """Clips from the most usable bits on odd runs, then those that have no rank, in the film's order."""
        rank = self.clips["rank"]
        order = rank.where(rank > 0, len(rank) + 1).sort_values(kind="stable")
        return [str(clip) for clip in order.index]

    def telling(self, clips: Collection[str]) -> list[str]:
        """Some clips, the most telling first: both continuations of a frame must tell, so pairs by their worse rank.

        Clips without another continuation come after those with one.
        """
        rank = self.clips["rank"].astype(int).to_dict()

        def order(clip: str) -> tuple[bool, int]:
            other = self.partner(clip)
            return not other, max(rank[clip], rank.get(other, 0))

        return sorted(self.in_order(clips), key=order)

    def in_order(self, clips: Collection[str]) -> list[str]:
        """Some clips in the order of `ranked`."""
        wanted = set(clips)
        return [clip for clip in self.ranked if clip in wanted]

    @property
    def is_ranked(self) -> bool:
        return bool((self.clips["rank"] > 0).any())

    @property
    def runs_words(self) -> str:
        return "even test runs; ranked on odd ones" if self.runs == REPORTED_ON else "all test runs"

    def true(self, clip: str) -> str:
        """True direction of a clip, "" where it is not known."""
        return str(self.clips["direction_true"][clip]) if clip in self.clips.index else ""

    def bits(self, clip: str) -> float:
        """Usable bits of a clip; NaN where they are not known."""
        return float(self.clips["usable_bits"].astype(float)[clip]) if clip in self.clips.index else float("nan")

    def partner(self, clip: str) -> str:
        """The clip that shows the other continuation of the same frame, "" where there is none."""
        return str(self.clips["partner"][clip]) if clip in self.clips.index else ""


def ambiguity_view(subject: str) -> AmbiguityView:
    """The view of the current workspace; raises `NotReady` before the subject was measured."""
    return _view(str(store.workspace_path()), store.version(), subject)


@st.cache_resource(max_entries=12, show_spinner=False)
def _view(path: str, version: str, subject: str) -> AmbiguityView:
    table = store.table("ambiguity")
    mine = table[table["subject"] == subject]
    if mine.empty:
        raise NotReady(f"Subject {subject} has not been measured yet.", "ambiguity", "It appears during the run.")
    runs = REPORTED_ON if (mine["runs"] == REPORTED_ON).any() else ALL_RUNS
    clips = mine[mine["runs"] == runs].set_index("clip")
    told = store.table("ambiguity_directions")
    told = told[(told["subject"] == subject) & (told["runs"] == runs)]
    chances = {}
    for system, column in (("image-only", "q_image"), ("brain", "q_brain"), ("shuffled", "q_shifted")):
        wide = told.pivot(index="clip", columns="direction", values=column)[list(DIRECTIONS)]
        chances[system] = dict(zip(wide.index, wide.to_numpy(float), strict=True))
    return AmbiguityView(subject, runs, clips, chances)


def case_means(case: str) -> pd.DataFrame:
    """Mean usable bits of a case on all test runs: index subjects; columns of the table `ambiguity_cases`."""
    table = store.table("ambiguity_cases")
    return table[(table["case"] == case) & (table["runs"] == ALL_RUNS)].set_index("subject")


def instance_bits(clips: pd.DataFrame) -> pd.DataFrame:
    """Usable bits of instances (shots) on all test runs, every subject: subject, clip (the first), continuation, bits.

    Parameters
    ----------
    clips : DataFrame
        The clips of the case: clip, shot, and continuation where the film has one.
    """
    import pandas as pd

    table = store.table("ambiguity")
    rows = table[(table["runs"] == ALL_RUNS) & table["clip"].isin(clips["clip"])]
    known = clips.set_index("clip")
    rows = rows.assign(shot=rows["clip"].map(known["shot"]), continuation=rows["clip"].map(continuations(known)))
    grouped = rows.dropna(subset="usable_bits").groupby(["subject", "shot", "continuation"], sort=False)
    found = grouped.agg(clip=("clip", "first"), bits=("usable_bits", "mean")).reset_index()
    return pd.DataFrame(found[["subject", "clip", "continuation", "bits"]])


def continuations(clips: pd.DataFrame) -> pd.Series:
    """Continuation of each clip, "" in films that have none."""
    import pandas as pd

    return clips["continuation"].fillna("") if "continuation" in clips else pd.Series("", index=clips.index)
