"""Encoders through transformers, on tiny random models saved in the true format, behind their own processors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data, transform

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, DataProblem
from pipelines.features.network import NetworkEncoder, depth_taps
from pipelines.features.registry import make_encoder
from pipelines.features.spec import sampled_frames

DEPTH, WIDTH = 4, 32
VIT = {
    "hidden_size": WIDTH,
    "num_hidden_layers": DEPTH,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 48,
    "patch_size": 12,
}
TOWER = {"patch_size": 12, "image_size": 48}
NORMAL = {"image_mean": [0.48, 0.45, 0.40], "image_std": [0.26, 0.25, 0.28]}
CROPPED: dict[str, Any] = {"size": {"shortest_edge": 56}, "crop_size": {"height": 48, "width": 48}}
TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 50}

# encoder: model class, its configuration, processor class, its settings
IMAGES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "resnet50": (
        "ResNet",
        {"hidden_sizes": [8, 16, 32, 1040], "depths": [1, 1, 1, 1], "embedding_size": 8},
        "ConvNextImageProcessor",
        {"size": {"shortest_edge": 64}, "crop_pct": 0.875, "resample": 3},
    ),
    "dinov2": ("Dinov2", VIT, "BitImageProcessor", CROPPED | {"resample": 3}),
    "clip": ("CLIP", {"vision_config": VIT, "text_config": TEXT}, "CLIPImageProcessor", CROPPED | {"resample": 3}),
    "siglip-2": (
        "Siglip",
        {"vision_config": VIT, "text_config": TEXT},
        "SiglipImageProcessor",
        {"size": {"height": 48, "width": 48}, "resample": 2},
    ),
}
CLIPS: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "videomae-base": (
        "VideoMAEForPreTraining",
        VIT
        | {
            "num_frames": 4,
            "decoder_num_hidden_layers": 1,
            "decoder_hidden_size": 16,
            "decoder_num_attention_heads": 2,
        },
        "VideoMAEImageProcessor",
        CROPPED | {"resample": 2},
    ),
    "v-jepa-2": (
        "VJEPA2",
        {
            **{"hidden_size": 48, "num_hidden_layers": DEPTH, "num_attention_heads": 2, "mlp_ratio": 2.0},
            **{"crop_size": 48, "patch_size": 12, "frames_per_clip": 6, "pred_hidden_size": 48},
            **{"pred_num_hidden_layers": 1, "pred_num_attention_heads": 2, "pred_mlp_ratio": 2.0},
        },
        "VJEPA2VideoProcessor",
        {"crop_size": 48},
    ),
    "x-clip": (
        "XCLIP",
        {
            "vision_config": VIT
            | {"num_frames": 3, "mit_hidden_size": 24, "mit_intermediate_size": 24, "mit_num_attention_heads": 2},
            "text_config": TEXT,
            "projection_dim": 24,
        },
        "VideoMAEImageProcessor",
        CROPPED | {"resample": 2},
    ),
}


def _photos(n: int, size: int = 80) -> np.ndarray:
    """Different square cut-outs of a photograph: uint8 (n, size, size, 3)."""
    photo = transform.resize(data.astronaut(), (160, 160), anti_aliasing=True)
    cuts = [photo[4 * k : 4 * k + size, 5 * k : 5 * k + size] for k in range(n)]
    return (np.stack(cuts) * 255).astype(np.uint8)


def _save(folder: Path, kind: tuple[str, dict[str, Any], str, dict[str, Any]]) -> Path:
    prepare_torchvision()
    import torch
    import transformers

    torch.manual_seed(0)
    name, settings, processor, processing = kind
    config = getattr(transformers, f"{name.removesuffix('ForPreTraining')}Config")(**settings)
    whole = name if name.endswith("ForPreTraining") else f"{name}Model"
    model = getattr(transformers, whole)(config)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.2)  # as built, some are zero and blocks do nothing
    model.save_pretrained(folder)
    getattr(transformers, processor)(**(NORMAL | processing)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {name: _save(root / name, kind) for name, kind in (IMAGES | CLIPS).items()}


def _quarters(maps: np.ndarray) -> np.ndarray:
    """Means over the four quarters of maps (n, c, h, w): (n, 4 c)."""
    n, c, h, w = maps.shape
    return maps.reshape(n, c, 2, h // 2, 2, w // 2).mean(axis=(3, 5)).reshape(n, -1)


def _processed(folder: Path, processor: str, frames: np.ndarray) -> Any:
    """Frames (n, t, h, w, 3) behind the model's own processor: (n, t, 3, h, w)."""
    import torch
    import transformers

    own = getattr(transformers, processor).from_pretrained(folder, local_files_only=True)
    batches = []
    for clip in frames:
        if "VideoProcessor" in processor:
            pixels = own(videos=clip, return_tensors="pt")["pixel_values_videos"][0]
        else:
            pixels = own(list(clip), return_tensors="pt")["pixel_values"]
        batches.append(pixels.reshape(len(clip), *pixels.shape[-3:]))
    return torch.stack(batches)


