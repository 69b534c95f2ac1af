"""Measuring contenders alternately, each run in a fresh process, and reporting them as JSON lines."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

ROUNDS = 5


def peak_gb() -> float:
    """Largest resident memory of this process so far, GB."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def report_run(seconds: float, **facts: Any) -> None:
    """What a child process prints, as its last line, for `compare` to read."""
    print(json.dumps({"seconds": seconds, "peak_gb": peak_gb(), **facts}))


def run_once(module: str, name: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """One run of contender `name`: `python -m module --run name` in a process of its own."""
    command = [sys.executable, "-m", module, "--run", name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed:\n{done.stderr}")
    facts: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return facts


def compare(
    module: str,
    names: Sequence[str],
    work: str,
    rounds: int = ROUNDS,
    arguments: Callable[[str, dict[str, dict[str, Any]]], Sequence[str]] = lambda name, earlier: (),
) -> None:
    """Run all contenders `rounds` times in turn; print one JSON line each, with medians.

    `ratio` is the first contender's seconds over this one's. `arguments(name, earlier)` may pass on what the contenders
    before it found in this round.
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        earlier: dict[str, dict[str, Any]] = {}
        for name in names:
            earlier[name] = run_once(module, name, arguments(name, earlier))
            runs[name].append(earlier[name])
    base = statistics.median(run["seconds"] for run in runs[names[0]])
    for name in names:
        seconds = statistics.median(run["seconds"] for run in runs[name])
        line = {
            "name": name,
            "seconds": round(seconds, 4),
            "ratio": round(base / seconds, 2),
            "peak_gb": round(statistics.median(run["peak_gb"] for run in runs[name]), 3),
            "work": work,
        }
        print(json.dumps(line | {k: v for k, v in runs[name][-1].items() if k not in line}), flush=True)
