"""Progress reports, and what identifies the inputs of an unfinished training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import numpy as np

from .config import DecoderConfig
from .data import DecoderData

# progress(fraction 0..1, message); it may raise brainviz.errors.Cancelled.
Progress = Callable[[float, str], None]


def silent(fraction: float, message: str) -> None:
    """Report to nobody."""


def span(progress: Progress, start: float, length: float, prefix: str) -> Progress:
    """A part of the work reports 0..1; the whole hears start..start + length."""
    return lambda fraction, message: progress(start + length * fraction, f"{prefix}: {message}")


def data_fingerprint(system: str, data: DecoderData, config: DecoderConfig) -> str:
    """Hash of a system's inputs and settings. Of the large arrays every 997th value enters, of the features 8 clips."""
    digest = hashlib.sha256(json.dumps([system, config.to_mapping()], sort_keys=True).encode())
    seen = data.features[:: -(-len(data.features) // 8)]
    for array in (data.bold.volumes, seen, data.flow, data.valid):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array.reshape(-1)[::997]).tobytes())
    digest.update(data.bold.index.tobytes())
    digest.update("/".join(data.segment.tolist()).encode())
    return digest.hexdigest()
