"""DINOv2 through transformers, on tiny models saved in the true format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data, transform

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem
from pipelines.features.dinov2 import Dinov2Encoder
from pipelines.features.first_frame import make_frame_encoder

FRAMES = np.stack([data.astronaut(), data.astronaut()[::-1]])
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def _save(folder: Path, kind: str, **config: Any) -> Path:
    prepare_torchvision()
    import torch
    import transformers

    torch.manual_seed(0)
    built = getattr(transformers, f"{kind}Config")(**SMALL, **config)
    getattr(transformers, f"{kind}Model")(built).save_pretrained(folder)
    transformers.BitImageProcessor(
        size={"shortest_edge": 256},
        crop_size={"height": 224, "width": 224},
        resample=3,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("models") / "dinov2", "Dinov2", image_size=518, patch_size=14)


def test_tokens_are_those_of_the_model_behind_its_own_processor(dinov2: Path) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModel

    encoder = make_frame_encoder(f"dinov2:{dinov2}")
    processor = AutoImageProcessor.from_pretrained(dinov2, local_files_only=True)
    size = {"height": 448, "width": 448}
    inputs = processor(list(FRAMES), size={"shortest_edge": 448}, crop_size=size, return_tensors="pt")
    assert isinstance(encoder, Dinov2Encoder)
    difference = np.abs(encoder.pixels(FRAMES).numpy() - inputs["pixel_values"].numpy())
    assert difference.mean() < 0.01 and difference.max() < 0.1  # one grey level is .017; PIL rounds between its passes
    with torch.no_grad():
        tokens = AutoModel.from_pretrained(dinov2)(**inputs).last_hidden_state[:, 1:]
    features = encoder.encode(FRAMES)
    assert features.shape == (2, 32, 32, 32) and features.dtype == np.float16 and encoder.channels == 32
    gap = np.abs(features - tokens.reshape(2, 32, 32, -1).numpy())
    assert gap.mean() < 0.01 and gap.max() < 0.3  # tokens have unit variance


def test_the_grid_is_not_transposed(dinov2: Path) -> None:
    frame = np.zeros((1, 448, 448, 3), dtype=np.uint8)
    frame[0, 14 * 5 : 14 * 6, 14 * 20 : 14 * 21] = 255
    encoder = make_frame_encoder(f"dinov2:{dinov2}")
    change = np.abs(encoder.encode(frame).astype(float) - encoder.encode(frame * 0).astype(float)).sum(axis=-1)[0]
    assert np.unravel_index(change.argmax(), change.shape) == (5, 20)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Dinov2WithRegisters", {"image_size": 112, "patch_size": 14, "num_register_tokens": 4}),
        ("ViT", {"image_size": 64, "patch_size": 16}),
        ("Dinov2", {"image_size": 64, "patch_size": 8}),
    ],
)
def test_other_patch_sizes_and_registers(kind: str, config: dict[str, int], tmp_path: Path) -> None:
    encoder = make_frame_encoder(f"dinov2:{_save(tmp_path / kind, kind, **config)}")
    assert f"{32 * config['patch_size']} px" in encoder.name and encoder.name.startswith(kind)
    features = encoder.encode(FRAMES[:1])
    assert features.shape == (1, 32, 32, 32) and np.isfinite(features).all()


def test_smaller_images_are_interpolated(dinov2: Path) -> None:
    import torch

    encoder = Dinov2Encoder.load(str(dinov2), image_px=224)
    with torch.no_grad():
        tokens = encoder.model(encoder.pixels(FRAMES[:1])).last_hidden_state[0, 1:].reshape(16, 16, -1).numpy()
    expected = transform.resize(tokens, (32, 32), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(encoder.encode(FRAMES[:1])[0], expected, atol=5e-3)


def test_a_hub_name_is_read_from_the_cache(dinov2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert "Gabor" in make_frame_encoder("auto").name
    with pytest.raises(DataProblem, match="pipelines weights dinov2"):
        make_frame_encoder("dinov2")
    snapshot = tmp_path / "models--facebook--dinov2-base" / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(dinov2)
    assert "dinov2-base" in make_frame_encoder("dinov2").name
    assert make_frame_encoder("auto").name.startswith("Dinov2Model")


def test_unfit_folders_are_refused(dinov2: Path, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path in dinov2.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder

    (tmp_path / "empty").mkdir()
    weights = copy("short") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    deeper = copy("deeper") / "config.json"
    deeper.write_text(json.dumps(json.loads(deeper.read_text()) | {"num_hidden_layers": 3}))
    other = copy("other") / "config.json"
    other.write_text(json.dumps({"model_type": "no such model"}))
    (copy("settings") / "preprocessor_config.json").write_text("{broken")
    for name in ("empty", "short", "deeper", "other", "settings"):
        with pytest.raises(DataProblem) as caught:
            make_frame_encoder(f"dinov2:{tmp_path / name}")
        assert name in caught.value.where
