"""The inflated U-Net, DDIM inversion and guided sampling against the original program's numbers."""

from __future__ import annotations

import pytest
import torch
from mind_animator_arrays import assert_close, tensors, under

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem, NotReady
from pipelines.mind_animator.generator import DiffusionGenerator
from pipelines.mind_animator.inflation import VideoUNet, released_bias
from pipelines.mind_animator.sampling import Sampling, add_noise, invert, make_scheduler, sample

TINY = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "cross_attention_dim": 12,
    "attention_head_dim": 4,
}


def network(weights=None, bias=None):
    prepare_torchvision()
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(**TINY).eval()
    if weights is not None:
        unet.load_state_dict(weights)
    return VideoUNet(unet, bias).eval()


@pytest.fixture(scope="module")
def held(golden):
    return tensors(golden, "inflated_unet_tiny")


@torch.no_grad()
def test_inflated_network(held):
    stock, bias = released_bias(under("w/", held))
    given = held["sample"], held["timestep"], held["context"]
    assert_close(network(stock, bias)(*given), held["out"])
    assert_close(network(stock)(*given), held["out_zero_temporal_bias"])


@torch.no_grad()
def test_attention_to_the_first_and_previous_frame(held):
    stock, bias = released_bias(under("w/", held))
    inflated = network(stock, bias)
    inflated.frames.count = 4
    block = inflated.network.down_blocks[0].attentions[0].transformer_blocks[0]
    assert_close(block.attn1(held["scattn_in"]), held["scattn_out"])
    constant = bias["down_blocks.0.attentions.0.transformer_blocks.0"]
    assert_close(constant.expand_as(held["temporal_out"]), held["temporal_out"])


@torch.no_grad()
def test_a_frame_does_not_see_later_ones_through_attention(held):
    inflated = network()
    inflated.frames.count = 4
    attention = inflated.network.down_blocks[0].attentions[0].transformer_blocks[0].attn1
    x = torch.randn(4, 64, 16)
    changed = x.clone()
    changed[2] += 1
    moved = (attention(changed) - attention(x)).abs().amax((1, 2)) > 1e-6
    assert moved.tolist() == [False, False, True, True]


def test_a_trained_temporal_attention_is_refused(held):
    weights = {name: value.clone() for name, value in under("w/", held).items()}
    next(value for name, value in weights.items() if name.endswith("attn_temp.to_out.0.weight"))[0, 0] = 1
    with pytest.raises(DataProblem):
        released_bias(weights)


def analytic(x, t, c):
    t = float(t)
    return (
        0.6 * x * (0.2 + 0.8 * t / 1000)
        + 0.1 * torch.sin(3 * x + 6.28 * t / 1000)
        + 0.05 * c.mean((1, 2)).view(-1, 1, 1, 1, 1)
    )


def test_inversion_noise_and_guided_sampling(golden):
    held, scheduler = tensors(golden, "ddim_inversion"), make_scheduler()
    unconditional, context = held["context"][:1], held["context"][1:]
    assert_close(scheduler.alphas_cumprod, held["alphas_cumprod"], 1e-6)
    reached = invert(analytic, held["latent"], context, scheduler)
    assert (scheduler.timesteps == held["timesteps"]).all()
    assert_close(torch.stack(reached), held["inverted_all"])
    noisy = add_noise(held["inverted"], held["noise"], scheduler, 200)
    assert_close(noisy, held["noisy_t200"])
    assert_close(sample(analytic, noisy, context, unconditional, scheduler), held["sampled_cfg12p5"])


class FlatVae:
    """Stands in for the VAE: three of the four channels, enlarged eight times."""

    class config:
        scaling_factor = 0.18215

    def decode(self, latent):
        class Made:
            sample = torch.nn.functional.interpolate(latent[:, :3], scale_factor=8)

        return Made


def test_films_do_not_depend_on_the_other_films():
    torch.manual_seed(0)
    empty = torch.randn(1, 20, 12)
    generator = DiffusionGenerator(network(), FlatVae(), empty[:, :1], empty, Sampling(steps=2))
    latents, conditions = torch.randn(2, 3, 4, 8, 8), torch.randn(2, 19, 12)
    films = generator.films(latents, conditions, seed=5)
    assert films.shape == (2, 3, 64, 64, 3) and films.dtype == "uint8"
    alone = generator.films(latents[1:], conditions[1:], seed=6)
    assert (alone[0] == films[1]).all() and (films[0] != films[1]).any()


def test_without_weights_it_says_what_is_missing(tmp_path):
    (tmp_path / "unet").mkdir()
    with pytest.raises(NotReady, match="vae, tokenizer, text_encoder"):
        DiffusionGenerator.load(tmp_path)
