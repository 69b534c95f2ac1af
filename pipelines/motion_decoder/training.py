"""One training loop for every network here: AdamW, cosine schedule, early stopping, resume.

A network may hold several members, trained side by side: each on clips, patches and held-out clips of its own, keeping
the weights that were best on these. Every epoch draws from seeds of its own, so a resumed training repeats what an
uninterrupted one would have done, bit for bit on one CPU with fixed threads.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from brainviz.errors import BrainvizError

from .adamw import AdamW
from .checkpoints import read_tensors
from .determinism import derived_seed

SAVE_EVERY_S = 10.0  # a state of 40 MB per epoch would cost more than the epochs lost by a kill
HELD_OUT_PATCHES = 96
HELD_OUT_CLIPS = 16  # at once


class Task(Protocol):
    """Batches and their loss; knows the arrays, not the schedule."""

    device: str

    @property
    def n_patches(self) -> int:
        """Patches of a clip."""

    def gather(self, rows: Tensor, patches: Tensor, training: bool = False) -> Any:
        """A batch: for each of m members the clips `rows` (m, b), -1 for none, at `patches` (m, b, p)."""

    def errors(self, network: Any, batch: Any) -> tuple[Tensor, Tensor]:
        """Each member's loss summed over the batch (m,), and the number of terms in the sum (m,)."""


@dataclass(frozen=True)
class Schedule:
    """How long and in what steps a network is trained."""

    epochs: int
    batch_clips: int
    patches: int
    learning_rate: float
    weight_decay: float

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_clips, self.patches) < 1 or self.learning_rate <= 0:
            raise BrainvizError(
                "Epochs, clips per step, patches and learning rate must be positive.", "decoder settings"
            )


@dataclass(frozen=True)
class Member:
    """Clips that a member learns from and stops early on (int64 rows), and the seed of what it draws."""

    rows: Tensor
    held_rows: Tensor
    seed: int


@dataclass(frozen=True)
class ProgressFile:
    """Where the state of an unfinished training is kept, and for which inputs it holds."""

    path: Path
    fingerprint: str


@dataclass
class _State:
    """What an interrupted training needs to go on."""

    network: nn.Module
    optimizer: AdamW
    best: dict[str, Tensor]
    best_loss: Tensor
    epoch: int = 0


def train_network(
    network: nn.Module,
    task: Task,
    members: Sequence[Member],
    schedule: Schedule,
    report: Callable[[float, Tensor], None],
    resume: ProgressFile | None = None,
) -> Tensor:
    """Train `network` in place; every member ends with the weights that were best on its held-out clips.

    Parameters
    ----------
    network : with more than one member, all its parameters are stacked along their first axis.
    report : called as report(fraction, held-out loss of each member (m,)) after each epoch; may raise to stop.
    resume : where the state of an unfinished training is kept; None to keep none.

    Returns
    -------
    Best held-out losses, float64 (m,); of a member without held-out clips: infinity, and it ends as it last was.
    """
    optimizer = AdamW(network.parameters(), schedule.weight_decay)
    state = _State(network, optimizer, _copied(network), torch.full((len(members),), torch.inf, dtype=torch.float64))
    if resume is not None:
        _restore(state, resume, task.device)
    held_out = _held_out_batches(task, members)
    saved_at = time.monotonic()
    while state.epoch < schedule.epochs:
        _one_epoch(state, task, members, schedule)
        held = held_out_losses(network, task, held_out, len(members))
        _keep_best(state, held)
        state.epoch += 1
        if resume is not None and time.monotonic() - saved_at > SAVE_EVERY_S:
            _save(state, resume)
            saved_at = time.monotonic()
        report(state.epoch / schedule.epochs, held)
    network.load_state_dict(state.best)
    network.eval()
    if resume is not None:
        _save(state, resume)  # finished: a resumed training passes over it; `train_system` removes it at the end
    return state.best_loss


def _one_epoch(state: _State, task: Task, members: Sequence[Member], schedule: Schedule) -> None:
    """One pass of every member over its clips in random order, each seen at `schedule.patches` random patches."""
    seeds = [derived_seed(member.seed, "epoch", state.epoch) for member in members]
    rows, patches = epoch_draws(members, seeds, schedule, task.n_patches)
    state.network.train()
    with torch.random.fork_rng(devices=[task.device] if task.device != "cpu" else []):
        torch.manual_seed(derived_seed("all members", *seeds))  # mirrors, noise and dropout: the global generator
        for step in range(len(rows)):
            rate = cosine_rate(schedule.learning_rate, (state.epoch + step / len(rows)) / schedule.epochs)
            total, count = task.errors(state.network, task.gather(rows[step], patches[step], training=True))
            (total / count.clamp_min(1)).sum().backward()
            state.optimizer.step(rate)


