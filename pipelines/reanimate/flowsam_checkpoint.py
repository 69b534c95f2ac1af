"""FlowSAM's published checkpoint (Xie et al., ACCV 2024) in transformers' SAM.

FlowI-SAM is SAM ViT-B with another mask decoder of the same build: its file holds that decoder's tensors under SAM's
original names, which are mapped here; encoder and prompt encoder are SAM's own, unchanged.

FlowP-SAM is not loaded. Its decoder has parts that transformers' SAM lacks: a second two-way transformer over flow
features, four flow prompt tokens (`prompt_tokens`), a moving-object token (`obj_token`) and its head
(`obj_prediction_head`); and it needs SAM ViT-H for the picture beside ViT-B for the flow. Its file is refused, and the
report names these tensors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.errors import DataProblem
from pipelines.reanimate.dragnuwa.checkpoint import ConversionReport, read_checkpoint, verify_tensors, whole_folder

if TYPE_CHECKING:
    from torch import Tensor

_UPSCALING = {"0": "upscale_conv1", "1": "upscale_layer_norm", "3": "upscale_conv2"}
_HEAD = re.compile(r"^(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.layers\.(\d+)\.(.+)$")


def decoder_name(name: str, depths: Mapping[str, int]) -> str:
    """transformers' name of one tensor of SAM's original mask decoder.

    Parameters
    ----------
    name : str
    depths : mapping
        Layers of each head (a name up to `.layers`): the first is `proj_in`, the last `proj_out`.
    """
    head = _HEAD.match(name)
    if head:
        part, layer, rest = head[1], int(head[2]), head[3]
        last = depths[part] - 1
        place = "proj_in" if layer == 0 else "proj_out" if layer == last else f"layers.{layer - 1}"
        return f"{part}.{place}.{rest}"
    if name.startswith("output_upscaling."):
        _, place, rest = name.split(".", 2)
        return f"{_UPSCALING.get(place, f'output_upscaling.{place}')}.{rest}"
    if name.startswith("transformer."):
        name = re.sub(r"\.norm(\d)\.", r".layer_norm\1.", name)
        name = name.replace("transformer.norm_final_attn.", "transformer.layer_norm_final_attn.")
    return name


def _depths(names: Iterable[str]) -> dict[str, int]:
    depths: dict[str, int] = {}
    for name in names:
        if head := _HEAD.match(name):
            depths[head[1]] = max(depths.get(head[1], 0), int(head[2]) + 1)
    return depths


def convert_decoder(tensors: Mapping[str, Tensor], decoder: Any) -> tuple[dict[str, Tensor], ConversionReport]:
    """FlowI-SAM's decoder under transformers' names.

    Parameters
    ----------
    tensors : mapping
        As published.
    decoder : SamMaskDecoder
        Its structure decides; it is not changed.

    Returns
    -------
    state : dict
        For `decoder.load_state_dict`.
    report : ConversionReport
    """
    wanted, depths = decoder.state_dict(), _depths(tensors)
    state, unexpected = {}, []
    for name, value in tensors.items():
        ours = decoder_name(name, depths)
        if ours not in wanted:
            unexpected.append(name)
        elif wanted[ours].shape != value.shape:
            unexpected.append(f"{name} of shape {tuple(value.shape)} instead of {tuple(wanted[ours].shape)}")
        else:
            state[ours] = value
    missing = tuple(name for name in wanted if name not in state)
    return state, ConversionReport(len(state), 0, missing, tuple(unexpected), ())


def convert_flowsam(checkpoint: str | Path, base: str | Path, folder: str | Path) -> ConversionReport:
    """Convert once: SAM's folder with FlowI-SAM's decoder, as a folder that transformers reads.

    Parameters
    ----------
    checkpoint : path
        FlowI-SAM's file.
    base : path
        Folder of SAM ViT-B (`facebook/sam-vit-base`).
    folder : path
        Written anew, whole or not at all.

    Raises
    ------
    DataProblem
        If a file cannot be read, or a tensor is missing or has no place.
    """
    network = load_sam(base)
    state, report = convert_decoder(read_checkpoint(checkpoint), network.mask_decoder)
    report.demand_complete(checkpoint)
    network.mask_decoder.load_state_dict(state, strict=True)
    with whole_folder(Path(folder)) as made:
        network.save_pretrained(made, safe_serialization=True)
        tied = network.all_tied_weights_keys
        held = {name: tuple(value.shape) for name, value in network.state_dict().items() if name not in tied}
        verify_tensors(made, held)
    return report


def load_sam(folder: str | Path) -> Any:
    """transformers' SAM from a local folder of safetensors, in evaluation mode.

    Raises
    ------
    DataProblem
        If the folder cannot be read, or its tensors do not fill the network.
    """
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    from safetensors import SafetensorError
    from transformers import SamModel

    remedy = "Fetch it again: python -m pipelines weights sam, then flowsam."
    try:
        network, info = SamModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataProblem("SAM's weights cannot be read.", str(folder), f"{remedy} ({error})") from error
    wrong = sorted({*info["missing_keys"], *info["unexpected_keys"], *map(str, info["mismatched_keys"])})
    if wrong:
        raise DataProblem(f"SAM's weights do not fit: {', '.join(wrong[:5])}.", str(folder), remedy)
    return network.eval()
