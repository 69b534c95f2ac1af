"""Pixels as a network wants them, by the settings that stand beside its weights."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainviz.errors import DataProblem
from pipelines.features.spec import Frames

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PROCESSOR_FILES = ("video_preprocessor_config.json", "preprocessor_config.json")
_PIL_NAMES = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True)
class Pixels:
    """Square frames -> the network's input: resize, centre crop, scale, normalise.

    Attributes
    ----------
    resize_px, crop_px : int
        Side after resizing, and side of the centre crop.
    method : str
        "bilinear" or "bicubic", both with antialiasing and rounded to grey levels, as image libraries do.
    mean, std : three floats each
        Of values from 0 to 1.
    """

    resize_px: int
    crop_px: int
    method: str = "bicubic"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    def __call__(self, frames: Frames, device: str = "cpu") -> Any:
        """Square frames uint8 (n, h, w, 3) -> float32 tensor (n, 3, crop_px, crop_px)."""
        import torch
        from torch.nn.functional import interpolate

        raw = torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float()
        if raw.shape[-2:] != (self.resize_px, self.resize_px):
            side = (self.resize_px, self.resize_px)
            raw = interpolate(raw, side, mode=self.method, antialias=True, align_corners=False)
            raw = raw.round().clamp(0, 255)
        edge = (self.resize_px - self.crop_px) // 2
        cropped = raw[..., edge : edge + self.crop_px, edge : edge + self.crop_px]
        mean, std = (torch.tensor(values, device=device).view(3, 1, 1) for values in (self.mean, self.std))
        return (cropped / 255 - mean) / std


def transformers_pixels(folder: Path, image_px: int) -> Pixels:
    """The settings of a transformers folder; without any, ImageNet's at the network's own size."""
    for name in PROCESSOR_FILES:
        if (folder / name).is_file():
            return _from_processor(read_settings(folder / name), folder / name)
    return Pixels(image_px, image_px)


def timm_pixels(settings: dict[str, Any]) -> Pixels:
    """The settings of timm's data configuration."""
    crop = int(settings["input_size"][-1])
    resize = crop if settings.get("crop_mode") == "squash" else math.floor(crop / settings.get("crop_pct", 1.0))
    return Pixels(resize, crop, settings["interpolation"], tuple(settings["mean"]), tuple(settings["std"]))


def open_clip_pixels(folder: Path) -> Pixels:
    """The settings of an open_clip folder."""
    path = folder / "open_clip_config.json"
    whole = read_settings(path)
    try:
        settings = whole.get("preprocess_cfg", {})
        size = settings.get("size", whole["model_cfg"]["vision_cfg"].get("image_size", 224))
        side = int(size[0] if isinstance(size, list) else size)
        method = settings.get("interpolation", "bicubic")
        mean = settings.get("mean", (0.48145466, 0.4578275, 0.40821073))
        std = settings.get("std", (0.26862954, 0.26130258, 0.27577711))
        return Pixels(side, side, method, tuple(mean), tuple(std))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path) from error


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON object from a model's folder; `DataProblem` where it is none."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    if not isinstance(settings, dict):
        raise _unreadable(path)
    return settings


def _from_processor(settings: dict[str, Any], path: Path) -> Pixels:
    try:
        crop = _side(settings.get("crop_size")) if settings.get("do_center_crop", True) else 0
        resize = _side(settings.get("size")) if settings.get("do_resize", True) else 0
        if (share := settings.get("crop_pct")) and resize < 384:  # ConvNeXt's way: enlarge, then crop
            crop, resize = resize, int(resize / share)
        resize = resize or crop
        method = _PIL_NAMES[int(settings.get("resample", 2))]
        normal = settings.get("do_normalize", True)
        mean, std = (settings["image_mean"], settings["image_std"]) if normal else ([0.0] * 3, [1.0] * 3)
        return Pixels(resize, crop or resize, method, tuple(map(float, mean)), tuple(map(float, std)))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path) from error


def _side(size: Any) -> int:
    """The side of a square from transformers' several ways to state it; 0 where it states none."""
    if isinstance(size, dict):
        size = size.get("shortest_edge") or size.get("height")
    return int(size or 0)


def _unreadable(path: Path) -> DataProblem:
    return DataProblem("The model's settings cannot be read.", str(path), "Fetch the model again.")
