"""The control `image-only`: `brain` without fMRI, retrained. The test of brain information is `brain` against it."""

from __future__ import annotations

from pathlib import Path

from .brain import train_patch_decoder
from .config import DecoderConfig
from .data import DecoderData
from .patch_decoder import PatchDecoder
from .progress import Progress


def train_image_only(
    data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> PatchDecoder:
    """Same network, patches, loss, schedule, folds and ensemble as `brain`; the fMRI readings are held at zero.

    It depends on no subject: train it once for all subjects that saw the same film.
    """
    return train_patch_decoder("image-only", data, config, checkpoint_dir, progress)
