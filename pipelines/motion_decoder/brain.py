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

from .basis import fill_invalid
from .config import DecoderConfig
from .data import DecoderData, segment_folds
from .determinism import checked_device, derived_seed
from .motion_ridge import fit_motion_ridge, log_speed
from .network import PatchNetwork
from .patch_decoder import PatchDecoder
from .patches import FeatureProjection, PatchTask, typical_speed
from .progress import Progress, data_fingerprint, span
from .training import ProgressFile, Schedule, train_network

Array = NDArray[np.float32]


def train_patch_decoder(
    name: str, data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> PatchDecoder:
    """Train `brain`, `shuffled` (on data that are already shifted) or `image-only`."""
    device = checked_device(config.device)
    progress(0.0, "inputs")
    decoder, held_scores = prepare(name, data, config)
    task = decoder.task(held_scores, data.features, data).to(device)
    fingerprint = data_fingerprint(name, data, config)
    members = config.network.members
    networks = []
    for member in range(members):
        resume = None
        if checkpoint_dir is not None:
            resume = ProgressFile(checkpoint_dir / f"unfinished-{member}.safetensors", fingerprint)
        label = f"network {member + 1} of {members}"
        heard = span(progress, 0.2 + 0.8 * member / members, 0.8 / members, label)
        networks.append(train_member(decoder, task, data, member, config, resume, heard))
    return decoder.with_networks(networks)


def prepare(name: str, data: DecoderData, config: DecoderConfig) -> tuple[PatchDecoder, Array | None]:
    """The decoder without its networks, and the held-out readings (n, m) to train these on (None for 'image-only')."""
    speed = typical_speed(data)
    ridge, held_scores = fit_motion_ridge(data, config, speed) if name != "image-only" else (None, None)
    decoder = PatchDecoder(
        name,
        ridge,
        FeatureProjection.fit(data.features, config.network.feature_components),
        speed,
        log_speed(fill_invalid(data.flow, data.valid), speed).mean(axis=0),
        data.flow.shape[1],
        config.network,
    )
    return decoder, held_scores


def held_fold(data: DecoderData, member: int, config: DecoderConfig) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(rows to train on, rows to stop early on) of one member; clips without a valid vector are in neither."""
    fold = segment_folds(data.segment, config.max_folds)
    usable = data.valid.any(axis=(1, 2, 3)) & (fold >= 0)
    folds = np.unique(fold[usable])
    held = folds[(member * len(folds) // config.network.members) % len(folds)]
    if len(folds) == 1:
        return np.flatnonzero(usable), np.flatnonzero(usable)
    return np.flatnonzero(usable & (fold != held)), np.flatnonzero(usable & (fold == held))


def train_member(
    decoder: PatchDecoder,
    task: PatchTask,
    data: DecoderData,
    member: int,
    config: DecoderConfig,
    resume: ProgressFile | None,
    progress: Progress,
) -> PatchNetwork:
    """One network of the ensemble, on the CPU."""
    settings = config.network
    seed = derived_seed(config.seed, "member", member)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = decoder.new_network().to(task.device)
    rows, held_rows = held_fold(data, member, config)
    train_network(
        network,
        task,
        torch.from_numpy(rows),
        torch.from_numpy(held_rows),
        Schedule(
            settings.epochs,
            settings.batch_clips,
            settings.patches,
            settings.learning_rate,
            settings.weight_decay,
            seed,
        ),
        lambda fraction, loss: progress(fraction, f"held-out error {loss * decoder.speed:.3f} px"),
        resume,
    )
    return network.to("cpu")
