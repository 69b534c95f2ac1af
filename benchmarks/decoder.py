"""How fast `brain` learns: its training against the plain form, up to the same held-out error.

    python -m benchmarks.decoder

`plain` is the textbook form of the same network: clip-wide inputs broadcast over the grid and concatenated with all
feature channels, all 1,024 patches of every clip at every step, gradients by autograd. `brain` is the product: 16
feature components, patches drawn anew at every step, hand-written gradients. Both train one member of the ensemble,
start from the same fMRI readings and train on the same clips with the same loss, batches and learning rate. (That the
product trains all members side by side speeds it up further; it is not counted here.) `seconds` is the processor time
of training, on one thread, until the held-out error first is as low as the best of `plain`; evaluation and a first warm
step are not counted. Data: simulated arrays of the demo's size.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks._measure import compare, report_run
from pipelines.motion_decoder.brain import ensemble, prepare
from pipelines.motion_decoder.config import DecoderConfig
from pipelines.motion_decoder.data import BoldWindows, DecoderData
from pipelines.motion_decoder.determinism import fixed_threads
from pipelines.motion_decoder.network import N_PLACE, N_SIZES
from pipelines.motion_decoder.patch_decoder import PatchDecoder
from pipelines.motion_decoder.training import Schedule, Task, train_network

SEGMENTS, CLIPS, VERTICES, CHANNELS, GRID = 6, 120, 500, 104, 32
WORK = "720 clips, 1024 patches, 104 channels; train to the plain form's best held-out error, 1 thread"


class PlainNetwork(nn.Module):
    """The patch network with one first layer over the concatenation of everything: flow (b, p, 2 * steps)."""

    def __init__(self, n_features: int, width: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_features + 2 * N_SIZES + N_PLACE, width)
        self.hidden = nn.Linear(width, width)
        self.head = nn.Linear(width, 3 * outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, local: Tensor, clip: Tensor, base: Tensor, mean: Tensor) -> Tensor:
        if self.training:
            features = features + torch.randn_like(features)
        broadcast = clip[:, None].expand(-1, features.shape[1], -1)
        first = self.first(torch.cat([features, local, broadcast], dim=-1))
        here, everywhere, change = self.head(torch.relu(self.hidden(torch.relu(first)))).chunk(3, dim=-1)
        flow: Tensor = base * (1 + here) + mean[:, None] * everywhere + change
        return flow


class PlainTask:
    """All channels of the features, scaled, and the readings and flow of the product's task as separate arrays."""

    device = "cpu"

    def __init__(self, decoder: PatchDecoder, scores: np.ndarray | None, data: DecoderData) -> None:
        task = decoder.task(scores, data)
        n, k = len(data.flow), task.parts[0]
        apart = task.packed[:, k:].float().view(n, task.n_patches, -1)
        self.sizes, self.base, self.target, self.valid = apart.split(task.parts[1:], dim=2)
        self.mean, self.clip, self.place = task.mean, task.clip, task.place
        scaled = np.asarray(data.features[:]).reshape(-1, CHANNELS).astype(np.float32)
        scaled = (scaled - scaled.mean(0)) / scaled.std(0)
        self.features = torch.from_numpy(scaled.astype(np.float16)).view(n, task.n_patches, CHANNELS)

    @property
    def n_patches(self) -> int:
        return int(self.place.shape[1])

    def gather(self, rows: Tensor, patches: Tensor, training: bool = False) -> tuple[Tensor, ...]:
        """Inputs of the network, target and validity of clips (1, b) at patches (1, b, p), mirrored in training."""
        kept = rows[0] >= 0
        clips, chosen = rows[0][kept], patches[0][kept]
        at = (clips[:, None], chosen)
        flips = torch.randint(0, 2, (len(clips), 2)) if training else torch.zeros(len(clips), 2).long()
        signs = (1 - 2.0 * flips).repeat_interleave(self.base.shape[2] // 2, dim=1)
        place = self.place[(flips[:, 0] + 2 * flips[:, 1])[:, None], chosen]
        local = torch.cat([self.sizes[at], place], dim=-1)
        base, target = self.base[at] * signs[:, None], self.target[at] * signs[:, None]
        mean = self.mean[clips] * signs
        return self.features[at].float(), local, self.clip[clips], base, mean, target, self.valid[at]

    def errors(self, network: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """End-point error summed over valid vectors (1,), and their number (1,)."""
        *inputs, target, valid = batch
        x, y = (network(*inputs) - target).chunk(2, dim=-1)
        length = (x * x + y * y + 1e-6).sqrt()
        return (length * valid).sum()[None], valid.sum()[None]


def simulated_data(seed: int = 0) -> DecoderData:
    """Shots of 2 to 8 clips: a camera pan, one moving object, responses to both with noise, features of the objects."""
    draw = np.random.default_rng(seed)
    n = SEGMENTS * CLIPS
    shot = np.cumsum(draw.random(n) < 0.2)
    n_shots = int(shot[-1]) + 1
    pan, own = (draw.gamma(1.0, 1.5, (2, n_shots, 1)) * _directions(draw, n_shots)[None]) * [[[1.0]], [[1.5]]]
    centre, radius = draw.uniform(0, GRID, (n_shots, 2)), draw.uniform(3, 9, n_shots)
    grid = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=-1)
    inside = (np.linalg.norm(grid[None] - centre[:, None, None], axis=-1) < radius[:, None, None])[shot]
    field = np.where(inside[..., None], own[shot][:, None, None], pan[shot][:, None, None]).astype(np.float32)
    flow = np.repeat(field[:, None], 3, axis=1) * draw.uniform(0.7, 1.3, (n, 3, 1, 1, 1)).astype(np.float32)
    motion = np.stack([pan, own])[:, shot]
    speed = np.linalg.norm(motion, axis=-1, keepdims=True)
    told = np.concatenate([*(motion / np.sqrt(1 + speed)), *np.log1p(speed)], axis=1)
    drive = told @ draw.normal(size=(told.shape[1], VERTICES))
    volumes = (drive / drive.std(0) + draw.normal(0, 2.0, drive.shape)).astype(np.float32)
    mixing = draw.normal(size=(9, CHANNELS))
    latent = np.concatenate([inside[..., None], np.broadcast_to(draw.normal(size=(n_shots, 8))[shot][:, None, None],
                                                               (n, GRID, GRID, 8))], axis=-1)  # fmt: skip
    features = (latent @ mixing + 0.3 * draw.normal(size=(n, GRID, GRID, CHANNELS))).astype(np.float16)
    segment = np.repeat([f"seg{i + 1}" for i in range(SEGMENTS)], CLIPS)
    index = np.clip(np.arange(n)[:, None] + np.arange(-3, 2)[None], 0, n - 1)
    return DecoderData(BoldWindows(volumes, index), features, flow, np.ones(flow.shape[:-1], bool), segment)


def _directions(draw: np.random.Generator, n: int) -> np.ndarray:
    angle = draw.uniform(0, 2 * np.pi, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def train(name: str, target: float, epochs: int) -> dict[str, Any]:
    """Seconds of training until the held-out error is at most `target` (or, where that is 0, until its best)."""
    config = DecoderConfig()
    data = simulated_data()
    decoder, scores = prepare("brain", data, config)
    settings, member = config.network, ensemble(data, config)[0]
    torch.manual_seed(0)
    if name == "plain":
        task: Task = PlainTask(decoder, scores, data)
        network: nn.Module = PlainNetwork(CHANNELS, settings.width, 2 * decoder.steps)
        patches = task.n_patches
    else:
        task, patches = decoder.task(scores, data), settings.patches
        product = decoder.new_network(members=1)
        product.start([member.seed])
        network = product
    clock = _Clock()
    schedule = Schedule(epochs, settings.batch_clips, patches, settings.learning_rate, settings.weight_decay)
    few = task.gather(member.rows[None, :4], torch.arange(task.n_patches).repeat(1, 4, 1), training=True)
    task.errors(network, few)[0].sum().backward()
    network.zero_grad()
    clock.start()
    train_network(network, _Timed(task, clock), [member], schedule, lambda fraction, loss: clock.note(loss.item()))
    return clock.result(target)


class _Clock:
    """Training time and held-out error after each epoch."""

    def __init__(self) -> None:
        self.spent, self.started = 0.0, 0.0
        self.history: list[tuple[float, float]] = []

    def start(self) -> None:
        self.started = time.process_time()

    def pause(self) -> None:
        self.spent += time.process_time() - self.started

    def note(self, loss: float) -> None:
        self.pause()
        self.history.append((self.spent, loss))
        self.start()

    def result(self, target: float) -> dict[str, Any]:
        best = min(loss for _, loss in self.history)
        wanted = max(target, best) if target else best
        epoch = next(i for i, (_, loss) in enumerate(self.history) if loss <= wanted)
        return {
            "seconds": self.history[epoch][0],
            "epochs": epoch + 1,
            "held_out": round(self.history[epoch][1], 4),
            "best_held_out": round(best, 4),
            "seconds_per_epoch": round(self.history[-1][0] / len(self.history), 3),
            "reached": bool(not target or best <= target),
        }


class _Timed:
    """The task, with evaluation taken off the clock."""

    def __init__(self, task: Task, clock: _Clock) -> None:
        self.task, self.clock, self.device = task, clock, task.device

    @property
    def n_patches(self) -> int:
        return self.task.n_patches

    def gather(self, rows: Tensor, patches: Tensor, training: bool = False) -> Any:
        return self.task.gather(rows, patches, training)

    def errors(self, network: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
        if network.training:
            return self.task.errors(network, batch)
        self.clock.pause()
        found = self.task.errors(network, batch)
        self.clock.start()
        return found


def main() -> None:
    """Compare, or be one contender's process (`--run`)."""
    parser = argparse.ArgumentParser(description="Training speed of the brain decoder.")
    parser.add_argument("--run", choices=["plain", "brain"])
    parser.add_argument("--target", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.run:
        with fixed_threads(1):
            facts = train(options.run, options.target, epochs=6 if options.run == "plain" else 20)
        report_run(**facts)
        return
    compare(
        "benchmarks.decoder",
        ["plain", "brain"],
        WORK,
        options.rounds,
        lambda name, earlier: ["--target", str(earlier["plain"]["best_held_out"])] if name == "brain" else [],
    )


if __name__ == "__main__":
    main()