@pytest.mark.parametrize("name", [*IMAGES, *CLIPS])
def test_pixels_are_those_of_the_own_processor(name: str, folders: dict[str, Path]) -> None:
    encoder = make_encoder(name, folders[name])
    assert isinstance(encoder, NetworkEncoder)
    frames = _photos(4)
    theirs = _processed(folders[name], (IMAGES | CLIPS)[name][2], frames[None])[0].numpy()
    ours = encoder.network.pixels(frames).numpy()
    assert ours.shape == theirs.shape
    difference = np.abs(ours - theirs)
    assert difference.max() < 0.05 and difference.mean() < 0.01  # a grey level is .015


@pytest.mark.parametrize("name", [*IMAGES, *CLIPS])
def test_features_are_quarter_means_of_the_models_own_states(name: str, folders: dict[str, Path]) -> None:
    import torch
    import transformers

    encoder = make_encoder(name, folders[name])
    n = encoder.frames_per_clip
    frames = np.stack([_photos(n), _photos(n)[::-1]])
    got = encoder.encode(frames, 15.0)
    assert set(got) == set(encoder.layers) == set(encoder.spec.layers)
    assert all(rows.dtype == np.float32 and len(rows) == 2 for rows in got.values())
    pixels = _processed(folders[name], (IMAGES | CLIPS)[name][2], frames)
    model = transformers.AutoModel.from_pretrained(folders[name]).eval()
    with torch.no_grad():
        states = _states(name, model, pixels)
    for layer, expected in states.items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got[layer], expected, atol=0.03 * scale, err_msg=layer)
        assert np.corrcoef(got[layer].ravel(), expected.ravel())[0, 1] > 0.999


def _states(name: str, model: Any, pixels: Any) -> dict[str, np.ndarray]:
    """Pooled hidden states from the model's public outputs, without our hooks."""
    n = len(pixels)
    images: dict[str, Any] = {"pixel_values": pixels.flatten(0, 1), "output_hidden_states": True}
    if name == "resnet50":
        hidden = model(**images).hidden_states
        maps = {f"stage-{k}": hidden[k].numpy() for k in range(1, 5)}
        return {k: _quarters(v) if v.shape[1] <= 1024 else v.mean(axis=(2, 3)) for k, v in maps.items()}
    if name == "v-jepa-2":
        hidden = model(pixel_values_videos=pixels, skip_predictor=True, output_hidden_states=True).hidden_states
    elif name == "videomae-base":
        hidden = model(pixels, output_hidden_states=True).hidden_states
    else:
        hidden = getattr(model, "vision_model", model)(**images).hidden_states
    pooled = {}
    for k, layer in enumerate(("layer-25", "layer-50", "layer-75"), start=1):
        tokens = hidden[k].numpy()
        grid = tokens[:, tokens.shape[1] % 16 :]  # class tokens stand first; the grid is 4 x 4
        maps = grid.reshape(n, -1, 4, 4, grid.shape[-1]).mean(axis=1).transpose(0, 3, 1, 2)
        pooled[layer] = _quarters(maps)
    if name == "x-clip":
        embedding = model.get_video_features(pixel_values=pixels)
        pooled["embedding"] = getattr(embedding, "pooler_output", embedding).numpy()
    return pooled


