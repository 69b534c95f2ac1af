"""Which map the Encoding page shows, as panels of the cortex component, and what it says in tested words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import store
from brainviz.components.cortex_message import MapPanel
from brainviz.components.encoding_view import ALPHA, EncodingView, Map, encoding_view
from brainviz.figures.encoders import classes_of, encoder_look, ordered_encoders

KINDS = {
    "contrast": "A minus B",
    "r": "Prediction of A",
    "best": "Best encoder",
    "ceiling": "Noise ceiling",
    "unique": "Unique to A",
    "shared": "Shared by A and B",
}
NEEDS_B = ("contrast", "unique", "shared")
STEPS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class MapChoice:
    """A kind of map (a key of `KINDS`) and two encoders."""

    kind: str
    a: str
    b: str

    @property
    def slug(self) -> str:
        """For file names."""
        parts = {"contrast": [self.a, "minus", self.b], "r": [self.a], "unique": ["unique", self.a, "beyond", self.b]}
        return "-".join(parts.get(self.kind, [self.kind, *([self.a, self.b] if self.kind == "shared" else [])]))


def kinds_of(view: EncodingView, a: str, b: str) -> list[str]:
    """The kinds of map that exist for these encoders."""
    there = {
        "contrast": a != b and view.has_pair(a, b),
        "r": f"r/{a}" in view.maps,
        "best": "best" in view.maps,
        "ceiling": "noise-ceiling" in view.maps,
        "unique": f"unique/{a}|{b}" in view.maps,
        "shared": view.has_pair(a, b, "shared"),
    }
    return [kind for kind, has in there.items() if has]


def has_map(subject: str, choice: MapChoice) -> bool:
    """Whether the subject has this map."""
    workspace = store.workspace()
    if not workspace.encoders(subject) or not workspace.has_table("encoding"):
        return False
    view = encoding_view(subject)
    known = choice.a in view.encoders and (choice.kind not in NEEDS_B or choice.b in view.encoders)
    return known and choice.kind in kinds_of(view, choice.a, choice.b)


def title_of(choice: MapChoice) -> str:
    """The map in a few words."""
    a, b = encoder_look(choice.a).label, encoder_look(choice.b).label
    return {
        "contrast": f"{a} minus {b}",
        "r": a,
        "best": "Encoder with the highest r",
        "ceiling": "Noise ceiling",
        "unique": f"Unique to {a}, beside {b}",
        "shared": f"Shared by {a} and {b}",
    }[choice.kind]


# ---- panels


@dataclass(frozen=True, eq=False)
class ShownMap:
    """One subject's map with its companions: float32 (64984,) each, or None."""

    values: Map
    q: Map | None


def shown_map(view: EncodingView, choice: MapChoice) -> ShownMap:
    """Values and q of the chosen map."""
    return _READ[choice.kind](view, choice)


def _contrast(view: EncodingView, choice: MapChoice) -> ShownMap:
    return ShownMap(*view.contrast(choice.a, choice.b))


def _r(view: EncodingView, choice: MapChoice) -> ShownMap:
    return ShownMap(view.map(f"r/{choice.a}"), view.map(f"q/{choice.a}"))


def _ceiling(view: EncodingView, choice: MapChoice) -> ShownMap:
    return ShownMap(view.map("noise-ceiling"), None)


def _best(view: EncodingView, choice: MapChoice) -> ShownMap:
    """Where the best encoder predicts at all (q < .05). Stored numbers count encoders, classes count colours."""
    stored = view.map("best")
    compared = store.workspace().results.current("encoding_maps", view.subject)
    order = compared.manifest["facts"].get("encoders", view.encoders) if compared else view.encoders
    places, _ = classes_of(ordered_encoders(order))
    by_name = dict(zip(ordered_encoders(order), places, strict=True))
    table = np.array([by_name[name] for name in order], np.float32)
    q = np.stack([view.map(f"q/{name}") for name in order])
    number = np.nan_to_num(stored).astype(int)
    known = np.isfinite(stored) & (np.take_along_axis(q, number[None], 0)[0] < ALPHA)
    values = np.where(known, table[number], np.nan).astype(np.float32)
    return ShownMap(values, None)


