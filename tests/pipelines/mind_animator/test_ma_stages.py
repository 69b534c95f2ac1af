"""The two stages on three tiny films and a made-up brain: what they store, and that training sees no test film."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from brainviz.results import ResultStore
from brainviz.storage import create_array, open_array, read_array, write_array, write_table
from brainviz.video.writing import write_mp4
from pipelines.graph import Context, Cost, Task, perform
from pipelines.mind_animator.config import EMBEDDED, PartConfig
from pipelines.mind_animator.trained import load_part
from pipelines.plan_mind_animator import ABLATIONS, mind_animator_tasks
from pipelines.sources import Source

FILMS = {"seg1": 40, "seg2": 40, "test1": 40}
CORTEX = 59412
TINY = dataclasses.replace(
    EMBEDDED,
    vertices=50,
    rank=8,
    semantic=PartConfig(8, 1, 1, 32, 1e-3, zeroed=(0.2, 0.5)),
    structure=PartConfig(16, 1, 1, 32, 1e-3, zeroed=(0.4, 0.5)),
    motion=PartConfig(8, 1, 1, 32, 0.3),
    hidden=16,
    transport=2,
)


def film_of(path: Path, seed: int) -> None:
    """Stripes that drift; 8 frames a second for 80 s, so that a frame's number tells its time."""
    shift = np.arange(640) * (1 + seed)
    grey = (128 + 100 * np.sin((np.arange(64)[None] + shift[:, None]) / 6)).astype(np.uint8)
    write_mp4(path, (np.broadcast_to(line[None, :, None], (64, 64, 3)).copy() for line in grey), 8.0)


