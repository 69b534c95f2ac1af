"""Errors a user may see: what is wrong, where, and what to do."""

from __future__ import annotations


class BrainvizError(Exception):
    """A problem that the user can understand and mend.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str, optional
        The file, clip, table or setting that it concerns.
    remedy : str, optional
        What to do about it.
    """

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what, self.where, self.remedy = what, str(where), remedy

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.what}{place}{remedy}"


class NotReady(BrainvizError):
    """A result that no finished stage has made yet."""


class UnknownName(BrainvizError):
    """A subject, clip, system, map or table that the catalogue does not hold."""


class DataProblem(BrainvizError):
    """A file of the data set that cannot be used."""


class Cancelled(BaseException):
    """The user asked the running work to stop. Not an `Exception`: no handler may swallow it by accident."""
