"""HCP 7T and Algonauts 2021 from their files to scored motion, and the command line's check of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainviz.data.timing import rows_per_clip
from brainviz.errors import BrainvizError
from brainviz.results import ResultStore
from brainviz.storage import open_array, read_array, read_table
from pipelines.__main__ import main
from pipelines.graph import perform
from pipelines.plan import build_plan
from pipelines.request import RunRequest
from support import tiny_algonauts, tiny_hcp7t


def decoded(dataset: Path, workspace: Path) -> ResultStore:
    """Do all tasks of a run until motion, in this process."""
    workspace.mkdir()
    for task in build_plan(RunRequest(dataset=str(dataset), until="motion"), workspace).tasks:
        perform(task, workspace, "cpu", lambda fraction, message: None)
    return ResultStore(workspace)


def motion_scores(store: ResultStore, subject: str) -> pd.DataFrame:
    result = store.current("evaluate_motion", subject)
    assert result is not None
    table = read_table(result.folder / "motion.parquet")
    assert {"brain", "brain-reference", "image-only", "ridge", "shuffled", "zero"} <= set(table["system"])
    assert not table["simulated"].any()
    return table


def flow(store: ResultStore, unit: str) -> np.ndarray:
    result = store.current("motion_decoder", unit)
    assert result is not None
    flows = read_array(result.arrays, "flow")
    assert len(flows) == len(result.manifest["facts"]["clips"]) and np.isfinite(flows).all()
    return flows


def test_hcp7t_goes_through_to_scored_motion(tmp_path: Path) -> None:
    subject = "111312"
    store = decoded(tiny_hcp7t.write_dataset(tmp_path / "data"), tmp_path / "workspace")
    table = motion_scores(store, subject)
    assert table["clip"].str.startswith("test4a-").all() and np.isfinite(table["epe"]).all()
    assert flow(store, f"{subject}.brain").shape == (8, 1, 3, 32, 32, 2)
    bold = store.current("bold", subject)
    assert bold is not None
    facts = bold.manifest["facts"]
    assert (facts["tr_s"], facts["lag_s"], facts["test_runs"], facts["space"]) == (1.0, 4.0, 1, "fsLR32k-cortex")
    reliability = read_array(bold.arrays, "reliability")  # of the repeated block, which two runs share
    assert np.nanmean(reliability[1000:1300]) > 0.3 > 0.1 > abs(np.nanmean(reliability[2000:]))
    assert np.isnan(read_array(bold.arrays, "ceiling")).all()  # every test block was seen once
    assert open_array(bold.arrays, "mean.repeat").shape == (15, 59_412)
    labels = store.current("flow_labels", "repeat")
    assert labels is not None
    np.testing.assert_allclose(labels.manifest["facts"]["step_s"], np.diff([0, 16, 32, 47]) / 24, rtol=1e-6)


def test_algonauts_goes_through_to_scored_motion(tmp_path: Path) -> None:
    dataset = tiny_algonauts.write_dataset(tmp_path / "data", 18)
    store = decoded(dataset, tmp_path / "workspace")
    table = motion_scores(store, "01")
    assert table["clip"].str.startswith("test0007-").all() and np.isfinite(table["epe"]).all()
    assert flow(store, "01.brain").shape == (6, 1, 3, 32, 32, 2)
    bold = store.current("bold", "01")
    assert bold is not None and bold.manifest["facts"]["maps"] == []
    assert bold.manifest["facts"]["tr_s"] == 0 and open_array(bold.arrays, "runs.test0007").shape == (3, 6, 260)
    with pytest.raises(BrainvizError, match="can be run until 'motion'"):
        build_plan(RunRequest(dataset=str(dataset), until="encoding"), tmp_path / "other")


def test_the_command_checks_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    algonauts = tiny_algonauts.write_dataset(tmp_path / "algonauts", 6, voxels=5)
    assert main(["check", "--dataset", str(algonauts)]) == 0
    assert "algonauts2021: subjects 01; clips per split: {'train': 6}" in capsys.readouterr().out
    hcp = tiny_hcp7t.write_dataset(tmp_path / "hcp", blocks={1: ((0, 2), (4, 8))})
    tiny_hcp7t.film_path(hcp, 1).write_bytes(b"")
    assert main(["check", "--dataset", str(hcp)]) == 1
    out = capsys.readouterr().out
    assert "hcp7t: subjects 111312" in out and "empty file" in out and "what to do:" in out


def test_faster_scans_are_encoded_with_one_volume_per_clip() -> None:
    assert [rows_per_clip(tr_s) for tr_s in (2.0, 1.0, 0.5)] == [1, 2, 4]
    for tr_s in (0.0, 0.72, 3.0):
        with pytest.raises(BrainvizError, match="no whole number of volumes"):
            rows_per_clip(tr_s)
