"""The process of one run: wait for a turn, plan, execute, keep the state on disk.

`python -m pipelines.work WORKSPACE RUN_ID`; the terminal's `python -m pipelines run` calls `work` in its own process.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brainviz.errors import BrainvizError, Cancelled
from brainviz.storage import write_json
from brainviz.workspace import create_workspace
from pipelines.graph import STAGES, Task
from pipelines.plan import Plan, build_plan
from pipelines.runs import Run, hold
from pipelines.scheduler import Standing, available_cores, connect, execute

TURN_POLL_S = 0.5


class State:
    """What `state.json` says, written whenever it changes, at most a few times a second."""

    def __init__(self, run: Run, show: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.run, self.show = run, show
        self.values: dict[str, Any] = {
            "status": "starting",
            "pid": os.getpid(),
            "progress": 0.0,
            "started": time.time(),
        }
        self.last = 0.0

    def say(self, force: bool = True, **values: Any) -> None:
        self.values |= values
        now = time.monotonic()
        if force or now - self.last > 0.4:
            self.last = now
            write_json(self.run.folder / "state.json", self.values | {"heartbeat": time.time()})
            if self.show:
                self.show(self.values)


def work(run: Run, show: Callable[[dict[str, Any]], None] | None = None) -> str:
    """Do the run to its end in this process; returns the final status (done, failed or cancelled)."""
    with hold(run):
        state = State(run, show)
        try:
            signal.signal(signal.SIGTERM, _raise_cancelled)
            state.say(status="queued", message="Waiting for another run to end")
            with _turn(run):
                standing = _carry_out(run, state)
            failed = standing.failed
            state.say(
                status="failed" if failed else "done",
                ended=time.time(),
                eta_s=0.0,
                errors=failed,
                running={},
                message=next(iter(failed.values())) if failed else "All results are there",
            )
        except Cancelled:
            state.say(
                status="cancelled", message="Cancelled; resume goes on where it stopped", ended=time.time(), running={}
            )
        except BrainvizError as error:
            state.say(status="failed", message=str(error), errors={"run": str(error)}, ended=time.time(), running={})
        except Exception as error:  # the state on disk must say how the process ended
            state.say(
                status="failed", message=f"Unexpected {type(error).__name__}: {error}", ended=time.time(), running={}
            )
            raise
    return str(state.values["status"])


def _raise_cancelled(*_: object) -> None:
    raise Cancelled


def _carry_out(run: Run, state: State) -> Standing:
    from pipelines.preflight import check_room

    request = run.request
    state.say(status="running", message="Planning", started=time.time())
    plan = build_plan(request, run.workspace)
    if plan.facts:
        create_workspace(run.workspace, plan.facts)
        listing = [{"stage": t.stage, "unit": t.unit, "key": t.key} for t in plan.tasks]
        write_json(run.workspace / "plan.json", listing)
    check_room(plan, run.workspace)
    with connect(request.scheduler, request.workers or available_cores()) as client:
        watch = _watcher(plan, state)
        return execute(plan.tasks, run.workspace, run.folder, client, request.device, watch)


def _watcher(plan: Plan, state: State) -> Callable[[Standing], None]:
    """Turn where the tasks stand into progress and ETA, weighted by each task's expected cost."""
    costs = {task.name: task.cost.seconds for task in plan.tasks}
    total = sum(costs.values())
    begun = time.monotonic()
    at_start: list[float] = []
    printed: set[str] = set()

    def watch(standing: Standing) -> None:
        done = sum(costs[name] for name in standing.done)
        part = sum(costs[name] * fraction for name, (fraction, _) in standing.running.items())
        progress = (done + part) / total
        at_start[:] = at_start or [progress]
        gained, spent = progress - at_start[0], time.monotonic() - begun
        eta = spent * (1 - progress) / gained if gained > 0.01 else None
        for name in standing.done - printed:
            printed.add(name)
            print(f"{time.strftime('%H:%M:%S')} done {name}", flush=True) if spent > 1 else None
        for name, error in standing.failed.items():
            if name not in printed:
                printed.add(name)
                print(f"{time.strftime('%H:%M:%S')} FAILED {name}: {error}", flush=True)
        state.say(
            force=False,
            progress=round(progress, 4),
            eta_s=eta,
            message=_message(plan.tasks, standing),
            n_done=len(standing.done),
            n_tasks=len(plan.tasks),
            errors=standing.failed,
            running={name: list(value) for name, value in standing.running.items()},
        )

    return watch


def _message(tasks: tuple[Task, ...], standing: Standing) -> str:
    titles = [f"{STAGES[t.stage].title} ({t.unit})" for t in tasks if t.name in standing.running]
    return "; ".join(titles) or "Finishing"


@contextmanager
def _turn(run: Run) -> Iterator[None]:
    """One run at a time in a workspace; the others wait here. The lock goes with the process, however it ends."""
    handle = os.open(run.workspace / "runs" / ".turn", os.O_RDWR | os.O_CREAT)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if (run.folder / "cancel").exists():
                    raise Cancelled from None
                time.sleep(TURN_POLL_S)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(0 if work(Run(Path(sys.argv[1]), sys.argv[2])) == "done" else 1)
