"""SAM and FlowI-SAM at a tiny width, in the form they are published in.

`flowsam_decoder.safetensors` was written by Meta's segment-anything 1.0 (Apache-2.0) with random weights: the decoder's
tensors under their published names, its inputs, and what it made of them.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from brainviz.compat import prepare_torchvision

prepare_torchvision()

from transformers import (  # noqa: E402
    SamConfig,
    SamMaskDecoderConfig,
    SamModel,
    SamPromptEncoderConfig,
    SamVisionConfig,
)

ARRAYS = Path(__file__).with_name("flowsam_decoder.safetensors")


def flowsam_arrays() -> dict[str, torch.Tensor]:
    return load_file(ARRAYS)


def save_tiny_sam(folder: Path) -> None:
    """SAM's folder at a tiny width, its prompt encoder that of the arrays."""
    torch.manual_seed(1)
    arrays, side = flowsam_arrays(), {"image_size": 64, "patch_size": 16}
    config = SamConfig(
        vision_config=SamVisionConfig(
            hidden_size=16,
            output_channels=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            mlp_dim=16,
            global_attn_indexes=[0],
            num_pos_feats=4,
            initializer_range=0.2,
            **side,
        ).to_dict(),
        prompt_encoder_config=SamPromptEncoderConfig(hidden_size=8, mask_input_channels=4, **side).to_dict(),
        mask_decoder_config=SamMaskDecoderConfig(
            hidden_size=8, mlp_dim=8, num_attention_heads=2, iou_head_hidden_dim=8
        ).to_dict(),
    )
    network = SamModel(config)
    held = {
        "shared_image_embedding.positional_embedding": "pe_layer.positional_encoding_gaussian_matrix",
        "prompt_encoder.shared_embedding.positional_embedding": "pe_layer.positional_encoding_gaussian_matrix",
        "prompt_encoder.not_a_point_embed.weight": "not_a_point_embed.weight",
        "prompt_encoder.no_mask_embed.weight": "no_mask_embed.weight",
        **{f"prompt_encoder.point_embed.{k}.weight": f"point_embeddings.{k}.weight" for k in range(4)},
    }
    network.load_state_dict({ours: arrays[f"prompt/{name}"] for ours, name in held.items()}, strict=False)
    network.save_pretrained(folder, safe_serialization=True)


def published_flowsam() -> dict:
    """The file as training wrote it."""
    decoder = {n.removeprefix("decoder/"): v for n, v in flowsam_arrays().items() if n.startswith("decoder/")}
    return {"iteration": 20000, "model_state_dict": decoder, "optimizer_state_dict": {"state": {}}}


def save_tiny_flowsam(home: Path, base: Path) -> Path:
    """FlowSAM's converted folder `home`/flowsam, made from the published form and SAM's folder."""
    from pipelines.reanimate.flowsam_checkpoint import convert_flowsam

    torch.save(published_flowsam(), home / "published.pth")
    report = convert_flowsam(home / "published.pth", base, home / "flowsam")
    assert report.complete and report.mapped == len(published_flowsam()["model_state_dict"])
    return home / "flowsam"
