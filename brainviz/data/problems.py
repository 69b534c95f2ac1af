"""What is wrong with a data set, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes
    ----------
    kind : str
        Short name of the sort of problem, e.g. ``truncated``.
    severity : "error" or "warning"
        An error makes the file unusable; a warning lets it be used, or names a known fault.
    what, path, remedy : str
        What is wrong, in which file, and what to do.
    subject, segment : str
        Empty where it concerns none or all.
    run : int or None
    left_out : bool
        Whether the program leaves the file out of its work.
    """

    kind: str
    severity: Severity
    what: str
    path: str
    remedy: str
    subject: str = ""
    segment: str = ""
    run: int | None = None
    left_out: bool = False

    def __str__(self) -> str:
        return f"{self.severity}: {self.what} [{self.path}] {self.remedy}"


def problems_table(problems: Iterable[Problem]) -> pd.DataFrame:
    """Problems as a tidy table: kind, severity, subject, segment, run, left_out, what, where, remedy."""
    import pandas as pd

    columns = ["kind", "severity", "subject", "segment", "run", "left_out", "what", "where", "remedy"]
    rows = [(p.kind, p.severity, p.subject, p.segment, p.run, p.left_out, p.what, p.path, p.remedy) for p in problems]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"run": "Int64", "left_out": bool})
