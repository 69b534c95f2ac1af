"""Scores of reanimations as the page tells them: under each panel, for all clips, and what was tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import store
from brainviz.components.film_player import Metric
from brainviz.components.reanimation_words import metric_words, metrics_in_order

if TYPE_CHECKING:
    import pandas as pd

NOT_SCORED = "not scored yet"
MOST_METRICS = 5  # under a panel


def clip_scores(subject: str, clip: str, backend: str, mask: str) -> dict[tuple[str, int], dict[str, float]]:
    """Scores of one clip by (system, sample), each by metric; empty where there are none.

    Systems that share a film between subjects (subject "all") count for every subject.
    """
    return _scores(str(store.workspace_path()), store.version(), subject, clip, backend, mask)


@st.cache_resource(max_entries=64, show_spinner=False)
def _scores(
    path: str, version: str, subject: str, clip: str, backend: str, mask: str
) -> dict[tuple[str, int], dict[str, float]]:
    if not store.workspace().has_table("reanimation"):
        return {}
    table = store.table("reanimation")
    keep = (table["clip"] == clip) & table["subject"].isin([subject, "all"])
    rows = table[keep & (table["backend"] == backend) & (table["mask"] == mask)]
    found: dict[tuple[str, int], dict[str, float]] = {}
    for system, sample, metric, value in rows[["system", "sample", "metric", "value"]].itertuples(index=False):
        found.setdefault((str(system), int(sample)), {})[str(metric)] = float(value)
    return found


def panel_metrics(scores: dict[str, float]) -> tuple[Metric, ...]:
    """Scores as they stand under a panel, in the page's order."""
    metrics = []
    for name in metrics_in_order(list(scores)):
        words, value = metric_words(name), scores[name]
        number = "–" if value != value else f"{value:.{words.digits}f}"
        metrics.append(Metric(words.label, number.replace("-", "−"), f"{words.explanation} n = 1 clip."))
    return tuple(metrics[:MOST_METRICS])


def message(scores: dict[tuple[str, int], dict[str, float]]) -> str:
    """The page's one message for a clip, as HTML: how much nearer to the film's motion fMRI brings it."""
    brain, alone = (scores.get((name, 0), {}).get("epe") for name in ("brain", "image-only"))
    if brain is None or alone is None or not alone > 0:
        return "One first frame, brought to life by motion predicted <b>with fMRI</b>, without, and by the true motion"
    share = 100 * (1 - brain / alone)
    word = "closer to" if share >= 0 else "farther from"
    return (
        f"With fMRI, this reanimation moves <b>{abs(share):.0f} % {word} the film</b> than the one from the first "
        "frame alone"
    )


def summary_rows(backend: str, mask: str) -> pd.DataFrame | None:
    """Means over all test clips under one backend and mask; None where nothing was summarised."""
    if not store.workspace().has_table("reanimation_summary"):
        return None
    table = store.table("reanimation_summary")
    rows = table[(table["backend"] == backend) & (table["mask"] == mask)]
    return None if rows.empty else rows


def verdict(backend: str, mask: str) -> str:
    """The test of brain information in words, for each metric: frame + fMRI against frame alone."""
    if not store.workspace().has_table("reanimation_tests"):
        return ""
    tests = store.table("reanimation_tests")
    tests = tests[(tests["backend"] == backend) & (tests["mask"] == mask) & (tests["a"] == "brain")]
    sentences = [_sentence(tests[(tests["b"] == "image-only") & (tests["metric"] == m)], m) for m in ("epe", "ssim")]
    frozen = _frozen_sentence(tests[tests["b"] == "zero"])
    return " ".join(filter(None, [*sentences, frozen]))


def _better(rows: pd.DataFrame, metric: str) -> pd.Series:
    sign = -1 if metric_words(metric).smaller_is_better else 1
    return (sign * rows["difference"] > 0) & (rows["p_holm"] < 0.05)


def _sentence(rows: pd.DataFrame, metric: str) -> str:
    if rows.empty:
        return ""
    rows = rows.sort_values("subject")
    words = metric_words(metric)
    parts = [
        f"{difference:+.{words.digits}f} (p = {p:.2g})"
        for difference, p in rows[["difference", "p_holm"]].itertuples(index=False)
    ]
    unit = f" {words.unit}" if words.unit else ""
    return (
        f"**In {int(_better(rows, metric).sum())} of {len(rows)} subjects the reanimation with fMRI has the better "
        f"{words.label} than the one from the frame alone**: difference {', '.join(parts)}{unit}.".replace("-0", "−0")
    )


def _frozen_sentence(rows: pd.DataFrame) -> str:
    """On how many metrics the frozen first frame is beaten: it may win, and that is said."""
    counts = []
    for metric in metrics_in_order(list(rows["metric"].unique())):
        of = rows[rows["metric"] == metric]
        counts.append(f"{metric_words(metric).label} in {int(_better(of, metric).sum())} of {len(of)}")
    return f"It beats the frozen first frame on {', '.join(counts)}." if counts else ""
