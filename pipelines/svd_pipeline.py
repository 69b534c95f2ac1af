"""Stable Video Diffusion's stock pipeline: where its weights are, how it is loaded, one film drawn.

Everything that draws with it takes it from here: the films without the brain, the steered networks, Time-to-Move.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem

Frames = npt.NDArray[np.uint8]
Progress = Callable[[float, str], None]
Changed = dict[str, Any]  # tensors that a step's end has changed

SVD_NAME = "stabilityai/stable-video-diffusion-img2vid"
SVD_XT_NAME = f"{SVD_NAME}-xt"
OFFLOADS = ("auto", "never", "model", "sequential")
_PIPELINE = "StableVideoDiffusionPipeline"
_ROOMY_BYTES = 16 * 2**30  # free memory of a GPU in which all parts stand at once, estimated from their sizes


def find_svd(folder_or_name: str | Path = SVD_NAME) -> Path | None:
    """The local folder of the pipeline: the folder itself, or a hub name's snapshot in the cache; None if absent."""
    from pipelines.features.dinov2 import cached_snapshots

    folder = Path(folder_or_name).expanduser()
    if folder.is_dir():
        return folder
    snapshots = cached_snapshots(str(folder_or_name), "model_index.json")
    return snapshots[-1] if snapshots else None


def svd_available(folder_or_name: str | Path = SVD_NAME) -> tuple[bool, str]:
    """Whether the pipeline can run from here: with its folder, or with why not and what to do. Loads nothing heavy."""
    name = "svd-xt" if str(folder_or_name) == SVD_XT_NAME else "svd"
    fetch = f"Fetch them with `python -m pipelines weights {name}`, or name their folder (--svd FOLDER)."
    folder = find_svd(folder_or_name)
    if folder is None:
        return False, f"Stable Video Diffusion's weights are not there ({folder_or_name}). {fetch}"
    index = folder / "model_index.json"
    if not index.is_file():
        return False, f"{folder} is no diffusers pipeline: model_index.json is missing. {fetch}"
    try:
        listed = json.loads(index.read_text(encoding="utf-8"))
    except ValueError:
        return False, f"{index} is damaged. {fetch}"
    kind = listed.get("_class_name") if isinstance(listed, dict) else None
    if kind != _PIPELINE:
        return False, f"{folder} holds a {kind or 'file of another kind'}, not a {_PIPELINE}. {fetch}"
    for part in ("unet", "vae", "image_encoder"):
        if not any((folder / part).glob("*.safetensors")):
            return False, f"{folder / part} holds no safetensors weights. {fetch}"
    return True, str(folder)


def load_pipeline(folder: Path, device: str, unet: Callable[[Any], Any] | None = None, offload: str = "auto") -> Any:
    """The stock pipeline from a folder, in bfloat16 on a GPU and float32 elsewhere.

    Parameters
    ----------
    folder : path
        As `svd_available` names it.
    device : str
    unet : callable, optional
        Makes the U-Net in a given precision; by default it is the folder's own.
    offload : str
        One of `OFFLOADS`: which parts wait in the computer's memory while others work on the GPU. 'auto' offloads
        whole parts where less than 16 GiB of the GPU are free. Nothing is offloaded without a GPU.

    Raises
    ------
    DataProblem
        If the weights cannot be read.
    """
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    import torch
    from diffusers import StableVideoDiffusionPipeline
    from safetensors import SafetensorError

    half = any((folder / "vae").glob("*.fp16.safetensors"))
    precision = torch.bfloat16 if device.startswith("cuda") else torch.float32
    try:
        parts = {} if unet is None else {"unet": unet(precision)}
        pipeline = StableVideoDiffusionPipeline.from_pretrained(
            folder,
            **parts,
            local_files_only=True,
            use_safetensors=True,
            dtype=precision,
            variant="fp16" if half else None,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        remedy = f"diffusers says: {error}"
        raise DataProblem("Stable Video Diffusion's weights cannot be read.", str(folder), remedy) from error
    pipeline.set_progress_bar_config(disable=True)
    return _placed(pipeline, device, offload)


def _placed(pipeline: Any, device: str, offload: str) -> Any:
    """The pipeline on its device, or its parts waiting beside it."""
    if offload not in OFFLOADS:
        raise BrainvizError(f"Unknown offloading {offload!r}.", "offload", f"Choose of: {', '.join(OFFLOADS)}.")
    import torch

    if not device.startswith("cuda") or not torch.cuda.is_available():
        return pipeline.to(device)
    if offload == "auto":
        offload = "never" if torch.cuda.mem_get_info(device)[0] >= _ROOMY_BYTES else "model"
    if offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    elif offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return pipeline


def draw_film(
    pipeline: Any,
    picture: Frames,
    seed: int,
    progress: Progress | None = None,
    step_end: Callable[[int, Changed], Changed] | None = None,
    **settings: Any,
) -> Frames:
    """One film; the same seed draws the same film on the same machine.

    Parameters
    ----------
    pipeline
        As `load_pipeline` gives it.
    picture : uint8 (height, width, 3)
        The film has its size.
    seed : int
    progress : callable, optional
        Told after every step; what it raises ends the work.
    step_end : callable, optional
        Given a step's number and its tensors (`latents`); returns those that it has changed.
    settings
        The pipeline's own.

    Returns
    -------
    uint8 (n, height, width, 3)
    """
    import torch
    from PIL import Image

    def report(used: Any, step: int, _time: Any, state: Changed) -> Changed:
        total = used.num_timesteps
        changed = step_end(step, state) if step_end is not None else {}
        if progress is not None:
            progress((step + 1) / total, f"step {step + 1} of {total}")
        return changed  # diffusers takes the answer as changed tensors and fails on None

    drawn = pipeline(
        Image.fromarray(np.asarray(picture)),
        height=picture.shape[0],
        width=picture.shape[1],
        generator=torch.Generator().manual_seed(seed),
        callback_on_step_end=report,
        output_type="np",
        **settings,
    ).frames[0]
    return np.asarray(np.round(np.clip(np.asarray(drawn), 0, 1) * 255), dtype=np.uint8)
