"""First frames of an imported decoder, moved by our decoder's flow: named, planned, scored, shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from brainviz import open_workspace
from brainviz.errors import BrainvizError, NotReady
from brainviz.figures.palette import look
from brainviz.imported import STAGE, end_to_end, source_of_frames
from brainviz.results import ResultStore
from brainviz.storage import read_array
from brainviz.workspace import Workspace
from pipelines.graph import Task, perform
from pipelines.import_system import ImportSettings, import_system
from pipelines.interactive.benchmark import system_film
from pipelines.plan import build_plan
from pipelines.request import RunRequest

REQUEST = RunRequest(demo=True, size="tiny")
SYSTEM = "brain-e2e-other"


def planned(workspace: Path, request: RunRequest = REQUEST) -> dict[str, Task]:
    return {task.name: task for task in build_plan(request, workspace).tasks}


def test_the_name_says_whose_frames_they_are() -> None:
    assert (end_to_end("other"), source_of_frames(SYSTEM)) == (SYSTEM, "other")
    assert [source_of_frames(name) for name in ("brain-e2e", "brain", "other")] == ["", "", ""]
    assert look(SYSTEM).label == "End to end from fMRI, frame of other"


def test_every_import_is_planned_once_for_every_subject(tmp_path: Path) -> None:
    without = planned(tmp_path)
    store = ResultStore(tmp_path)
    for unit in ("all.other", "2.other"):
        with store.writing(STAGE, unit, f"films-{unit[0]}"):
            pass
        store.point(STAGE, unit, f"films-{unit[0]}")
    tasks = planned(tmp_path)
    new = {name: task for name, task in tasks.items() if name.startswith("benchmark_films/") and name not in without}
    assert sorted(new) == [f"benchmark_films/{subject}.{SYSTEM}" for subject in "123"]
    owners = {
        name: (task.config["first_frames"]["owner"], task.config["first_frames"]["films"]) for name, task in new.items()
    }
    assert owners[f"benchmark_films/1.{SYSTEM}"] == ("all", "films-a")
    assert owners[f"benchmark_films/2.{SYSTEM}"] == ("2", "films-2")  # its own stand before those for all
    task = new[f"benchmark_films/1.{SYSTEM}"]
    assert task in tasks["benchmark/1"].needs
    assert {need.stage for need in task.needs} == {
        "reference_frames",
        "flow_labels",
        "frame_features",
        "bold",
        "motion_decoder",
    }
    usual = without["benchmark_films/1.brain-e2e"]
    assert tasks[usual.name].key == usual.key, "what stood before stands"
    assert all(task.config[name] == usual.config[name] for name in ("size", "labeller", "mask")), "one protocol"


def let_small_motion_count(workspace: Workspace) -> None:
    """After so little training the decoder's own error is above all that it predicts: every clip would stand still."""
    result = workspace.decoded("1", "brain")
    facts = result.manifest["facts"] | {"held_out_error": 0.0}
    place = result.folder / "manifest.json"
    place.unlink()  # the file itself is shared with other tests
    place.write_text(json.dumps({**result.manifest, "facts": facts}))


def test_the_frames_are_moved_scored_and_shown(tiny_workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_workspace, tmp_path / "workspace", copy_function=lambda a, b: Path(b).hardlink_to(a))
    workspace = open_workspace(tmp_path / "workspace")
    clips = workspace.clips[workspace.clips["split"] == "test"]["clip"].tolist()
    (tmp_path / "films").mkdir()
    for clip in clips[:4]:  # their first frames are the true ones
        shutil.copy(workspace.video("1", clip, "zero"), tmp_path / "films" / f"{clip}.mp4")
    with pytest.raises(BrainvizError, match="own systems"):
        import_system(workspace, SYSTEM, tmp_path / "films", ImportSettings(layout="single"), lambda *_: None)
    import_system(workspace, "other", tmp_path / "films", ImportSettings(layout="single"), lambda *_: None)
    let_small_motion_count(workspace)
    tasks = planned(workspace.path, RunRequest(demo=True, size="tiny", subjects=("1",)))
    still = workspace.results.current("reanimation", "1.brain")
    assert still is not None
    shutil.rmtree(still.folder)
    scored = ("reanimation/1.brain", "reanimation/all.other.imported.none", "evaluate_reanimation/1")
    for name in (*scored, f"benchmark_films/1.{SYSTEM}"):
        perform(tasks[name], workspace.path, "cpu", lambda *_: None)
    perform(tasks["benchmark/1"], workspace.path, "cpu", lambda *_: None)
    films = workspace.results.current("benchmark_films", f"1.{SYSTEM}")
    assert films is not None and films.manifest["facts"]["clips"] == clips[:4]
    made = read_array(films.arrays, "flow")[:, 0]
    for clip, flow in zip(clips[:4], made, strict=True):  # the frame is the true one but for the film's compression
        given = workspace.flow("1", clip, "brain")
        assert np.abs(flow - given).mean() < 0.2 * np.abs(given).mean()
    table = workspace.table("benchmark_clips")
    for metric, near in (("epe", 0.1), ("ssim", 0.05)):
        values = table[table["metric"] == metric].pivot_table(index="clip", columns="system", values="value")
        assert set(values[SYSTEM].dropna().index) == set(clips[:4])
        assert values["truth"].notna().all() and len(values) > 4  # an import that lacks clips takes none from others
        there = values.loc[clips[:4]]
        assert np.abs(there[SYSTEM] - there["brain"]).max() < near  # nearly the same frame under nearly the same flow
    absent = workspace.table("benchmark_absent")
    assert set(absent.loc[absent["system"] == SYSTEM, "metric"]) == {"retrieval-small", "retrieval-large"}
    shown = system_film(workspace, "1", clips[0], SYSTEM)
    assert not shown.uses_film
    assert np.abs(shown.frames[0].astype(float) - workspace.first_frame(clips[0], 256)).mean() < 8
    with pytest.raises(NotReady, match="no film of this clip"):
        system_film(workspace, "1", clips[4], SYSTEM)
