"""FlowSAM's masks from the plan to the film, with a tiny random network in the published form."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_flowsam import save_tiny_flowsam, save_tiny_sam

from brainviz import open_workspace
from brainviz.errors import Cancelled, NotReady
from brainviz.results import ResultStore
from brainviz.storage import read_table, write_array
from brainviz.workspace import Workspace
from pipelines.flow_labels import make_labeller
from pipelines.graph import Task, perform
from pipelines.interactive.reanimation import reanimated, render_request
from pipelines.plan import build_plan
from pipelines.reanimate import flowsam
from pipelines.request import RunRequest
from pipelines.stages.object_masks import clip_objects
from support.fake_workspace import make_workspace

CLIP = "test1-0003"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all converted weights."""
    home, base = tmp_path_factory.mktemp("weights"), tmp_path_factory.mktemp("sam")
    save_tiny_sam(base)
    file = next(save_tiny_flowsam(home, base).glob("*.safetensors"))
    # As it was drawn, it masks nothing or all; so shifted, about a half.
    shifted = {"mask_decoder.output_hypernetworks_mlps.0.proj_out.bias": 3.0, "mask_decoder.upscale_conv2.bias": -0.2}
    held = load_file(file)
    save_file(
        {**held, **{name: torch.full_like(held[name], value) for name, value in shifted.items()}},
        file,
        {"format": "pt"},
    )
    return home


@pytest.fixture
def here(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FlowSAM is on this machine; a random network never trusts its masks, so all of them count."""
    monkeypatch.setenv("BRAINVIZ_WEIGHTS", str(weights))
    loose = partial(flowsam.FlowSamSettings, points=3, least_overlap=-9.0, background=2.0)
    monkeypatch.setattr(flowsam, "FlowSamSettings", loose)
    return weights / "flowsam"


def planned(workspace: Path, *masks: str) -> dict[str, Task]:
    request = RunRequest(demo=True, size="tiny", subjects=("1",), object_masks=masks)
    return {task.name: task for task in build_plan(request, workspace).tasks}


def test_masks_are_planned_only_where_they_are_asked_for(here: Path, tmp_path: Path) -> None:
    assert not any(name.startswith("object_masks/") for name in planned(tmp_path, "predicted-objects"))
    tasks = planned(tmp_path, "flowsam")
    for film in ("test1", "test2"):
        task = tasks[f"object_masks/{film}"]
        assert task in tasks["reanimation/1.brain.warp.flowsam"].needs
        assert (task.unit, task.config["weights"]) == (film, str(here))
    assert not any(need.stage == "object_masks" for need in tasks["reanimation/1.brain"].needs)


def test_without_weights_the_run_is_refused_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAINVIZ_WEIGHTS", str(tmp_path))
    with pytest.raises(NotReady, match="python -m pipelines weights flowsam --file FILE"):
        planned(tmp_path, "flowsam")


def keep_masks(workspace: Workspace, key: str, values: np.ndarray) -> Workspace:
    store = ResultStore(workspace.path)
    with store.writing("object_masks", "test1", key) as (folder, _):
        write_array(folder / "arrays.zarr", "objects", values)
    store.point("object_masks", "test1", key)
    return open_workspace(workspace.path)


def test_a_page_is_given_what_the_kept_masks_let_move(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, subjects=["1"])
    with pytest.raises(NotReady, match="--object-masks flowsam"):
        reanimated(workspace, "1", CLIP, "brain", "flowsam")
    with pytest.raises(NotReady):
        render_request(workspace, "1", CLIP, "brain", "warp", "flowsam")
    every = np.ones((12, 3, 32, 32), bool)
    whole = reanimated(keep_masks(workspace, "whole", every), "1", CLIP, "brain", "flowsam")
    assert np.array_equal(whole.frames, reanimated(workspace, "1", CLIP, "brain").frames)
    assert whole.uses_film and whole.provenance["objects"] == "object_masks/test1:whole"
    none = reanimated(keep_masks(workspace, "none", ~every), "1", CLIP, "brain", "flowsam")
    assert (none.frames == none.frames[:1]).all()  # new masks, another film
    part = every.copy()
    part[3, :, :, 16:] = False
    one = keep_masks(workspace, "part", part)
    assert np.array_equal(one.flowsam_mask(CLIP), part[3])
    assert one.flowsam_mask("test1-0002").all()
    left = reanimated(one, "1", CLIP, "brain", "flowsam").frames.astype(float)
    moved = np.abs(left - left[:1]).mean(axis=(0, 1, 3))
    assert moved[:96].mean() > 5 * moved[160:].mean()


def errors_of(workspace: Workspace, unit: str) -> pd.Series:
    result = workspace.results.current("reanimation", unit)
    assert result is not None
    scores = read_table(result.folder / "scores.parquet")
    return scores.loc[scores["metric"] == "epe", "value"]


def test_a_killed_search_goes_on_at_the_next_clip(tiny_workspace: Path, tmp_path: Path, here: Path) -> None:
    shutil.copytree(tiny_workspace, tmp_path / "workspace", copy_function=lambda a, b: Path(b).hardlink_to(a))
    workspace = open_workspace(tmp_path / "workspace")
    task = planned(workspace.path, "flowsam")["object_masks/test1"]

    def cancel(share: float, _text: str) -> None:
        if share >= 3 / task.config["n_clips"]:
            raise Cancelled

    with pytest.raises(Cancelled):
        perform(task, workspace.path, "cpu", cancel)
    work = workspace.results.work_folder(task.stage, task.unit, task.key)
    assert sorted(path.name for path in work.iterdir()) == ["00000.npy", "00001.npy", "00002.npy"]
    np.save(work / "00001.npy", np.ones((3, 32, 32), bool))
    perform(task, workspace.path, "cpu", lambda _share, _text: None)
    assert [workspace.flowsam_mask(f"test1-000{k}").all() for k in range(4)] == [False, True, False, False]
    assert not work.exists()


def test_a_run_finds_the_objects_and_drives_every_system_by_them(
    tiny_workspace: Path, tmp_path: Path, here: Path
) -> None:
    shutil.copytree(tiny_workspace, tmp_path / "workspace", copy_function=lambda a, b: Path(b).hardlink_to(a))
    workspace = open_workspace(tmp_path / "workspace")
    tasks = planned(workspace.path, "flowsam")
    task = tasks["reanimation/all.truth.warp.flowsam"]
    for one in (*(need for need in task.needs if need.stage == "object_masks"), task):
        perform(one, workspace.path, "cpu", lambda _share, _text: None)
    clip = next(clip for clip in workspace.clips["clip"] if clip.startswith("test1") and clip.endswith("2"))
    network, labeller = flowsam.FlowSam(here), make_labeller("dis")
    expected = clip_objects(workspace.film("test1"), workspace.place(clip).index, labeller, network)
    found = np.stack([workspace.flowsam_mask(name) for name in workspace.clips["clip"] if name.startswith("test1")])
    assert np.array_equal(workspace.flowsam_mask(clip), expected)
    assert found.any() and not found.all()
    errors = {unit: errors_of(workspace, unit) for unit in ("all.zero", "all.truth", "all.truth.warp.flowsam")}
    objects = errors["all.truth.warp.flowsam"].mean()
    assert errors["all.truth"].mean() < objects < errors["all.zero"].mean()  # a part of the motion
    assert reanimated(workspace, "1", clip, "truth", "flowsam").uses_film