def _unique(view: EncodingView, choice: MapChoice) -> ShownMap:
    pair = f"{choice.a}|{choice.b}"
    return ShownMap(view.map(f"unique/{pair}"), view.map(f"unique-q/{pair}"))


def _shared(view: EncodingView, choice: MapChoice) -> ShownMap:
    pairs = (f"{choice.a}|{choice.b}", f"{choice.b}|{choice.a}")
    pair = next(pair for pair in pairs if f"shared/{pair}" in view.maps)
    return ShownMap(view.map(f"shared/{pair}"), view.map(f"shared-q/{pair}"))


_READ: dict[str, Callable[[EncodingView, MapChoice], ShownMap]] = {
    "contrast": _contrast,
    "r": _r,
    "best": _best,
    "ceiling": _ceiling,
    "unique": _unique,
    "shared": _shared,
}
_SYMBOLS = {"contrast": "Δr", "r": "r", "best": "", "ceiling": "r max", "unique": "ΔR²", "shared": "R²"}
_EXPLANATIONS = {
    "contrast": "Difference of the correlations between measured and predicted activity. Orange: {a} predicts better; "
    "blue: {b} does.",
    "r": "Correlation between measured and predicted activity on test films that the model never saw.",
    "best": "The encoder with the highest correlation, where it predicts at all (q < .05). Differences are not tested.",
    "ceiling": "The highest correlation that a perfect model of the film can expect, given the noise of the scans.",
    "unique": "Variance that {a} explains beyond {b}. Negative: the joint model predicts worse.",
    "shared": "Variance that either of {a} and {b} explains.",
}


@st.cache_resource(max_entries=96, show_spinner=False)
def _limits(path: str, version: str, subjects: tuple[str, ...], choice: MapChoice) -> tuple[float, float] | None:
    """One pair of limits for all panels of a view: the 98th percentile of |value|, rounded up to a plain number."""
    if choice.kind == "best":
        return None
    found = [np.abs(shown_map(encoding_view(subject), choice).values) for subject in subjects]
    top = max(float(np.nanpercentile(values, 98)) for values in found)
    top = next((step for step in STEPS if step >= top), top)
    return (0.0, top) if choice.kind in ("r", "ceiling") else (-top, top)


def panel_of(view: EncodingView, choice: MapChoice, subjects: list[str]) -> MapPanel:
    """One subject's map as a panel; `subjects` are all that stand side by side and share the limits."""
    found = shown_map(view, choice)
    workspace = store.workspace()
    names = {"a": encoder_look(choice.a).label, "b": encoder_look(choice.b).label}
    companions = choice.kind != "best"
    return MapPanel(
        id=f"s{view.subject}",
        title=title_of(choice) if len(subjects) == 1 else f"Subject {view.subject}",
        values=found.values,
        limits=_limits(str(store.workspace_path()), store.version(), tuple(subjects), choice),
        colormap="sequential" if choice.kind in ("r", "ceiling") else "diverging",
        reliability=_reliability(view) if companions and choice.kind != "ceiling" else None,
        q=found.q,
        ceiling=view.map("noise-ceiling") if companions and "noise-ceiling" in view.maps else None,
        classes=_classes(view) if choice.kind == "best" else (),
        symbol=_SYMBOLS[choice.kind],
        note=f"subject {view.subject}" if len(subjects) == 1 else "",
        explanation=_EXPLANATIONS[choice.kind].format(**names),
        simulated=workspace.simulated,
    )


def _classes(view: EncodingView) -> tuple[tuple[str, str], ...]:
    compared = store.workspace().results.current("encoding_maps", view.subject)
    order = compared.manifest["facts"].get("encoders", view.encoders) if compared else view.encoders
    return classes_of(ordered_encoders(order))[1]


def _reliability(view: EncodingView) -> npt.NDArray[np.float32] | None:
    """Reliability of the mean of the two training runs (Spearman and Brown): 2 r / (1 + r), 0 to 1."""
    if "reliability" not in view.maps:
        return None
    r = np.clip(view.map("reliability"), 0, 1)
    return (2 * r / (1 + r)).astype(np.float32)
