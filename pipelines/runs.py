"""Runs: submit, watch, cancel, resume. A run is a process of its own with all its state on disk.

    runs/<id>/request.json   what was asked, written once
              state.json     written only by the run's process: status, tasks, progress, message, ETA
              log.txt        what it printed
              lock           held by the process for its whole life: liveness without guessing by process id
              cancel         put there to ask it to stop

A closed browser, a stopped server or a killed run process loses nothing that was complete.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainviz.errors import BrainvizError, UnknownName
from brainviz.storage import read_json, safe_name, storage_error, write_json
from pipelines.request import RunRequest

ENDED = ("done", "failed", "cancelled", "lost")
GRACE_S = 15.0  # a fresh process may take this long to hold its lock


@dataclass(frozen=True)
class Run:
    """One run of a workspace."""

    workspace: Path
    id: str

    @property
    def folder(self) -> Path:
        return self.workspace / "runs" / safe_name(self.id)

    @property
    def request(self) -> RunRequest:
        return RunRequest.from_json(read_json(self.folder / "request.json", {}))

    def open(self) -> Run:
        """Itself, if it exists; raises `UnknownName` otherwise."""
        if not (self.folder / "request.json").exists():
            raise UnknownName(f"There is no run called {self.id!r}.", str(self.workspace), "See the list of runs.")
        return self


def whole_request(dataset: str) -> RunRequest:
    """A run on all of a data set, as far as its kind allows; raises `BrainvizError` where there is no data set."""
    from brainviz import open_dataset
    from pipelines.sources import farthest_target

    return RunRequest(dataset=dataset, until=farthest_target(open_dataset(dataset)))


def new_run(workspace: str | Path, request: RunRequest) -> Run:
    """Make the folder of a new run, without starting it."""
    run = Run(Path(workspace), f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}")
    write_json(run.folder / "request.json", request.to_json())
    return run


def submit(workspace: str | Path, request: RunRequest) -> Run:
    """Start a run in the background. The same request already running is returned, not started twice."""
    for run in list_runs(workspace):
        if status(run)["status"] not in ENDED and run.request == request:
            return run
    run = new_run(workspace, request)
    _spawn(run)
    return run


def resume(run: Run) -> None:
    """Start an ended run again; what is complete is not computed again. A live run is left alone."""
    if not alive(run):
        (run.folder / "state.json").unlink(missing_ok=True)
        _spawn(run)


def cancel(run: Run, hard: bool = False) -> None:
    """Ask a run to stop at its next progress report; `hard` ends its whole process group at once."""
    try:
        (run.folder / "cancel").touch()
    except OSError as error:
        raise storage_error(error, run.folder) from error
    state = read_json(run.folder / "state.json", {})
    if hard and alive(run) and state.get("pid"):
        os.killpg(int(state["pid"]), signal.SIGTERM)


def list_runs(workspace: str | Path) -> list[Run]:
    """All runs of a workspace, newest first."""
    folder = Path(workspace) / "runs"
    return [Run(Path(workspace), p.parent.name) for p in sorted(folder.glob("*/request.json"), reverse=True)]


def status(run: Run) -> dict[str, Any]:
    """State of a run: status, progress (0 to 1), message, eta_s, started, tasks; status is one of
    starting, queued, running, done, failed, cancelled, lost."""
    state = read_json(run.folder / "state.json") or {"status": "starting", "progress": 0.0, "message": "starting"}
    if state["status"] not in ENDED and not alive(run) and _age(run) > GRACE_S:
        state |= {"status": "lost", "message": "The process ended without a word (killed, or the machine restarted)."}
    return dict(state)


def log_tail(run: Run, n: int = 60) -> str:
    """The last `n` lines that the run printed."""
    try:
        with (run.folder / "log.txt").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 65536))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-n:])
    except FileNotFoundError:
        return ""


def alive(run: Run) -> bool:
    """Whether a process holds the run's lock."""
    try:
        handle = os.open(run.folder / "lock", os.O_RDWR | os.O_CREAT)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def hold(run: Run) -> Iterator[None]:
    """Be the run's process: hold its lock. Raises `BrainvizError` where another process does."""
    handle = os.open(run.folder / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise BrainvizError("This run is already being worked on.", run.id, "Watch it instead.") from error
    try:
        yield
    finally:
        os.close(handle)


def _age(run: Run) -> float:
    try:
        return time.time() - (run.folder / "spawned").stat().st_mtime
    except FileNotFoundError:
        return GRACE_S + 1


def _spawn(run: Run) -> None:
    """Start the run's process in a session of its own: it outlives the server, and leaves no zombie."""
    (run.folder / "cancel").unlink(missing_ok=True)
    (run.folder / "spawned").touch()
    command = [sys.executable, "-u", "-m", "pipelines.work", str(run.workspace.resolve()), run.id]
    starter = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)"
    root = Path(__file__).resolve().parents[1]
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    with (run.folder / "log.txt").open("ab") as log:
        subprocess.run(
            [sys.executable, "-c", starter, *command],
            stdout=log,
            stderr=log,
            check=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
