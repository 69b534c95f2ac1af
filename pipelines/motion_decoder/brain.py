"""The systems `brain`, `shuffled` and `image-only`: an ensemble of patch networks that corrects a base field.

`brain` starts from the ridge prediction. In training every clip enters with the prediction of the ridge that did not
see its fold: the network learns how far such predictions can be trusted. Where the fMRI tells nothing, they shrink to the
mean field, and what is left is `image-only`: the same network, inputs without fMRI, trained in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .basis import from_patches, mean_field, to_patches
from .config import DecoderConfig, NetworkConfig
from .data import BoldWindows, DecoderData, segment_folds
from .determinism import checked_device, derived_seed, fixed_threads
from .linear import LinearDecoder, fit_linear
from .network import PatchNetwork
from .patches import FeatureScaling, PatchTask, flow_targets, positions, typical_speed
from .progress import Progress, data_fingerprint, span
from .training import ProgressFile, Schedule, train_network

Array = NDArray[np.float32]
PREDICTED_AT_ONCE = 16  # clips; keeps the network's activations in cache


@dataclass(frozen=True)
class PatchDecoder:
    """A trained ensemble.

    Attributes
    ----------
    name : 'brain', 'shuffled' or 'image-only'.
    linear : the ridge it starts from; None for 'image-only'.
    field : float32 (3, h, w, 2), base field without fMRI.
    scaling : of the features; speed : unit of the networks, grid pixels per step.
    score_scale : float32 (m,), standard deviations of the true flow components.
    networks : PatchNetwork, on the CPU, in evaluation mode.
    network : their settings.
    """

    name: str
    linear: LinearDecoder | None
    field: Array
    scaling: FeatureScaling
    speed: float
    score_scale: Array
    networks: tuple[PatchNetwork, ...]
    network: NetworkConfig

    def predict(self, bold: BoldWindows | None, features: NDArray[np.float16]) -> Array:
        """Flow float32 (n, 3, h, w, 2), grid pixels per step: the mean over the ensemble."""
        scores = None if self.linear is None or bold is None else self.linear.scores(bold)
        return self.predict_from_scores(scores, features)

    def predict_from_scores(self, scores: Array | None, features: NDArray[np.float16]) -> Array:
        """The same from ridge components (n, m), for whoever changes these (a region left out)."""
        n, height, width, _ = features.shape
        flow = np.empty((n, *self.field.shape), dtype=np.float32)
        with fixed_threads(torch.get_num_threads()), torch.inference_mode():
            for start in range(0, n, PREDICTED_AT_ONCE):
                rows = slice(start, start + PREDICTED_AT_ONCE)
                part = None if scores is None else scores[rows]
                flow[rows] = from_patches(self._patches(part, features[rows]), (height, width))
        return flow

    def _patches(self, scores: Array | None, features: NDArray[np.float16]) -> Array:
        task = self.task(scores, features)
        rows = torch.arange(len(features))
        everywhere = torch.arange(task.n_patches).expand(len(features), -1)
        total = sum(task.apply(network, rows, everywhere) for network in self.networks)
        mean: Array = (total * (self.speed / len(self.networks))).numpy()  # type: ignore[union-attr]
        return mean

    def task(self, scores: Array | None, features: NDArray[np.float16], data: DecoderData | None = None) -> PatchTask:
        """Inputs of clips whose ridge components are `scores` (n, m) or None; with targets where `data` is given."""
        n, height, width, channels = features.shape
        if self.linear is not None and scores is not None:
            base = to_patches(self.linear.basis.reconstruct(scores))
        else:
            base = np.repeat(to_patches(self.field[None]), n, axis=0)
        flow, valid = flow_targets(data, self.speed) if data is not None else (torch.empty(0), torch.empty(0))
        return PatchTask(
            features=torch.from_numpy(np.ascontiguousarray(features)).reshape(n, height * width, channels),
            centre=torch.from_numpy(self.scaling.centre),
            scale=torch.from_numpy(self.scaling.scale),
            clip=torch.from_numpy(self.clip_inputs(scores, features)),
            base=torch.from_numpy(base / np.float32(self.speed)),
            place=torch.from_numpy(positions(height, width)),
            flow=flow,
            valid=valid,
        )

    def clip_inputs(self, scores: Array | None, features: NDArray[np.float16]) -> Array:
        """What concerns a whole clip, float32 (n, k): mean features, and ridge components in units of true ones.

        Components are not scaled by their own spread: a component that ridge cannot tell stays near zero.
        """
        context = (features.mean(axis=(1, 2), dtype=np.float32) - self.scaling.centre) / self.scaling.scale
        if scores is None:
            return context
        return np.concatenate([context, scores / self.score_scale], axis=1).astype(np.float32)

    def tensors(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {
            "field": self.field,
            "score_scale": self.score_scale,
            "features.centre": self.scaling.centre,
            "features.scale": self.scaling.scale,
        }
        for number, network in enumerate(self.networks):
            found |= {f"network{number}.{name}": value.numpy() for name, value in network.state_dict().items()}
        return found | (self.linear.tensors() if self.linear is not None else {})

    def facts(self) -> dict[str, Any]:
        import dataclasses

        return {"speed": self.speed, "network": dataclasses.asdict(self.network), "members": len(self.networks)}

    @classmethod
    def restore(cls, name: str, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> PatchDecoder:
        linear = LinearDecoder.restore(tensors, {}) if "ridge.weights" in tensors else None
        settings = NetworkConfig(**facts["network"])
        scaling = FeatureScaling(tensors["features.centre"], tensors["features.scale"])
        decoder = cls(
            name, linear, tensors["field"], scaling, float(facts["speed"]), tensors["score_scale"], (), settings
        )
        networks = []
        for number in range(int(facts["members"])):
            prefix = f"network{number}."
            state = {k.removeprefix(prefix): torch.from_numpy(v) for k, v in tensors.items() if k.startswith(prefix)}
            network = decoder.new_network(state["from_clip.weight"].shape[1])
            network.load_state_dict(state)
            networks.append(network.eval())
        return decoder.with_networks(networks)

    def new_network(self, n_clip: int) -> PatchNetwork:
        """An untrained member."""
        steps = len(self.field)
        settings = self.network
        return PatchNetwork(
            len(self.scaling.centre), n_clip, 2 * steps + 6, steps, settings.width, settings.blocks, settings.dropout
        )

    def with_networks(self, networks: list[PatchNetwork]) -> PatchDecoder:
        import dataclasses

        return dataclasses.replace(self, networks=tuple(networks))


def train_patch_decoder(
    name: str, data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> PatchDecoder:
    """Train `brain`, `shuffled` (on data that are already shifted) or `image-only`."""
    progress(0.0, "ridge" if name != "image-only" else "inputs")
    linear, held_scores = fit_linear(data, config) if name != "image-only" else (None, None)
    decoder = _untrained(name, data, config, linear)
    task = _moved(decoder.task(held_scores, data.features, data), checked_device(config.device))
    fold = segment_folds(data.segment, config.max_folds)
    usable = data.valid.any(axis=(1, 2, 3)) & (fold >= 0)
    members = []
    for member in range(config.network.members):
        network, _ = train_member(
            decoder,
            task,
            fold,
            usable,
            member,
            config,
            checkpoint_dir,
            data_fingerprint(name, data, config),
            span(
                progress,
                0.1 + 0.9 * member / config.network.members,
                0.9 / config.network.members,
                f"network {member + 1} of {config.network.members}",
            ),
        )
        members.append(network.to("cpu"))
    return decoder.with_networks(members)


def train_member(
    decoder: PatchDecoder,
    task: PatchTask,
    fold: NDArray[np.int64],
    usable: NDArray[np.bool_],
    member: int,
    config: DecoderConfig,
    checkpoint_dir: Path | None,
    fingerprint: str,
    progress: Progress,
) -> tuple[PatchNetwork, float]:
    """One network of the ensemble: it stops early on a fold of its own. Returns it with its held-out error."""
    settings = config.network
    folds = np.unique(fold[fold >= 0])
    held = folds[(member * len(folds) // settings.members) % len(folds)]
    seed = derived_seed(config.seed, "member", member)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = decoder.new_network(task.clip.shape[1]).to(task.device)
    schedule = Schedule(
        settings.epochs, settings.batch_clips, settings.patches, settings.learning_rate, settings.weight_decay, seed
    )
    resume = None
    if checkpoint_dir is not None:
        resume = ProgressFile(checkpoint_dir / f"unfinished-{member}.safetensors", fingerprint)
    best = train_network(
        network,
        task,
        torch.from_numpy(np.flatnonzero(usable & (fold != held))),
        torch.from_numpy(np.flatnonzero(usable & (fold == held))),
        schedule,
        lambda fraction, loss: progress(fraction, f"held-out error {loss * decoder.speed:.3f}"),
        resume,
    )
    return network, best


def _untrained(name: str, data: DecoderData, config: DecoderConfig, linear: LinearDecoder | None) -> PatchDecoder:
    scale = np.ones(0, dtype=np.float32)
    if linear is not None:
        scale = np.maximum(linear.basis.project(data.flow, data.valid).std(0), 1e-6).astype(np.float32)
    field = linear.basis.mean if linear is not None else mean_field(data.flow, data.valid)
    scaling = FeatureScaling.fit(data.features)
    return PatchDecoder(name, linear, field, scaling, typical_speed(data), scale, (), config.network)


def _moved(task: PatchTask, device: str) -> PatchTask:
    import dataclasses

    tensors = {
        entry.name: getattr(task, entry.name).to(device) for entry in dataclasses.fields(task) if entry.name != "device"
    }
    return PatchTask(**tensors, device=device)
