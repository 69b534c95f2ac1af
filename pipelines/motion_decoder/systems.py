"""Every system by name: train it, load it, ask it for flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError, UnknownName

from .checkpoints import load_checkpoint, save_checkpoint
from .config import DecoderConfig
from .data import BoldWindows, DecoderData
from .determinism import fixed_threads
from .features import Features
from .progress import Progress, silent

# Trained here. `svd` is generated, not trained (svd.py); `truth` is the labeller's.
SYSTEMS = ("brain", "brain-reference", "image-only", "shuffled", "ridge", "mean", "zero", "persistence", "prior")
# Their predictions do not depend on the subject: one training serves all.
SUBJECT_FREE = frozenset({"image-only", "mean", "zero", "persistence", "prior"})
# `predict` gives (n, samples, 3, h, w, 2).
SAMPLED = frozenset({"prior"})


class Decoder(Protocol):
    """A trained system."""

    @property
    def name(self) -> str:
        """Name of the system."""

    def predict(self, bold: BoldWindows, features: Features) -> NDArray[np.float32]:
        """Flow float32 (n, 3, h, w, 2), or (n, samples, 3, h, w, 2) for sampled systems; grid pixels per step."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Arrays of the checkpoint."""

    def facts(self) -> dict[str, Any]:
        """JSON-ready rest of the checkpoint."""


def train_system(
    name: str,
    data: DecoderData,
    config: DecoderConfig | None = None,
    checkpoint_dir: Path | str | None = None,
    progress: Progress = silent,
) -> Decoder:
    """Train one system; everything it fits, it fits on `data` alone.

    Parameters
    ----------
    name : one of `SYSTEMS`.
    data : training clips of one subject.
    config : settings; the defaults were found by search on held-out training segments.
    checkpoint_dir : where the finished decoder is saved, and an unfinished training leaves its state to be resumed.
    progress : called as progress(fraction, message); may raise `brainviz.errors.Cancelled`.

    Raises
    ------
    UnknownName, BrainvizError
        For a name or a setting that does not exist; for a device that is not here.
    """
    if name not in SYSTEMS:
        raise UnknownName(f"There is no motion system {name!r}.", "systems", f"Known: {', '.join(SYSTEMS)}.")
    settings = config or DecoderConfig()
    folder = Path(checkpoint_dir) if checkpoint_dir is not None else None
    with fixed_threads(settings.threads):
        decoder = _train(name, data, settings, folder, progress)
    if folder is not None:
        save_system(decoder, folder, settings)
        for unfinished in folder.glob("unfinished*.safetensors"):
            unfinished.unlink()
    progress(1.0, "trained")
    return decoder


def _train(name: str, data: DecoderData, config: DecoderConfig, folder: Path | None, progress: Progress) -> Decoder:
    if name == "brain":
        from .brain import train_patch_decoder

        return train_patch_decoder("brain", data, config, folder, progress)
    if name == "image-only":
        from .image_only import train_image_only

        return train_image_only(data, config, folder, progress)
    if name == "shuffled":
        from .shuffled import train_shuffled

        return train_shuffled(data, config, folder, progress)
    if name == "brain-reference":
        from .reference import train_reference

        return train_reference(data, config, folder, progress)
    return _train_simple(name, data, config)


def _train_simple(name: str, data: DecoderData, config: DecoderConfig) -> Decoder:
    if name == "ridge":
        from .linear import train_ridge

        return train_ridge(data, config)
    if name == "prior":
        from .prior import train_prior

        return train_prior(data, config.samples)
    from .baselines import train_baseline

    return train_baseline(name, data)


def save_system(decoder: Decoder, folder: Path | str, config: DecoderConfig) -> None:
    """Write a checkpoint: model.safetensors, then config.json."""
    facts = {"decoder": decoder.facts(), "config": config.to_mapping()}
    save_checkpoint(Path(folder), decoder.name, decoder.tensors(), facts)


def load_system(folder: Path | str) -> Decoder:
    """The decoder that `train_system` saved.

    Raises
    ------
    NotReady, BrainvizError
        Where nothing was saved yet; for a damaged or foreign checkpoint.
    """
    name, tensors, facts = load_checkpoint(Path(folder))
    try:
        return _restore(name, tensors, facts["decoder"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        remedy = "Delete the folder and train the decoder again."
        raise BrainvizError(f"The checkpoint does not hold a whole {name!r} decoder.", str(folder), remedy) from error


def _restore(name: str, tensors: dict[str, NDArray[Any]], facts: dict[str, Any]) -> Decoder:
    if name in {"brain", "image-only", "shuffled"}:
        from .patch_decoder import PatchDecoder

        return PatchDecoder.restore(name, tensors, facts)
    if name == "brain-reference":
        from .reference import ReferenceDecoder

        return ReferenceDecoder.restore(tensors, facts)
    if name == "ridge":
        from .linear import LinearDecoder

        return LinearDecoder.restore(tensors, facts)
    if name == "prior":
        from .prior import PriorDecoder

        return PriorDecoder.restore(tensors, facts)
    if name in {"mean", "zero", "persistence"}:
        from .baselines import restore_baseline

        return restore_baseline(name, tensors)
    raise ValueError(name)
