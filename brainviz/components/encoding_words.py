"""The Encoding page's one message: what was tested, in words that claim no more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brainviz.components.encoding_map import MapChoice, shown_map
from brainviz.components.encoding_view import ALPHA, EncodingView, contrast_rows, region_rows
from brainviz.figures.encoders import encoder_look
from brainviz.metrics.better_encoder import better_encoder


def message_of(view: EncodingView, choice: MapChoice) -> str:
    """The page's one message, as HTML: what was tested, and with how many."""
    return _MESSAGES[choice.kind](view, choice)


def _contrast_words(view: EncodingView, choice: MapChoice) -> str:
    a, b = encoder_look(choice.a).label, encoder_look(choice.b).label
    rows = contrast_rows(choice.a, choice.b, view.subject)
    winner = better_encoder(rows, region_rows(view.subject))
    better, worse = int((winner > 0).sum()), int((winner < 0).sum())
    return (
        f"{a} predicts better than {_within(b)} in <b>{better} of {len(rows)} regions</b>, worse in <b>{worse}</b> "
        f"<small>(q &lt; .05, where the better one predicts)</small>"
    )


def _r_words(view: EncodingView, choice: MapChoice) -> str:
    rows = region_rows(view.subject, choice.a)
    clear = int(((rows["q"] < ALPHA) & (rows["r"] > 0)).sum())
    row = view.mean_row(choice.a)
    return (
        f"{encoder_look(choice.a).label} predicts <b>{clear} of {len(rows)} regions</b> <small>(q &lt; .05)</small>; "
        f"mean r <b>{_short(row['mean_r'])}</b> <small>({_short(row['low'])} to {_short(row['high'])}, "
        f"{int(row['n_vertices']):,} reliable vertices)</small>"
    )


def _best_words(view: EncodingView, choice: MapChoice) -> str:
    top = str(view.summary["mean_r"].astype(float).idxmax())
    row = view.mean_row(top)
    return (
        f"<b>{encoder_look(top).label}</b> has the highest mean r: {_short(row['mean_r'])} "
        f"<small>({_short(row['low'])} to {_short(row['high'])}); the map is not a test</small>"
    )


def _ceiling_words(view: EncodingView, choice: MapChoice) -> str:
    values = view.map("noise-ceiling")
    finite = values[np.isfinite(values)]
    share = float((finite > 0.5).mean())
    return (
        f"A perfect model could reach r &gt; .5 at <b>{share:.0%} of vertices</b> "
        f"<small>({len(finite):,} vertices, median ceiling {_short(float(np.median(finite)))})</small>"
    )


def _partition_words(view: EncodingView, choice: MapChoice) -> str:
    found = shown_map(view, choice)
    finite = np.isfinite(found.values)
    a, b = encoder_look(choice.a).label, encoder_look(choice.b).label
    what = f"{a} explains variance beyond {_within(b)}" if choice.kind == "unique" else f"{a} and {_within(b)} share"
    q = np.ones_like(found.values) if found.q is None else found.q
    clear = int(((q < ALPHA) & (found.values > 0) & finite).sum())
    what = what if choice.kind == "unique" else f"{what} explained variance"
    return f"{what} at <b>{clear:,} of {int(finite.sum()):,} reliable vertices</b> <small>(q &lt; .05)</small>"


_MESSAGES: dict[str, Callable[[EncodingView, MapChoice], str]] = {
    "contrast": _contrast_words,
    "r": _r_words,
    "best": _best_words,
    "ceiling": _ceiling_words,
    "unique": _partition_words,
    "shared": _partition_words,
}


def _within(label: str) -> str:
    """A name inside a sentence: capitals stay where the name is one."""
    return label[0].lower() + label[1:] if label.split(",")[0] in ("Motion energy",) else label


def _short(value: float) -> str:
    """A correlation as the field writes it: .163, −.02."""
    words = f"{abs(value):.3f}".removeprefix("0") if abs(value) < 1 else f"{abs(value):.2f}"
    return f"−{words}" if value < 0 else words
