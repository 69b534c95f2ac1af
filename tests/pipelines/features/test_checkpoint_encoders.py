"""Encoders through timm, open_clip and the authors' own checkpoints, on random weights in the true saved formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data, transform

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem, NotReady
from pipelines.features.network import NetworkEncoder
from pipelines.features.registry import ENCODERS, make_encoder

OPEN_CLIP: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {
            **{"timm_model_name": "test_convnext", "timm_model_pretrained": False, "timm_pool": ""},
            **{"timm_proj": "linear", "image_size": 64},
        },
        "text_cfg": {"context_length": 8, "vocab_size": 40, "width": 16, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {
        **{"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]},
        **{"interpolation": "bicubic", "resize_mode": "shortest", "size": 64},
    },
}
HIERA: dict[str, Any] = {
    **{"input_size": [4, 64, 64], "in_chans": 3, "embed_dim": 8, "num_heads": 1, "num_classes": 400},
    **{"stages": [1, 1, 2, 1], "q_pool": 3, "q_stride": [1, 2, 2], "mask_unit_size": [1, 8, 8]},
    **{"mask_unit_attn": [True, True, False, False], "dim_mul": 2.0, "head_mul": 2.0, "patch_kernel": [3, 7, 7]},
    **{"patch_stride": [2, 4, 4], "patch_padding": [1, 3, 3], "mlp_ratio": 4.0, "drop_path_rate": 0.0},
    **{"norm_layer": "LayerNorm", "head_dropout": 0.0, "head_init_scale": 0.001, "sep_pos_embed": True},
}


def _photos(n: int, size: int = 300) -> np.ndarray:
    photo = (transform.resize(data.astronaut(), (400, 400), anti_aliasing=True) * 255).astype(np.uint8)
    return np.stack([photo[9 * k : 9 * k + size, 7 * k : 7 * k + size] for k in range(n)])


def _randomised(model: Any) -> Any:
    import torch

    torch.manual_seed(0)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return model.eval()


def _quarters(maps: np.ndarray) -> np.ndarray:
    n, c, h, w = maps.shape
    return maps.reshape(n, c, 2, h // 2, 2, w // 2).mean(axis=(3, 5)).reshape(n, -1)


def _close(got: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(got, expected, atol=0.02 * np.abs(expected).max())
    assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > 0.999


def _timm_folder(folder: Path, architecture: str, **args: Any) -> Any:
    prepare_torchvision()
    import timm

    model = _randomised(timm.create_model(architecture, pretrained=False, num_classes=0, **args))
    timm.models.save_for_hf(model, folder, model_args=args or None, safe_serialization=True)
    return model


@pytest.mark.parametrize(
    ("name", "architecture", "args"),
    [
        ("dino", "test_vit", {}),
        ("dinov3", "vit_small_patch16_dinov3", {"embed_dim": 48, "depth": 4, "num_heads": 3, "img_size": 64}),
    ],
)
def test_timm_transformers(name: str, architecture: str, args: dict[str, Any], tmp_path: Path) -> None:
    prepare_torchvision()
    import timm
    import torch
    from PIL import Image

    model = _timm_folder(tmp_path, architecture, **args)
    encoder = make_encoder(name, tmp_path)
    assert isinstance(encoder, NetworkEncoder)
    frames = _photos(2)
    own = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    theirs = torch.stack([own(Image.fromarray(frame)) for frame in frames])
    difference = (encoder.network.pixels(frames) - theirs).abs()
    assert difference.shape == theirs.shape and difference.max() < 0.06 and difference.mean() < 0.01
    with torch.no_grad():
        states = model.forward_intermediates(theirs, norm=False, intermediates_only=True)
    got = encoder.encode(frames[:, None], 30.0)
    for layer, share in (("layer-50", 0.5), ("layer-100", 1.0)):
        maps = states[round(len(states) * share) - 1].numpy()
        _close(got[layer], _quarters(maps))


def test_clip_convnext(tmp_path: Path) -> None:
    prepare_torchvision()
    import open_clip
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    (tmp_path / "open_clip_config.json").write_text(json.dumps(OPEN_CLIP))
    whole = _randomised(open_clip.CLIP(**OPEN_CLIP["model_cfg"]))
    save_file({k: v.contiguous() for k, v in whole.state_dict().items()}, tmp_path / "open_clip_model.safetensors")
    encoder = make_encoder("clip-convnext", tmp_path)
    assert isinstance(encoder, NetworkEncoder)
    frames = _photos(2)
    own = open_clip.image_transform(64, is_train=False, mean=(0.48, 0.46, 0.41), std=(0.27, 0.26, 0.28))
    theirs = torch.stack([own(Image.fromarray(frame)) for frame in frames])
    difference = (encoder.network.pixels(frames) - theirs).abs()
    assert difference.max() < 0.06 and difference.mean() < 0.01
    with torch.no_grad():
        embedding = whole.encode_image(theirs).numpy()
        stages = whole.visual.trunk.forward_intermediates(theirs, norm=False, intermediates_only=True)
    got = encoder.encode(frames[:, None], 30.0)
    _close(got["embedding"], embedding)
    _close(got["stage-2"], _quarters(stages[-3].numpy()))
    assert set(got) == set(ENCODERS["clip-convnext"].layers)


def test_vc1_is_the_vit_of_its_checkpoint(tmp_path: Path) -> None:
    prepare_torchvision()
    import torch
    from timm.models.vision_transformer import VisionTransformer
    from torchvision.transforms import v2

    own = _randomised(
        VisionTransformer(img_size=112, patch_size=14, embed_dim=128, depth=4, num_heads=2, num_classes=0)
    )
    extra = {"decoder_pos_embed": torch.zeros(1, 65, 8), "mask_token": torch.zeros(1, 1, 8)}
    torch.save({"model": own.state_dict() | extra}, tmp_path / "pytorch_model.bin")
    encoder = make_encoder("vc-1", tmp_path)
    assert isinstance(encoder, NetworkEncoder)
    steps = [v2.Resize(128, v2.InterpolationMode.BICUBIC), v2.CenterCrop(112), v2.ToDtype(torch.float32, scale=True)]
    prepare = v2.Compose([*steps, v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    frames = _photos(2)
    theirs = prepare(torch.from_numpy(frames).permute(0, 3, 1, 2))
    assert (encoder.network.pixels(frames) - theirs).abs().max() < 0.06
    with torch.no_grad():
        states = own.forward_intermediates(theirs, norm=False, intermediates_only=True)
    _close(encoder.encode(frames[:, None], 30.0)["layer-75"], _quarters(states[2].numpy()))


@pytest.fixture(scope="module")
def resnet() -> Any:
    prepare_torchvision()
    import torch
    from torchvision.models import resnet50

    torch.manual_seed(0)
    model = resnet50(weights=None)
    model.fc = torch.nn.Linear(2048, 1024)
    return model.eval()


@pytest.mark.parametrize("name", ["r3m", "vip"])
def test_robot_resnets(name: str, resnet: Any, tmp_path: Path) -> None:
    import torch
    from torchvision.transforms import v2

    state = {k: v for k, v in resnet.state_dict().items() if name == "vip" or not k.startswith("fc.")}
    language = {"module.lang_enc.model.weight": torch.zeros(3, 3)} if name == "r3m" else {}
    path = tmp_path / "model.pt"
    torch.save({name: {f"module.convnet.{key}": value for key, value in state.items()} | language, "step": 9}, path)
    encoder = make_encoder(name, path)
    assert isinstance(encoder, NetworkEncoder)
    frames = _photos(1)
    steps = [v2.Resize(256), v2.CenterCrop(224), v2.ToDtype(torch.float32, scale=True)]
    prepare = v2.Compose([*steps, v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    theirs = prepare(torch.from_numpy(frames).permute(0, 3, 1, 2))
    assert (encoder.network.pixels(frames) - theirs).abs().max() < 0.06
    got = encoder.encode(frames[:, None], 30.0)
    with torch.no_grad():
        stem = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(theirs))))
        first = resnet.layer1(stem)
        last = resnet.layer4(resnet.layer3(resnet.layer2(first)))
    _close(got["stage-1"], _quarters(first.numpy()))
    _close(got["stage-4"], last.mean(dim=(2, 3)).numpy())  # R3M's published representation
    assert ("embedding" in got) == (name == "vip")
    if name == "vip":
        _close(got["embedding"], resnet.fc(last.mean(dim=(2, 3))).detach().numpy())


@pytest.fixture(scope="module")
def hiera(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The authors' hub format: their names of weights, with the decoder of the masked autoencoder."""
    prepare_torchvision()
    import torch
    from safetensors.torch import save_file
    from timm.models.hiera import Hiera

    folder = tmp_path_factory.mktemp("hiera")
    skipped = ("input_size", "num_classes", "norm_layer", "head_dropout")
    shapes = {k: tuple(v) if isinstance(v, list) else v for k, v in HIERA.items() if k not in skipped}
    model: Any = _randomised(Hiera(img_size=(4, 64, 64), num_classes=0, **shapes))
    state = {key.replace("head.norm.", "encoder_norm."): value for key, value in model.state_dict().items()}
    save_file(state | {"decoder_embed.weight": torch.zeros(2, 2)}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(HIERA))
    return folder, model


