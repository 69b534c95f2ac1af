"""Networks of which only their authors' checkpoints exist: VC-1 (a ViT), R3M and VIP (ResNet50s), Hiera on clips.

Checkpoints are read as tensors only, never as programs.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem
from pipelines.features.network import Network, tapped
from pipelines.features.preprocessing import Pixels, read_settings
from pipelines.features.timm_models import vit_network

_WRAPPERS = ("r3m", "vip", "model", "model_state", "state_dict")
_HEAD_WIDTH = 64  # of every published vision transformer of this family
_HIERA_FACTS = (
    *("in_chans", "embed_dim", "num_heads", "stages", "q_pool", "q_stride", "mask_unit_size", "mask_unit_attn"),
    *("dim_mul", "head_mul", "patch_kernel", "patch_stride", "patch_padding", "mlp_ratio", "sep_pos_embed"),
)


def load_vc1(weights: Path, device: str = "cpu") -> Network:
    """VC-1 (Majumdar et al. 2023): a masked autoencoder's ViT; width, depth and size are those of the checkpoint."""
    prepare_torchvision()
    from timm.models.vision_transformer import VisionTransformer

    path = _file(weights)
    state = {key: value for key, value in read_checkpoint(path).items() if not key.startswith(("decoder", "mask_tok"))}
    try:
        width, _, patch, _ = state["patch_embed.proj.weight"].shape
        side = round((state["pos_embed"].shape[1] - 1) ** 0.5) * patch
    except KeyError as error:
        raise _wrong(path, f"It has no {error}.") from error
    depth = len({key.split(".")[1] for key in state if key.startswith("blocks.")})
    model = VisionTransformer(
        img_size=side, patch_size=patch, embed_dim=width, depth=depth, num_heads=width // _HEAD_WIDTH, num_classes=0
    )
    _fill(model, state, path, unused=("norm.", "fc_norm.", "head."))
    return vit_network(model.eval().to(device), Pixels(round(side * 8 / 7), side, "bicubic"))


def load_robot_resnet(weights: Path, device: str = "cpu") -> Network:
    """R3M (Nair et al. 2022) or VIP (Ma et al. 2023): ResNet50; with a last linear layer ("embedding") in VIP."""
    prepare_torchvision()
    import torch
    from torchvision.models import resnet50

    path = _file(weights)
    state = {key.split("convnet.", 1)[1]: v for key, v in read_checkpoint(path).items() if "convnet." in key}
    model = resnet50(weights=None)
    if "fc.weight" in state:
        model.fc = torch.nn.Linear(2048, len(state["fc.weight"]))
    else:
        model.fc = torch.nn.Identity()
    _fill(model, state, path)
    model = model.eval().to(device)
    taps = {f"stage-{k}": getattr(model, f"layer{k}") for k in range(1, 5)}

    def run(images: Any) -> dict[str, Any]:
        vectors: list[Any] = []
        maps = tapped(taps, lambda: vectors.append(model(images)))
        return maps | {"embedding": vectors[0]}

    return Network(run, Pixels(256, 224, "bilinear"))


def load_hiera(folder: Path, device: str = "cpu") -> Network:
    """Hiera on clips (Ryali et al. 2023): the authors' config.json and model.safetensors in timm's network.

    transformers' Hiera takes images only; timm's takes clips when it is built with three-dimensional patches.
    """
    prepare_torchvision()
    from timm.models.hiera import Hiera, checkpoint_filter_fn

    settings = read_settings(folder / "config.json")
    try:
        size = tuple(settings["input_size"])
        facts: dict[str, Any] = {key: settings[key] for key in _HIERA_FACTS if key in settings}
    except (KeyError, TypeError) as error:
        raise _wrong(folder / "config.json", f"It has no {error}.") from error
    if len(size) != 3:
        raise _wrong(folder / "config.json", "It is a Hiera of images, not of clips.")
    shapes: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    model: Any = Hiera(img_size=size, num_classes=0, **shapes)
    path = _file(folder)
    state = {k: v for k, v in checkpoint_filter_fn(read_checkpoint(path)).items() if not k.startswith("head.")}
    _fill(model, state, path, unused=("head.",))
    model = model.eval().to(device)
    taps = {f"stage-{k + 1}": model.blocks[end] for k, end in enumerate(model.stage_ends)}

    def run(clips: Any) -> dict[str, Any]:
        tokens = tapped(taps, lambda: model.forward_features(clips.transpose(1, 2)))
        maps = (model.reroll(tokens[f"stage-{k + 1}"], end) for k, end in enumerate(model.stage_ends))
        return {f"stage-{k + 1}": rows.mean(dim=1).permute(0, 3, 1, 2) for k, rows in enumerate(maps)}

    pixels = Pixels(round(size[1] * 8 / 7), size[1], "bilinear", (0.45,) * 3, (0.225,) * 3)
    return Network(run, pixels, size[0])


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The tensors of a checkpoint by name: *.safetensors, or a torch file read without running what it holds.

    Raises
    ------
    DataProblem
        The file is missing, damaged, or holds more than tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError, pickle.UnpicklingError) as error:
        raise _wrong(path, f"It cannot be read ({type(error).__name__}).") from error
    while isinstance(held, dict) and (inner := next((k for k in _WRAPPERS if isinstance(held.get(k), dict)), None)):
        held = held[inner]
    if not isinstance(held, dict):
        raise _wrong(path, "It holds no table of weights.")
    tensors = {str(key): value for key, value in held.items() if isinstance(value, torch.Tensor)}
    return {key.removeprefix("module."): value for key, value in tensors.items()}


def _fill(model: Any, state: dict[str, Any], path: Path, unused: tuple[str, ...] = ()) -> None:
    """Put weights into a network; all that it uses must be there."""
    try:
        missing, _ = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise _wrong(path, str(error).splitlines()[0]) from error
    lacking = [key for key in missing if not key.startswith(unused or ("-",))]
    if lacking:
        raise _wrong(path, f"It lacks {len(lacking)} weights, first {lacking[0]}.")


def _file(weights: Path) -> Path:
    """The one weight file of a folder, or the file itself."""
    if weights.is_file():
        return weights
    for suffix in (".safetensors", ".bin", ".pt", ".pth"):
        if found := sorted(weights.glob(f"*{suffix}")):
            return found[0]
    raise _wrong(weights, "There are no weights in it.")


def _wrong(path: Path, what: str) -> DataProblem:
    return DataProblem(f"These weights cannot be used. {what}", str(path), "Fetch them again.")
