"""A stock pipeline's folder in the true saved format, random weights, for tests."""

from __future__ import annotations

import json
from pathlib import Path

NETWORK = {
    "sample_size": 8,
    "down_block_types": ("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    "up_block_types": ("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    "block_out_channels": (32, 32),
    "num_attention_heads": (2, 2),
    "cross_attention_dim": 32,
    "layers_per_block": 1,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
}


def save_tiny_svd(folder: Path) -> Path:
    """Write the pipeline's folder and return it."""
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    import torch
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    sides = {"hidden_size": 32, "intermediate_size": 37, "projection_dim": 32, "image_size": 224, "patch_size": 32}
    autoencoder = AutoencoderKLTemporalDecoder(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        layers_per_block=1,
        sample_size=64,
        force_upcast=True,
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        sigma_max=700.0,
        sigma_min=0.002,
        timestep_spacing="leading",
        timestep_type="continuous",
        use_karras_sigmas=True,
        steps_offset=1,
    )
    pipeline = StableVideoDiffusionPipeline(
        vae=autoencoder,
        image_encoder=CLIPVisionModelWithProjection(
            CLIPVisionConfig(num_hidden_layers=1, num_attention_heads=4, **sides)
        ),
        unet=UNetSpatioTemporalConditionModel(num_frames=3, **NETWORK),
        scheduler=scheduler,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}),
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    index = folder / "model_index.json"
    listed = json.loads(index.read_text())
    listed["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    index.write_text(json.dumps(listed))
    return folder
