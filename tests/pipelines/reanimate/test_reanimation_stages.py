"""The stages of reanimation on a finished tiny run: its tables, slow backends, one film on demand, other systems."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from brainviz import open_workspace
from brainviz.errors import BrainvizError, Cancelled
from brainviz.results import ResultStore
from brainviz.video.reading import film_info
from brainviz.workspace import Workspace
from pipelines.evaluate.video_scores import SCORES
from pipelines.graph import Task, perform
from pipelines.import_system import ImportSettings, import_system
from pipelines.interactive.reanimation import film_scores, reanimated, render_request
from pipelines.plan import build_plan
from pipelines.reanimate import registry
from pipelines.reanimate.request import ReanimationRequest, RenderedClip
from pipelines.request import RunRequest

TINY = RunRequest(demo=True, size="tiny", subjects=("1",))


@pytest.fixture
def workspace(tiny_workspace: Path, tmp_path: Path) -> Workspace:
    """A copy to write to; its large parts are shared with the finished run."""
    shutil.copytree(tiny_workspace, tmp_path / "workspace", copy_function=lambda a, b: Path(b).hardlink_to(a))
    return open_workspace(tmp_path / "workspace")


def do(task: Task, workspace: Workspace, progress: Callable[[float, str], None] = lambda _share, _text: None) -> None:
    perform(task, workspace.path, "cpu", progress)


def planned(workspace: Workspace, request: RunRequest) -> dict[str, Task]:
    return {task.name: task for task in build_plan(request, workspace.path).tasks}


@dataclass
class SlowBackend:
    """Stands for a diffusion backend: six frames that darken, or a failure after some films."""

    fail_after: int = 1000
    rendered: int = 0
    id, title, licence, weights = "slow", "Slow", "none", ()
    size_gb, frames, memory_gb, deterministic = 0.0, 6, 0.1, True

    def missing(self) -> str:
        return ""

    def render(self, request: ReanimationRequest, progress: Callable[[float, str], None]) -> RenderedClip:
        if self.rendered >= self.fail_after:
            raise Cancelled
        self.rendered += 1
        assert request.motion is not None
        progress(0.5, "step 1 of 2")
        frames = np.stack([request.image // (1 + k) for k in range(6)])
        return RenderedClip(frames, 3.0, {"backend": "slow", **request.facts()})


def slow(monkeypatch: pytest.MonkeyPatch, backend: SlowBackend) -> None:
    monkeypatch.setitem(registry.BACKENDS, "slow", registry.Entry("Slow", True, lambda _w, _s, _d: backend))


def test_every_system_is_scored_on_every_test_clip(tiny_workspace: Path) -> None:
    workspace = open_workspace(tiny_workspace)
    table = workspace.table("reanimation")
    tests = workspace.clips[workspace.clips["split"] == "test"]["clip"]
    assert set(table["system"]) == {"truth", "brain", "image-only", "prior", "zero"}
    assert set(table["metric"]) == set(SCORES)
    assert set(table["clip"]) == set(tests)
    assert table["simulated"].all()
    assert set(table.loc[table["system"] == "prior", "sample"]) == {0, 1, 2}
    means = workspace.table("reanimation_summary").set_index(["metric", "system"])["mean"]
    for metric, better in (("epe", 1), ("ssim", -1), ("psnr", -1)):  # the true flow brings the frame nearest
        others = [better * means[metric, name] for name in ("brain", "image-only", "prior", "zero")]
        assert better * means[metric, "truth"] < min(others)
    assert means["warping-error", "zero"] == 0
    motion = workspace.table("motion")
    frozen = motion[(motion["system"] == "zero") & (motion["mask"] == "none") & (motion["part"] == "full")]
    frozen = frozen[frozen["runs"] == "all"].set_index("clip")["epe"]
    scored = table[(table["system"] == "zero") & (table["metric"] == "epe")].set_index("clip")["value"]
    assert np.allclose(scored, frozen.reindex(scored.index), atol=1e-6)  # same pixels, grid and truth as the flow's own
    assert set(workspace.table("reanimation_tests").query("a == 'brain'")["b"]) >= {"image-only", "prior", "zero"}


def test_a_slow_backend_keeps_its_films_and_goes_on_where_it_stopped(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = SlowBackend(fail_after=2)
    slow(monkeypatch, stopped)
    request = RunRequest(**{**TINY.to_json(), "subjects": ("1",), "reanimate_with": ("slow",), "reanimate_clips": 5})
    tasks = planned(workspace, request)
    task = tasks["reanimation/1.brain.slow.none"]
    assert "reanimation/all.zero.slow.none" not in tasks
    with pytest.raises(Cancelled):
        do(task, workspace)
    again = SlowBackend()
    slow(monkeypatch, again)
    said: list[str] = []
    do(task, workspace, lambda _share, text: said.append(text))
    assert (stopped.rendered, again.rendered) == (2, 3)
    assert any("step 1 of 2" in text for text in said)
    result = workspace.results.current("reanimation", "1.brain.slow.none")
    assert result is not None
    clips = result.manifest["facts"]["clips"]
    assert len(clips) == 5
    shown = reanimated(workspace, "1", clips[0], "brain", backend="slow")
    assert (len(shown.frames), shown.fps) == (6, 3.0)
    assert shown.provenance["backend"] == "slow"
    assert workspace.video("1", clips[0], "brain", "slow").is_file()


def test_one_film_on_demand(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, SlowBackend())
    clip = workspace.clips[workspace.clips["split"] == "test"]["clip"].iloc[0]
    request = render_request(workspace, "1", clip, "brain", "slow", "predicted-objects", seed=2)
    (task,) = build_plan(request, workspace.path).tasks
    said: list[tuple[float, str]] = []
    do(task, workspace, lambda share, text: said.append((share, text)))
    assert (0.5, "step 1 of 2") in said
    shown = reanimated(workspace, "1", clip, "brain", "predicted-objects", backend="slow", seed=2)
    assert (len(shown.frames), shown.provenance["seed"], shown.provenance["simulated"]) == (6, 2, True)
    assert set(film_scores(workspace, "1", clip, "brain", "predicted-objects", 0, "slow", 2)) == set(SCORES)
    stop = build_plan(render_request(workspace, "1", clip, "brain", "slow", seed=3), workspace.path).tasks[0]

    def cancel(share: float, _text: str) -> None:
        if share > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        do(stop, workspace, cancel)
    assert ResultStore(workspace.path).current("render", stop.unit) is None
    with pytest.raises(BrainvizError):
        build_plan(RunRequest(render={"clip": clip}), workspace.path)


def test_scores_on_demand_are_those_of_the_table(tiny_workspace: Path) -> None:
    workspace = open_workspace(tiny_workspace)
    table = workspace.table("reanimation").query("system == 'brain' and metric == 'ssim'").set_index("clip")["value"]
    clip = table.index[3]
    assert film_scores(workspace, "1", clip, "brain")["ssim"] == pytest.approx(table[clip], abs=0.01)


def test_films_of_another_system_are_scored_and_shown(workspace: Workspace, tmp_path: Path) -> None:
    clips = workspace.clips[workspace.clips["split"] == "test"]["clip"].tolist()
    for clip in clips[:4]:
        source = workspace.video("1", clip, "truth")
        (tmp_path / "films").mkdir(exist_ok=True)
        shutil.copy(source, tmp_path / "films" / f"{clip}.mp4")
    assert film_info(tmp_path / "films" / f"{clips[0]}.mp4").n_frames > 2
    import_system(workspace, "other", tmp_path / "films", ImportSettings(layout="single"), lambda _share, _text: None)
    tasks = planned(workspace, TINY)
    do(tasks["reanimation/all.other.imported.none"], workspace)
    do(tasks["evaluate_reanimation/1"], workspace)
    table = workspace.table("reanimation")
    epe = table[(table["metric"] == "epe") & (table["clip"].isin(clips[:4]))]
    epe = epe.pivot_table(index="clip", columns="system", values="value")
    assert epe["other"].mean() < 0.5 * epe["zero"].mean()
    tests = workspace.table("reanimation_tests").query("a == 'brain' and b == 'other' and metric == 'epe'")
    assert tests["n_clips"].tolist() == [4]
    shown = reanimated(workspace, "1", clips[0], "other")
    assert (shown.provenance["backend"], shown.uses_film) == ("imported", False)
    assert workspace.video("1", clips[0], "other").is_file()


def test_unknown_backends_and_masks_are_refused(tmp_path: Path) -> None:
    for wrong in ({"reanimate_with": ("no-such",)}, {"object_masks": ("no-such",)}, {"object_masks": ("flowsam",)}):
        with pytest.raises(BrainvizError):
            build_plan(RunRequest(**{**TINY.to_json(), "subjects": ("1",), **wrong}), tmp_path)
    with pytest.raises(BrainvizError):
        RunRequest(demo=True, reanimate_clips=0)
