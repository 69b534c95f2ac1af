"""Results count only when whole; pointers, versions, locks and errors of the store."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainviz.errors import BrainvizError, NotReady, UnknownName
from brainviz.results import ResultStore
from brainviz.storage import create_array, open_array, read_json, read_table, safe_name, write_array, write_json
from brainviz.workspace import create_workspace, open_workspace


def make(store: ResultStore, key: str = "k1", fail: bool = False) -> None:
    with store.writing("stage", "unit", key) as (folder, manifest):
        (folder / "value.txt").write_text(key)
        manifest["facts"] = {}
        if fail:
            raise RuntimeError("stopped in the middle")


def test_a_result_is_complete_only_with_its_manifest(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    with store.writing("stage", "unit", "k1") as (folder, _):
        (folder / "value.txt").write_text("half")
        assert not store.complete("stage", "unit", "k1")
    assert store.complete("stage", "unit", "k1")


def test_a_stopped_result_leaves_nothing(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    with pytest.raises(RuntimeError, match="middle"):
        make(store, fail=True)
    assert list((tmp_path / "results" / "stage" / "unit").iterdir()) == []


def test_checkpoints_go_when_the_result_stands(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    work = store.work_folder("stage", "unit", "k1")
    work.mkdir(parents=True)
    make(store)
    assert not work.exists()


def test_the_version_changes_only_with_a_pointer(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    make(store)
    store.point("stage", "unit", "k1")
    first = store.version()
    store.point("stage", "unit", "k1")
    assert store.version() == first
    make(store, "k2")
    store.point("stage", "unit", "k2")
    assert store.version() != first
    current = store.current("stage", "unit")
    assert current is not None
    assert (current.folder / "value.txt").read_text() == "k2"
    assert [p.name for p in store.removable()] == ["k1"]


def test_a_second_maker_waits(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    order: list[str] = []

    def second() -> None:
        with ResultStore(tmp_path).lock("stage", "unit", "k"):
            order.append("second")

    with store.lock("stage", "unit", "k"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a\x00b", "x" * 200])
def test_names_cannot_leave_their_folder(name: str) -> None:
    with pytest.raises(BrainvizError, match="file name"):
        safe_name(name)


def test_arrays_come_back_as_written_in_one_shard(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((37, 3, 5), dtype=np.float32)
    write_array(tmp_path / "a.zarr", "flow", values, (1, 3, 5))
    np.testing.assert_array_equal(open_array(tmp_path / "a.zarr", "flow")[...], values)
    files = [p for p in (tmp_path / "a.zarr" / "flow").rglob("*") if p.is_file()]
    assert len(files) == 2  # the shard, and what describes it
    filled = create_array(tmp_path / "a.zarr", "piece", (4, 6), "float32", (2, 6))
    filled[2:] = 1.0
    assert float(open_array(tmp_path / "a.zarr", "piece")[...].sum()) == 12.0


def test_damaged_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    for read in (lambda: read_json(tmp_path / "x.json"), lambda: read_table(tmp_path / "x.parquet")):
        with pytest.raises(BrainvizError) as caught:
            read()
        assert str(tmp_path) in caught.value.where and caught.value.remedy
    with pytest.raises(BrainvizError, match="cannot be read"):
        open_array(tmp_path / "none.zarr", "flow")


def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(BrainvizError, match="disk is full") as caught:
        write_json(tmp_path / "x.json", {})
    assert "clean" in caught.value.remedy


def test_workspaces_of_another_schema_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrainvizError, match="no workspace here"):
        open_workspace(tmp_path)
    (tmp_path / "workspace.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(BrainvizError, match="schema version 99"):
        open_workspace(tmp_path)


def test_what_is_missing_is_not_ready_and_what_is_foreign_is_unknown(tmp_path: Path) -> None:
    facts = {"dataset": "d", "dataset_name": "cc2017", "simulated": False, "subjects": ["1"]}
    workspace = create_workspace(tmp_path, facts)
    with pytest.raises(NotReady):
        workspace.table("motion")
    with pytest.raises(UnknownName, match="no table called"):
        workspace.table("../../etc/passwd")
    with pytest.raises(UnknownName, match="no subject called"):
        workspace.maps("../1")
    store = ResultStore(tmp_path)
    for unit, value in (("1", 1.0), ("2", 2.0)):
        with store.writing("evaluate_motion", unit, "k") as (folder, _):
            pd.DataFrame({"subject": [unit], "epe": [value]}).to_parquet(folder / "motion.parquet")
        store.point("evaluate_motion", unit, "k")
    assert workspace.table("motion")["epe"].tolist() == [1.0, 2.0]
