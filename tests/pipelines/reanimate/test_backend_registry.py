"""Every backend by name: what it says of itself without weights."""

from __future__ import annotations

import pytest
import torch

from brainviz.errors import BrainvizError, UnknownName
from pipelines.reanimate.registry import BACKENDS, make_backend
from pipelines.weights_catalogue import known_weights


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    for name in ("BRAINVIZ_WEIGHTS", "HF_HOME", "HF_HUB_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def test_names_agree():
    for name, entry in BACKENDS.items():
        backend = make_backend(name)
        assert backend.id == name and backend.title == entry.title


def test_the_warp_always_runs():
    assert make_backend("warp").missing() == ""


@pytest.mark.parametrize("name", [name for name in BACKENDS if name != "warp"])
def test_missing_names_commands_that_exist(name):
    backend = make_backend(name)
    said = backend.missing()
    assert "python -m pipelines weights " in said
    assert said.split("python -m pipelines weights ")[1].split("`")[0] in known_weights()
    assert set(backend.weights) <= set(known_weights())


def test_a_folder_given_counts(tmp_path):
    assert str(tmp_path / "own") in make_backend("svd", tmp_path / "own").missing()


def test_refuses():
    with pytest.raises(UnknownName, match="no backend called"):
        make_backend("../warp")
    with pytest.raises(BrainvizError, match="Unknown device"):
        make_backend("warp", device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(BrainvizError, match="no CUDA"):
            make_backend("warp", device="cuda")
