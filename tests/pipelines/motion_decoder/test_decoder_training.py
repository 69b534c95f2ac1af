"""The training loop: members side by side, early stopping, draws, resume."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from brainviz.errors import Cancelled
from pipelines.motion_decoder import DecoderConfig, DecoderData
from pipelines.motion_decoder.adamw import AdamW
from pipelines.motion_decoder.brain import ensemble, prepare
from pipelines.motion_decoder.network import PatchEnsemble
from pipelines.motion_decoder.patches import PatchTask
from pipelines.motion_decoder.training import (
    Member,
    ProgressFile,
    Schedule,
    draw_patches,
    epoch_draws,
    held_out_losses,
    train_network,
)

SCHEDULE = Schedule(6, 24, 32, 3e-3, 1e-2)


@pytest.fixture(scope="module")
def task(world: DecoderData, quick: DecoderConfig) -> PatchTask:
    decoder, readings = prepare("brain", world, quick)
    return decoder.task(readings, world)


@pytest.fixture(scope="module")
def members(world: DecoderData, quick: DecoderConfig) -> list[Member]:
    return ensemble(world, quick)


def _train(
    task: PatchTask, members: list[Member], resume: ProgressFile | None = None, stop_after: int | None = None,
    dropout: float = 0.3,
) -> tuple[dict[str, Tensor], Tensor, list[Tensor]]:  # fmt: skip
    network = PatchEnsemble(len(members), task.parts[0], 6, width=16, dropout=dropout)
    network.start([member.seed for member in members])
    epochs: list[Tensor] = []

    def report(fraction: float, loss: Tensor) -> None:
        epochs.append(loss)
        if stop_after is not None and len(epochs) == stop_after:
            raise Cancelled

    best = train_network(network, task, members, SCHEDULE, report, resume)
    return dict(network.state_dict()), best, epochs


def test_members_side_by_side_are_what_each_is_alone(task: PatchTask, members: list[Member]) -> None:
    """Without noise, dropout and mirrors, which are drawn for all at once."""

    class Quiet(PatchTask):
        def gather(self, rows: Tensor, patches: Tensor, training: bool = False):  # type: ignore[no-untyped-def]
            return super().gather(rows, patches, training=False)

    quiet = Quiet(task.packed, task.parts, task.mean, task.clip, task.place)
    together, best, _ = _train(quiet, members, dropout=0.0)
    for number, member in enumerate(members):
        alone, loss, _ = _train(quiet, [member], dropout=0.0)
        assert loss[0].item() == pytest.approx(best[number].item(), rel=1e-3)
        for name, value in alone.items():
            torch.testing.assert_close(value[0], together[name][number], rtol=2e-2, atol=2e-3)


def test_each_member_ends_where_its_held_out_clips_were_predicted_best(task: PatchTask, members: list[Member]) -> None:
    weights, best, epochs = _train(task, members)
    torch.testing.assert_close(best, torch.stack(epochs).min(0).values)
    network = PatchEnsemble(len(members), task.parts[0], 6, width=16)
    network.load_state_dict(weights)
    rows = torch.stack([member.held_rows for member in members])
    everywhere = torch.arange(task.n_patches).repeat(*rows.shape, 1)
    losses = held_out_losses(network, task, [task.gather(rows, everywhere)], len(members))
    torch.testing.assert_close(losses, best)  # 64 patches: all are drawn


def test_adamw_is_that_of_torch() -> None:
    draw = torch.Generator().manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((3, 4), (5,))]
    theirs = [torch.nn.Parameter(value.detach().clone()) for value in ours]
    optimiser, oracle = AdamW(ours, 0.1), torch.optim.AdamW(theirs, weight_decay=0.1)
    for step in range(5):
        oracle.param_groups[0]["lr"] = rate = 0.1 / (1 + step)
        for ours_one, theirs_one in zip(ours, theirs, strict=True):
            ours_one.grad = torch.randn(ours_one.shape, generator=draw)
            theirs_one.grad = ours_one.grad.clone()
        optimiser.step(rate)
        oracle.step()
    torch.testing.assert_close(ours, theirs)


def test_every_clip_is_seen_once_an_epoch() -> None:
    few, many = Member(torch.arange(10, 15), torch.arange(3), 1), Member(torch.arange(50), torch.arange(3), 2)
    rows, patches = epoch_draws([few, many], [1, 2], SCHEDULE, 64)
    assert rows.shape == (3, 2, 17) and patches.shape == (3, 2, 17, 32)
    for number, member in enumerate((few, many)):
        seen = rows[:, number][rows[:, number] >= 0]
        assert torch.equal(seen.sort().values, member.rows) and not torch.equal(seen, member.rows)
    again, _ = epoch_draws([many], [2], SCHEDULE, 64)
    assert torch.equal(again[:, 0], rows[:, 1])
    other, _ = epoch_draws([many], [3], SCHEDULE, 64)
    assert not torch.equal(again, other)


def test_drawn_patches_are_spread_over_the_grid() -> None:
    drawn = draw_patches(50, 16, 64, torch.Generator().manual_seed(0))
    assert ((drawn // 4) == torch.arange(16)).all()
    assert len(drawn.unique()) == 64
    assert draw_patches(2, 100, 64, torch.Generator()).tolist() == [list(range(64))] * 2


def test_a_cancelled_training_goes_on_as_if_it_had_never_stopped(
    task: PatchTask, members: list[Member], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.motion_decoder.training.SAVE_EVERY_S", -1.0)
    whole, best, _ = _train(task, members)
    resume = ProgressFile(tmp_path / "unfinished.safetensors", "these inputs")
    with pytest.raises(Cancelled):
        _train(task, members, resume, stop_after=3)
    assert resume.path.exists()
    resumed, resumed_best, epochs = _train(task, members, resume)
    assert len(epochs) == 3 and torch.equal(best, resumed_best)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    again, _, epochs = _train(task, members, resume)
    assert not epochs and all(torch.equal(whole[name], again[name]) for name in whole)


@pytest.mark.parametrize("fault", ["other inputs", "damaged"])
def test_a_state_that_does_not_fit_is_dropped(
    task: PatchTask, members: list[Member], tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.motion_decoder.training.SAVE_EVERY_S", -1.0)
    resume = ProgressFile(tmp_path / "unfinished.safetensors", "these inputs")
    with pytest.raises(Cancelled):
        _train(task, members, resume, stop_after=2)
    if fault == "damaged":
        resume.path.write_bytes(resume.path.read_bytes()[:100])
    other = resume if fault == "damaged" else ProgressFile(resume.path, "others")
    afresh, plain = _train(task, members, other)[0], _train(task, members)[0]
    assert all(torch.equal(plain[name], afresh[name]) for name in plain)
