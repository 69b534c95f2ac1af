"""Do the demo's claims hold on data nobody has looked at? `python -m pipelines.verify --seeds 5`

Simulates whole data sets from fresh seeds, runs the pipeline on each, and checks `pipelines.evaluate.criteria`. A seed
and world that is done is not done again; a change of the code starts anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.errors import BrainvizError

if TYPE_CHECKING:
    import pandas as pd

FIRST_SEED = 101
"""Development used seeds below this one."""

EMPTY_WORLDS = ("static", "noise")
_FREE_BYTES = 3_000_000_000
REPORT = "verify.json"


@dataclass(frozen=True)
class Job:
    """One simulated data set to make, run and check."""

    seed: int
    world: str
    size: str = "demo"

    @property
    def name(self) -> str:
        """Key in the report and name of the folder."""
        return f"{self.size}-{self.world}-{self.seed}"


Run = Callable[[Job, Path], "pd.DataFrame"]
"""Makes one job's results in a folder and checks them: world, subject, criterion, value, bound, passed."""


def plan_jobs(seeds: int, empty_seeds: int, first: int = FIRST_SEED, size: str = "demo") -> list[Job]:
    """The world `mixed` for all seeds, then the worlds with nothing to find for the first `empty_seeds` of them."""
    if seeds < 1 or not 0 <= empty_seeds <= seeds:
        raise BrainvizError(
            f"{seeds} seeds, {empty_seeds} of them in the empty worlds, cannot be verified.",
            "--seeds, --empty-seeds",
            "Give at least one seed, and no more for the empty worlds.",
        )
    mixed = [Job(first + k, "mixed", size) for k in range(seeds)]
    return mixed + [Job(first + k, world, size) for world in EMPTY_WORLDS for k in range(empty_seeds)]


def verify(jobs: Sequence[Job], folder: Path, run: Run, keep: bool = False) -> pd.DataFrame:
    """Run and check every job that the report in `folder` does not hold yet.

    Parameters
    ----------
    jobs : from `plan_jobs`
    folder : Path
        For the report and, while a job runs, its workspace.
    run : callable
    keep : bool
        Leave each job's workspace (about 2 GB) instead of deleting it once its criteria are in the report.

    Returns
    -------
    DataFrame
        seed and the columns of `criteria`, one row per job, subject and criterion.
    """
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    report = read_report(folder / REPORT)
    for job in jobs:
        if job.name in report["jobs"]:
            print(f"{job.name}: done before", flush=True)
            continue
        _check_disk(folder)
        print(f"{job.name}: running", flush=True)
        started = time.monotonic()
        checked = run(job, folder / job.name)
        # JSON has no NaN: a value that could not be had becomes null.
        rows = json.loads(checked.to_json(orient="records"))
        report["jobs"][job.name] = {**asdict(job), "seconds": round(time.monotonic() - started), "criteria": rows}
        write_report(folder / REPORT, report)
        if not keep:
            shutil.rmtree(folder / job.name, ignore_errors=True)
    rows = [{"seed": job.seed, **row} for job in jobs for row in report["jobs"][job.name]["criteria"]]
    return pd.DataFrame(rows).astype({"value": float})


