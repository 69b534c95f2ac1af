import json
from pathlib import Path

import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from pipelines import verify
from pipelines.evaluate.criteria import criteria
from pipelines.verify import Job, main, plan_jobs

GOOD = {"brain": 0.7, "image-only": 1.0, "ridge": 0.75, "brain-reference": 0.72, "shuffled": 1.02}


def tables(job: Job, brain: float = 0.7) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of three subjects as the pipeline would write them for the job's world."""
    errors = GOOD | {"brain": brain}
    motion = pd.DataFrame(
        [
            (subject, "test1-0000", system, 0, "none", "full", "all", error)
            for subject in "123"
            for system, error in errors.items()
        ],
        columns=["subject", "clip", "system", "sample", "mask", "part", "runs", "epe"],
    )
    found = job.world == "mixed"
    test = {
        "a": "brain", "b": "image-only", "mask": "none", "part": "full", "runs": "all", "measure": "epe",
        "subset": "all", "difference": -0.3 if found else 0.0, "low": -0.4 if found else -0.1,
        "high": -0.2 if found else 0.1, "p": 5e-5, "n_blocks": 21,
    }  # fmt: skip
    return motion, pd.DataFrame([{"subject": subject, **test} for subject in "123"])


class Runner:
    """Stands for the pipeline: makes a folder and tables, and remembers what it was asked for."""

    def __init__(self, brain: float = 0.7, fail_at: str = "") -> None:
        self.asked: list[str] = []
        self.brain, self.fail_at = brain, fail_at

    def __call__(self, job: Job, workspace: Path) -> pd.DataFrame:
        self.asked.append(job.name)
        workspace.mkdir(parents=True, exist_ok=True)
        (workspace / "film.mp4").write_bytes(b"0" * 1000)
        if job.name == self.fail_at:
            raise BrainvizError("The run ended with status 1.", str(workspace))
        return criteria(*tables(job, self.brain), job.world)


def test_every_world_has_its_seeds():
    names = [job.name for job in plan_jobs(3, 1)]
    assert names == ["demo-mixed-101", "demo-mixed-102", "demo-mixed-103", "demo-static-101", "demo-noise-101"]
    with pytest.raises(BrainvizError, match="seeds"):
        plan_jobs(0, 0)
    with pytest.raises(BrainvizError, match="seeds"):
        plan_jobs(1, 2)


def test_all_criteria_hold(tmp_path, capsys):
    runner = Runner()
    assert main(["--seeds", "2", "--empty-seeds", "1", "--folder", str(tmp_path)], runner) == 0
    printed = capsys.readouterr().out
    assert "42 of 42 criteria hold" in printed
    assert "NO" not in printed
    assert len(runner.asked) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["verify.json"]


def test_one_that_fails_is_shown_and_decides_the_status(tmp_path, capsys):
    assert main(["--seeds", "1", "--empty-seeds", "0", "--folder", str(tmp_path)], Runner(brain=0.9)) == 1
    printed = capsys.readouterr().out
    assert printed.strip().endswith("NOT VERIFIED")
    assert sum(" NO " in line for line in printed.splitlines()) == 9  # three bounds in three subjects


def test_workspaces_are_kept_when_asked(tmp_path):
    main(["--seeds", "1", "--empty-seeds", "0", "--folder", str(tmp_path), "--keep"], Runner())
    assert (tmp_path / "demo-mixed-101" / "film.mp4").exists()


def test_what_is_done_is_not_done_again(tmp_path):
    broken = Runner(fail_at="demo-mixed-102")
    arguments = ["--seeds", "3", "--empty-seeds", "0", "--folder", str(tmp_path)]
    assert main(arguments, broken) == 2
    again = Runner()
    assert main(arguments, again) == 0
    assert again.asked == ["demo-mixed-102", "demo-mixed-103"]
    assert (tmp_path / "demo-mixed-101").exists() is False


def test_a_change_of_the_code_starts_anew(tmp_path, monkeypatch):
    arguments = ["--seeds", "1", "--empty-seeds", "0", "--folder", str(tmp_path)]
    main(arguments, Runner())
    monkeypatch.setattr(verify, "code_fingerprint", lambda: "another")
    again = Runner()
    main(arguments, again)
    assert again.asked == ["demo-mixed-101"]


def test_the_report_is_plain_json(tmp_path):
    main(["--seeds", "1", "--empty-seeds", "1", "--folder", str(tmp_path)], Runner())
    report = json.loads((tmp_path / "verify.json").read_text())
    assert set(report["jobs"]) == {"demo-mixed-101", "demo-static-101", "demo-noise-101"}
    entry = report["jobs"]["demo-mixed-101"]
    assert (entry["seed"], entry["world"], len(entry["criteria"])) == (101, "mixed", 18)


def test_a_broken_report_is_named(tmp_path, capsys):
    (tmp_path / "verify.json").write_text("{")
    assert main(["--seeds", "1", "--empty-seeds", "0", "--folder", str(tmp_path)], Runner()) == 2
    assert "verify.json" in capsys.readouterr().err


def test_a_full_disk_is_found_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify, "_FREE_BYTES", 10**18)
    runner = Runner()
    assert main(["--seeds", "1", "--empty-seeds", "0", "--folder", str(tmp_path)], runner) == 2
    assert "GB are free" in capsys.readouterr().err
    assert runner.asked == []


def test_a_run_that_fails_is_told_with_the_end_of_its_log(tmp_path):
    job = Job(seed=-1, world="mixed", size="tiny")  # refused by the simulation
    with pytest.raises(BrainvizError, match="tiny-mixed--1 ended with status") as caught:
        verify.run_pipeline(job, tmp_path / "workspace")
    assert "seed" in str(caught.value)
