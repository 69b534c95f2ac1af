"""ViFi-CLIP's file in its published layout, against open_clip's vision transformer (OpenAI's own tensor names)."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, DataProblem
from pipelines import weights as store
from pipelines.evaluate.video_embeddings import VideoNetworks
from pipelines.evaluate.video_scores import TimedFilm

prepare_torchvision()

import torch  # noqa: E402

MEAN, DEVIATION = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


class CfgNode(dict):
    """As yacs has it: settings with attributes of their own."""

    def __init__(self, **values: Any) -> None:
        super().__init__(values)
        self.__dict__["__immutable__"] = True
        self.__dict__["__deprecated_keys__"] = {"OLD"}


@pytest.fixture
def yacs(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The library of the settings is there while the file is written, and only then."""
    module = ModuleType("yacs.config")
    module.CfgNode = CfgNode  # type: ignore[attr-defined]
    monkeypatch.setattr(CfgNode, "__module__", "yacs.config")
    monkeypatch.setitem(sys.modules, "yacs", ModuleType("yacs"))
    monkeypatch.setitem(sys.modules, "yacs.config", module)
    return monkeypatch


def tower() -> torch.nn.Module:
    from open_clip.transformer import QuickGELU, VisionTransformer

    torch.manual_seed(3)
    made = VisionTransformer(
        image_size=32, patch_size=8, width=128, layers=2, heads=2, mlp_ratio=2.0, output_dim=16, act_layer=QuickGELU
    )
    for name, value in made.named_parameters():
        torch.nn.init.normal_(value, mean=float("ln" in name and name.endswith("weight")), std=0.2)
    return made.eval()


def published(network: torch.nn.Module) -> dict[str, Any]:
    """The file as training writes it: wrapped for several GPUs, with optimiser, schedule and settings."""
    held = {f"module.image_encoder.{name}": value for name, value in network.state_dict().items()}
    held["module.text_encoder.transformer.resblocks.0.attn.in_proj_weight"] = torch.zeros(6, 2)
    held["module.text_encoder.text_projection"] = torch.zeros(2, 2)
    held["module.prompt_learner.complete_text_embeddings"] = torch.zeros(3, 77, 2)
    held["module.logit_scale"] = torch.tensor(4.6)
    optimiser = torch.optim.AdamW(network.parameters())
    settings = CfgNode(MODEL=CfgNode(ARCH="ViT-B/16"), TRAIN=CfgNode(EPOCHS=11, LR=8e-6))
    state = {"optimizer": optimiser.state_dict(), "lr_scheduler": {"base_values": [8e-6]}, "max_accuracy": 61.1}
    return {"model": held, **state, "epoch": 10, "config": settings}


def save(yacs: pytest.MonkeyPatch, held: dict[str, Any], path: Path) -> Path:
    torch.save(held, path)
    for name in ("yacs", "yacs.config"):
        yacs.delitem(sys.modules, name)
    return path


def test_the_published_file_gives_the_published_embedding(yacs: pytest.MonkeyPatch, tmp_path: Path) -> None:
    network = tower()
    file = save(yacs, published(network), tmp_path / "k400_seed1_vifi_clip_base2novel.pth")
    yacs.setenv("BRAINVIZ_WEIGHTS", str(tmp_path / "weights"))
    place = store.fetch("vifi-clip", lambda *_: None, file)
    assert place == store.find("vifi-clip")
    frames = np.random.default_rng(0).integers(0, 256, (5, 36, 36, 3), dtype=np.uint8)  # 36 to 32 as 256 to 224
    pixels = (frames[:, 2:-2, 2:-2] - MEAN) / DEVIATION
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)).numpy()
    networks = VideoNetworks.load({"vifi-clip": str(place)})
    assert expected.std(axis=0).mean() > 0.1  # frames differ
    np.testing.assert_allclose(networks.frames["vifi-clip"](frames), expected, rtol=1e-3, atol=1e-4)
    film = TimedFilm(np.repeat(frames, 4, axis=0), np.arange(20) / 10)
    other = TimedFilm(255 - film.frames, film.times_s)
    assert networks.score(film, film)["vifi"] == pytest.approx(1)
    assert networks.score(other, film)["vifi"] < 0.99


def test_it_scores_films_where_it_is_there(yacs: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pipelines.plan_reanimation import _networks

    yacs.setenv("BRAINVIZ_WEIGHTS", str(tmp_path / "weights"))
    assert "vifi-clip" not in _networks()
    store.fetch("vifi-clip", lambda *_: None, save(yacs, published(tower()), tmp_path / "vifi.pth"))
    assert _networks()["vifi-clip"] == str(tmp_path / "weights" / "vifi-clip")


def test_what_is_no_such_file_is_refused_by_name(yacs: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pipelines.evaluate.vifi_checkpoint import convert_vifi

    held = published(tower())
    prompted = {**held, "model": {**held["model"], "module.image_encoder.VPT": torch.zeros(8, 128)}}
    short = {k: v for k, v in held["model"].items() if not k.endswith("resblocks.1.ln_2.weight")}
    none = {"model": {"module.visual.conv1.weight": torch.zeros(2)}}
    files = [tmp_path / f"{name}.pth" for name in ("prompted", "short", "none")]
    for file, values in zip(files, (prompted, {"model": short}, none), strict=True):
        torch.save(values, file)
    for file, words in zip(files, ("1 unexpected.*VPT", "1 tensors are missing", "not ViFi-CLIP's"), strict=True):
        with pytest.raises(DataProblem, match=words):
            convert_vifi(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_it_is_listed_and_says_where_it_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAINVIZ_WEIGHTS", str(tmp_path))
    assert "missing; fetch: python -m pipelines weights vifi-clip" in store.listing()
    with pytest.raises(BrainvizError, match=r"osf\.io/utqde.*weights vifi-clip --file FILE"):
        store.fetch("vifi-clip", lambda *_: None)
