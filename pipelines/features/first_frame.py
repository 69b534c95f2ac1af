"""Registry of first-frame encoders: what the decoder knows of the picture, on the flow's 32x32 grid."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from brainviz.errors import UnknownName

DEFAULT_DINOV2 = "facebook/dinov2-base"


class FrameEncoder(Protocol):
    """Turns frames into feature maps."""

    @property
    def name(self) -> str:
        """Model and settings, as recorded with every result."""

    @property
    def size(self) -> int:
        """Side of the frames it works on, in pixels; others are resized."""

    @property
    def channels(self) -> int:
        """Features per grid cell."""

    def encode(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """Features of square frames: uint8 (n, h, w, 3) -> float16 (n, 32, 32, channels)."""


def make_frame_encoder(name: str = "auto", device: str = "cpu") -> FrameEncoder:
    """The encoder of a name.

    Parameters
    ----------
    name : str
        "gabor": colour and Gabor energy, needs no weights.
        "dinov2", "dinov2:FOLDER" or "dinov2:HUB/NAME": a vision transformer of transformers, from a local folder or
        from what the hub cache holds (facebook/dinov2-base where none is named). Nothing is downloaded here.
        "auto": DINOv2 where facebook/dinov2-base is in the cache, else gabor.
    device : str
        Torch device for transformers.

    Raises
    ------
    UnknownName
        If no encoder has that name.
    DataProblem
        If weights are missing or cannot be used.
    """
    from pipelines.features.dinov2 import Dinov2Encoder
    from pipelines.features.gabor import GaborEncoder

    family, _, source = resolve_frame_encoder(name).partition(":")
    return GaborEncoder() if family == "gabor" else Dinov2Encoder.load(source, device=device)


def resolve_frame_encoder(name: str) -> str:
    """The name that "auto" and "dinov2" stand for on this machine: "gabor" or "dinov2:SOURCE". Loads nothing."""
    from pipelines.features.dinov2 import cached_model

    family, colon, source = name.partition(":")
    if name == "auto":
        return f"dinov2:{DEFAULT_DINOV2}" if cached_model(DEFAULT_DINOV2) else "gabor"
    if name == "gabor":
        return name
    if family == "dinov2" and bool(source) == bool(colon):
        return f"dinov2:{source or DEFAULT_DINOV2}"
    raise UnknownName(
        f"There is no first-frame encoder '{name}'.", remedy="Use auto, gabor, dinov2 or dinov2:FOLDER_OR_HUB_NAME."
    )
