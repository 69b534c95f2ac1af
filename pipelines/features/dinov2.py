"""DINOv2 patch tokens of the first frame (Oquab et al. 2024), through transformers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from brainviz.flow.fields import GRID

_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


@dataclass(frozen=True)
class Dinov2Encoder:
    """Patch tokens of a vision transformer on the 32x32 grid.

    Frames are resized so that the patches make the grid: 448 px for patches of 14. With a smaller `image_px` (a
    quarter of the time at half the size) the token maps are interpolated to the grid.

    Attributes
    ----------
    source : str
        Folder or hub name.
    model : transformers model
    image_px : int
        Side of the resized frame.
    """

    source: str
    model: Any = field(repr=False)
    image_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: str = "cpu"
    frames_at_once: int = 8

    @staticmethod
    def load(source: str, device: str = "cpu", image_px: int | None = None) -> Dinov2Encoder:
        """Load from a local folder or from the hub cache; nothing is downloaded and no foreign code is run.

        Raises
        ------
        DataProblem
            If the model is not there, is not readable, or has no square patches.
        """
        folder = _folder(source)
        model = _open_model(folder).eval().to(device)
        patch = getattr(model.config, "patch_size", None)
        if not isinstance(patch, int):
            raise DataProblem("The model has no square patches.", str(folder), "Use a DINOv2 or another ViT.")
        statistics = _IMAGENET | _preprocessing(folder)
        return Dinov2Encoder(
            source=source,
            model=model,
            image_px=image_px or GRID * patch,
            mean=tuple(statistics["image_mean"]),
            std=tuple(statistics["image_std"]),
            device=device,
        )

    @property
    def name(self) -> str:
        return f"{type(self.model).__name__} ({Path(self.source).name}, {self.image_px} px)"

    @property
    def size(self) -> int:
        return self.image_px

    @property
    def channels(self) -> int:
        return int(self.model.config.hidden_size)

    def encode(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """Features of square frames: uint8 (n, h, w, 3) -> float16 (n, 32, 32, channels), after the last layer norm."""
        import torch

        frames = np.asarray(frames)
        if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
            raise BrainvizError(f"Frames must be uint8 (n, h, w, 3), not {frames.dtype} {frames.shape}.")
        out = np.empty((len(frames), GRID, GRID, self.channels), dtype=np.float16)
        for start in range(0, len(frames), self.frames_at_once):
            part = slice(start, start + self.frames_at_once)
            with torch.inference_mode():
                out[part] = self._grid(self.pixels(frames[part])).float().cpu().numpy()
        return out

    def pixels(self, frames: npt.NDArray[np.uint8]) -> Any:
        """The network's input: bicubic resize and normalisation; float32 tensor (n, 3, image_px, image_px)."""
        import torch
        from torch.nn.functional import interpolate

        raw = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device).permute(0, 3, 1, 2).float()
        sized = interpolate(raw, (self.image_px, self.image_px), mode="bicubic", antialias=True, align_corners=False)
        mean, std = (torch.tensor(v, device=self.device).view(3, 1, 1) for v in (self.mean, self.std))
        return (sized.round().clamp(0, 255) / 255 - mean) / std

    def _grid(self, pixels: Any) -> Any:
        """Tokens without class and register tokens, as a map, on the 32x32 grid: tensor (n, 32, 32, c)."""
        from torch.nn.functional import interpolate

        tokens = self.model(pixel_values=pixels, **_extra_arguments(self.model)).last_hidden_state
        side = self.image_px // self.model.config.patch_size
        maps = tokens[:, tokens.shape[1] - side * side :].reshape(len(tokens), side, side, -1)
        if side == GRID:
            return maps
        return interpolate(maps.permute(0, 3, 1, 2), (GRID, GRID), mode="bilinear", antialias=True).permute(0, 2, 3, 1)


def cached_model(name: str) -> Path | None:
    """Snapshot folder of a hub model in the local cache, with its weights; None if absent."""
    whole = [folder for folder in cached_snapshots(name, "config.json") if _weight_files(folder)]
    return whole[-1] if whole else None


def cached_snapshots(name: str, file: str) -> list[Path]:
    """Snapshot folders of a hub repository in the local cache that hold a file, newest last.

    Found as the hub's client finds them, without importing it.
    """
    home = Path(os.environ.get("HF_HOME", Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    found = (hub / f"models--{name.replace('/', '--')}" / "snapshots").glob(f"*/{file}")
    return sorted((path.parent for path in found), key=lambda folder: folder.stat().st_mtime)


def _weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _folder(source: str) -> Path:
    """The local folder of a model's files."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    cached = cached_model(source)
    if cached is None:
        raise DataProblem(
            "DINOv2's weights are not there.",
            source,
            "Fetch them with `python -m pipelines weights dinov2`, give a folder, or use the encoder 'gabor'.",
        )
    return cached


def _open_model(folder: Path) -> Any:
    """The model of a folder, from safetensors only."""
    if not (folder / "config.json").is_file() or not _weight_files(folder):
        raise DataProblem(
            "The folder does not hold a transformers model (config.json and *.safetensors).",
            str(folder),
            "Fetch one with `python -m pipelines weights dinov2`.",
        )
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    from safetensors import SafetensorError
    from transformers import AutoModel

    try:
        model, report = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataProblem("The model cannot be read.", str(folder), f"transformers says: {error}") from error
    missing = [key for key in report["missing_keys"] if "pooler" not in key]
    if missing:
        raise DataProblem(
            f"The model lacks {len(missing)} of its weights, first {missing[0]}.", str(folder), "Fetch it again."
        )
    return model


def _preprocessing(folder: Path) -> dict[str, list[float]]:
    """Mean and standard deviation of the model's own image processor, where the folder states them."""
    path = folder / "preprocessor_config.json"
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        return {key: [float(v) for v in settings[key]] for key in _IMAGENET if key in settings}
    except (ValueError, TypeError) as error:
        raise DataProblem(
            "The image processor's settings cannot be read.", str(path), "Fetch the model again."
        ) from error


def _extra_arguments(model: Any) -> dict[str, bool]:
    """Older vision transformers stretch their position table only when asked."""
    import inspect

    known = inspect.signature(model.forward).parameters
    return {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in known else {}
