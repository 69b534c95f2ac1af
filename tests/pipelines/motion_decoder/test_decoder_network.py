"""The patch networks: gradients, members side by side, factorised prediction, mirrored training, loss."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from pipelines.motion_decoder import DecoderConfig, DecoderData
from pipelines.motion_decoder.basis import to_planes
from pipelines.motion_decoder.brain import prepare
from pipelines.motion_decoder.fused import FlowError, StackedPerceptron
from pipelines.motion_decoder.network import PatchEnsemble
from pipelines.motion_decoder.patch_decoder import PatchDecoder
from pipelines.motion_decoder.patches import PatchTask

SIGNS = torch.tensor([-1.0, 1.0])


@pytest.fixture(scope="module")
def prepared(world: DecoderData, quick: DecoderConfig) -> tuple[PatchDecoder, PatchTask]:
    decoder, readings = prepare("brain", world, quick)
    return decoder, decoder.task(readings, world)


def _random(decoder: PatchDecoder) -> PatchEnsemble:
    """An ensemble that says something."""
    torch.manual_seed(1)
    network = decoder.new_network().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def _everywhere(task: PatchTask, clips: int, members: int) -> tuple[Tensor, Tensor]:
    return torch.arange(clips).repeat(members, 1), torch.arange(task.n_patches).repeat(members, clips, 1)


def _plain_perceptron(x: Tensor, first: Tensor, hidden: Tensor, bias: Tensor, head: Tensor, last: Tensor,
                      kept: Tensor | None) -> Tensor:  # fmt: skip
    low = torch.relu(x @ first) * (1 if kept is None else kept)
    return (torch.relu(low @ hidden + bias) @ head.mT).mT + last


@pytest.mark.parametrize("dropped", [False, True])
def test_perceptron_and_its_gradients_are_those_of_autograd(dropped: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    shapes = ((3, 5, 4), (3, 4, 6), (3, 6, 6), (3, 1, 6), (3, 2, 6), (3, 2, 1))
    x, *parameters = (torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes)
    kept = torch.randint(0, 2, (3, 5, 6), generator=draw) * 2.0 if dropped else None
    results = []
    for function in (StackedPerceptron.apply, _plain_perceptron):
        leaves = [parameter.clone().requires_grad_() for parameter in parameters]
        told = function(x, *leaves, kept)
        (told**2).sum().backward()
        results.append([told, *(leaf.grad for leaf in leaves)])
    for ours, oracle in zip(*results, strict=True):
        torch.testing.assert_close(ours, oracle)


def test_flow_error_and_its_gradient_are_those_of_autograd() -> None:
    draw = torch.Generator().manual_seed(0)
    members, clips, patches = 2, 3, 4
    shapes = ((members, 18, clips * patches), *((members, 6, clips * patches),) * 2, (members, 6, clips))
    told, base, target, mean = (torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes)
    valid = torch.randint(0, 2, (members, 3, clips * patches), generator=draw).double()
    signs = torch.randint(0, 2, (members, 2, clips), generator=draw) * 2.0 - 1
    mirror = signs.repeat_interleave(3, 1).repeat_interleave(patches, 2)
    results = []
    for fused in (True, False):
        leaf = told.clone().requires_grad_()
        if fused:
            error = FlowError.apply(leaf, base, mean, target, valid, signs)
        else:  # everything mirrored, as the network would see a mirrored film
            here, everywhere, change = leaf.chunk(3, 1)
            flow = mirror * base * (1 + here) + mirror * mean.repeat_interleave(patches, 2) * everywhere + change
            vectors = (flow - mirror * target).unflatten(1, (2, 3))
            error = ((vectors.square().sum(1) + 1e-6).sqrt() * valid).sum((1, 2))
        (error * torch.tensor([1.0, 2.0])).sum().backward()
        results.append((error, leaf.grad))
    torch.testing.assert_close(results[0], results[1])


def test_an_untrained_network_says_what_the_ridge_says(
    prepared: tuple[PatchDecoder, PatchTask], world: DecoderData
) -> None:
    decoder, _ = prepared
    scores = decoder.scores(world.bold)
    assert decoder.ridge is not None and scores is not None
    expected = decoder.ridge.fields(scores)[0]
    np.testing.assert_allclose(decoder.predict(world.bold, world.features), expected, rtol=1e-4, atol=1e-4)


def test_factorised_prediction_is_the_mean_of_the_members_on_whole_inputs(
    prepared: tuple[PatchDecoder, PatchTask], world: DecoderData, quick: DecoderConfig
) -> None:
    decoder, task = prepared
    _, held_scores = prepare("brain", world, quick)
    network, members = _random(decoder), quick.network.members
    batch = task.gather(*_everywhere(task, 8, members))
    here, everywhere, change = network(batch.inputs).unflatten(2, (8, -1)).chunk(3, 1)
    flow = (batch.base.unflatten(2, (8, -1)) * (1 + here) + batch.mean[..., None] * everywhere + change).mean(0)
    expected = flow.transpose(0, 1).detach().numpy() * decoder.speed
    trained, few = decoder.with_network(network, 0.5), world.features[:8]
    assert held_scores is not None
    predicted = trained.predict_from_scores(held_scores[:8], few)
    np.testing.assert_allclose(to_planes(predicted), expected, rtol=0.02, atol=0.02)  # inputs in half precision
    twice = trained.predict_each_from_scores([held_scores[8:16], held_scores[:8]], few)
    np.testing.assert_array_equal(twice[1], predicted)


def test_loss_is_the_mean_end_point_error_of_valid_vectors(
    prepared: tuple[PatchDecoder, PatchTask], world: DecoderData, quick: DecoderConfig
) -> None:
    decoder, task = prepared
    _, held_scores = prepare("brain", world, quick)
    total, count = task.errors(decoder.new_network().eval(), task.gather(*_everywhere(task, 160, 2)))
    assert decoder.ridge is not None and held_scores is not None
    error = np.linalg.norm(decoder.ridge.fields(held_scores)[0] - world.flow, axis=-1)[world.valid].mean()
    assert (total / count * decoder.speed).tolist() == pytest.approx([error, error], rel=1e-3)
    assert count.tolist() == [world.valid.sum()] * 2


def test_a_row_that_is_no_clip_adds_nothing(prepared: tuple[PatchDecoder, PatchTask]) -> None:
    decoder, task = prepared
    network = _random(decoder)
    rows, patches = _everywhere(task, 4, 2)
    rows[1, 2:] = -1
    total, count = task.errors(network, task.gather(rows, patches))
    fewer, fewer_count = task.errors(network, task.gather(rows[:, :2], patches[:, :2]))
    torch.testing.assert_close((total[1], count[1]), (fewer[1], fewer_count[1]))
    assert count[0] > fewer_count[0]


def test_mirroring_mirrors_all_that_has_a_direction(prepared: tuple[PatchDecoder, PatchTask]) -> None:
    """A mirrored clip at a patch = the clip that really is mirrored, at the mirrored patch."""
    decoder, task = prepared
    network = _random(decoder)
    flipped = torch.arange(64).reshape(8, 8).flip(1).reshape(-1)
    signs = SIGNS.repeat_interleave(3)
    own = sum(task.parts[:2])
    packed = task.packed.view(160, 64, -1)[:, flipped].clone()
    packed[..., own : own + 12] *= signs.repeat(2).half()
    really = dataclasses.replace(task, packed=packed.flatten(0, 1), mean=task.mean * signs)
    rows, patches = _everywhere(task, 5, 2)
    batch = task.gather(rows, flipped.repeat(2, 5, 1))
    place = task.place[1, flipped].repeat(2, 5, 1)  # where these patches are in frames mirrored left-right
    batch.inputs[..., own : own + 5] = place
    mirrored = dataclasses.replace(batch, signs=SIGNS[None, :, None].repeat(2, 1, 5))
    torch.testing.assert_close(
        task.errors(network, mirrored), really.errors(network, really.gather(rows, patches)), rtol=1e-4, atol=1e-4
    )


def test_training_batches_are_mirrored_by_half_and_blurred(prepared: tuple[PatchDecoder, PatchTask]) -> None:
    _, task = prepared
    torch.manual_seed(0)
    rows, patches = _everywhere(task, 160, 2)
    plain, drawn = task.gather(rows, patches), task.gather(rows, patches, training=True)
    assert (drawn.signs.mean((0, 2)).abs() < 0.2).all() and (plain.signs == 1).all()
    noise = drawn.inputs[..., : task.parts[0]] - plain.inputs[..., : task.parts[0]]
    assert noise.std().item() == pytest.approx(task.noise, rel=0.02)
    places = drawn.inputs[..., sum(task.parts[:2]) :][..., :2].view(2, 160, 64, 2)
    expected = plain.inputs[..., sum(task.parts[:2]) :][..., :2].view(2, 160, 64, 2) * drawn.signs.mT[:, :, None]
    torch.testing.assert_close(places, expected)
    torch.testing.assert_close(drawn.inputs[..., -5:], plain.inputs[..., -5:])
