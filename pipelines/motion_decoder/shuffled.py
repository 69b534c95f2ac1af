"""The control `shuffled`: `brain` *trained* on fMRI shifted against the film. It should equal `image-only`.

(Shuffling only at test would pass trivially: a decoder that trusts its fMRI gets worse than image-only.)
"""

from __future__ import annotations

from pathlib import Path

from .brain import train_patch_decoder
from .config import DecoderConfig
from .data import DecoderData, shift_against_film
from .determinism import derived_seed
from .patch_decoder import PatchDecoder
from .progress import Progress


def train_shuffled(
    data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> PatchDecoder:
    """Circular shift by more than 30 s, each training segment by its own draw; then as `brain`."""
    shifted = shift_against_film(data, derived_seed(config.seed, "shift"))
    return train_patch_decoder("shuffled", shifted, config, checkpoint_dir, progress)
