"""Keys of tasks, and that nothing complete is computed twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainviz.errors import BrainvizError, Cancelled
from brainviz.results import ResultStore
from brainviz.storage import read_array
from pipelines import graph
from pipelines.graph import Context, Stage, Task, complete, perform

calls: list[str] = []


def double(context: Context) -> None:
    calls.append(context.task.name)
    total = sum(float(read_array(r.arrays, "x")[0]) for r in context.inputs("work").values())
    context.progress(0.5, "half")
    context.array("x", np.array([context.config["value"] + 2 * total], np.float32))


def starve(context: Context) -> None:
    raise MemoryError


def touch_outside(context: Context) -> None:
    calls.append(context.task.name)
    (context.store.path / "film.mp4").write_text("film")
    context.facts["files"] = ["film.mp4"]


@pytest.fixture(autouse=True)
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    names = {"work": "double", "starve": "starve", "outside": "touch_outside"}
    made = {name: Stage(name, 1, f"{__name__}:{function}", name) for name, function in names.items()}
    monkeypatch.setattr(graph, "STAGES", made)


def silent(fraction: float, message: str) -> None:
    return None


def task(unit: str, value: float, *needs: Task, stage: str = "work", **config: Any) -> Task:
    return Task(stage, unit, {"value": value, **config}, needs)


def test_a_key_follows_config_and_inputs_only() -> None:
    first = task("a", 1.0)
    assert first.key == task("a", 1.0).key
    assert first.key != task("a", 2.0).key
    assert task("b", 0.0, first).key != task("b", 0.0, task("a", 2.0)).key
    assert Task("work", "a", {"value": 1.0}, simulated=True, dataset="elsewhere").key == first.key


def test_a_changed_config_recomputes_only_what_depends_on_it(tmp_path: Path) -> None:
    def plan(value: float) -> list[Task]:
        left, right = task("left", 1.0), task("right", value)
        return [left, right, task("sum", 0.0, left, right)]

    for t in plan(2.0):
        perform(t, tmp_path, "cpu", silent)
    calls.clear()
    tasks = plan(5.0)
    assert [perform(t, tmp_path, "cpu", silent) for t in tasks] == [False, True, True]
    assert calls == ["work/right", "work/sum"]
    result = ResultStore(tmp_path).current("work", "sum")
    assert result is not None
    assert read_array(result.arrays, "x")[0] == 2 * (1 + 5)
    assert result.manifest["made_with"]["device"] == "cpu" and result.manifest["simulated"] is False


def test_a_cancelled_task_leaves_nothing_and_is_done_again(tmp_path: Path) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction == 0.5:
            raise Cancelled

    made = task("a", 1.0)
    with pytest.raises(Cancelled):
        perform(made, tmp_path, "cpu", stop)
    assert not complete(ResultStore(tmp_path), made)
    assert perform(made, tmp_path, "cpu", silent)


def test_memory_errors_become_words(tmp_path: Path) -> None:
    with pytest.raises(BrainvizError, match="not enough memory"):
        perform(task("a", 0.0, stage="starve"), tmp_path, "cpu", silent)


def test_a_result_whose_file_outside_is_gone_is_made_again(tmp_path: Path) -> None:
    made = task("a", 0.0, stage="outside")
    perform(made, tmp_path, "cpu", silent)
    assert not perform(made, tmp_path, "cpu", silent)
    (tmp_path / "film.mp4").unlink()
    assert perform(made, tmp_path, "cpu", silent)
    assert len(calls) == 2
