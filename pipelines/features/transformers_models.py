"""Networks of transformers: images (ResNet, ViT, DINO, CLIP, SigLIP) and clips (VideoMAE, V-JEPA 2, X-CLIP)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem
from pipelines.features.network import Network, depth_taps, tapped, token_maps
from pipelines.features.preprocessing import Pixels, transformers_pixels

# Model type of config.json -> class. Text towers are left out.
_CLASSES = {
    "resnet": "ResNetModel",
    "vit": "ViTModel",
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "dinov3_vit": "DINOv3ViTModel",
    "clip": "CLIPVisionModel",
    "clip_vision_model": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    "videomae": "VideoMAEModel",
    "vjepa2": "VJEPA2Model",
    "xclip": "XCLIPModel",
}
VJEPA2_FRAMES = 16  # of a 2-s clip; the network takes any even number
# What the features do not pass through, so that a checkpoint may lack it.
_UNUSED = ("pooler", "layernorm.", "head.", "predictor.", "text_model", "text_projection", "prompts_", "logit_scale")


def load_transformers(folder: Path, device: str = "cpu") -> Network:
    """The network of a transformers folder (config.json with *.safetensors or pytorch_model.bin).

    Raises
    ------
    DataProblem
        The folder holds another network, lacks weights, or cannot be read.
    """
    model = open_transformers(folder).to(device)
    config = getattr(model.config, "vision_config", model.config)
    pixels = transformers_pixels(folder, _image_px(config))
    kind = model.config.model_type
    if kind == "resnet":
        return Network(_stages(model), pixels)
    builders = {"videomae": _videomae, "vjepa2": _vjepa2, "xclip": _xclip}
    return builders[kind](model, pixels) if kind in builders else _vit(model, config, pixels)


def open_transformers(folder: Path) -> Any:
    """The model of a folder, in evaluation mode; no foreign code is run and no pickle is trusted."""
    prepare_torchvision()
    import pickle

    import transformers
    from safetensors import SafetensorError

    # Reading weights fills a run's log: bars, and every weight of the text tower or decoder that is left out.
    transformers.logging.disable_progress_bar()
    try:
        kind = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        ).model_type
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(folder, error) from error
    if kind not in _CLASSES:
        raise DataProblem(f"Networks of type '{kind}' are not known here.", str(folder), "Use the model that is named.")
    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        model, report = getattr(transformers, _CLASSES[kind]).from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise _unreadable(folder, error) from error
    finally:
        transformers.logging.set_verbosity(verbosity)
    missing = [key for key in report["missing_keys"] if not any(name in key for name in _UNUSED)]
    if missing:
        what = f"The model lacks {len(missing)} of its weights, first {missing[0]}."
        raise DataProblem(what, str(folder), "Fetch it again.")
    return model.eval()


def _vit(model: Any, config: Any, pixels: Pixels) -> Network:
    """Vision transformers of images."""
    import inspect

    side = pixels.crop_px // config.patch_size
    taps = depth_taps(_blocks(model, config.num_hidden_layers))
    # Older ones stretch their position table only when asked.
    stretch = (
        pixels.crop_px != config.image_size
        and "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
    )
    extra = {"interpolate_pos_encoding": True} if stretch else {}

    def run(images: Any) -> dict[str, Any]:
        tokens = tapped(taps, lambda: model(pixel_values=images, **extra))
        return {layer: token_maps(rows, side) for layer, rows in tokens.items()}

    return Network(run, pixels)


def _stages(model: Any) -> Any:
    taps = {f"stage-{k + 1}": stage for k, stage in enumerate(model.encoder.stages)}

    def run(images: Any) -> dict[str, Any]:
        return tapped(taps, lambda: model(pixel_values=images))

    return run


def _videomae(model: Any, pixels: Pixels) -> Network:
    config = model.config
    side, times = pixels.crop_px // config.patch_size, config.num_frames // config.tubelet_size
    taps = depth_taps(_blocks(model, config.num_hidden_layers))

    def run(clips: Any) -> dict[str, Any]:
        tokens = tapped(taps, lambda: model(pixel_values=clips))
        return {layer: token_maps(rows, side, times) for layer, rows in tokens.items()}

    return Network(run, pixels, config.num_frames)


def _vjepa2(model: Any, pixels: Pixels) -> Network:
    config = model.config
    frames = min(VJEPA2_FRAMES, config.frames_per_clip)
    side, times = pixels.crop_px // config.patch_size, frames // config.tubelet_size
    taps = depth_taps(_blocks(model.encoder, config.num_hidden_layers))

    def run(clips: Any) -> dict[str, Any]:
        tokens = tapped(taps, lambda: model(pixel_values_videos=clips, skip_predictor=True))
        return {layer: token_maps(rows, side, times) for layer, rows in tokens.items()}

    return Network(run, pixels, frames)


def _xclip(model: Any, pixels: Pixels) -> Network:
    """X-CLIP: frame tokens (which see the other frames, but not their order), and the clip's embedding, which does."""
    config = model.config.vision_config
    side, frames = pixels.crop_px // config.patch_size, config.num_frames
    taps = depth_taps(_blocks(model.vision_model, config.num_hidden_layers))

    def run(clips: Any) -> dict[str, Any]:
        n = len(clips)
        embedding: list[Any] = []
        tokens = tapped(taps, lambda: embedding.append(model.get_video_features(pixel_values=clips)))
        maps = {
            layer: token_maps(rows, side).reshape(n, frames, -1, side, side).mean(dim=1)
            for layer, rows in tokens.items()
        }
        return maps | {"embedding": getattr(embedding[0], "pooler_output", embedding[0])}

    return Network(run, pixels, frames)


def _blocks(model: Any, depth: int) -> Any:
    """The list of a transformer's blocks: the first module list of that length."""
    from torch.nn import ModuleList

    found = [part for part in model.modules() if isinstance(part, ModuleList) and len(part) == depth]
    if not found:
        raise DataProblem(f"The network has no list of {depth} blocks.", type(model).__name__, "Use the model named.")
    return found[0]


def _image_px(config: Any) -> int:
    size: Any = getattr(config, "image_size", None) or getattr(config, "crop_size", 224)
    return int(size[0] if isinstance(size, (list, tuple)) else size)


def _unreadable(folder: Path, error: Exception) -> DataProblem:
    return DataProblem("The model cannot be read.", str(folder), f"transformers says: {error}")