def test_hiera_keeps_places(hiera: tuple[Path, Any]) -> None:
    encoder = make_encoder("hiera-base-plus", hiera[0])
    assert encoder.frames_per_clip == 4
    clip = np.repeat(_photos(1, 292)[:, None], 4, axis=1)
    got = encoder.encode(clip, 30.0)
    assert [got[f"stage-{k}"].shape[1] for k in range(1, 5)] == [4 * 8, 4 * 16, 4 * 32, 4 * 64]
    changed = clip.copy()
    changed[:, :, 180:220, 60:100] = 255  # bottom left, far from the middle: attention is local in the first stage
    moved = np.abs(encoder.encode(changed, 30.0)["stage-1"] - got["stage-1"]).reshape(8, 4).max(axis=0)
    assert moved[2] > 1e-3 and moved[[0, 1, 3]].max() < 1e-5


def test_hiera_sees_the_frames_in_order_and_pools_all_tokens(hiera: tuple[Path, Any]) -> None:
    import torch
    from torchvision.transforms import v2

    folder, model = hiera
    clip = _photos(4, 292)
    steps = [v2.Resize(73), v2.CenterCrop(64), v2.ToDtype(torch.float32, scale=True)]
    prepare = v2.Compose([*steps, v2.Normalize([0.45] * 3, [0.225] * 3)])  # of the authors' example
    with torch.no_grad():
        pixels = prepare(torch.from_numpy(clip).permute(0, 3, 1, 2))
        tokens = model.forward_features(pixels.transpose(0, 1)[None])
    encoder = make_encoder("hiera-huge", folder)
    quarters = encoder.encode(clip[None], 30.0)["stage-4"].reshape(1, 64, 4)
    _close(quarters.mean(axis=2), tokens.mean(dim=1).numpy())
    backwards = encoder.encode(clip[None, ::-1], 30.0)["stage-4"].reshape(1, 64, 4)
    assert np.abs(backwards - quarters).max() > 1e-4


