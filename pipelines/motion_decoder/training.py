"""One training loop for every network here: AdamW, cosine schedule, early stopping, resume.

Every epoch draws from a seed of its own, so a resumed training repeats what an uninterrupted one would have done,
bit for bit on one CPU with fixed threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from brainviz.errors import BrainvizError

from .checkpoints import read_tensors, write_atomically
from .determinism import derived_seed

SAVE_EVERY_S = 10.0  # a state of 40 MB per epoch would cost more than the epochs lost by a kill
HELD_OUT_PATCHES = 96


class Task(Protocol):
    """Batches and their loss; knows the arrays, not the schedule."""

    device: str

    @property
    def n_patches(self) -> int:
        """Patches of a clip."""

    def loss(self, network: nn.Module, rows: Tensor, patches: Tensor) -> Tensor:
        """Mean loss over the clips `rows` (b,) at their `patches` (b, p)."""


@dataclass(frozen=True)
class Schedule:
    """How long and in what steps a network is trained."""

    epochs: int
    batch_clips: int
    patches: int
    learning_rate: float
    weight_decay: float
    seed: int

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_clips, self.patches) < 1 or self.learning_rate <= 0:
            raise BrainvizError(
                "Epochs, clips per step, patches and learning rate must be positive.", "decoder settings"
            )


@dataclass(frozen=True)
class ProgressFile:
    """Where the state of an unfinished training is kept, and for which inputs it holds."""

    path: Path
    fingerprint: str


@dataclass
class _State:
    """What an interrupted training needs to go on."""

    network: nn.Module
    optimizer: torch.optim.AdamW
    best: dict[str, Tensor]
    best_loss: float = float("inf")
    epoch: int = 0


def train_network(
    network: nn.Module,
    task: Task,
    rows: Tensor,
    held_rows: Tensor,
    schedule: Schedule,
    report: Callable[[float, float], None],
    resume: ProgressFile | None = None,
) -> float:
    """Train `network` in place on clips `rows`; it ends with the weights that were best on `held_rows`.

    `report(fraction, held-out loss)` is called after each epoch and may raise to stop. Returns the best held-out loss
    (of the last epoch's training batches where `held_rows` is empty).
    """
    rate, decay = schedule.learning_rate, schedule.weight_decay
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay, fused=True)
    state = _State(network, optimizer, _copied(network))
    if resume is not None:
        _restore(state, resume, task.device)
    steps = max(1, -(-len(rows) // schedule.batch_clips))
    saved_at = time.monotonic()
    while state.epoch < schedule.epochs:
        trained = _one_epoch(state, task, rows, schedule, steps)
        held = held_out_loss(network, task, held_rows, schedule.seed) if len(held_rows) else trained
        if held < state.best_loss or not len(held_rows):
            state.best, state.best_loss = _copied(network), held
        state.epoch += 1
        if resume is not None and time.monotonic() - saved_at > SAVE_EVERY_S:
            _save(state, resume)
            saved_at = time.monotonic()
        report(state.epoch / schedule.epochs, held)
    network.load_state_dict(state.best)
    network.eval()
    if resume is not None:
        _save(state, resume)  # finished: a resumed ensemble passes over it; `train_system` removes it at the end
    return state.best_loss


def _one_epoch(state: _State, task: Task, rows: Tensor, schedule: Schedule, steps: int) -> float:
    """One pass over the clips in random order, each seen at `schedule.patches` random patches."""
    seed = derived_seed(schedule.seed, "epoch", state.epoch)
    draw = torch.Generator().manual_seed(seed)
    order = rows[torch.randperm(len(rows), generator=draw)]
    count = min(schedule.patches, task.n_patches)
    total = 0.0
    state.network.train()
    with torch.random.fork_rng(devices=[task.device] if task.device != "cpu" else []):
        torch.manual_seed(seed)  # dropout draws from the global generator
        for step, batch in enumerate(order.tensor_split(steps)):
            rate = cosine_rate(schedule.learning_rate, (state.epoch + step / steps) / schedule.epochs)
            for group in state.optimizer.param_groups:
                group["lr"] = rate
            patches = draw_patches(len(batch), count, task.n_patches, draw)
            state.optimizer.zero_grad(set_to_none=True)
            loss = task.loss(state.network, batch.to(task.device), patches.to(task.device))
            loss.backward()
            state.optimizer.step()
            total += loss.item()
    return total / steps


def draw_patches(clips: int, count: int, n_patches: int, generator: torch.Generator) -> Tensor:
    """Patch numbers (clips, count): every clip its own, one from each of `count` equal stretches of the grid."""
    if count >= n_patches:
        return torch.arange(n_patches).expand(clips, n_patches)
    start = torch.arange(count) * (n_patches / count)
    return (
        (start + torch.rand(clips, count, generator=generator) * (n_patches / count)).long().clamp_(max=n_patches - 1)
    )


def cosine_rate(peak: float, fraction: float, warm_up: float = 0.05) -> float:
    """Learning rate at `fraction` of the training: linear warm-up, then a half cosine to a hundredth of the peak."""
    import math

    if fraction < warm_up:
        return peak * (0.1 + 0.9 * fraction / warm_up)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (fraction - warm_up) / (1 - warm_up))))


def held_out_loss(network: nn.Module, task: Task, rows: Tensor, seed: int, batch: int = 64) -> float:
    """Loss on held-out clips, at the same patches in every epoch."""
    draw = torch.Generator().manual_seed(derived_seed(seed, "held out"))
    patches = draw_patches(len(rows), min(HELD_OUT_PATCHES, task.n_patches), task.n_patches, draw)
    network.eval()
    total = 0.0
    with torch.inference_mode():
        for part, chosen in zip(rows.split(batch), patches.split(batch), strict=True):
            total += task.loss(network, part.to(task.device), chosen.to(task.device)).item() * len(part)
    return total / max(len(rows), 1)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _save(state: _State, resume: ProgressFile) -> None:
    from safetensors.torch import save

    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    for number, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    facts = {"epoch": str(state.epoch), "best_loss": repr(state.best_loss), "fingerprint": resume.fingerprint}
    packed = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    resume.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(resume.path, save(packed, metadata=facts))


def _restore(state: _State, resume: ProgressFile, device: str) -> None:
    """Go on where the file stops; a file of other inputs or settings, or a damaged one, is dropped: start afresh."""
    facts = _metadata(resume.path)
    if facts is None or facts.get("fingerprint") != resume.fingerprint:
        resume.path.unlink(missing_ok=True)
        return
    tensors = {name: torch.from_numpy(value).to(device) for name, value in read_tensors(resume.path).items()}
    state.network.load_state_dict(_under("network.", tensors))
    state.best = _under("best.", tensors)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("adam.", tensors).items():
        number, _, kind = name.partition(".")
        moments.setdefault(int(number), {})[kind] = value
    whole = state.optimizer.state_dict()
    state.optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
    state.best_loss, state.epoch = float(facts["best_loss"]), int(facts["epoch"])


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _metadata(path: Path) -> dict[str, str] | None:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stream:
            return dict(stream.metadata() or {})
    except (SafetensorError, OSError):
        return None
