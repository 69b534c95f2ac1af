"""The benchmark as one HTML file that needs no network: drawings as SVG, nothing from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from brainviz.figures.benchmark_svg import intervals_svg
from brainviz.metrics.video.benchmark_names import BENCHMARK, better

if TYPE_CHECKING:
    import pandas as pd

Words = Callable[[str], str]
CEILING = "truth"
_CSS = """
:root { color-scheme: light dark; --ink: #1b1f26; --soft: #5b6370; --line: #dfe2e7; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #a6adb8; --line: #333944; --page: #13161b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto;
  max-width: 1000px; padding: 2.5rem 1.2rem 5rem; }
h1 { font: 600 2.2rem/1.15 Georgia, serif; margin: 0 .8rem .3rem 0; display: inline-block; }
h2 { font: 600 1.35rem/1.3 Georgia, serif; margin: 2.6rem 0 .2rem; }
p, caption { color: var(--soft); margin: .25rem 0 .8rem; max-width: 78ch; }
.badge { background: #e69f0033; border: 1px solid #e69f00; border-radius: 1rem; padding: .15rem .7rem;
  font-size: .9rem; }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 560px; height: auto; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
svg .grid { stroke: var(--line); }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .4rem 0 1rem; }
th, td { text-align: right; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
dt { font-weight: 600; } dd { margin: 0 0 .6rem; color: var(--soft); }
details { margin: .4rem 0; } summary { cursor: pointer; }
"""


@dataclass(frozen=True)
class ReportFacts:
    """What the report says of where its values come from.

    Attributes
    ----------
    dataset : str
    simulated : bool
    size : int
        Side of the compared frames in pixels.
    labeller : str
        What measured the flow.
    seed : int
        Of permutations, resamples and shifts.
    versions : mapping
        Program, Python and library versions, device.
    results : str
        Version of the workspace.
    """

    dataset: str
    simulated: bool
    size: int
    labeller: str
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict)
    results: str = ""


def html_report(
    summary: pd.DataFrame,
    tests: pd.DataFrame,
    absent: pd.DataFrame,
    facts: ReportFacts,
    label: Words,
    protocol_words: Words,
) -> str:
    """Every metric with its ranking, table and tests; the protocol, seeds and versions; what is absent.

    Parameters
    ----------
    summary, tests, absent : DataFrame
        Tables `benchmark`, `benchmark_tests`, `benchmark_absent`.
    facts : ReportFacts
    label, protocol_words : callables
        Name of a system; what a protocol's tag stands for.
    """
    metrics = [name for name in BENCHMARK if (summary["metric"] == name).any()]
    parts = [_head(facts), _protocol(summary, facts)]
    parts += [_metric(summary, tests, metric, facts, label, protocol_words) for metric in metrics]
    parts += [_absent(absent, label), _versions(facts)]
    title = "Benchmark" + (", simulated data" if facts.simulated else "")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_CSS}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _head(facts: ReportFacts) -> str:
    badge = '<span class="badge">Simulated data</span>' if facts.simulated else ""
    words = "Every system on the same clips, at the same size, by the same program."
    if facts.simulated:
        words += " Film, brain and scanner noise were made by a program: this recovers what was planted and replicates "
        words += "nothing."
    return f"<header><h1>Benchmark</h1>{badge}<p>{words}</p></header>"


def _protocol(summary: pd.DataFrame, facts: ReportFacts) -> str:
    subjects = ", ".join(sorted(summary["subject"].unique()))
    least, most = summary["n"].min(), summary["n"].max()
    blocks = summary["n_blocks"].max()
    rows = {
        "Data set": f"{facts.dataset}; subjects {subjects}",
        "Clips": f"{least} to {most} test clips per metric, the same for all systems; imported films may lack some",
        "Frames": f"{facts.size} × {facts.size} px, unpadded, compared at the label times",
        "Flow": f"{facts.labeller}; 32 × 32 grid, the true film's valid points, for films and reanimations alike",
        "Intervals": f"95 %, bootstrap over up to {blocks} blocks of whole shots of 30 s or more",
        "Tests": "sign flips of whole blocks, two-sided; Holm over all pairs of one metric and subject",
        "Seed": str(facts.seed),
    }
    cells = "".join(f"<dt>{name}</dt><dd>{escape(words)}</dd>" for name, words in rows.items())
    return f"<section><h2>Protocol</h2><dl>{cells}</dl></section>"


def _metric(
    summary: pd.DataFrame, tests: pd.DataFrame, metric: str, facts: ReportFacts, label: Words, protocol_words: Words
) -> str:
    rows, known = summary[summary["metric"] == metric], BENCHMARK[metric]
    means = {str(name): float(mean) for name, mean in rows.groupby("system")["value"].mean().items()}
    order = sorted(means, key=lambda name: (name == CEILING, -better(metric) * means[name]))
    unit = f" ({known.unit})" if known.unit else ""
    way = "Larger is better." if better(metric) > 0 else "Smaller is better."
    tag = str(rows["protocol"].iloc[0])
    drawing = intervals_svg(rows, order, label, "simulated data" if facts.simulated else "")
    return (
        f"<section><h2>{escape(known.title + unit)}</h2><p>{escape(known.note)} {way} Protocol "
        f'<code>{escape(tag)}</code>: {escape(protocol_words(tag))}.</p><div class="wide">{drawing}</div>'
        f"<details><summary>Values</summary>{_values(rows, order, label)}</details>"
        f"<details><summary>Tests</summary>{_tests(tests[tests['metric'] == metric], label)}</details></section>"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _values(rows: pd.DataFrame, order: list[str], label: Words) -> str:
    found = rows.set_index(["system", "subject"]).sort_index()
    cells = []
    for system in order:
        for subject, one in found.loc[system].iterrows():
            numbers = [_number(one[name]) for name in ("value", "low", "high", "chance")]
            cells.append([label(system), str(subject), *numbers, f"{one['n']:.0f}", f"{one['n_blocks']:.0f}"])
    return _table(["System", "Subject", "Mean", "from", "to", "Chance", "Clips", "Blocks"], cells)


def _tests(tests: pd.DataFrame, label: Words) -> str:
    rows = [
        [
            f"{label(str(one['a']))} − {label(str(one['b']))}",
            str(one["subject"]),
            *(_number(one[name]) for name in ("difference", "low", "high", "p", "p_holm")),
            f"{one['n_blocks']:.0f}",
        ]
        for one in tests.to_dict("records")
    ]
    return _table(["Pair", "Subject", "Difference", "from", "to", "p", "p (Holm)", "Blocks"], rows) if rows else ""


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.4g}".replace("-", "−")


def _absent(absent: pd.DataFrame, label: Words) -> str:
    unique = absent[["system", "metric", "reason"]].drop_duplicates()
    lines = [
        f"<dt>{escape(BENCHMARK[metric].title)}{': ' + escape(label(system)) if system else ''}</dt>"
        f"<dd>{escape(reason)}</dd>"
        for system, metric, reason in unique.astype(str).to_numpy()
    ]
    return f"<section><h2>Not scored</h2><dl>{''.join(lines)}</dl></section>" if lines else ""


def _versions(facts: ReportFacts) -> str:
    rows = [[name, version] for name, version in facts.versions.items()]
    results = f"<p>Results {escape(facts.results)}.</p>" if facts.results else ""
    return f"<section><h2>Made with</h2>{_table(['', 'Version'], rows)}{results}</section>"
