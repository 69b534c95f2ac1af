"""What the Mind-Animator page says: measures of the shuffle test, corrections, the message. All from the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brainviz.components.benchmark_words import p_words, title
from brainviz.metrics.video.benchmark_names import BENCHMARK

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
MEASURES = {  # measure -> title, what is better, axis
    "error": ("Error", "smaller is better", "Error (px)"),
    "shuffled": ("Frames shuffled", "error that it adds; larger is better", "Added error (px)"),
    "reversed": ("Film run backwards", "error that it adds; larger is better", "Added error (px)"),
}
TURNS = {"error": -1, "shuffled": 1, "reversed": 1}
ALL = "released"
CORRECTIONS = {  # form in which it is undone -> name, what the released program does instead
    "corrected-minus-augment_in_place": (
        "Augmentation on copies",
        "Released: the inputs that the augmentation sets to zero stay zero in all later epochs, until little or "
        "nothing of the fMRI is left.",
    ),
    "corrected-minus-causal_inference": (
        "All earlier frames seen",
        "Released: when decoding, every frame after the second sees only the first.",
    ),
    "corrected-minus-whole_window": (
        "Whole window read",
        "Released: one volume of fMRI and one token, so that every frame receives the same vector. Corrected: all "
        "volumes of the window.",
    ),
    "corrected-minus-scale_test_on_itself": (
        "Test set kept out of scaling",
        "Released: the test fMRI is z-scored over the test clips themselves.",
    ),
    ALL: ("All four together", "Released: none of the four."),
}


def correction_name(form: str) -> str:
    """Name of the correction that a form lacks."""
    known = CORRECTIONS.get(form)
    return known[0] if known else form.rpartition("-minus-")[2].replace("_", " ")


def in_order(forms: list[str]) -> list[str]:
    """Single corrections first, all together last."""
    rank = {name: i for i, name in enumerate(CORRECTIONS)}
    return sorted(forms, key=lambda form: (form == ALL, rank.get(form, len(rank)), form))


# ---- is motion decoded?


def surely_better(rows: pd.DataFrame) -> int:
    """In how many subjects the shown fMRI is better than shifted fMRI (Holm)."""
    return int(((rows["p_holm"] < ALPHA) & (rows["difference"] > 0)).sum())


def of_subjects(k: int, n: int) -> str:
    """As in a sentence: in 2 of 3 subjects."""
    return f"in {k} of {n} subject{'s' if n != 1 else ''}"


def message(error: pd.DataFrame, shown: pd.DataFrame) -> str:
    """The page's message, as HTML: shown against shifted fMRI, and against a film that does not move.

    `error`: rows of the measure ``error`` of `shuffle_test_shift`; `shown`: rows of `shuffle_test` for the shown fMRI.
    """
    hits, n = surely_better(error), len(error)
    blocks = span(error["n_blocks"].astype(float).tolist(), "{:.0f}")
    verdict = of_subjects(hits, n) if hits else "in no subject"
    level = "p &lt; .05" if hits else "p above .05"
    return (
        f"Shown fMRI beats shifted fMRI <b>{verdict}</b>; {against_frozen(shown)}<br>"
        f"<small>Error of the films decoded from it: {level} (sign flips over {blocks} blocks, Holm). "
        f"{frozen_words(shown)}</small>"
    )


def against_frozen(shown: pd.DataFrame) -> str:
    """What the tests against a film that does not move say, as the end of the message."""
    surely = shown["frozen_p"] < ALPHA
    ahead, behind = (int((surely & side).sum()) for side in (shown["frozen_low"] > 0, shown["frozen_high"] < 0))
    parts = [f"{word} {of_subjects(k, len(shown))}" for k, word in ((ahead, "better"), (behind, "worse")) if k]
    return f"{' and '.join(parts)} than a frozen film" if parts else "not told apart from a frozen film"


def frozen_words(shown: pd.DataFrame) -> str:
    """By how much a film that does not move errs more or less than ours, as a sentence."""
    more = 100 * ((shown["frozen"] / shown["error"]).to_numpy() - 1)
    p = f"at best {p_words(float(shown['frozen_p'].min()))}".replace("<", "&lt;")
    if more.min() < 0 < more.max():
        return f"A frozen film errs {-more.min():.1f} % less to {more.max():.1f} % more ({p})."
    size = span([abs(value) for value in more], "{:.1f}")
    return f"A frozen film errs {size} % {'more' if more.max() > 0 else 'less'} ({p})."


def span(values: list[float], form: str) -> str:
    """Smallest to largest, or the one value."""
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def measure_verdict(measure: str, rows: pd.DataFrame) -> str:
    """Head of a panel, as HTML."""
    name, better, _ = MEASURES[measure]
    found = f"shown fMRI better {of_subjects(surely_better(rows), len(rows))}"
    return f'<p class="tile"><b>{name}</b> <small>{better}</small><br><small>{found}</small></p>'


def plain_test_words(shown: pd.DataFrame, shifted: pd.DataFrame) -> str:
    """Why the plain shuffle test is not enough, in this workspace's own numbers."""
    passed = [int((rows["p"] < ALPHA).sum()) for rows in (shown, shifted)]
    orders = int(shown["orders"].iloc[0])
    counted = (
        f"against {orders} random orders, films from the shown fMRI pass {of_subjects(passed[0], len(shown))}, "
        f"films from shifted fMRI {of_subjects(passed[1], len(shifted))}"
    )
    because = " Any smooth film passes, whatever it shows." if passed[1] else ""
    return f"The plain shuffle test: {counted} (p < .05).{because}"


