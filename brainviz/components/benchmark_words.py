"""What the Benchmark page says: names of metrics and systems, one line on each, the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainviz.components.reanimation_words import label as film_label
from brainviz.metrics.video.benchmark_names import BENCHMARK, better

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
FROZEN, CEILING = "zero", "truth"
_MARKED = {CEILING: "True motion (ceiling)", FROZEN: "Frozen frame (control)"}
PROTOCOLS = {
    "frames": "frames of {0} px, unpadded, at the label times after the first frame that no cut parts",
    "flow-32": "flow on a 32 × 32 grid, per step of about 2/3 s, valid points of the true film; measured by {0}",
    "flow-own": "the film's own flow, measured by {0}; the true film does not enter",
    "retrieval": "cosine between decoded vector and image vectors of {0} clips",
    "imagenet": "classes of ImageNet-1k (ViT-B/16) in eight frames of the clip, mean over them",
    "kinetics": "classes of Kinetics-400 (VideoMAE Base) in sixteen frames of the clip",
}


def label(system: str) -> str:
    """Name of a system in rankings."""
    return _MARKED.get(system) or film_label(system)


def title(metric: str) -> str:
    """Name of a metric; one that is not known keeps its own."""
    return BENCHMARK[metric].title if metric in BENCHMARK else metric


def axis(metric: str) -> str:
    """Title of an axis: name, unit, which way is better."""
    unit = BENCHMARK[metric].unit
    return f"{title(metric)}{f' ({unit})' if unit else ''} · {'larger' if better(metric) > 0 else 'smaller'} is better"


def explanation(metric: str) -> str:
    """One line on a metric."""
    known = BENCHMARK[metric]
    alone = "" if known.against_truth else " It never looks at the true film: a frame that stands still is perfect."
    return f"{known.note} {'Larger' if better(metric) > 0 else 'Smaller'} is better.{alone}"


def protocol_words(tag: str) -> str:
    """What a protocol's tag stands for."""
    for start, words in PROTOCOLS.items():
        if tag.startswith(f"{start}-"):
            return words.format(tag.removeprefix(f"{start}-"))
    return f"embeddings of {tag}"


def number(value: float, metric: str) -> str:
    """A value as the page writes it."""
    if value != value:
        return "–"
    digits = 1 if metric == "psnr" else 4 if metric == "warping-error" else 3
    return f"{value:.{digits}f}".replace("-", "−")


def message(rows: pd.DataFrame, tests: pd.DataFrame, metric: str) -> str:
    """The page's message on one metric, as HTML: who is first over subjects, and in how many the test says so.

    `rows` and `tests` are those of one metric, all subjects.
    """
    ranked = [name for name in in_order(rows, metric) if name != CEILING]
    if not ranked:
        return f"No system has been scored by {title(metric)}"
    name = title(metric)
    by = f"By {name[0].lower() + name[1:] if name[1:2].islower() else name}"
    if len(ranked) == 1:
        return f"{by}, only <b>{label(ranked[0])}</b> is scored"
    first, second = ranked[:2]
    if first == FROZEN:
        return f"{by}, the <b>frozen first frame</b> wins <small>a control: this metric rewards standing still</small>"
    surely, all_subjects = better_in(tests, first, second, metric)
    count = f"in {surely} of {all_subjects} subject{'s' if all_subjects != 1 else ''}"
    told = f"better than {label(second)} {count} (p &lt; .05, Holm)"
    if not surely:
        told = f"not told apart from {label(second)} (p above .05, Holm)"
    return f"{by}, <b>{label(first)}</b> comes first of {len(ranked)} <small>{told}</small>"


def better_in(tests: pd.DataFrame, first: str, second: str, metric: str) -> tuple[int, int]:
    """In how many subjects the first of two systems is surely the better one, and how many were tested."""
    forward = tests[(tests["a"] == first) & (tests["b"] == second)]
    backward = tests[(tests["a"] == second) & (tests["b"] == first)]
    hits = sum(
        int(((part["p_holm"] < ALPHA) & (sign * better(metric) * part["difference"] > 0)).sum())
        for part, sign in ((forward, 1), (backward, -1))
    )
    return hits, len(forward) + len(backward)


def in_order(rows: pd.DataFrame, metric: str) -> list[str]:
    """Systems of one metric from best to worst, by their mean over subjects; the ceiling last."""
    means = {str(name): float(mean) for name, mean in rows.groupby("system")["value"].mean().items()}
    return sorted(means, key=lambda name: (name == CEILING, -better(metric) * means[name], name))


def p_between(tests: pd.DataFrame, a: str, b: str) -> float:
    """Corrected p of a pair; NaN where it was not tested."""
    found = tests[((tests["a"] == a) & (tests["b"] == b)) | ((tests["a"] == b) & (tests["b"] == a))]
    return float(found["p_holm"].iloc[0]) if len(found) else float("nan")


def p_words(p: float) -> str:
    """As in a sentence: p = .030, p < .001."""
    if p != p:
        return "not tested"
    return "p < .001" if p < 0.001 else "p = " + (f"{p:.3f}".removeprefix("0") if p < 1 else "1")


def unit(metric: str) -> str:
    """Unit of a metric, "" for none."""
    return BENCHMARK[metric].unit if metric in BENCHMARK else ""


def chance_words(rows: pd.DataFrame) -> str:
    """Tests against chance in one subject, as a sentence; "" where there is no chance level."""
    tested = rows[rows["p_chance"].notna()]
    if tested.empty:
        return ""
    level = float(tested["chance"].iloc[0])
    each = ", ".join(
        f"{label(str(name))} {p_words(float(p))}" for name, p in zip(tested["system"], tested["p_chance"], strict=True)
    )
    return f"Dashed: chance, {level:.3f}. Against the same vectors shifted along the film: {each}."
