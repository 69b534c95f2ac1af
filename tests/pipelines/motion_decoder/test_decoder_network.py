"""The patch network: factorised first layer, mirrored training, loss, resume."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from brainviz.errors import Cancelled
from pipelines.motion_decoder import DecoderConfig, DecoderData
from pipelines.motion_decoder.brain import held_fold, prepare
from pipelines.motion_decoder.network import PatchNetwork
from pipelines.motion_decoder.patch_decoder import PatchDecoder
from pipelines.motion_decoder.patches import FeatureProjection, PatchTask
from pipelines.motion_decoder.training import ProgressFile, Schedule, draw_patches, train_network


@pytest.fixture(scope="module")
def prepared(world: DecoderData, quick: DecoderConfig) -> tuple[PatchDecoder, PatchTask]:
    decoder, readings = prepare("brain", world, quick)
    return decoder, decoder.task(readings, world.features, world)


def test_factorised_first_layer_is_one_layer_over_the_concatenation() -> None:
    torch.manual_seed(0)
    network = PatchNetwork(5, 4, 3, 6, width=8, dropout=0.0, noise=0.0).eval()
    torch.nn.init.normal_(network.head.weight)
    features, local, clip = torch.randn(2, 7, 5), torch.randn(2, 7, 4), torch.randn(2, 3)
    base, mean = torch.randn(2, 7, 6), torch.randn(2, 6)
    weight = torch.cat([network.from_features.weight, network.from_local.weight, network.from_clip.weight], 1)
    broadcast = torch.cat([features, local, clip[:, None].expand(-1, 7, -1)], -1)
    first = torch.relu(broadcast @ weight.T + network.from_features.bias)
    here, everywhere, change = network.head(torch.relu(network.hidden(first))).chunk(3, -1)
    expected = base * (1 + here) + mean[:, None] * everywhere + change
    torch.testing.assert_close(network(features, local, clip, base, mean), expected)


def test_an_untrained_network_says_what_the_ridge_says(prepared: tuple[PatchDecoder, PatchTask]) -> None:
    decoder, task = prepared
    rows, patches = torch.arange(4), torch.arange(64).expand(4, -1)
    torch.testing.assert_close(task.apply(decoder.new_network().eval(), rows, patches), task.base[:4])


def test_loss_is_the_mean_end_point_error_of_valid_vectors(prepared: tuple[PatchDecoder, PatchTask]) -> None:
    decoder, task = prepared
    patches = torch.arange(64).expand(160, -1)
    loss = task.loss(decoder.new_network().eval(), torch.arange(160), patches)
    error = (task.base - task.flow).unflatten(-1, (3, 2)).norm(dim=-1)
    assert loss.item() == pytest.approx(error[task.valid].mean().item(), rel=1e-3)


def test_mirroring_mirrors_all_that_has_a_direction(prepared: tuple[PatchDecoder, PatchTask]) -> None:
    """A mirrored clip at a patch = the clip that really is mirrored, at the mirrored patch."""
    decoder, task = prepared
    torch.manual_seed(1)
    network = decoder.new_network().eval()
    torch.nn.init.normal_(network.head.weight)
    flipped = torch.arange(64).reshape(8, 8).flip(1).reshape(-1)
    signs = torch.tensor([-1.0, 1.0]).repeat(3)
    really = dataclasses.replace(
        task,
        features=task.features[:, flipped],
        base=task.base[:, flipped] * signs,
        mean=task.mean * signs,
        sizes=task.sizes[:, flipped],
    )
    rows, patches = torch.arange(5), torch.arange(64).expand(5, -1)
    mirrored = task.apply(network, rows, flipped.expand(5, -1), torch.tensor([-1.0, 1.0]).expand(5, 1, 2))
    torch.testing.assert_close(mirrored, really.apply(network, rows, patches), rtol=1e-4, atol=1e-5)


def test_projected_features_are_white(world: DecoderData) -> None:
    projected = FeatureProjection.fit(world.features, 4)(world.features).astype(np.float64).reshape(-1, 4)
    np.testing.assert_allclose(np.cov(projected.T), np.eye(4), atol=0.1)


def test_drawn_patches_are_spread_over_the_grid() -> None:
    drawn = draw_patches(50, 16, 64, torch.Generator().manual_seed(0))
    assert ((drawn // 4) == torch.arange(16)).all()
    assert len(drawn.unique()) == 64
    assert draw_patches(2, 100, 64, torch.Generator()).tolist() == [list(range(64))] * 2


def _train(
    prepared: tuple[PatchDecoder, PatchTask], data: DecoderData, quick: DecoderConfig, resume: ProgressFile | None,
    stop_after: int | None = None,
) -> dict[str, torch.Tensor]:  # fmt: skip
    _, task = prepared
    torch.manual_seed(0)
    network = PatchNetwork(4, 9, 4, 6, width=16, dropout=0.3, noise=1.0)
    rows, held = (torch.from_numpy(part) for part in held_fold(data, 0, quick))
    epochs = []

    def report(fraction: float, loss: float) -> None:
        epochs.append(loss)
        if stop_after is not None and len(epochs) == stop_after:
            raise Cancelled

    train_network(network, task, rows, held, Schedule(6, 24, 32, 3e-3, 1e-2, seed=5), report, resume)
    return network.state_dict()


def test_a_cancelled_training_goes_on_as_if_it_had_never_stopped(
    prepared: tuple[PatchDecoder, PatchTask], world: DecoderData, quick: DecoderConfig, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("pipelines.motion_decoder.training.SAVE_EVERY_S", -1.0)
    whole = _train(prepared, world, quick, None)
    resume = ProgressFile(tmp_path / "unfinished.safetensors", "these inputs")
    with pytest.raises(Cancelled):
        _train(prepared, world, quick, resume, stop_after=3)
    assert resume.path.exists()
    resumed = _train(prepared, world, quick, resume)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    again = _train(prepared, world, quick, resume, stop_after=1)  # finished: no epoch is left to stop at
    assert all(torch.equal(whole[name], again[name]) for name in whole)


@pytest.mark.parametrize("fault", ["other inputs", "damaged"])
def test_a_state_that_does_not_fit_is_dropped(
    prepared: tuple[PatchDecoder, PatchTask], world: DecoderData, quick: DecoderConfig, tmp_path: Path, fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("pipelines.motion_decoder.training.SAVE_EVERY_S", -1.0)
    resume = ProgressFile(tmp_path / "unfinished.safetensors", "these inputs")
    with pytest.raises(Cancelled):
        _train(prepared, world, quick, resume, stop_after=2)
    if fault == "damaged":
        resume.path.write_bytes(resume.path.read_bytes()[:100])
    other = resume if fault == "damaged" else ProgressFile(resume.path, "others")
    assert all(
        torch.equal(value, _train(prepared, world, quick, other)[name])
        for name, value in _train(prepared, world, quick, None).items()
    )
