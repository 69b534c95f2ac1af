"""The benchmark as a LaTeX table, for the package booktabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from brainviz.figures.palette import ordered
from brainviz.metrics.video.benchmark_names import BENCHMARK, SHORT, better

if TYPE_CHECKING:
    import pandas as pd

_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_SPECIAL |= {"\\": r"\textbackslash{}"}
CEILING = "truth"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def latex_table(
    rows: pd.DataFrame, metrics: Sequence[str], label: Callable[[str], str], where: str, simulated: bool
) -> str:
    """Means with 95 % intervals, the best of each column bold; needs booktabs and graphicx.

    Parameters
    ----------
    rows : DataFrame
        One subject's rows of the table `benchmark`: system, metric, protocol, value, low, high, chance, n, n_blocks.
    metrics : sequence of str
        The columns.
    label : callable
        Name of a system.
    where : str
        Subject and data set, for the caption.
    simulated : bool
        Then the caption says so.
    """
    found = rows.set_index(["system", "metric"])
    shown = [metric for metric in metrics if (rows["metric"] == metric).any()]
    arrows = {metric: r"$\uparrow$" if better(metric) > 0 else r"$\downarrow$" for metric in shown}
    head = " & ".join(["System", *(f"{escaped(SHORT[m])} {arrows[m]}" for m in shown)])
    body = []
    for system in ordered(list(rows["system"].unique())):
        cells = [_cell(found, rows, system, metric) for metric in shown]
        body.append(" & ".join([escaped(label(system)), *cells]) + r" \\")
    chance = [_chance(rows, metric) for metric in shown]
    if any(chance):
        body += [r"\midrule", " & ".join(["Chance", *(value or "--" for value in chance)]) + r" \\"]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs,graphicx}",
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{_caption(rows, shown, where, simulated)}}}",
            r"\resizebox{\linewidth}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * len(shown)}}}",
            r"\toprule",
            head + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )


def _cell(found: pd.DataFrame, rows: pd.DataFrame, system: str, metric: str) -> str:
    if (system, metric) not in found.index:
        return "--"
    one: Any = found.loc[(system, metric)]
    digits = {"psnr": 1, "warping-error": 4}.get(metric, 3)
    value = f"{one['value']:.{digits}f}"
    ranked = rows[(rows["metric"] == metric) & (rows["system"] != CEILING)]
    best = (better(metric) * ranked["value"]).max()
    if system != CEILING and better(metric) * one["value"] >= best:
        value = rf"\textbf{{{value}}}"
    return rf"{value} {{\scriptsize[{one['low']:.{digits}f}, {one['high']:.{digits}f}]}}"


def _chance(rows: pd.DataFrame, metric: str) -> str:
    level = rows.loc[rows["metric"] == metric, "chance"].dropna()
    return f"{level.iloc[0]:.3f}" if len(level) else ""


def _caption(rows: pd.DataFrame, metrics: Sequence[str], where: str, simulated: bool) -> str:
    tags = "; ".join(
        f"{SHORT[m]}: {BENCHMARK[m].title}, {rows.loc[rows['metric'] == m, 'protocol'].iloc[0]}, "
        f"n = {rows.loc[rows['metric'] == m, 'n'].max():.0f}"
        for m in metrics
    )
    words = f"{where}. Means over clips with 95 % intervals over blocks of whole shots. {tags}. "
    words += "The true motion is a ceiling and not ranked; the frozen first frame is a control."
    return escaped(words + (" SIMULATED DATA." if simulated else ""))