def put(store: ResultStore, task: Task, arrays: dict[str, np.ndarray], facts: dict, tables: dict | None = None) -> Task:
    with store.writing(task.stage, task.unit, task.key) as (folder, manifest):
        for name, values in arrays.items():
            write_array(folder / "arrays.zarr", name, values, None)
        for name, table in (tables or {}).items():
            write_table(folder / f"{name}.parquet", table)
        manifest["facts"] = facts
    return task


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with both stages done for one subject, and its tasks by name."""
    path = tmp_path_factory.mktemp("mind-animator")
    patch = pytest.MonkeyPatch()
    patch.setattr(Context, "dataset", lambda _: SimpleNamespace(film=lambda name: path / f"{name}.mp4"))
    patch.setattr("pipelines.plan_mind_animator.EMBEDDED", TINY)
    store, rng = ResultStore(path), np.random.default_rng(0)
    source = Source("data", "tiny", True, ("1",), FILMS, 8.0, 2, {}, {}, {f: f for f in FILMS}, {"1": "1"})
    named = {}
    rows, arrays = [], {"reliability": np.linspace(0, 0.9, CORTEX, dtype=np.float32)}
    for number, (film, n) in enumerate(FILMS.items()):
        film_of(path / f"{film}.mp4", number)
        task = source.task("frame_features", film, {"film": film}, (), Cost(1))
        named[task.name] = put(store, task, {"features": rng.random((n, 32, 32, 3)).astype(np.float16)}, {})
        lines = [f"A {('gull', 'car', 'boat')[i // 15]} moves {('left', 'right')[i % 2]}." for i in range(n)]
        rows += [
            {"clip": f"{film}-{i:04d}", "segment": film, "caption": line, "onset_s": 2.0 * i, "shot": i}
            for i, line in enumerate(lines)
        ]
        arrays[f"mean.{film}"] = rng.standard_normal((n + 4, CORTEX)).astype(np.float16)
    task = source.task("catalogue", "all", {}, (), Cost(1))
    named[task.name] = put(store, task, {}, {}, {"clips": pd.DataFrame(rows).assign(duration_s=2.0)})
    task = source.task("bold", "1", {}, (), Cost(1))
    facts = {"segments": list(FILMS), "tr_s": 2.0, "lag_s": 4.0}
    named[task.name] = put(store, task, arrays, facts)
    tasks = mind_animator_tasks(source, SimpleNamespace(), named)
    undone = {f"mind_animator/1.{form}" for form in ABLATIONS}
    for task in (task for name, task in tasks.items() if name not in undone):
        perform(task, path, "cpu", lambda *_: None)
    yield store, tasks, path
    patch.undo()


def result(made, name):
    store, tasks, _ = made
    task = tasks[name]
    return store.folder(task.stage, task.unit, task.key)


def facts_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())["facts"]


def test_plan_has_every_film_and_form(made):
    _, tasks, _ = made
    units = [name for name in tasks if name.startswith("mind_animator/")]
    assert units == [f"mind_animator/1.{form}" for form in ("corrected", "released", *ABLATIONS)]
    assert {name.split("/")[1] for name in tasks if "targets" in name} == {*FILMS, "all"}
    assert len({task.key for task in tasks.values()}) == len(tasks)


def test_without_captions_nothing_is_planned():
    source = Source("d", "real", False, ("1",), FILMS, 30.0, 2, {}, {}, {f: f for f in FILMS}, {"1": "1"})
    assert mind_animator_tasks(source, SimpleNamespace(), {}) == {}
    assert "corrected-minus-causal_inference" in ABLATIONS


def test_frames_are_cut_at_four_a_second(made):
    frames = read_array(result(made, "mind_animator_targets/seg2") / "arrays.zarr", "frames")
    assert frames.shape == (40, 8, 64, 64, 3) and frames.dtype == np.uint8
    number = 8 * (2 * 30) + 2 * 3  # clip 30, frame 3: 60.75 s
    expected = 128 + 100 * np.sin((np.arange(64) + 2 * number) / 6)
    assert np.abs(frames[30, 3].mean((0, 2)) - expected).max() < 12


def test_targets_of_every_film(made):
    folder = result(made, "mind_animator_targets/all")
    for film, n in FILMS.items():
        text, image, condition, latents = (
            read_array(folder / "arrays.zarr", f"{name}.{film}") for name in ("text", "image", "condition", "latents")
        )
        assert text.shape == image.shape and len(text) == n
        assert condition.shape[:2] == (n, 2) and latents.shape == (n, 8, 4, 8, 8)
    assert "embedded" in facts_of(folder)["label"]


@pytest.mark.parametrize("form", ["corrected", "released"])
def test_test_clips_become_films(made, form):
    folder = result(made, f"mind_animator/1.{form}")
    facts = facts_of(folder)
    arrays = folder / "arrays.zarr"
    for name in ("frames", "frames.shifted") if form == "corrected" else ("frames",):
        frames = read_array(arrays, name)
        assert frames.shape == (40, 8, 64, 64, 3) and frames.dtype == np.uint8
    if form == "corrected":  # whose films the frame-shuffle test looks at
        assert (read_array(arrays, "vector") != read_array(arrays, "vector.shifted")).any()
    assert facts["fps"] == 4.0 and facts["clips"][0] == "test1-0000" and len(facts["clips"]) == 40
    assert facts["filmed"] == facts["clips"]
    assert facts["system"] == ("mind-animator" if form == "corrected" else "mind-animator-released")
    assert "embedded" in facts["generator"]
    for name in facts["maps"]:
        values = open_array(folder / "arrays.zarr", f"map.{name}")[:]
        assert values.shape == (64984,) and np.isfinite(values).sum() == 50 and np.nanmax(values) == 1
    assert len(facts["maps"]) == 6


def test_nothing_trained_depends_on_a_test_film(made, tmp_path, monkeypatch):
    """Targets and parts again, with another test film and other test fMRI."""
    store, tasks, _ = made
    changed = ResultStore(tmp_path)
    for task in tasks["mind_animator_targets/all"].needs + tasks["mind_animator/1.corrected"].needs[1:]:
        source = store.folder(task.stage, task.unit, task.key)
        target = changed.folder(task.stage, task.unit, task.key)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    spoil(changed, tasks)
    task = tasks["mind_animator/1.corrected"]
    for each in (tasks["mind_animator_targets/all"], task):
        perform(each, tmp_path, "cpu", lambda *_: None)
    for part in ("semantic", "structure", "motion"):
        before = load_part(result(made, task.name) / part).network.state_dict()
        after = load_part(changed.folder(task.stage, task.unit, task.key) / part).network.state_dict()
        assert all((before[name] == after[name]).all() for name in before), part
    frames = [read_array(s.folder(task.stage, task.unit, task.key) / "arrays.zarr", "frames") for s in (store, changed)]
    assert (frames[0] != frames[1]).any()


def spoil(changed: ResultStore, tasks: dict[str, Task]) -> None:
    import shutil

    needs = {
        need.name: need
        for name in ("mind_animator_targets/all", "mind_animator/1.corrected")
        for need in tasks[name].needs
    }
    for name, array in (
        ("mind_animator_targets/test1", "frames"),
        ("frame_features/test1", "features"),
        ("bold/1", "mean.test1"),
    ):
        need = needs[name]
        folder = changed.folder(need.stage, need.unit, need.key)
        original = folder.resolve()
        folder.unlink()
        shutil.copytree(original, folder)
        values = read_array(folder / "arrays.zarr", array)
        shutil.rmtree(folder / "arrays.zarr" / array)
        held = create_array(folder / "arrays.zarr", array, values.shape, str(values.dtype), values.shape)
        held[:] = values[::-1]
