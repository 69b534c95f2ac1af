"""Weights of encoders: all listed with size and licence, found in the caches, fetched in the safest form there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainviz.errors import BrainvizError
from pipelines import weights as store
from pipelines.features.registry import ENCODERS, weights_of
from pipelines.weights_catalogue import known_weights

PAPER = (
    *("resnet50", "dino", "dinov2", "clip", "clip.all-frames", "clip-convnext", "clip-convnext.all-frames"),
    *("videomae-base", "videomae-large", "hiera-base-plus", "hiera-huge", "x-clip"),
    *("vc-1", "vc-1.all-frames", "vip", "vip.all-frames", "r3m", "r3m.all-frames"),
)


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


def test_every_encoder_of_the_paper_and_its_weights_are_known() -> None:
    assert len(PAPER) == 18 and set(PAPER) <= set(ENCODERS)
    assert {"v-jepa-2", "dinov3", "siglip-2"} <= set(ENCODERS)
    known = known_weights()
    for spec in ENCODERS.values():
        assert spec.layers and spec.pooling and spec.memory_gb > 0 and spec.licence
        assert (spec.source == "embedded") == (not spec.weights_name)
        if spec.weights_name:
            assert known[spec.weights_name].size_gb == spec.size_gb > 0 and spec.hub_name
        if spec.family == "video":
            assert f"{spec.id.partition('.')[0]}.frozen" in ENCODERS
            assert f"{spec.id.partition('.')[0]}.reversed" in ENCODERS


def test_listing_says_what_is_here_and_what_is_missing(caches: Path) -> None:
    snapshot = caches / "hub" / "models--microsoft--resnet-50" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert store.find("resnet50") is None  # settings alone are no weights
    (snapshot / "model.safetensors").write_bytes(b"x")
    assert store.find("resnet50") == snapshot == weights_of(ENCODERS["resnet50"])
    lines = store.listing()
    assert f"here: {snapshot}" in lines
    assert "missing; fetch: python -m pipelines weights videomae-large" in lines
    assert "1.37 GB" in lines and "CC-BY-NC-4.0" in lines


class _Hub:
    """Stands for the hub's client: which files a repository has, and what was asked of it."""

    def __init__(self, files: list[str], root: Path) -> None:
        self.files, self.root = files, root
        self.asked: dict[str, Any] = {}

    def list_repo_files(self, source: str, revision: str) -> list[str]:
        return self.files

    def download(self, source: str, revision: str, allow_patterns: list[str]) -> str:
        self.asked = {"source": source, "revision": revision, "files": allow_patterns}
        return str(self.root)


@pytest.mark.parametrize(
    ("name", "there", "files"),
    [
        ("clip", ["model.safetensors", "pytorch_model.bin"], ["*.safetensors", "*.json"]),
        ("clip", ["pytorch_model.bin", "tf_model.h5"], ["*.safetensors", "*.json", "pytorch_model.bin"]),
        ("vc-1", ["pytorch_model.bin"], ["pytorch_model.bin"]),
    ],
)
def test_safetensors_are_preferred(
    name: str, there: list[str], files: list[str], caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    hub = _Hub(there, caches)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.download)
    assert store.fetch(name, lambda fraction, message: None) == caches
    spec = ENCODERS[name]
    assert hub.asked == {"source": spec.hub_name, "revision": spec.revision, "files": files}


def test_a_single_file_is_fetched_and_read_once(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def download(address: str, target: str, hash_prefix: str | None) -> None:
        assert address == ENCODERS["vip"].hub_name and hash_prefix is None
        torch.save({"vip": {"module.convnet.fc.bias": torch.zeros(2)}}, target)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    place = store.fetch("vip", lambda fraction, message: None)
    assert place.name == "vip-model.pt" and store.find("vip") == place


def test_an_unreachable_hub_is_named(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse() -> None:
        raise OSError("no route")

    monkeypatch.setattr(huggingface_hub, "HfApi", refuse)
    with pytest.raises(BrainvizError, match="could not be fetched"):
        store.fetch("dino", lambda fraction, message: None)
