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

from .config import DecoderConfig, ReferenceConfig
from .data import BoldWindows, DecoderData, fold_splits
from .determinism import checked_device, derived_seed
from .features import Features, FeatureScaling, blocks, scaled_features
from .progress import Progress, data_fingerprint
from .training import Member, ProgressFile, Schedule, train_network

Array = NDArray[np.float32]
INVALID = -1  # in place of a word


class ResidualBlock(nn.Module):
    """x + W2 relu(W1 dropout(relu(x))), on the last axis (a 1x1 convolution over patches)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = self.dropout(torch.relu(hidden))
        return hidden + self.second(torch.relu(self.first(inner)))


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
        # The merging layer over [vector, features], with the vector's share computed once per clip.
        vector = self.fmri(window)
        of_vector, of_features = self.merge.weight.split((vector.shape[1], features.shape[2]), dim=1)
        share = nn.functional.linear(vector, of_vector, self.merge.bias)
        hidden = self.blocks(nn.functional.linear(features, of_features) + share[:, None])
        logits: Tensor = self.head(torch.relu(hidden)).unflatten(-1, (self.steps, self.words))
        return logits


@dataclass(frozen=True)
class ReferenceBatch:
    """windows (b, window * vertices), features (b, p, channels), words int64 (b, p, steps)."""

    windows: Tensor
    features: Tensor
    words: Tensor


@dataclass
class ReferenceTask:
    """Training clips on one device; one member.

    Attributes
    ----------
    windows : Windows of the clips.
    features : float16 (n * patches, channels), scaled.
    words : int16 (n * patches, steps), `INVALID` where flow is invalid.
    n_patches : of a clip.
    """

    windows: Windows
    features: Tensor
    words: Tensor
    n_patches: int
    device: str = "cpu"

    def gather(self, rows: Tensor, patches: Tensor, training: bool = False) -> ReferenceBatch:
        """Clips `rows` (1, b) at `patches` (1, b, p); nothing is drawn in training."""
        known = rows[0] >= 0
        kept, chosen = rows[0][known], patches[0][known]
        at = (kept[:, None] * self.n_patches + chosen).to(self.device)
        features = self.features.index_select(0, at.view(-1)).view(*at.shape, -1)
        words = self.words.index_select(0, at.view(-1)).view(*at.shape, -1)
        return ReferenceBatch(self.windows.gather(kept.to(self.device)), features.float(), words.long())

    def errors(self, network: ReferenceNetwork, batch: ReferenceBatch) -> tuple[Tensor, Tensor]:
        """Cross-entropy summed over valid vectors, nats (1,), and their number (1,)."""
        with torch.autocast(self.device.split(":")[0], dtype=torch.bfloat16, enabled=self.device != "cpu"):
            logits = network(batch.windows, batch.features)
        goal = batch.words.flatten()
        total = nn.functional.cross_entropy(logits.float().flatten(0, -2), goal, ignore_index=INVALID, reduction="sum")
        return total[None], (goal != INVALID).sum()[None]


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

    def predict(self, bold: BoldWindows, features: Features) -> Array:
        """Flow float32 (n, 3, h, w, 2), grid pixels per step: the expected word."""
        n, height, width, _ = features.shape
        flow = np.empty((n, self.steps, height, width, 2), dtype=np.float32)
        windows, words = Windows.of(bold), torch.from_numpy(self.codebook.words)
        with torch.inference_mode():
            for rows, block in blocks(features):
                scaled = torch.from_numpy(self.scaling(block))
                logits = self.network(windows.gather(torch.arange(rows.start, rows.stop)), scaled)
                expected = (logits.softmax(-1) @ words).unflatten(1, (height, width))
                flow[rows] = expected.permute(0, 3, 1, 2, 4).numpy()
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


@dataclass(frozen=True)
class Windows:
    """fMRI windows on one device.

    Attributes
    ----------
    volumes : float32 (n_volumes, vertices); index : int64 (n, window) into it, -1 for a missing volume.
    """

    volumes: Tensor
    index: Tensor

    @classmethod
    def of(cls, bold: BoldWindows) -> Windows:
        """The recording itself, not a copy."""
        return cls(torch.from_numpy(np.ascontiguousarray(bold.volumes)), torch.from_numpy(bold.index))

    def gather(self, rows: Tensor) -> Tensor:
        """float32 (b, window * vertices), zeros where a volume is missing."""
        index = self.index[rows]
        windows = self.volumes[index.clamp_min(0)]
        windows[index < 0] = 0
        return windows.flatten(1)

    def to(self, device: str) -> Windows:
        """The same windows on another device."""
        return Windows(self.volumes.to(device), self.index.to(device))


def make_task(data: DecoderData, scaling: FeatureScaling, codebook: Codebook, folder: Path | None) -> ReferenceTask:
    """Training clips as tensors on the CPU."""
    patches = data.features.shape[1] * data.features.shape[2]
    features = torch.from_numpy(scaled_features(data.features, scaling, folder)).flatten(0, 1)
    return ReferenceTask(Windows.of(data.bold), features, word_targets(data, codebook), patches)


def word_targets(data: DecoderData, codebook: Codebook) -> Tensor:
    """int16 (n * patches, steps): the nearest word, `INVALID` where flow is invalid."""
    words = codebook.assign(np.where(data.valid[..., None], data.flow, 0)).astype(np.int16)
    words[~data.valid] = INVALID
    steps = words.shape[1]
    return torch.from_numpy(np.ascontiguousarray(words.transpose(0, 2, 3, 1)).reshape(-1, steps))


def train_reference(
    data: DecoderData, config: DecoderConfig, checkpoint_dir: Path | None, progress: Progress
) -> ReferenceDecoder:
    """Train on all folds but one, stop early on that one."""
    settings = config.reference
    progress(0.0, "codebook")
    codebook = fit_codebook(data.flow[data.valid], k=settings.words, seed=config.seed)
    scaling = FeatureScaling.fit(data.features)
    device = checked_device(config.device)
    task = _moved(make_task(data, scaling, codebook, checkpoint_dir), device)
    seed = derived_seed(config.seed, "reference")
    steps, n_inputs = data.flow.shape[1], data.bold.n_window * data.bold.n_vertices
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ReferenceNetwork(n_inputs, data.features.shape[-1], steps, settings).to(device)
    rows, held_rows = fold_splits(data, config.max_folds)[-1]
    schedule = Schedule(
        settings.epochs, settings.batch_clips, settings.patches, settings.learning_rate, settings.weight_decay
    )
    resume = None
    if checkpoint_dir is not None:
        fingerprint = data_fingerprint("brain-reference", data, config)
        resume = ProgressFile(checkpoint_dir / "unfinished.safetensors", fingerprint)
    train_network(
        network,
        task,
        [Member(torch.from_numpy(rows), torch.from_numpy(held_rows), seed)],
        schedule,
        lambda fraction, loss: progress(0.05 + 0.95 * fraction, f"held-out loss {loss.item():.3f} nats"),
        resume,
    )
    return ReferenceDecoder(network.to("cpu"), codebook, scaling, settings, n_inputs, steps)


def _moved(task: ReferenceTask, device: str) -> ReferenceTask:
    windows, features, words = task.windows.to(device), task.features.to(device), task.words.to(device)
    return ReferenceTask(windows, features, words, task.n_patches, device)
