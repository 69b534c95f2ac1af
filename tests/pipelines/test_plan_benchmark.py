"""The benchmark's part of a plan: what it needs, what it reuses, and that it stands without Mind-Animator."""

from __future__ import annotations

from pathlib import Path

from pipelines.plan import build_plan
from pipelines.plan_benchmark import benchmark_tasks
from pipelines.request import TARGETS, RunRequest
from pipelines.sources import find_source

REQUEST = RunRequest(demo=True, size="tiny")


def test_the_benchmark_is_the_last_target_and_reuses_the_scored_reanimations(tmp_path: Path) -> None:
    assert TARGETS[-1] == REQUEST.until == "benchmark"
    tasks = {task.name: task for task in build_plan(REQUEST, tmp_path).tasks}
    needs = {need.name for need in tasks["benchmark/2"].needs}
    assert {"evaluate_reanimation/2", "benchmark_films/2.brain-e2e", "benchmark_films/2.mind-animator"} <= needs
    assert not any(need.startswith("motion_decoder") for need in needs), "nothing is rendered twice"
    films = tasks["benchmark_films/2.brain-e2e"]
    usual = tasks["reanimation/2.brain"].config
    assert all(films.config[name] == usual[name] for name in ("size", "labeller", "mask")), "one protocol"
    assert "motion_decoder/2.brain" in {need.name for need in films.needs}
    order = list(tasks)
    assert all(order.index(need.name) < order.index(name) for name, task in tasks.items() for need in task.needs)


def test_without_mind_animator_what_there_is_is_compared(tmp_path: Path) -> None:
    named = {task.name: task for task in build_plan(REQUEST, tmp_path).tasks}
    left = {name: task for name, task in named.items() if not name.startswith(("mind_animator", "benchmark"))}
    made = benchmark_tasks(find_source(REQUEST), REQUEST, left)
    assert sorted(made) == ["benchmark/1", "benchmark/2", "benchmark/3"]


def test_earlier_targets_plan_none_of_it(tmp_path: Path) -> None:
    request = RunRequest(demo=True, size="tiny", until="reanimation")
    stages = {task.stage for task in build_plan(request, tmp_path).tasks}
    assert "evaluate_reanimation" in stages
    assert not {"benchmark", "benchmark_films", "mind_animator"} & stages
