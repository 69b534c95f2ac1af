"""A whole tiny run: its results, and that killing, cancelling and doubling it lose and change nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainviz import open_workspace, uploads
from brainviz.errors import NotReady, UnknownName
from brainviz.storage import read_json
from pipelines import runs
from pipelines.interactive import cortex
from pipelines.request import RunRequest

ROOT = Path(__file__).resolve().parents[2]
REQUEST = RunRequest(demo=True, size="tiny", subjects=("1",), workers=2)
DEADLINE_S = 420
TABLES = ("motion", "motion_tests", "motion_gain", "clips", "timing", "label_error", "encoding", "regions", "contrasts")
TABLES += ("benchmark", "benchmark_clips", "benchmark_tests")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.1)


def finished(workspace: Path) -> dict[str, float]:
    """When each complete result was finished, by path."""
    return {str(p): read_json(p)["finished"] for p in workspace.glob("results/*/*/*/manifest.json")}


def end_of(run: runs.Run) -> str:
    wait_for(lambda: runs.status(run)["status"] in runs.ENDED, f"the end of {run.id}")
    return str(runs.status(run)["status"])


def same_tables(first: Path, second: Path) -> None:
    for name in TABLES:
        a, b = open_workspace(first).table(name), open_workspace(second).table(name)
        keys = [c for c in a.columns if a[c].dtype.kind not in "fc"]
        pd.testing.assert_frame_equal(
            a.sort_values(keys, kind="stable").reset_index(drop=True),
            b.sort_values(keys, kind="stable").reset_index(drop=True),
        )


def test_everything_is_there_and_marked_simulated(tiny_workspace: Path) -> None:
    workspace = open_workspace(tiny_workspace)
    assert workspace.simulated
    assert set(workspace.stages()["status"]) == {"done"}
    assert {"truth", "brain", "brain-reference", "image-only", "shuffled", "ridge", "prior"} <= set(
        workspace.systems("1")
    )
    for name in TABLES:
        assert workspace.table(name)["simulated"].all(), name
    compared = workspace.table("benchmark")
    assert {"brain", "brain-e2e", "mind-animator", "mind-animator-released", "zero"} <= set(compared["system"])
    assert {"epe", "ssim", "retrieval-small", "retrieval-large"} <= set(compared["metric"])
    test_clips = workspace.clips[workspace.clips["split"] == "test"]["clip"]
    flow = workspace.flow("1", test_clips.iloc[-1], "brain")
    assert flow.shape == (3, 32, 32, 2) and flow.dtype == "float32"
    assert workspace.samples("1", "prior") == 10
    assert workspace.map("1", "reliability").shape == (64984,)
    encoders = ["gabor-colour", "motion-energy", "motion-energy.frozen"]
    assert workspace.encoders("1") == encoders
    assert len(workspace.table("regions")) == 360 * len(encoders) and len(workspace.table("contrasts")) == 360 * 3
    difference = workspace.map("1", "r/motion-energy") - workspace.map("1", "r/gabor-colour")
    np.testing.assert_allclose(workspace.map("1", "contrast/motion-energy|gabor-colour"), difference, atol=1e-6)
    parts = [workspace.map("1", f"{kind}/motion-energy|gabor-colour") for kind in ("unique", "shared")]
    assert np.isfinite(parts[0]).sum() == np.isfinite(parts[1]).sum() > 100
    assert workspace.film_sprite(test_clips.iloc[0]).n == 30
    assert workspace.thumbnail(test_clips.iloc[0])[:2] == b"\xff\xd8"


def test_kill_cancel_and_resume_give_the_same_tables(tiny_workspace: Path, tmp_path: Path) -> None:
    run = runs.submit(tmp_path, REQUEST)
    wait_for(lambda: len(finished(tmp_path)) >= 3, "the first results")
    os.killpg(int(runs.status(run)["pid"]), signal.SIGKILL)
    wait_for(lambda: not runs.alive(run), "the killed process")
    kept = finished(tmp_path)

    runs.resume(run)
    wait_for(lambda: len(finished(tmp_path)) >= len(kept) + 6, "more results")
    assert {path: t for path, t in finished(tmp_path).items() if path in kept} == kept
    runs.cancel(run)
    assert end_of(run) == "cancelled"
    kept = finished(tmp_path)

    runs.resume(run)
    assert end_of(run) == "done", runs.log_tail(run)
    assert {path: t for path, t in finished(tmp_path).items() if path in kept} == kept
    assert not list(tmp_path.glob("results/*/*/tmp-*"))
    same_tables(tiny_workspace, tmp_path)


def test_two_runs_at_once_both_finish_and_compute_nothing_twice(tiny_workspace: Path) -> None:
    before = finished(tiny_workspace)
    first = runs.submit(tiny_workspace, REQUEST)
    second = runs.submit(tiny_workspace, RunRequest(demo=True, size="tiny", subjects=("1",), workers=1))
    assert first.id != second.id
    assert (end_of(first), end_of(second)) == ("done", "done")
    assert finished(tiny_workspace) == before


def test_clean_keeps_what_is_current(tiny_workspace: Path) -> None:
    before = finished(tiny_workspace)
    stale = tiny_workspace / "results" / "bold" / "1" / "0123456789abcdef"
    stale.mkdir()
    (stale / "x").write_text("old")
    command = [sys.executable, "-m", "pipelines", "clean", "--workspace", str(tiny_workspace)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "freed" in done.stdout and not stale.exists()
    assert finished(tiny_workspace) == before


def test_what_pages_compute_at_once(tiny_workspace: Path) -> None:
    workspace = open_workspace(tiny_workspace)
    r = workspace.map("1", "r/motion-energy")
    reliable = np.flatnonzero((workspace.map("1", "reliability") > 0.2) & np.isfinite(r))[::200][:40]
    own = []
    for vertex in reliable.tolist():
        courses = cortex.time_course(workspace, "1", "motion-energy", vertex)
        measured = np.concatenate([course.measured - course.measured.mean() for course in courses])
        predicted = np.concatenate([course.predicted - course.predicted.mean() for course in courses])
        own.append(np.corrcoef(measured, predicted)[0, 1])
    # The stored weights are low rank, and 32 volumes are few: single vertices may differ, the map may not.
    assert len(own) > 10 and np.corrcoef(own, r[reliable])[0, 1] > 0.9
    assert np.median(np.abs(own - r[reliable])) < 0.05
    assert courses[0].times_s[0] == 4.0
    with pytest.raises(UnknownName):
        cortex.time_course(workspace, "1", "motion-energy", int(np.flatnonzero(np.isnan(r))[0]))


def test_an_uploaded_film_is_encoded_by_a_run_and_then_predicted(tiny_workspace: Path) -> None:
    workspace = open_workspace(tiny_workspace)
    film = uploads.add_film(tiny_workspace, "test1.mp4", workspace.film("test1").read_bytes())
    with pytest.raises(NotReady):
        cortex.predict_film(workspace, "1", "motion-energy", film.key)
    plan = (tiny_workspace / "plan.json").read_text()
    assert end_of(runs.submit(tiny_workspace, cortex.film_request(film.key, "motion-energy"))) == "done"
    assert (tiny_workspace / "plan.json").read_text() == plan
    own = cortex.predict_clips(workspace, "1", "motion-energy", "test1", 0, film.n_clips)
    again = cortex.predict_film(workspace, "1", "motion-energy", film.key)
    assert own.values.shape == again.values.shape == (film.n_clips + 2, 59412)
    seen = np.nanstd(own.values, axis=0) > 0.05
    assert np.corrcoef(own.values[:, seen].ravel(), again.values[:, seen].ravel())[0, 1] > 0.9