def epoch_draws(
    members: Sequence[Member], seeds: Sequence[int], schedule: Schedule, n_patches: int
) -> tuple[Tensor, Tensor]:
    """Clips (steps, m, b), -1 for none, and patches (steps, m, b, p) of an epoch.

    All members take as many steps as the one with most clips needs; the others' steps have fewer clips.
    """
    steps = max(1, *(-(-len(member.rows) // schedule.batch_clips) for member in members))
    width = max(-(-len(member.rows) // steps) for member in members)
    rows, patches = [], []
    for member, seed in zip(members, seeds, strict=True):
        draw = torch.Generator().manual_seed(seed)
        order = member.rows[torch.randperm(len(member.rows), generator=draw)]
        # `padded` has `width` columns: the first part of a split is as long as any.
        padded = pad_sequence(list(order.tensor_split(steps)), batch_first=True, padding_value=-1)
        rows.append(nn.functional.pad(padded, (0, width - padded.shape[1]), value=-1))
        patches.append(draw_patches(steps * width, schedule.patches, n_patches, draw).view(steps, width, -1))
    return torch.stack(rows, dim=1), torch.stack(patches, dim=1)


def draw_patches(clips: int, count: int, n_patches: int, generator: torch.Generator) -> Tensor:
    """Patch numbers (clips, count): every clip its own, one from each of `count` equal stretches of the grid."""
    if count >= n_patches:
        return torch.arange(n_patches).repeat(clips, 1)
    start = torch.arange(count) * (n_patches / count)
    return (
        (start + torch.rand(clips, count, generator=generator) * (n_patches / count)).long().clamp_(max=n_patches - 1)
    )


def cosine_rate(peak: float, fraction: float, warm_up: float = 0.05) -> float:
    """Learning rate at `fraction` of the training: linear warm-up, then a half cosine to a hundredth of the peak."""
    if fraction < warm_up:
        return peak * (0.1 + 0.9 * fraction / warm_up)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (fraction - warm_up) / (1 - warm_up))))


def _held_out_batches(task: Task, members: Sequence[Member]) -> list[Any]:
    """Held-out clips of all members, the same patches in every epoch: gathered once."""
    rows = pad_sequence([member.held_rows for member in members], batch_first=True, padding_value=-1)
    patches = []
    for member in members:
        draw = torch.Generator().manual_seed(derived_seed(member.seed, "held out"))
        patches.append(draw_patches(rows.shape[1], HELD_OUT_PATCHES, task.n_patches, draw))
    chosen = torch.stack(patches)
    starts = range(0, rows.shape[1], HELD_OUT_CLIPS)
    return [task.gather(rows[:, a : a + HELD_OUT_CLIPS], chosen[:, a : a + HELD_OUT_CLIPS]) for a in starts]


def held_out_losses(network: nn.Module, task: Task, batches: Sequence[Any], members: int) -> Tensor:
    """Mean loss of each member on its held-out clips, float64 (m,); infinity where it has none."""
    network.eval()
    sums, counts = torch.zeros(2, members, dtype=torch.float64)
    with torch.inference_mode():
        for batch in batches:
            total, count = task.errors(network, batch)
            sums += total.double().cpu()
            counts += count.double().cpu()
    return torch.where(counts > 0, sums / counts.clamp_min(1), torch.inf)


def _keep_best(state: _State, held: Tensor) -> None:
    """Copy the weights of members that have never been better; a member without held-out clips is always copied."""
    better = held <= state.best_loss
    state.best_loss = torch.where(better, held, state.best_loss)
    if better.all():
        state.best = _copied(state.network)
    elif better.any():
        for name, value in state.network.state_dict().items():
            state.best[name][better.to(value.device)] = value[better.to(value.device)]


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _save(state: _State, resume: ProgressFile) -> None:
    from safetensors.torch import save_file

    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()} | {"best_loss": state.best_loss}
    tensors |= {f"adam.{name}": value for name, value in state.optimizer.state.items()}
    facts = {"epoch": str(state.epoch), "fingerprint": resume.fingerprint}
    packed = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    resume.path.parent.mkdir(parents=True, exist_ok=True)
    partial = resume.path.with_name(f".{resume.path.name}.part")
    save_file(packed, partial, metadata=facts)  # not through bytes in memory: they would double the state
    partial.replace(resume.path)


def _restore(state: _State, resume: ProgressFile, device: str) -> None:
    """Go on where the file stops; a file of other inputs or settings, or a damaged one, is dropped: start afresh."""
    facts = _metadata(resume.path)
    if facts is None or facts.get("fingerprint") != resume.fingerprint:
        resume.path.unlink(missing_ok=True)
        return
    tensors = {name: torch.from_numpy(value).to(device) for name, value in read_tensors(resume.path).items()}
    state.network.load_state_dict(_under("network.", tensors))
    state.best, state.best_loss = _under("best.", tensors), tensors["best_loss"].cpu()
    state.optimizer.restore(_under("adam.", tensors))
    state.epoch = int(facts["epoch"])


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
