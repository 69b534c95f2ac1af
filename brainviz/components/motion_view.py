"""What the Motion page reads, gathered once per subject, mask and version of the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import store
from brainviz.errors import NotReady
from brainviz.figures.palette import ordered

if TYPE_CHECKING:
    import pandas as pd

FULL, ALL_RUNS = "full", "all"


@dataclass(frozen=True)
class MotionView:
    """One subject's errors per clip and system under one mask.

    Attributes
    ----------
    epe, best, worst : DataFrame
        Rows: clips; columns: systems in the palette's order. Mean, smallest and largest end-point error over a
        system's samples (all the same for a system with one expected flow), grid pixels per step.
    epe_zero : Series
        Error of zero flow, that is the mean speed of the clip.
    samples : dict of system -> number of samples
    gain : DataFrame
        Index: clips; gain_odd, gain_even, rank. Frame alone minus frame + fMRI, in halves of the test runs. May be
        empty.
    """

    subject: str
    mask: str
    epe: pd.DataFrame
    best: pd.DataFrame
    worst: pd.DataFrame
    epe_zero: pd.Series
    samples: dict[str, int]
    gain: pd.DataFrame

    @property
    def systems(self) -> list[str]:
        return list(self.epe.columns)

    def error(self, clip: str, system: str) -> float | None:
        """Mean end-point error of a system for a clip; None where it was not scored."""
        if system not in self.systems or clip not in self.epe.index:
            return None
        return float(self.epe[system].astype(float)[clip])

    def gain_even(self, clip: str) -> float | None:
        """How much smaller the error is with fMRI, on even test runs; None where not known."""
        return float(self.gain["gain_even"].astype(float)[clip]) if clip in self.gain.index else None

    def of_clip(self, clip: str) -> pd.DataFrame:
        """Errors of one clip: index systems; columns mean, best, worst."""
        import pandas as pd

        columns = {"mean": self.epe, "best": self.best, "worst": self.worst}
        return pd.DataFrame({name: table.T[clip] for name, table in columns.items()})

    def share_closer(self, clip: str) -> tuple[float, str] | None:
        """How much smaller the error is with fMRI than with the frame alone, as a share, and on which test runs.

        Even runs where they were scored apart: the clips are ranked on the odd ones. None where not known.
        """
        if not {"brain", "image-only"} <= set(self.systems) or clip not in self.epe.index:
            return None
        errors = self.of_clip(clip)["mean"].astype(float)
        if not errors["image-only"] > 0:
            return None
        if clip in self.gain.index:
            return float(self.gain["gain_even"][clip]) / errors[
                "image-only"
            ], "even test runs; clips ranked on odd ones"
        return 1 - errors["brain"] / errors["image-only"], "all test runs"


def motion_view(subject: str, mask: str) -> MotionView:
    """The view of the current workspace; raises `NotReady` before the subject was evaluated."""
    return _view(str(store.workspace_path()), store.version(), subject, mask)


@st.cache_resource(max_entries=24, show_spinner=False)
def _view(path: str, version: str, subject: str, mask: str) -> MotionView:
    motion = store.table("motion")
    rows = motion[
        (motion["subject"] == subject)
        & (motion["mask"] == mask)
        & (motion["part"] == FULL)
        & (motion["runs"] == ALL_RUNS)
    ]
    if rows.empty:
        raise NotReady(f"Subject {subject} has not been scored yet.", "evaluate_motion", "It appears during the run.")
    grouped = rows.groupby(["clip", "system"], observed=True)["epe"]
    order = ordered(list(rows["system"].unique()))
    counts = rows.groupby("system", observed=True)["sample"].nunique()
    mean, best, worst = (grouped.agg(how).unstack("system")[order] for how in ("mean", "min", "max"))
    samples = {str(system): int(count) for system, count in counts.items()}
    zero = rows.groupby("clip", observed=True)["epe_zero"].first()
    return MotionView(subject, mask, mean, best, worst, zero, samples, _gain(subject))


def _gain(subject: str) -> pd.DataFrame:
    import pandas as pd

    if not store.workspace().has_table("motion_gain"):
        return pd.DataFrame(columns=["gain_odd", "gain_even", "rank"])
    table = store.table("motion_gain")
    return table[table["subject"] == subject].set_index("clip")[["gain_odd", "gain_even", "rank"]]


def view_or_none(subject: str, mask: str = "none") -> MotionView | None:
    """The subject's errors, or None before they were computed."""
    try:
        return motion_view(subject, mask)
    except NotReady:
        return None


def first_clip(view: MotionView | None, ids: list[str]) -> str:
    """The clip a visitor sees first: where fMRI helped most on odd test runs, else the first."""
    if view is not None and len(view.gain) and view.gain["gain_odd"].idxmax() in ids:
        return str(view.gain["gain_odd"].idxmax())
    return ids[0]
