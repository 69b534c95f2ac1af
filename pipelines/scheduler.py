"""Sends a plan's tasks to Dask workers, local ones or a cluster's, and follows them.

Independent tasks run side by side in the plan's order. A failed task stops what depends on it and nothing else.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from brainviz.errors import BrainvizError, Cancelled
from brainviz.results import ResultStore
from brainviz.storage import read_json, write_json
from pipelines.graph import Task, complete, perform

if TYPE_CHECKING:
    from distributed import Client, Future

POLL_S = 0.3
PROGRESS_S = 0.5  # a worker writes its progress at most this often

WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Dask's own setting gives memory back after every array: work on many middle-sized arrays then spends up to half
    # of its time on page faults (a film renders in 12.0 s instead of 7.7).
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
    "MALLOC_ARENA_MAX": "1",  # one heap for all threads: 150 MB less per worker
}


@dataclass
class Standing:
    """Where a run stands: which tasks are done, running (with fraction and message), failed or skipped."""

    done: set[str] = field(default_factory=set)
    running: dict[str, tuple[float, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)


@contextmanager
def connect(scheduler: str, workers: int) -> Iterator[Client]:
    """A Dask client: of the cluster at `scheduler`, or of local worker processes of one thread each.

    Raises
    ------
    BrainvizError
        No scheduler answers at the address.
    """
    import dask
    from distributed import Client, LocalCluster

    if scheduler:
        try:
            client = Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise BrainvizError(
                "No Dask scheduler answers here.", scheduler, "Start one (dask scheduler), or leave --scheduler out."
            ) from error
        with client:
            yield client
        return
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def run_task(task: Task, workspace: str, run_folder: str, device: str) -> str:
    """What a worker does: one task, with its progress in the run's folder. Returns the error text, empty if none.

    Errors come back as words and not as exceptions, so that a worker of another version can never send a pickle
    that this process must trust.
    """
    folder = Path(run_folder)
    report = folder / "progress" / f"{task.stage}.{task.unit}.json"
    last = 0.0

    def progress(fraction: float, message: str) -> None:
        nonlocal last
        if (folder / "cancel").exists():
            raise Cancelled
        now = time.monotonic()
        if now - last > PROGRESS_S or fraction in (0.0, 1.0):
            last = now
            write_json(report, [round(float(fraction), 4), message])

    try:
        _one_thread()
        perform(task, Path(workspace), device, progress)
    except Cancelled:
        return "cancelled"
    except BrainvizError as error:
        return str(error)
    except Exception as error:  # the run must go on with what does not depend on this task
        import traceback

        traceback.print_exc()
        return f"Unexpected {type(error).__name__}: {error}"
    finally:
        report.unlink(missing_ok=True)
        _give_memory_back()
    return ""


def _give_memory_back() -> None:
    """Hand freed memory to the system between tasks; within one it is kept (see `WORKER_ENVIRONMENT`)."""
    import ctypes
    import gc

    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _one_thread() -> None:
    """Results must not depend on how many threads a library takes."""
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def execute(
    tasks: tuple[Task, ...],
    workspace: Path,
    run_folder: Path,
    client: Client,
    device: str,
    watch: Callable[[Standing], None],
) -> Standing:
    """Do all tasks that are not complete; calls `watch` several times a second. Raises `Cancelled`.

    Only tasks whose needs are done are handed out, at most as many as there are workers, first in plan first.
    """
    store = ResultStore(workspace)
    standing = Standing()
    waiting = list(tasks)
    answers: queue.Queue[tuple[Task, str]] = queue.Queue()
    running: dict[str, Future] = {}
    (run_folder / "progress").mkdir(parents=True, exist_ok=True)
    for task in tasks:
        if complete(store, task):
            store.point(task.stage, task.unit, task.key)
            standing.done.add(task.name)
    waiting = [t for t in tasks if t.name not in standing.done]
    while waiting or running:
        _skip_hopeless(waiting, standing)
        slots = max(1, len(client.nthreads()))
        for task in [t for t in waiting if all(n.name in standing.done for n in t.needs)][: slots - len(running)]:
            waiting.remove(task)
            future = client.submit(
                run_task, task, str(workspace.resolve()), str(run_folder.resolve()), device, pure=False, retries=2
            )
            running[task.name] = future
            threading.Thread(target=_await, args=(task, future, answers), daemon=True).start()
        _collect(answers, running, standing)
        standing.running = {name: _progress_of(run_folder, name) for name in running}
        watch(standing)
        if (run_folder / "cancel").exists():
            _stop(client, running)
            raise Cancelled
    watch(standing)
    return standing


def _await(task: Task, future: Future, answers: queue.Queue[tuple[Task, str]]) -> None:
    try:
        answers.put((task, future.result()))
    except BaseException as error:  # a killed worker or a cancelled future arrives here, in a thread of its own
        answers.put((task, f"The worker was lost: {type(error).__name__}: {error}"))


def _collect(answers: queue.Queue[tuple[Task, str]], running: dict[str, Future], standing: Standing) -> None:
    try:
        answer = answers.get(timeout=POLL_S)
    except queue.Empty:
        return
    while True:
        task, error = answer
        running.pop(task.name, None)
        if error == "":
            standing.done.add(task.name)
        elif error != "cancelled":
            standing.failed[task.name] = error
        try:
            answer = answers.get_nowait()
        except queue.Empty:
            return


def _skip_hopeless(waiting: list[Task], standing: Standing) -> None:
    """Take out tasks that wait for something that failed."""
    changed = True
    while changed:
        changed = False
        for task in list(waiting):
            if any(need.name in standing.failed or need.name in standing.skipped for need in task.needs):
                waiting.remove(task)
                standing.skipped.add(task.name)
                changed = True


def _progress_of(run_folder: Path, name: str) -> tuple[float, str]:
    stage, unit = name.split("/", 1)
    fraction, message = read_json(run_folder / "progress" / f"{stage}.{unit}.json", [0.0, "starting"])
    return float(fraction), str(message)


def _stop(client: Client, running: dict[str, Future], patience_s: float = 10.0) -> None:
    """Give running tasks a moment to stop at their next progress report, then drop them."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end and not all(future.done() for future in running.values()):
        time.sleep(POLL_S)
    client.cancel(list(running.values()))


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
