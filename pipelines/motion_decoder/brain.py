"""Training of `brain`, and of its controls `shuffled` and `image-only`, which are the same but for the fMRI.

1. Kernel ridge reads compressed flow and log speed from the fMRI window (`motion_ridge`).
2. Networks turn these and the first frame's features into flow, trained on end-point error (`network`). In training
   every clip enters with the reading of the ridge that did not see its fold: the networks learn how far such readings
   can be trusted. Where the fMRI tells nothing, readings shrink to their mean, and what is left is `image-only`.
3. Each network of the ensemble stops early on a fold of training segments of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .basis import fill_invalid
from .config import DecoderConfig
from .data import DecoderData, fold_splits
from .determinism import checked_device, derived_seed
from .features import FeatureProjection
from .motion_ridge import fit_motion_ridge, log_speed
from .patch_decoder import PatchDecoder
from .patches import typical_speed
from .progress import Progress, data_fingerprint
from .training import Member, ProgressFile, Schedule, train_network

Array = NDArray[np.float32]


def train_patch_decoder(
    name: str, data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> PatchDecoder:
    """Train `brain`, `shuffled` (on data that are already shifted) or `image-only`."""
    device = checked_device(config.device)
    progress(0.0, "inputs")
    decoder, held_scores = prepare(name, data, config)
    task = decoder.task(held_scores, data).to(device)
    resume = None
    if checkpoint_dir is not None:
        resume = ProgressFile(checkpoint_dir / "unfinished.safetensors", data_fingerprint(name, data, config))
    settings = config.network
    members = ensemble(data, config)
    network = decoder.new_network()
    network.start([member.seed for member in members])

    def report(fraction: float, loss: Tensor) -> None:
        epoch = f"epoch {round(fraction * settings.epochs)} of {settings.epochs}"
        held_out = f"held-out error {loss.mean() * decoder.speed:.3f} px, mean of {len(members)} networks"
        progress(0.2 + 0.8 * fraction, f"{epoch}: {held_out}")

    schedule = Schedule(
        settings.epochs, settings.batch_clips, settings.patches, settings.learning_rate, settings.weight_decay
    )
    losses = train_network(network.to(device), task, members, schedule, report, resume)
    held_out = losses[torch.isfinite(losses)]
    error = float(held_out.mean()) * decoder.speed if len(held_out) else float("nan")
    return decoder.with_network(network.to("cpu"), error)


def prepare(name: str, data: DecoderData, config: DecoderConfig) -> tuple[PatchDecoder, Array | None]:
    """The decoder without its networks, and the held-out readings (n, m) to train these on (None for 'image-only')."""
    speed = typical_speed(data)
    ridge, held_scores = fit_motion_ridge(data, config, speed) if name != "image-only" else (None, None)
    mean_speed = (
        log_speed(fill_invalid(data.flow, data.valid), speed).mean(axis=0) if ridge is None else ridge.speed.mean
    )
    decoder = PatchDecoder(
        name,
        ridge,
        FeatureProjection.fit(data.features, config.network.feature_components),
        speed,
        mean_speed,
        data.flow.shape[1],
        config.network,
    )
    return decoder, held_scores


def ensemble(data: DecoderData, config: DecoderConfig) -> list[Member]:
    """Each member of the ensemble stops early on another fold, and draws from a seed of its own."""
    splits, count = fold_splits(data, config.max_folds), config.network.members
    members = []
    for number in range(count):
        rows, held_rows = splits[(number * len(splits) // count) % len(splits)]
        seed = derived_seed(config.seed, "member", number)
        members.append(Member(torch.from_numpy(rows), torch.from_numpy(held_rows), seed))
    return members
