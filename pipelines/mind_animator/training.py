"""Training of one part: Adam, early stopping on held-out training segments, resume, cancel."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.mind_animator.checkpoints import load_state, save_state
from pipelines.mind_animator.config import MindAnimatorConfig
from pipelines.mind_animator.data import AugmentedWindows, FmriInput, TrainingClips, shaped
from pipelines.mind_animator.forms import Form, form_of
from pipelines.mind_animator.networks import Sizes, batch_loss, build_network, held_out_loss
from pipelines.mind_animator.schedules import decayed, exponential_rate, noam_rate
from pipelines.mind_animator.trained import TrainedPart
from pipelines.mind_animator.warm_start import begin_with_ridge
from pipelines.motion_decoder.adamw import AdamW
from pipelines.motion_decoder.determinism import checked_device, derived_seed, fixed_threads
from pipelines.motion_decoder.progress import Progress, silent

SAVE_EVERY_S = 20.0
BETAS, EPS = (0.9, 0.98), 1e-9
"""Of Adam, for the motion decoder."""


def train(
    part: str,
    data: TrainingClips,
    form: str,
    config: MindAnimatorConfig,
    work: Path | None = None,
    progress: Progress = silent,
) -> TrainedPart:
    """Train one part of one subject.

    Parameters
    ----------
    part : `semantic`, `structure` or `motion`.
    data : training clips only. One fold of whole segments is held out; training stops early on it and it is not
        learnt from.
    form : a name of `forms`.
    work : where an unfinished training is kept; a second call with the same inputs goes on from there, bit for bit.
    progress : called with a fraction and a message after each epoch; may raise to cancel.

    Raises
    ------
    BrainvizError
        Unknown part or form, or a device that is not here.
    """
    checked_device(config.device)
    with fixed_threads(config.threads), torch.random.fork_rng(devices=[]):
        return _Training(part, data, form_of(form), config, work).run(progress)


@dataclass
class _State:
    """What an interrupted training needs to go on."""

    network: nn.Module
    optimizer: AdamW
    best: dict[str, Tensor]
    best_loss: float = float("inf")
    best_epoch: int = -1
    epoch: int = 0
    step: int = 0


class _Training:
    def __init__(
        self, part: str, data: TrainingClips, form: Form, config: MindAnimatorConfig, work: Path | None
    ) -> None:
        self.part, self.data, self.form, self.config = part, data, form, config
        self.settings = config.part(part)
        self.seed = derived_seed("mind-animator", part, config.seed)
        self.rows, self.held = data.split()
        self.fmri = FmriInput.fit(data.bold.select(self.rows), config.rank, data.reliability)
        _, tokens, token_width = data.condition.shape
        frames, channels, side, other = data.latents.shape[1:]
        self.sizes = Sizes(
            self.fmri.channels,
            data.bold.n_window,
            data.text.shape[1],
            (tokens, token_width),
            (frames, channels, side, other),
        )
        self.keeps = work / f"{part}.{form.name}.training.safetensors" if work is not None else None
        self.l1 = decayed(self.settings.l1, self.settings.l1_rate, self.settings.epochs)

    def run(self, progress: Progress) -> TrainedPart:
        torch.manual_seed(self.seed)
        network = build_network(self.part, self.sizes, self.form, self.config).to(self.config.device)
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1 and not name.startswith("transport."):
                nn.init.xavier_uniform_(parameter)
        if self.part == "semantic" and self.config.ridge_start:
            shown = shaped(self.fmri.windows(self.data.bold), self.part, self.form)
            begin_with_ridge(network, shown[self.rows], self.data.text[self.rows])
        state = _State(network, self._optimizer(network), copy.deepcopy(network.state_dict()))
        print_ = self._fingerprint()
        if self.keeps is not None:
            load_state(self.keeps, print_, state)
        zeroed = AugmentedWindows(self.fmri, self.data.bold, self.settings.zeroed, self.form, self.seed)
        held = self._batch(self.fmri.windows(self.data.bold), self.held)
        saved_at = time.monotonic()
        while state.epoch < self.settings.epochs and state.epoch - state.best_epoch <= self.settings.patience:
            self._epoch(state, zeroed.of_epoch(state.epoch))
            self._judge(state, held)
            state.epoch += 1
            if self.keeps is not None and time.monotonic() - saved_at > SAVE_EVERY_S:
                save_state(self.keeps, print_, state)
                saved_at = time.monotonic()
            progress(state.epoch / self.settings.epochs, f"{self.part}: held-out loss {state.best_loss:.4f}")
        network.load_state_dict(state.best)
        if self.keeps is not None:
            self.keeps.unlink(missing_ok=True)
        facts = {"held_out_loss": state.best_loss, "best_epoch": state.best_epoch, "epochs": state.epoch}
        return TrainedPart(self.part, self.form, self.config, self.sizes, self.fmri, network.eval(), facts)

    def _optimizer(self, network: nn.Module) -> AdamW:
        more: dict[str, Any] = {"betas": BETAS, "epsilon": EPS} if self.part == "motion" else {}
        return AdamW(network.parameters(), self.settings.weight_decay, **more)

    def _epoch(self, state: _State, windows: NDArray[np.float32]) -> None:
        seed = derived_seed("epoch", self.seed, state.epoch)
        order = np.random.default_rng(seed).permutation(self.rows)
        draws = random.Random(seed)
        torch.manual_seed(seed)  # dropout
        state.network.train()
        for start in range(0, len(order), self.settings.batch):
            state.step += 1
            batch = self._batch(windows, order[start : start + self.settings.batch])
            if len(batch["fmri"]) < 2:
                continue
            loss = batch_loss(self.part, state.network, batch, self.config.keep, self.l1[state.epoch], draws)
            loss.backward()
            state.optimizer.step(self._rate(state))

    def _rate(self, state: _State) -> float:
        if self.part == "motion":
            return noam_rate(state.step, self.sizes.latent_size, self.config.warmup, self.settings.learning_rate)
        return exponential_rate(self.settings.learning_rate, state.epoch)

    def _judge(self, state: _State, held: dict[str, Tensor]) -> None:
        """Keep the weights that were best on the held-out segments."""
        state.network.eval()
        loss = float(held_out_loss(self.part, state.network, held))
        if loss < state.best_loss:
            state.best_loss, state.best_epoch = loss, state.epoch
            state.best = copy.deepcopy(state.network.state_dict())

    def _batch(self, windows: NDArray[np.float32], rows: NDArray[np.intp]) -> dict[str, Tensor]:
        arrays = {
            "fmri": shaped(windows[rows], self.part, self.form),
            "text": self.data.text[rows],
            "image": self.data.image[rows],
            "condition": self.data.condition[rows],
            "latents": self.data.latents[rows],
        }
        return {name: torch.from_numpy(np.ascontiguousarray(v)).to(self.config.device) for name, v in arrays.items()}

    def _fingerprint(self) -> str:
        """Of inputs and settings; of the large arrays every 997th value enters."""
        described = [self.part, dataclasses.asdict(self.form), self.config.to_mapping()]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        data = self.data
        for array in (data.bold.volumes, data.text, data.image, data.condition, data.latents):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array.reshape(-1)[::997]).tobytes())
        digest.update(data.bold.index.tobytes())
        digest.update("/".join(data.segment.tolist()).encode())
        return digest.hexdigest()
