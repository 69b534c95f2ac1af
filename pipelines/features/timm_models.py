"""Networks that timm or open_clip keep: vision transformers of images (DINO, DINOv3) and CLIP's ConvNeXt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem
from pipelines.features.network import Network, depth_taps, tapped, token_maps
from pipelines.features.preprocessing import Pixels, open_clip_pixels, timm_pixels


def load_timm(folder: Path, device: str = "cpu") -> Network:
    """The vision transformer of a timm folder (config.json with model.safetensors).

    Raises
    ------
    DataProblem
        It cannot be read, or is no vision transformer.
    """
    prepare_torchvision()
    import timm
    from safetensors import SafetensorError

    try:
        model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataProblem("The model cannot be read.", str(folder), f"timm says: {error}") from error
    if not hasattr(model, "blocks") or not hasattr(model, "num_prefix_tokens"):
        raise DataProblem("The model is no vision transformer.", str(folder), "Use the model that is named.")
    return vit_network(model.eval().to(device), timm_pixels(timm.data.resolve_model_data_config(model)))


def vit_network(model: Any, pixels: Pixels) -> Network:
    """A vision transformer of timm as a network of images."""
    taps = depth_taps(model.blocks)
    side = pixels.crop_px // model.patch_embed.patch_size[0]

    def run(images: Any) -> dict[str, Any]:
        tokens = tapped(taps, lambda: model.forward_features(images))
        return {layer: token_maps(rows, side) for layer, rows in tokens.items()}

    return Network(run, pixels)


def load_open_clip(folder: Path, device: str = "cpu") -> Network:
    """The convolutional image tower of an open_clip folder (open_clip_config.json with its weights).

    Raises
    ------
    DataProblem
        It cannot be read, or its image tower has no stages.
    """
    prepare_torchvision()
    import open_clip
    from safetensors import SafetensorError

    try:
        whole = open_clip.create_model_from_pretrained(f"local-dir:{folder}", return_transform=False)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataProblem("The model cannot be read.", str(folder), f"open_clip says: {error}") from error
    stages = getattr(getattr(whole.visual, "trunk", None), "stages", None)
    if stages is None:
        raise DataProblem("The image tower has no stages.", str(folder), "Use the model that is named.")
    tower = whole.visual.eval().to(device)
    taps = {f"stage-{k + 1}": stage for k, stage in enumerate(tower.trunk.stages)}

    def run(images: Any) -> dict[str, Any]:
        vectors: list[Any] = []
        maps = tapped(taps, lambda: vectors.append(tower(images)))
        return maps | {"embedding": vectors[0]}

    return Network(run, open_clip_pixels(folder))