def test_unsafe_and_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    import pickle

    import torch

    ran = tmp_path / "ran"
    bomb = tmp_path / "model.pt"
    bomb.write_bytes(pickle.dumps(_Bomb(str(ran))))
    with pytest.raises(DataProblem, match="cannot be read"):
        make_encoder("r3m", bomb)
    assert not ran.exists()
    torch.save({"vip": {"module.convnet.conv1.weight": torch.zeros(64, 3, 7, 7)}}, tmp_path / "part.pt")
    with pytest.raises(DataProblem, match="lacks"):
        make_encoder("vip", tmp_path / "part.pt")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataProblem, match="no weights"):
        make_encoder("vc-1", empty)
    (empty / "config.json").write_text(json.dumps(HIERA | {"input_size": [64, 64]}))
    with pytest.raises(DataProblem, match="of images"):
        make_encoder("hiera-huge", empty)
    for name in ("dino", "clip-convnext", "clip"):
        with pytest.raises(DataProblem):
            make_encoder(name, empty)


class _Bomb:
    """Pickled, it writes a file when it is loaded by something that trusts it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


def test_missing_weights_name_the_command_and_the_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("videomae-large.frozen", "clip.all-frames", "vip"):
        spec = ENCODERS[name]
        with pytest.raises(NotReady, match=rf"{spec.size_gb:.2f} GB.*pipelines weights {spec.weights_name}`"):
            make_encoder(name)
    with pytest.raises(NotReady, match="nowhere"):
        make_encoder("clip", tmp_path / "nowhere")
