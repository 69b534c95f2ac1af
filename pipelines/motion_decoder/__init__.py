"""Motion predicted from first frame and fMRI: model, training, decoding, controls."""

from __future__ import annotations

from .config import DecoderConfig
from .data import BoldWindows, DecoderData, choose_vertices
from .features import StackedFeatures
from .systems import SYSTEMS, Decoder, load_system, train_system

__all__ = [
    "SYSTEMS",
    "BoldWindows",
    "Decoder",
    "DecoderConfig",
    "DecoderData",
    "StackedFeatures",
    "choose_vertices",
    "load_system",
    "train_system",
]