@pytest.mark.parametrize("name", list(CLIPS))
def test_short_clips_repeat_the_nearest_frame(name: str, folders: dict[str, Path]) -> None:
    encoder = make_encoder(name, folders[name])
    short = _photos(2)[None]
    numbers = sampled_frames(2, encoder.frames_per_clip, "even")
    assert len(numbers) > 2 and set(numbers) == {0, 1}
    expected = encoder.encode(short[:, numbers], 15.0)
    for layer, rows in encoder.encode(short, 15.0).items():
        np.testing.assert_allclose(rows, expected[layer], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", list(CLIPS))
def test_controls_show_the_clip_frozen_and_backwards(name: str, folders: dict[str, Path]) -> None:
    plain, frozen, reverse = (make_encoder(name + control, folders[name]) for control in ("", ".frozen", ".reversed"))
    clip = _photos(plain.frames_per_clip)[None]
    still = plain.encode(np.repeat(clip[:, :1], plain.frames_per_clip, axis=1), 15.0)
    back = plain.encode(clip[:, ::-1], 15.0)
    forth = plain.encode(clip, 15.0)
    layer = plain.layers[-1]
    np.testing.assert_allclose(frozen.encode(clip[:, :1], 15.0)[layer], still[layer], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(reverse.encode(clip, 15.0)[layer], back[layer], rtol=1e-4, atol=1e-4)
    scale = np.abs(forth[layer]).max()
    assert np.abs(forth[layer] - back[layer]).max() > 5e-5 * scale  # X-CLIP tells order by one table of positions
    assert np.abs(forth[layer] - still[layer]).max() > 1e-3 * scale


def test_all_frames_are_the_mean_over_single_frames(folders: dict[str, Path]) -> None:
    single, every = (make_encoder(name, folders["clip"]) for name in ("clip", "clip.all-frames"))
    assert (single.frames_per_clip, every.frames_per_clip) == (1, 16)
    clip = _photos(16)[None]
    alone = single.encode(clip[0][:, None], 15.0)
    for layer, rows in every.encode(clip, 15.0).items():
        np.testing.assert_allclose(rows[0], alone[layer].mean(axis=0), rtol=1e-4, atol=1e-4)
    middle = single.encode(clip, 15.0)["layer-100"]
    np.testing.assert_allclose(middle[0], alone["layer-100"][8], rtol=1e-4, atol=1e-4)


def test_older_weight_files_are_read(folders: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    import torch
    from safetensors.torch import load_file

    folder = shutil.copytree(folders["clip"], tmp_path / "clip")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    frames = _photos(1)[None]
    old, new = (make_encoder("clip", place).encode(frames, 15.0) for place in (folder, folders["clip"]))
    np.testing.assert_allclose(old["layer-100"], new["layer-100"], rtol=1e-5)


def test_depths_are_rounded_up() -> None:
    assert list(depth_taps(list(range(12))).values()) == [2, 5, 8, 11]
    assert list(depth_taps(list(range(2))).values()) == [0, 0, 1, 1]


def test_what_cannot_be_used_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    with pytest.raises(BrainvizError, match="square"):
        make_encoder("clip", folders["clip"]).encode(np.zeros((1, 1, 40, 60, 3), np.uint8), 15.0)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(DataProblem, match="bert"):
        make_encoder("clip", tmp_path)
    folder = shutil.copytree(folders["dinov2"], tmp_path / "cut")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataProblem, match="cannot be read"):
        make_encoder("dinov2", folder)
