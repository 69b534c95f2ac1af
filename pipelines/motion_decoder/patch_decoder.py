"""A trained ensemble of patch networks: the systems `brain`, `shuffled` and `image-only` at work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .basis import from_patches, to_patches
from .config import NetworkConfig
from .data import BoldWindows, DecoderData
from .motion_ridge import MotionRidge
from .network import PatchNetwork
from .patches import N_CLIP, N_LOCAL, FeatureProjection, PatchTask, flow_targets, lengths, positions

Array = NDArray[np.float32]
PREDICTED_AT_ONCE = 16  # clips; keeps the network's activations in cache


@dataclass(frozen=True)
class PatchDecoder:
    """An ensemble and what its inputs are made of.

    Attributes
    ----------
    name : 'brain', 'shuffled' or 'image-only'.
    ridge : what is read linearly from the fMRI; None for 'image-only'.
    projection : of the first-frame features.
    speed : unit of the networks' flow, grid pixels per step; mean_speed : float32 (h, w), mean log speed in training.
    steps : flow fields per clip.
    settings : of the networks.
    networks : PatchNetwork, on the CPU, in evaluation mode.
    """

    name: str
    ridge: MotionRidge | None
    projection: FeatureProjection
    speed: float
    mean_speed: Array
    steps: int
    settings: NetworkConfig
    networks: tuple[PatchNetwork, ...] = ()

    def scores(self, bold: BoldWindows | None) -> Array | None:
        """What the fMRI says, float32 (n, m); None without fMRI."""
        return None if self.ridge is None or bold is None else self.ridge.scores(bold)

    def predict(self, bold: BoldWindows | None, features: NDArray[np.float16]) -> Array:
        """Flow float32 (n, 3, h, w, 2), grid pixels per step: the mean over the ensemble."""
        return self.predict_from_scores(self.scores(bold), features)

    def predict_from_scores(self, scores: Array | None, features: NDArray[np.float16]) -> Array:
        """The same from ridge scores (n, m), for whoever changes these (a region left out)."""
        n, height, width, _ = features.shape
        flow = np.empty((n, self.steps, height, width, 2), dtype=np.float32)
        everywhere = torch.arange(height * width)
        with torch.inference_mode():
            for start in range(0, n, PREDICTED_AT_ONCE):
                rows = slice(start, start + PREDICTED_AT_ONCE)
                task = self.task(None if scores is None else scores[rows], features[rows])
                clips = torch.arange(len(task.base))
                patches = everywhere.expand(len(clips), -1)
                total = torch.stack([task.apply(network, clips, patches) for network in self.networks]).mean(0)
                flow[rows] = from_patches(total.numpy() * np.float32(self.speed), (height, width))
        return flow

    def task(self, scores: Array | None, features: NDArray[np.float16], data: DecoderData | None = None) -> PatchTask:
        """Inputs of clips with ridge scores (n, m) or None; with targets where `data` is given."""
        n, height, width, _ = features.shape
        if self.ridge is None or scores is None:
            base = np.zeros((n, height * width, 2 * self.steps), dtype=np.float32)
            speeds = np.repeat(self.mean_speed[None], n, axis=0)
        else:
            squeezed, speeds = self.ridge.fields(scores)
            base = to_patches(squeezed) / np.float32(self.speed)
        flow, valid = flow_targets(data, self.speed) if data is not None else (torch.empty(0), torch.empty(0))
        vectors, mean = torch.from_numpy(base), torch.from_numpy(base.mean(axis=1))
        told = torch.from_numpy(np.ascontiguousarray(speeds).reshape(n, height * width, 1))
        return PatchTask(
            features=torch.from_numpy(self.projection(features)),
            base=vectors,
            mean=mean,
            sizes=torch.cat([lengths(vectors), told], dim=-1),
            clip=torch.cat([lengths(mean), told.mean(dim=1)], dim=-1),
            place=torch.from_numpy(positions(height, width)),
            flow=flow,
            valid=valid,
        )

    def new_network(self) -> PatchNetwork:
        """An untrained member of the ensemble."""
        width, dropout, noise = self.settings.width, self.settings.dropout, self.settings.feature_noise
        n_features = self.projection.matrix.shape[1]
        return PatchNetwork(n_features, N_LOCAL, N_CLIP, 2 * self.steps, width, dropout, noise)

    def with_networks(self, networks: Sequence[PatchNetwork]) -> PatchDecoder:
        """The trained decoder."""
        return dataclasses.replace(self, networks=tuple(networks))

    def tensors(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {
            "features.centre": self.projection.centre,
            "features.matrix": self.projection.matrix,
            "mean_speed": self.mean_speed,
        }
        for number, network in enumerate(self.networks):
            found |= {f"network{number}.{name}": value.numpy() for name, value in network.state_dict().items()}
        return found | (self.ridge.tensors() if self.ridge is not None else {})

    def facts(self) -> dict[str, Any]:
        settings = dataclasses.asdict(self.settings)
        return {"speed": self.speed, "steps": self.steps, "settings": settings, "members": len(self.networks)}

    @classmethod
    def restore(cls, name: str, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> PatchDecoder:
        """Inverse of `tensors` and `facts`."""
        decoder = cls(
            name,
            MotionRidge.restore(tensors) if "ridge.weights" in tensors else None,
            FeatureProjection(tensors["features.centre"], tensors["features.matrix"]),
            float(facts["speed"]),
            tensors["mean_speed"],
            int(facts["steps"]),
            NetworkConfig(**facts["settings"]),
        )
        networks = []
        for number in range(int(facts["members"])):
            prefix = f"network{number}."
            state = {k.removeprefix(prefix): torch.from_numpy(v) for k, v in tensors.items() if k.startswith(prefix)}
            network = decoder.new_network()
            network.load_state_dict(state)
            networks.append(network.eval())
        return decoder.with_networks(networks)
