"""Names of the published checkpoint's tensors and of ours, worked out from the network's own structure."""

from __future__ import annotations

from typing import Any

PREFIX = "model.diffusion_model."

_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_MODULATION = {
    "flow_cond_norm": "norm",
    "flow_gamma_spatial": "gamma_spatial",
    "flow_gamma_temporal": "gamma_temporal",
    "flow_beta_spatial": "beta_spatial",
    "flow_beta_temporal": "beta_temporal",
}
_ATTENTION = {
    "transformer_blocks": "transformer_blocks",
    "time_stack": "temporal_transformer_blocks",
    "time_pos_embed.0": "time_pos_embed.linear_1",
    "time_pos_embed.2": "time_pos_embed.linear_2",
    "time_mixer": "time_mixer",
    "norm": "norm",
    "proj_in": "proj_in",
    "proj_out": "proj_out",
}
_ENDS = {
    "input_blocks.0.0": "conv_in",
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
# Place in `flow_blocks.0` of each stage's norm, spatial and temporal convolution.
_ENTRY = ((None, 0, 1), (2, 4, 5), (6, 8, 9))


def module_map(network: Any) -> dict[str, str]:
    """Checkpoint module name (without prefix) to ours, for a `FlowUNet` of any size.

    The mapping is by longest common beginning: a name stands for everything below it.
    """
    names = dict(_ENDS)
    names |= _down(network) | _up(network) | _flow_encoder(len(network.flow_encoder.levels))
    names |= _resnet("middle_block.0", "mid_block.resnets.0") | _resnet("middle_block.2", "mid_block.resnets.1")
    return names | _attention("middle_block.1", "mid_block.attentions.0")


def our_name(key: str, modules: dict[str, str]) -> str | None:
    """Our name of one tensor (given without prefix), None where the network has no such part."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        known = modules.get(".".join(parts[:end]))
        if known is not None:
            return ".".join([known, *parts[end:]])
    return None


def _down(network: Any) -> dict[str, str]:
    names: dict[str, str] = {}
    place = 1
    for i, block in enumerate(network.down_blocks):
        for j in range(len(block.resnets)):
            names |= _layer(f"input_blocks.{place}", f"down_blocks.{i}", j, block)
            place += 1
        if block.downsamplers is not None:
            names[f"input_blocks.{place}.0.op"] = f"down_blocks.{i}.downsamplers.0.conv"
            place += 1
    return names


def _up(network: Any) -> dict[str, str]:
    names: dict[str, str] = {}
    place = 0
    for i, block in enumerate(network.up_blocks):
        for j in range(len(block.resnets)):
            names |= _layer(f"output_blocks.{place}", f"up_blocks.{i}", j, block)
            place += 1
        if block.upsamplers is not None:
            after = 2 if hasattr(block, "attentions") else 1
            names[f"output_blocks.{place - 1}.{after}.conv"] = f"up_blocks.{i}.upsamplers.0.conv"
    return names


def _layer(theirs: str, ours: str, j: int, block: Any) -> dict[str, str]:
    names = _resnet(f"{theirs}.0", f"{ours}.resnets.{j}")
    if hasattr(block, "attentions"):
        names |= _attention(f"{theirs}.1", f"{ours}.attentions.{j}")
    return names


def _resnet(theirs: str, ours: str) -> dict[str, str]:
    names = {f"{theirs}.{a}": f"{ours}.spatial_res_block.{b}" for a, b in _RESNET.items()}
    names |= {f"{theirs}.time_stack.{a}": f"{ours}.temporal_res_block.{b}" for a, b in _RESNET.items()}
    names |= {f"{theirs}.{a}": f"{ours}.spatial_res_block.conv1.modulation.{b}" for a, b in _MODULATION.items()}
    return names | {f"{theirs}.time_mixer": f"{ours}.time_mixer"}


def _attention(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.{a}": f"{ours}.{b}" for a, b in _ATTENTION.items()}


def _flow_encoder(levels: int) -> dict[str, str]:
    names: dict[str, str] = {}
    for stage, (norm, spatial, temporal) in enumerate(_ENTRY):
        ours = f"flow_encoder.entry.{stage}"
        names |= {f"flow_blocks.0.{spatial}": f"{ours}.spatial", f"flow_blocks.0.{temporal}": f"{ours}.temporal"}
        if norm is not None:
            names[f"flow_blocks.0.{norm}"] = f"{ours}.norm"
    for level in range(levels):
        theirs, ours = f"flow_blocks.{level + 1}", f"flow_encoder.levels.{level}"
        names |= {f"{theirs}.0": f"{ours}.stage.norm", f"{theirs}.2": f"{ours}.stage.spatial"}
        names |= {f"{theirs}.3": f"{ours}.stage.temporal", f"{theirs}.4.op": f"{ours}.down"}
    return names