def few_blocks_words(rows: pd.DataFrame) -> str:
    """A warning where there are too few blocks for strong claims; "" where there are enough."""
    return "" if bool(rows["enough_blocks"].all()) else " Too few blocks for claims below p = .001."


# ---- what each correction is worth


def correction_message(rows: pd.DataFrame, metric: str) -> str:
    """One metric in a sentence, as Markdown; `rows`: one metric of the table `corrections`."""
    single = rows[rows["form"] != ALL]
    helps, costs = (named(single[_sure(single, sign)]) for sign in (1, -1))
    by = f"By {_lowered(title(metric))}"
    told = [f"{words} **{verb}**" for words, verb in ((helps, "helps"), (costs, "costs")) if words]
    one = f"{by}, {'; '.join(told)}" if told else f"{by}, no single correction is told apart from none"
    together = rows[rows["form"] == ALL]
    if together.empty:
        return f"{one}."
    row = together.iloc[0]
    verb = "are not told apart from none"
    if row["p_holm"] < ALPHA:
        verb = "**help**" if row["gain"] > 0 else "**cost**"
    return f"{one}. All four together {verb} ({signed(row['gain'])}, {p_words(float(row['p_holm']))})."


def costs_words(table: pd.DataFrame) -> str:
    """Which corrections cost something by which metric, over all metrics; `table`: all rows of a subject."""
    lost = table[_sure(table, -1)]
    if lost.empty:
        return "By no metric does a correction cost anything that can be told apart from nothing."
    by = {
        form: [_lowered(title(str(m))) for m in lost.loc[lost["form"] == form, "metric"]] for form in set(lost["form"])
    }
    words = [f"{_lowered(correction_name(form))} ({', '.join(by[form])})" for form in in_order(list(by))]
    still = [_lowered(title(m)) for m in dict.fromkeys(lost["metric"]) if not BENCHMARK[m].against_truth]
    note = f" A film that stands still would be perfect by {_listed(still)}." if still else ""
    return f"Not everything helps. What costs: {'; '.join(words)}.{note}"


def named(rows: pd.DataFrame) -> str:
    """Corrections of these rows with gain and p."""
    return _listed(
        [
            f"{_lowered(correction_name(row['form']))} ({signed(row['gain'])}, {p_words(float(row['p_holm']))})"
            for row in rows.to_dict("records")
        ]
    )


def signed(value: float) -> str:
    """A gain: +.016, −.0085."""
    digits = 3 if abs(value) >= 0.0095 else 4
    words = f"{abs(value):.{digits}f}"
    words = words.removeprefix("0") if abs(value) < 1 else words
    return f"{'−' if value < 0 else '+'}{words}"


def _sure(rows: pd.DataFrame, sign: int) -> Any:
    return (rows["p_holm"] < ALPHA) & (sign * rows["gain"] > 0)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _lowered(name: str) -> str:
    """A name inside a sentence; abbreviations keep their capitals."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name
