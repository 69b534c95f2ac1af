"""ViFi-CLIP's published checkpoint (Rasheed et al., "Fine-tuned CLIP Models are Efficient Video Learners", CVPR 2023).

ViFi-CLIP is CLIP ViT-B/16 tuned on Kinetics-400: it encodes frame by frame and takes the mean. Its file holds both
towers under OpenAI's names (``module.image_encoder.`` and ``module.text_encoder.`` in front) beside the state of the
training; the image tower is written as a folder that transformers reads as a CLIP. Frames are prepared as in the
authors' test set-up: shorter side 256 px, bilinear, the middle 224, ImageNet's mean and deviation. Theirs are resized
without antialiasing, ours with it.

Checkpoints with learned prompts (``VPT``) are refused by name: their network has tokens that CLIP lacks.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.errors import DataProblem
from brainviz.storage import write_json
from pipelines.features.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from pipelines.reanimate.dragnuwa.checkpoint import ConversionReport, read_checkpoint, verify_tensors, whole_folder

if TYPE_CHECKING:
    from torch import Tensor

TOWER = "image_encoder."
HEAD_WIDTH = 64  # of every CLIP vision transformer that OpenAI published
_JOINED = re.compile(r"^transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$")
_LAYER = re.compile(r"^transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias)$")
_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_PLACES = {
    "class_embedding": "embeddings.class_embedding",
    "positional_embedding": "embeddings.position_embedding.weight",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight",
    "ln_pre.bias": "pre_layrnorm.bias",
    "ln_post.weight": "post_layernorm.weight",
    "ln_post.bias": "post_layernorm.bias",
}


def convert_vifi(checkpoint: str | Path, folder: str | Path) -> ConversionReport:
    """Convert once: ViFi-CLIP's image tower as a folder that transformers reads as a CLIP with its projection.

    Parameters
    ----------
    checkpoint : path
        As published.
    folder : path
        Written anew, whole or not at all.

    Raises
    ------
    DataProblem
        The file cannot be read, is not ViFi-CLIP's, or a tensor is missing or has no place.
    """
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    import torch
    import transformers

    # The training's settings stand in the file as a class of another library; they are taken as a plain dictionary.
    with torch.serialization.safe_globals([(OrderedDict, "yacs.config.CfgNode")]):
        tensors = read_checkpoint(checkpoint)
    config = transformers.CLIPVisionConfig(**_shape(tensors, checkpoint))
    network = transformers.CLIPVisionModelWithProjection(config)
    state, report = convert_tower(tensors, network)
    report.demand_complete(checkpoint)
    network.load_state_dict(state, strict=True)
    with whole_folder(Path(folder)) as made:
        network.save_pretrained(made, safe_serialization=True)
        write_json(made / "preprocessor_config.json", _preparation(int(config.image_size)))
        verify_tensors(made, {name: tuple(value.shape) for name, value in network.state_dict().items()})
    return report


def convert_tower(tensors: Mapping[str, Tensor], network: Any) -> tuple[dict[str, Tensor], ConversionReport]:
    """The image tower's tensors under transformers' names, in float32.

    Parameters
    ----------
    tensors : mapping
        As published.
    network : CLIPVisionModelWithProjection
        Its structure decides; it is not changed.

    Returns
    -------
    state : dict
        For `network.load_state_dict`.
    report : ConversionReport
    """
    wanted = network.state_dict()
    state: dict[str, Tensor] = {}
    unexpected, elsewhere = [], []
    for name, value in tensors.items():
        if not name.startswith(TOWER):
            elsewhere.append(name)
            continue
        parts = _renamed(name.removeprefix(TOWER), value)
        if all(ours in wanted and wanted[ours].shape == part.shape for ours, part in parts):
            state |= {ours: part.float().contiguous() for ours, part in parts}
        else:
            unexpected.append(f"{name} of shape {tuple(value.shape)}")
    missing = tuple(name for name in wanted if name not in state)
    return state, ConversionReport(len(state), 0, missing, tuple(unexpected), tuple(elsewhere))


def _renamed(name: str, value: Tensor) -> list[tuple[str, Tensor]]:
    """One tensor of OpenAI's vision transformer under transformers' names; queries, keys and values part ways."""
    layers = "vision_model.encoder.layers"
    if (joined := _JOINED.match(name)) and len(value) % 3 == 0:
        layer, kind = joined.groups()
        parts = zip("qkv", value.chunk(3), strict=True)
        return [(f"{layers}.{layer}.self_attn.{role}_proj.{kind}", part) for role, part in parts]
    if inner := _LAYER.match(name):
        return [(f"{layers}.{inner[1]}.{_PARTS.get(inner[2], inner[2])}.{inner[3]}", value)]
    if name == "proj":  # OpenAI multiplies from the right
        return [("visual_projection.weight", value.T)]
    return [(f"vision_model.{_PLACES.get(name, name)}", value)]


def _shape(tensors: Mapping[str, Tensor], where: str | Path) -> dict[str, int | str]:
    """The network's measures, read off its tensors."""
    names = ("conv1.weight", "positional_embedding", "transformer.resblocks.0.mlp.c_fc.weight", "proj")
    try:
        patches, places, wide, projection = (tensors[TOWER + name] for name in names)
    except KeyError as error:
        remedy = "Use a file of ViFi-CLIP (ViT-B/16), as published."
        raise DataProblem(
            f"The checkpoint is not ViFi-CLIP's: {error.args[0]} is missing.", str(where), remedy
        ) from error
    width, patch = int(patches.shape[0]), int(patches.shape[-1])
    layers = [int(found[1]) for name in tensors if (found := _JOINED.match(name.removeprefix(TOWER)))]
    return {
        "hidden_size": width,
        "intermediate_size": int(wide.shape[0]),
        "projection_dim": int(projection.shape[-1]),
        "num_hidden_layers": 1 + max(layers, default=0),
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "image_size": patch * math.isqrt(len(places) - 1),
        "patch_size": patch,
        "hidden_act": "quick_gelu",
    }


def _preparation(side: int) -> dict[str, Any]:
    """The authors' test set-up, as a transformers folder states it."""
    return {
        "do_resize": True,
        "size": {"shortest_edge": side * 256 // 224},
        "resample": 2,
        "do_center_crop": True,
        "crop_size": {"height": side, "width": side},
        "do_normalize": True,
        "image_mean": list(IMAGENET_MEAN),
        "image_std": list(IMAGENET_STD),
    }
