"""Clips that visitors marked as ambiguous: a small file in the workspace, written whole or not at all."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from brainviz.errors import BrainvizError
from brainviz.storage import read_json, storage_error, write_json

if TYPE_CHECKING:
    from brainviz.workspace import Workspace

FILE = "marked-cases.json"
NAME = re.compile(r"[^\W_][\w .,:;()'+-]{0,59}")
MOST = 200


def marked_cases(workspace: Workspace) -> dict[str, str]:
    """Marked clips and their names, in the film's order; clips that the workspace no longer knows are left out."""
    stored = read_json(workspace.path / FILE, {})
    known = [clip for clip in workspace.clips["clip"] if clip in stored]
    return {clip: str(stored[clip]) for clip in known}


def mark_case(workspace: Workspace, clip: str, name: str) -> None:
    """Keep a clip as a case under a name; another name replaces the first.

    Raises
    ------
    UnknownName
        No such clip.
    BrainvizError
        The name is empty, too long or holds characters that no name needs; too many marks; or the disk refuses.
    """
    workspace.place(clip)
    words = name.strip()
    if not NAME.fullmatch(words):
        raise BrainvizError(
            "This name cannot be kept.", repr(words[:80]), "Use up to 60 letters, digits, spaces and . , : ; ( ) ' + -."
        )
    with _changing(workspace) as marks:
        if len(marks) >= MOST and clip not in marks:
            raise BrainvizError(f"{MOST} clips are marked already.", FILE, "Remove some first.")
        marks[clip] = words


def unmark_case(workspace: Workspace, clip: str) -> None:
    """Forget a mark; nothing happens where there is none."""
    with _changing(workspace) as marks:
        marks.pop(clip, None)


@contextmanager
def _changing(workspace: Workspace) -> Iterator[dict[str, str]]:
    """The marks, to be changed by one process at a time and written at the end."""
    lock = workspace.path / "locks" / "marked-cases"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise storage_error(error, lock) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        marks: dict[str, str] = dict(read_json(workspace.path / FILE, {}))
        yield marks
        write_json(workspace.path / FILE, marks)
    finally:
        os.close(handle)
