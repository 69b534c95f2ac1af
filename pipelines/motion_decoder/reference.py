"""The system `brain-reference`: the decoder in the form of Yeung et al. (CVPR 2025, arXiv 2406.02659).

MLP on the fMRI window -> one vector -> broadcast over the grid -> concatenated with the first frame's features -> 3
residual 1x1-convolution blocks with dropout -> 40 logits per patch and step; cross-entropy on the flow codebook; the
decoded flow is the probability-weighted sum of the words. Widths, optimiser and the early stopping are ours: the paper
states none. Each step trains on patches drawn from the grid rather than on all (an unbiased estimate of the same loss).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainviz.flow.codebook import Codebook, fit_codebook

from .basis import from_patches
from .config import DecoderConfig, ReferenceConfig
from .data import BoldWindows, DecoderData, segment_folds
from .determinism import checked_device, derived_seed
from .network import ResidualBlock
from .patches import FeatureScaling
from .progress import Progress, data_fingerprint
from .training import ProgressFile, Schedule, train_network

Array = NDArray[np.float32]
PREDICTED_AT_ONCE = 16


class ReferenceNetwork(nn.Module):
    """Logits (b, p, steps, words) from windows (b, window * vertices) and features (b, p, channels)."""

    def __init__(self, n_inputs: int, n_features: int, steps: int, settings: ReferenceConfig) -> None:
        super().__init__()
        self.steps, self.words = steps, settings.words
        self.fmri = nn.Sequential(
            nn.Linear(n_inputs, settings.hidden),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, settings.hidden),
        )
        self.merge = nn.Linear(settings.hidden + n_features, settings.width)
        self.blocks = nn.Sequential(*(ResidualBlock(settings.width, settings.dropout) for _ in range(settings.blocks)))
        self.head = nn.Linear(settings.width, steps * settings.words)

    def forward(self, window: Tensor, features: Tensor) -> Tensor:
        vector = self.fmri(window)[:, None].expand(-1, features.shape[1], -1)
        hidden = self.blocks(self.merge(torch.cat([vector, features], dim=-1)))
        logits: Tensor = self.head(torch.relu(hidden)).unflatten(-1, (self.steps, self.words))
        return logits


@dataclass
class ReferenceTask:
    """Clips on one device.

    Attributes
    ----------
    volumes : float32 (n_volumes + 1, vertices), the last one zero; index : int64 (n, window) into it.
    features : float16 (n, patches, channels), with their centre and scale.
    words : int64 (n, patches, steps), -100 where flow is invalid.
    """

    volumes: Tensor
    index: Tensor
    features: Tensor
    centre: Tensor
    scale: Tensor
    words: Tensor
    device: str = "cpu"

    @property
    def n_patches(self) -> int:
        return int(self.features.shape[1])

    def logits(self, network: nn.Module, rows: Tensor, patches: Tensor) -> Tensor:
        """(b, p, steps, words) for clips `rows` (b,) at `patches` (b, p)."""
        features = (self.features[rows[:, None], patches].float() - self.centre) / self.scale
        with torch.autocast(self.device.split(":")[0], dtype=torch.bfloat16, enabled=self.device != "cpu"):
            logits: Tensor = network(self.volumes[self.index[rows]].flatten(1), features)
        return logits.float()

    def loss(self, network: nn.Module, rows: Tensor, patches: Tensor) -> Tensor:
        """Mean cross-entropy over valid vectors, nats."""
        goal = self.words[rows[:, None], patches]
        logits = self.logits(network, rows, patches).flatten(0, -2)
        total = nn.functional.cross_entropy(logits, goal.reshape(-1), ignore_index=-100, reduction="sum")
        return total / (goal >= 0).sum().clamp_min(1)


@dataclass(frozen=True)
class ReferenceDecoder:
    """A trained `brain-reference`.

    Attributes
    ----------
    network : on the CPU, in evaluation mode; codebook : of training flow; scaling : of the features.
    n_inputs : window * vertices; steps : flow fields per clip.
    """

    network: ReferenceNetwork
    codebook: Codebook
    scaling: FeatureScaling
    settings: ReferenceConfig
    n_inputs: int
    steps: int
    name: str = "brain-reference"

    def predict(self, bold: BoldWindows, features: NDArray[np.float16]) -> Array:
        """Flow float32 (n, 3, h, w, 2), grid pixels per step: the expected word."""
        n, height, width, _ = features.shape
        flow = np.empty((n, self.steps, height, width, 2), dtype=np.float32)
        everywhere = torch.arange(height * width)
        with torch.inference_mode():
            for start in range(0, n, PREDICTED_AT_ONCE):
                rows = slice(start, start + PREDICTED_AT_ONCE)
                part = make_task(bold.select(rows), features[rows], self.scaling)
                clips = torch.arange(len(part.index))
                logits = part.logits(self.network, clips, everywhere.expand(len(clips), -1))
                expected = self.codebook.expected(logits.softmax(-1).numpy())
                flow[rows] = from_patches(expected.reshape(len(clips), height * width, -1), (height, width))
        return flow

    def tensors(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {
            "codebook": self.codebook.words,
            "features.centre": self.scaling.centre,
            "features.scale": self.scaling.scale,
        }
        return found | {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}

    def facts(self) -> dict[str, Any]:
        return {"settings": dataclasses.asdict(self.settings), "n_inputs": self.n_inputs, "steps": self.steps}

    @classmethod
    def restore(cls, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> ReferenceDecoder:
        settings = ReferenceConfig(**facts["settings"])
        scaling = FeatureScaling(tensors["features.centre"], tensors["features.scale"])
        n_inputs, steps = int(facts["n_inputs"]), int(facts["steps"])
        network = ReferenceNetwork(n_inputs, len(scaling.centre), steps, settings)
        prefix = "network."
        network.load_state_dict(
            {k.removeprefix(prefix): torch.from_numpy(v) for k, v in tensors.items() if k.startswith(prefix)}
        )
        return cls(network.eval(), Codebook(tensors["codebook"]), scaling, settings, n_inputs, steps)


def make_task(
    bold: BoldWindows, features: NDArray[np.float16], scaling: FeatureScaling, words: Tensor | None = None
) -> ReferenceTask:
    """Arrays as tensors; only the volumes that some window needs are kept."""
    needed, position = np.unique(np.maximum(bold.index, 0), return_inverse=True)
    volumes = np.zeros((len(needed) + 1, bold.n_vertices), dtype=np.float32)
    volumes[:-1] = bold.volumes[needed]
    index = np.where(bold.index < 0, len(needed), position.reshape(bold.index.shape))
    flat = np.ascontiguousarray(features).reshape(len(features), -1, features.shape[-1])
    return ReferenceTask(
        torch.from_numpy(volumes),
        torch.from_numpy(index),
        torch.from_numpy(flat),
        torch.from_numpy(scaling.centre),
        torch.from_numpy(scaling.scale),
        torch.empty(0) if words is None else words,
    )


def word_targets(data: DecoderData, codebook: Codebook) -> Tensor:
    """int64 (n, patches, steps): the nearest word, -100 where flow is invalid."""
    words = np.where(data.valid, codebook.assign(np.where(data.valid[..., None], data.flow, 0)).astype(np.int64), -100)
    n, steps, height, width = words.shape
    return torch.from_numpy(np.ascontiguousarray(words.transpose(0, 2, 3, 1)).reshape(n, height * width, steps))


def train_reference(
    data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> ReferenceDecoder:
    """Train on all folds but one, stop early on that one."""
    settings = config.reference
    progress(0.0, "codebook")
    codebook = fit_codebook(data.flow[data.valid], k=settings.words, seed=config.seed)
    scaling = FeatureScaling.fit(data.features)
    device = checked_device(config.device)
    task = make_task(data.bold, data.features, scaling, word_targets(data, codebook))
    task = _moved(task, device)
    seed = derived_seed(config.seed, "reference")
    steps, n_inputs = data.flow.shape[1], data.bold.n_window * data.bold.n_vertices
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ReferenceNetwork(n_inputs, data.features.shape[-1], steps, settings).to(device)
    fold = segment_folds(data.segment, config.max_folds)
    usable, held = data.valid.any(axis=(1, 2, 3)) & (fold >= 0), fold.max()
    schedule = Schedule(
        settings.epochs, settings.batch_clips, settings.patches, settings.learning_rate, settings.weight_decay, seed
    )
    resume = None
    if checkpoint_dir is not None:
        fingerprint = data_fingerprint("brain-reference", data, config)
        resume = ProgressFile(checkpoint_dir / "unfinished.safetensors", fingerprint)
    train_network(
        network,
        task,
        torch.from_numpy(np.flatnonzero(usable & (fold != held))),
        torch.from_numpy(np.flatnonzero(usable & (fold == held))),
        schedule,
        lambda fraction, loss: progress(0.05 + 0.95 * fraction, f"held-out loss {loss:.3f} nats"),
        resume,
    )
    return ReferenceDecoder(network.to("cpu"), codebook, scaling, settings, n_inputs, steps)


def _moved(task: ReferenceTask, device: str) -> ReferenceTask:
    tensors = {entry.name: getattr(task, entry.name).to(device) for entry in dataclasses.fields(task)[:-1]}
    return ReferenceTask(**tensors, device=device)