def read_report(path: Path) -> dict[str, Any]:
    """The report so far; an empty one where there is none or where the code has changed since."""
    fresh: dict[str, Any] = {"code": code_fingerprint(), "jobs": {}}
    if not path.exists():
        return fresh
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BrainvizError("The report is not readable.", str(path), "Delete it and run again.") from error
    if report.get("code") != fresh["code"]:
        print("The code has changed since the last report: everything is run again.", flush=True)
        return fresh
    return report


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report in one step, so that a killed run leaves the old one whole."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def code_fingerprint() -> str:
    """Hash of all Python files that make results."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted([*(root / "brainviz").rglob("*.py"), *(root / "pipelines").rglob("*.py")]):
        if path.name != "verify.py":
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def run_pipeline(job: Job, workspace: Path) -> pd.DataFrame:
    """Simulate and run one job in a process of its own, as a user would, and check what came out.

    The run's log stands beside the workspace.

    Raises
    ------
    BrainvizError
        If the run does not succeed; what it completed stays and is taken up again next time.
    """
    command = [sys.executable, "-m", "pipelines", "run", "--demo", "--workspace", str(workspace)]
    command += ["--seed", str(job.seed), "--size", job.size, "--world", job.world]
    log = workspace.with_suffix(".log")
    with log.open("a", encoding="utf-8") as stream:
        status = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
    if status:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise BrainvizError(f"The run of {job.name} ended with status {status}:\n{tail}", str(log), "Start it again.")
    return check_workspace(workspace, job.world)


def check_workspace(path: Path, world: str) -> pd.DataFrame:
    """All criteria on the results of one simulated data set."""
    import numpy as np
    import pandas as pd

    from brainviz import open_workspace
    from pipelines.evaluate.ambiguity_criteria import ambiguity_criteria
    from pipelines.evaluate.benchmark_criteria import benchmark_criteria
    from pipelines.evaluate.criteria import criteria
    from pipelines.evaluate.encoding_criteria import MOTION_ENCODER, STATIC_ENCODER, encoding_criteria
    from pipelines.evaluate.reanimation_criteria import reanimation_criteria

    results = open_workspace(path)
    contrast = f"contrast/{MOTION_ENCODER}|{STATIC_ENCODER}"
    maps = {subject: results.map(subject, contrast) for subject in results.subjects}
    truths = {}
    for subject in results.subjects:
        with np.load(results.dataset_path / "truth" / f"subject{subject}.npz", allow_pickle=False) as planted:
            truths[subject] = dict(planted)
    motion = criteria(results.table("motion"), results.table("motion_tests"), world)
    encoding = encoding_criteria(results.table("contrasts"), results.table("regions"), maps, truths, world)
    ambiguity = ambiguity_criteria(results.table("ambiguity_cases"), world)
    films = reanimation_criteria(results.table("reanimation_tests"), world)
    parts = [motion, encoding, ambiguity, films]
    if world == "mixed":
        tables = (results.table(name) for name in ("benchmark", "benchmark_tests", "shuffle_test_shift"))
        parts.append(benchmark_criteria(*tables))
    return pd.concat(parts, ignore_index=True)


def show(table: pd.DataFrame) -> str:
    """The table of criteria as text, with its verdict as the last line."""
    lines = [f"{'world':<7} {'seed':>4} {'subject':<7} {'criterion':<32} {'value':>9}  {'holds':<5} bound"]
    for row in table.to_dict("records"):
        holds = "yes" if row["passed"] else "NO"
        lines.append(
            f"{row['world']:<7} {row['seed']:>4} {row['subject']:<7} {row['criterion']:<32} {row['value']:>9.4g}"
            f"  {holds:<5} {row['bound']}"
        )
    good, total = int(table["passed"].sum()), len(table)
    return "\n".join([*lines, f"{good} of {total} criteria hold" + ("" if good == total else ": NOT VERIFIED")])


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _FREE_BYTES:
        raise BrainvizError(
            f"Only {free / 1e9:.1f} GB are free; a data set with its results needs {_FREE_BYTES / 1e9:.0f}.",
            str(folder),
            "Free some space or give another --folder.",
        )


def main(arguments: Sequence[str] | None = None, run: Run = run_pipeline) -> int:
    """Command line; returns 0 where every criterion holds, 1 where one does not, 2 where the work could not be done."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.verify", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="data sets of the world `mixed`")
    parser.add_argument("--empty-seeds", type=int, default=2, help="data sets of each world with nothing to find")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--size", default="demo", choices=("tiny", "demo"))
    parser.add_argument("--folder", type=Path, default=Path("workspace-verify"), help="report and passing workspaces")
    parser.add_argument("--keep", action="store_true", help="keep every workspace (about 2 GB each)")
    options = parser.parse_args(arguments)
    try:
        empty = min(options.empty_seeds, options.seeds)
        jobs = plan_jobs(options.seeds, empty, options.first_seed, options.size)
        table = verify(jobs, options.folder, run, options.keep)
    except BrainvizError as error:
        print(error, file=sys.stderr)
        return 2
    print(show(table))
    return 0 if bool(table["passed"].all()) else 1


if __name__ == "__main__":
    sys.exit(main())
