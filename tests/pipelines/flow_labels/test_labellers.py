"""Choice of labellers and RAFT's weight file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, DataProblem, UnknownName
from pipelines.flow_labels import find_raft_weights, make_labeller
from pipelines.flow_labels.labellers import RAFT_FILE

PAIR = np.random.default_rng(0).integers(0, 256, size=(2, 1, 128, 128, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def raft_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A torch hub cache that holds raft_large with random weights, as torchvision saves it."""
    prepare_torchvision()
    import torch
    from torchvision.models.optical_flow import Raft_Large_Weights, raft_large

    assert Raft_Large_Weights.DEFAULT.url.endswith(RAFT_FILE)
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints" / RAFT_FILE
    path.parent.mkdir(parents=True)
    torch.save(raft_large(weights=None).state_dict(), path)
    return path


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def test_the_cache_is_where_torch_has_it(empty_cache: None) -> None:
    import torch

    from pipelines.flow_labels.labellers import hub_folder

    assert hub_folder() == Path(torch.hub.get_dir()) / "checkpoints"


def test_raft_is_found_in_the_cache_and_equals_torchvisions(raft_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from torchvision.models.optical_flow import raft_large
    from torchvision.transforms._presets import OpticalFlow

    monkeypatch.setenv("TORCH_HOME", str(raft_file.parents[2]))
    labeller = make_labeller("auto", size=128)
    assert labeller.name.startswith("RAFT large (torchvision") and "128 px" in labeller.name
    network = raft_large(weights=None).eval()
    network.load_state_dict(torch.load(raft_file, weights_only=True))
    frames = OpticalFlow()(*(torch.from_numpy(x).permute(0, 3, 1, 2) for x in PAIR))
    with torch.no_grad():
        expected = network(*frames)[-1].permute(0, 2, 3, 1).numpy()
    flow = labeller.measure(*PAIR)
    assert flow.shape == (1, 128, 128, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(flow, expected, rtol=1e-3, atol=1e-3)


def test_without_weights_auto_is_dis(empty_cache: None) -> None:
    assert find_raft_weights() is None
    assert make_labeller("auto").name.startswith("DIS (OpenCV")
    with pytest.raises(DataProblem, match="pipelines weights raft"):
        make_labeller("raft")


def test_unfit_files_are_refused(raft_file: Path, tmp_path: Path) -> None:
    import torch

    class Foreign:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("never run",))

    torch.save(Foreign(), tmp_path / "pickle.pth")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("not a file of tensors")
    (tmp_path / "short.pth").write_bytes(raft_file.read_bytes()[:100_000])
    for name in ("pickle", "other", "text", "short", "absent"):
        with pytest.raises(DataProblem, match="weights") as caught:
            make_labeller("raft", weights=tmp_path / f"{name}.pth")
        assert f"{name}.pth" in str(caught.value)


def test_foreign_settings_are_refused(raft_file: Path) -> None:
    with pytest.raises(UnknownName, match="farneback"):
        make_labeller("farneback")
    with pytest.raises(BrainvizError, match="multiple of 8"):
        make_labeller("raft", weights=raft_file, size=130)


def test_dis_leaves_opencvs_threads_alone() -> None:
    import cv2

    before = cv2.getNumThreads()
    make_labeller("dis").measure(*PAIR)
    assert cv2.getNumThreads() == before
