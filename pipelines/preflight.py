"""Before any work: is there room for it, and how much will it take?"""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

from brainviz.errors import BrainvizError
from brainviz.results import ResultStore
from brainviz.storage import storage_error
from pipelines.graph import STAGES, complete
from pipelines.plan import Plan

BASE_MEMORY_GB = 0.6  # the interpreter, its libraries and the run's own process


def check_room(plan: Plan, workspace: Path, workers: int = 1) -> None:
    """Raise `BrainvizError` where the workspace cannot be written, or disk or memory will not suffice."""
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        probe = workspace / ".write-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise storage_error(error, workspace) from error
    store = ResultStore(workspace)
    open_tasks = [task for task in plan.tasks if not complete(store, task)]
    needed = sum(task.cost.disk_gb for task in open_tasks)
    free = shutil.disk_usage(workspace).free / 1e9
    if needed > free:
        raise BrainvizError(
            f"The run needs about {needed:.1f} GB of disk; {free:.1f} GB are free.",
            str(workspace),
            "Free some space, or choose a workspace on another disk (--workspace).",
        )
    memory = BASE_MEMORY_GB + sum(sorted((task.cost.memory_gb for task in open_tasks), reverse=True)[:workers])
    available = _available_memory_gb()
    if open_tasks and memory > available:
        raise BrainvizError(
            f"The run needs about {memory:.1f} GB of memory; {available:.1f} GB are available.",
            str(workspace),
            "Use fewer workers (--workers 1), or a machine with more memory (--scheduler).",
        )


def _available_memory_gb() -> float:
    import psutil

    return float(psutil.virtual_memory().available) / 1e9


def cost_table(plan: Plan, workspace: Path) -> str:
    """Time, memory and disk per stage as text: what `--dry-run` prints."""
    store = ResultStore(workspace)
    stages: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0.0, 0.0, 0.0])
    for task in plan.tasks:
        row = stages[task.stage]
        row[0] += 1
        if complete(store, task):
            row[1] += 1
            continue
        row[2] += task.cost.seconds
        row[3] = max(row[3], task.cost.memory_gb)
        row[4] += task.cost.disk_gb
    lines = [f"{'stage':<28}{'tasks':>6}{'done':>6}{'core time':>12}{'memory GB':>11}{'disk GB':>9}"]
    for name, (count, done, seconds, memory, disk) in stages.items():
        row_text = f"{count:>6.0f}{done:>6.0f}{duration(seconds):>12}{memory:>11.1f}{disk:>9.2f}"
        lines.append(f"{STAGES[name].title:<28}{row_text}")
    total = [sum(row[i] for row in stages.values()) for i in (0, 1, 2, 4)]
    peak = max((row[3] for row in stages.values()), default=0.0)
    lines.append(f"{'all':<28}{total[0]:>6.0f}{total[1]:>6.0f}{duration(total[2]):>12}{peak:>11.1f}{total[3]:>9.2f}")
    return "\n".join(lines) + "\nTimes are of one core; tasks of different subjects and films run side by side."


def duration(seconds: float) -> str:
    """Seconds as 41 s, 3 min 20 s or 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
