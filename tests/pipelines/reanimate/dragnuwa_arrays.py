"""The golden networks: their weights in the checkpoint's layout, and the constructor arguments of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

DOWN, UP = "DownBlockSpatioTemporal", "UpBlockSpatioTemporal"
CROSS_DOWN, CROSS_UP = "CrossAttnDownBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"

FOUR_LEVELS: dict[str, Any] = {
    "block_out_channels": (32,) * 4,
    "num_attention_heads": (2,) * 4,
    "cross_attention_dim": 32,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
    "num_frames": 3,
}
LORA: dict[str, Any] = {
    "down_block_types": (CROSS_DOWN, DOWN),
    "up_block_types": (UP, CROSS_UP),
    "block_out_channels": (32, 64),
    "num_attention_heads": (2, 4),
    "cross_attention_dim": 24,
    "addition_time_embed_dim": 16,
    "projection_class_embeddings_input_dim": 48,
    "layers_per_block": 1,
    "num_frames": 3,
}


def arrays(golden: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(golden / "dragnuwa" / f"{name}.npz", allow_pickle=False) as held:
        return {key: held[key] for key in held.files}


def tensors(golden: Path, name: str) -> dict[str, torch.Tensor]:
    """The checkpoint's flat tensors, float32."""
    keys = json.loads((golden / "dragnuwa" / f"{name}.keys.json").read_text())
    flat, start, found = arrays(golden, name)["sd_flat"].astype(np.float32), 0, {}
    for key, shape in keys:
        size = int(np.prod(shape))
        found[key] = torch.from_numpy(flat[start : start + size].reshape(shape).copy())
        start += size
    assert start == len(flat)
    return found
