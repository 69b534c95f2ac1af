"""A trained ensemble of patch networks: the systems `brain`, `shuffled` and `image-only` at work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .basis import from_planes, to_planes
from .config import NetworkConfig
from .data import BoldWindows, DecoderData
from .factors import FactorisedEnsemble
from .features import FeatureProjection, Features, blocks
from .motion_ridge import MotionRidge
from .network import PatchEnsemble
from .patches import N_SIZES, PatchTask, Readings, pack, positions

Array = NDArray[np.float32]
PREDICTED_AT_ONCE = 8  # clips; keeps the network's activations in cache


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
    network : all members, on the CPU, in evaluation mode; None before training.
    held_out_error : mean end-point error of the members on the training clips held out from them, grid pixels per step;
        NaN where none were held out.
    """

    name: str
    ridge: MotionRidge | None
    projection: FeatureProjection
    speed: float
    mean_speed: Array
    steps: int
    settings: NetworkConfig
    network: PatchEnsemble | None = None
    held_out_error: float = float("nan")

    def scores(self, bold: BoldWindows | None) -> Array | None:
        """What the fMRI says, float32 (n, m); None without fMRI."""
        return None if self.ridge is None or bold is None else self.ridge.scores(bold)

    def predict(self, bold: BoldWindows | None, features: Features) -> Array:
        """Flow float32 (n, 3, h, w, 2), grid pixels per step: the mean over the ensemble."""
        return self.predict_each([bold], features)[0]

    def predict_each(self, bolds: Sequence[BoldWindows | None], features: Features) -> list[Array]:
        """The same clips seen by several sets of runs: what the first frames say is computed once."""
        return self.predict_each_from_scores([self.scores(bold) for bold in bolds], features)

    def predict_from_scores(self, scores: Array | None, features: Features) -> Array:
        """`predict` from ridge scores (n, m), for whoever changes these (a region left out)."""
        return self.predict_each_from_scores([scores], features)[0]

    def predict_each_from_scores(self, scores: Sequence[Array | None], features: Features) -> list[Array]:
        """`predict_each` from ridge scores (n, m)."""
        n, height, width, _ = features.shape
        network = FactorisedEnsemble(self.new_network() if self.network is None else self.network, height, width)
        flows = [np.empty((n, self.steps, height, width, 2), dtype=np.float32) for _ in scores]
        with torch.inference_mode():
            for rows, block in blocks(features, PREDICTED_AT_ONCE):
                shared = network.from_features(torch.from_numpy(self.projection(block)))
                for flow, told in zip(flows, scores, strict=True):
                    readings = self.readings(None if told is None else told[rows], len(block))
                    planes = network.flow(shared, readings).numpy() * np.float32(self.speed)
                    flow[rows] = from_planes(planes, (height, width))
        return flows

    def readings(self, scores: Array | None, n: int) -> Readings:
        """What n clips' ridge scores (n, m) say of their frames; without scores no flow and the mean speed."""
        if self.ridge is None or scores is None:
            base = torch.zeros(n, 2 * self.steps, self.mean_speed.size)
            return Readings.of(base, torch.from_numpy(self.mean_speed).reshape(1, -1).repeat(n, 1))
        squeezed, speeds = self.ridge.fields(scores)
        base = torch.from_numpy(to_planes(squeezed) / np.float32(self.speed))
        return Readings.of(base, torch.from_numpy(speeds).reshape(n, -1))

    def task(self, scores: Array | None, data: DecoderData) -> PatchTask:
        """The training clips, read with ridge scores (n, m), or None without fMRI."""
        n, height, width, _ = data.features.shape
        k = self.projection.matrix.shape[1]
        parts = (k, N_SIZES, 2 * self.steps, 2 * self.steps, self.steps)
        patches = height * width
        packed = torch.empty(n * patches, sum(parts), dtype=torch.float16)
        mean, clip = torch.empty(n, 2 * self.steps), torch.empty(n, N_SIZES)
        for rows, block in blocks(data.features):
            readings = self.readings(None if scores is None else scores[rows], len(block))
            features = self.projection(block)
            packed[rows.start * patches : rows.stop * patches] = pack(features, readings, data, rows, self.speed)
            mean[rows], clip[rows] = readings.mean, readings.clip
        return PatchTask(packed, parts, mean, clip, positions(height, width), self.settings.feature_noise)

    def new_network(self, members: int | None = None) -> PatchEnsemble:
        """An untrained ensemble; it says what the ridge says."""
        settings, n_features = self.settings, self.projection.matrix.shape[1]
        count = settings.members if members is None else members
        return PatchEnsemble(count, n_features, 2 * self.steps, settings.width, settings.dropout)

    def with_network(self, network: PatchEnsemble, held_out_error: float) -> PatchDecoder:
        """The trained decoder."""
        return dataclasses.replace(self, network=network, held_out_error=held_out_error)

    def tensors(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {
            "features.centre": self.projection.centre,
            "features.matrix": self.projection.matrix,
            "mean_speed": self.mean_speed,
        }
        if self.network is not None:
            found |= {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}
        return found | (self.ridge.tensors() if self.ridge is not None else {})

    def facts(self) -> dict[str, Any]:
        error = self.held_out_error if np.isfinite(self.held_out_error) else None
        settings = dataclasses.asdict(self.settings)
        return {"speed": self.speed, "steps": self.steps, "settings": settings, "held_out_error": error}

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
        prefix = "network."
        network = decoder.new_network()
        network.load_state_dict(
            {k.removeprefix(prefix): torch.from_numpy(v) for k, v in tensors.items() if k.startswith(prefix)}
        )
        error = facts["held_out_error"]
        return decoder.with_network(network.eval(), float("nan") if error is None else float(error))
