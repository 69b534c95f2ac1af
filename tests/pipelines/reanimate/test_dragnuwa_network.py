"""The steered U-Net against the original program's numbers (random weights, small widths)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dragnuwa_arrays import FOUR_LEVELS, LORA, arrays, tensors

from brainviz.errors import BrainvizError, DataProblem
from pipelines.reanimate.dragnuwa.checkpoint import convert, convert_file, fold_lora
from pipelines.reanimate.dragnuwa.network import FlowUNet

TOLERANCE = 1e-4  # as the golden folder's README says


class Given(torch.nn.Module):
    """Stands in for the sinusoids where the golden input is embedded already."""

    def __init__(self, embedded: torch.Tensor) -> None:
        super().__init__()
        self.embedded = embedded

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.embedded


def network_of(golden, name, config):
    network = FlowUNet(**config).eval()
    state, report = convert(tensors(golden, name), network)
    assert report.complete and not report.elsewhere, str(report)
    network.load_state_dict(state, strict=True)
    return network, report


@pytest.fixture(scope="module")
def four_levels(golden):
    return network_of(golden, "unet_4level", FOUR_LEVELS)[0], arrays(golden, "unet_4level")


@pytest.fixture(scope="module")
def with_lora(golden):
    return network_of(golden, "unet_lora", LORA), arrays(golden, "unet_lora")


def by_film(values: np.ndarray, frames: int = 3) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).unflatten(0, (-1, frames))


def predict(network: FlowUNet, held: dict, sample, timesteps, context, vector, flow) -> torch.Tensor:
    network.add_time_proj = Given(by_film(held[vector])[:, 0])
    with torch.no_grad():
        return network(sample, timesteps, by_film(held[context])[:, 0], torch.zeros(len(sample), 3), flow=flow).sample


@pytest.mark.parametrize(("name", "share"), [("out/eps", 1.0), ("out/eps_zero_flow", 0.0)])
def test_four_levels(four_levels, name, share):
    network, held = four_levels
    flow = torch.from_numpy(held["in/flow"].astype(np.float32)) * share
    times = by_film(held["in/timesteps"])[:, 0]
    got = predict(network, held, by_film(held["in/x"]), times, "in/context", "in/y", flow)
    worst = float((got - by_film(held[name])).abs().max())
    print(f"{name}: {worst:.2e}")
    assert worst < TOLERANCE


def test_motion_steers(four_levels):
    _, held = four_levels
    assert np.abs(held["out/eps"] - held["out/eps_zero_flow"]).max() > 100 * TOLERANCE


def test_flow_features_of_every_level(four_levels):
    network, held = four_levels
    with torch.no_grad():
        features = network.flow_encoder(torch.from_numpy(held["in/flow"].astype(np.float32)))
    expected = [held["mid/flow_feat_0_last_frame"], *(held[f"mid/flow_feat_{k}"] for k in (1, 2, 3))]
    got = [features[0][0, -1], *(level[0] for level in features[1:])]
    for level, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
        worst = float((ours - torch.from_numpy(theirs.astype(np.float32))).abs().max())
        print(f"level {level}: {worst:.2e} of {np.abs(theirs).max():.2f}")
        assert worst < TOLERANCE


def test_time_and_condition_embedding(four_levels):
    network, held = four_levels
    times = torch.from_numpy(held["in/timesteps"])
    with torch.no_grad():
        got = network.time_embedding(network.time_proj(times))
        got = got + network.add_embedding(torch.from_numpy(held["in/y"]))
    worst = float((got - torch.from_numpy(held["mid/emb"])).abs().max())
    print(f"mid/emb: {worst:.2e}")
    assert worst < TOLERANCE


@pytest.mark.parametrize("name", ["out/raw", "out/denoised"])
def test_network_with_lora(with_lora, name):
    (network, _), held = with_lora
    sigma = by_film(held["in/sigma"])[:, 0].view(-1, 1, 1, 1, 1)
    noisy, image = by_film(held["in/x"]), by_film(held["in/concat"])
    scale = 1.0 if name == "out/raw" else (1 + sigma**2) ** -0.5
    sample, flow = torch.cat([noisy * scale, image], dim=2), torch.from_numpy(held["in/flow"])
    got = predict(network, held, sample, 0.25 * sigma.flatten().log(), "in/crossattn", "in/vector", flow)
    if name == "out/denoised":
        got = noisy / (sigma**2 + 1) - got * sigma / (sigma**2 + 1) ** 0.5
    worst = float((got - by_film(held[name])).abs().max())
    print(f"{name}: {worst:.2e}")
    assert worst < TOLERANCE


def test_every_linear_layer_carries_a_low_rank_change(with_lora, golden):
    (network, report), _ = with_lora
    flow_free = [name for name, part in network.named_modules() if isinstance(part, torch.nn.Linear)]
    assert report.folded == len(flow_free) == sum(".lora_up." in key for key in tensors(golden, "unet_lora"))


def test_folding_adds_up_times_down():
    up, down, weight = torch.randn(4, 2), torch.randn(2, 3), torch.randn(4, 3)
    held = {"a.linear.weight": weight, "a.linear.bias": torch.ones(4), "b.weight": torch.ones(2)}
    held |= {"a.lora_up.weight": up, "a.lora_down.weight": down, "c.lora_up.weight": up}
    plain, folded = fold_lora(held, scale=0.5)
    assert folded == 1 and set(plain) == {"a.weight", "a.bias", "b.weight", "c.lora_up.weight"}
    torch.testing.assert_close(plain["a.weight"], weight + 0.5 * up @ down)


def test_report_names_what_is_missing_unexpected_and_elsewhere(golden):
    held = tensors(golden, "unet_lora")
    lost = "model.diffusion_model.input_blocks.1.0.flow_beta_spatial.bias"
    del held[lost]
    held["model.diffusion_model.out.2.bias"] = torch.zeros(5)
    held |= {"model.diffusion_model.surprise.weight": torch.zeros(1), "first_stage_model.a": torch.zeros(1)}
    with torch.device("meta"):
        _, report = convert(held, FlowUNet(**LORA))
    down = "down_blocks.0.resnets.0.spatial_res_block.conv1.modulation.beta_spatial.bias"
    assert set(report.missing) == {down, "conv_out.bias"}
    assert report.unexpected == ("out.2.bias of shape (5,) instead of (4,)", "surprise.weight")
    assert report.elsewhere == ("first_stage_model.a",) and not report.complete


def test_file_to_folder_and_back(golden, tmp_path, with_lora):
    (network, _), _ = with_lora
    file, folder = tmp_path / "drag.pth", tmp_path / "unet"
    torch.save(tensors(golden, "unet_lora"), file)
    assert convert_file(file, folder, LORA).complete
    again = FlowUNet.from_pretrained(folder, low_cpu_mem_usage=False)
    assert (folder / "diffusion_pytorch_model.safetensors").is_file()
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert again.mid_block.resnets[0].spatial_res_block.norm1.eps == 1e-5
    with pytest.raises(DataProblem, match="does not fit"):
        convert_file(file, folder, FOUR_LEVELS)


def test_foreign_objects_are_never_unpickled(tmp_path):
    class Surprise:
        def __reduce__(self):
            return print, ("unpickled",)

    torch.save({"a": Surprise()}, tmp_path / "bad.pth")
    with pytest.raises(DataProblem):
        convert_file(tmp_path / "bad.pth", tmp_path / "unet", LORA)


def test_published_size():
    from diffusers import UNetSpatioTemporalConditionModel

    with torch.device("meta"):
        network = FlowUNet().to("meta")  # diffusers makes its mix factors on the CPU all the same
        stock = UNetSpatioTemporalConditionModel(num_attention_heads=(5, 10, 20, 20), num_frames=14)
        features = network.flow_encoder(torch.zeros(1, 14, 2, 320, 576))
        latents, context = torch.zeros(2, 14, 8, 40, 72), torch.zeros(2, 1, 1024)
        ids, flow = torch.zeros(2, 3), torch.zeros(1, 14, 2, 320, 576)
        made = network(latents, torch.zeros(2), context, ids, flow=flow).sample
    mine, theirs = network.state_dict(), stock.state_dict()
    assert len(theirs) == 1428 and len(mine) == 1428 + 120
    assert all(mine[name].shape == value.shape for name, value in theirs.items())
    sizes = [(320, 40, 72), (640, 20, 36), (1280, 10, 18), (1280, 5, 9)]
    assert [tuple(level.shape[2:]) for level in features] == sizes
    assert made.shape == (2, 14, 4, 40, 72)
    assert sum(isinstance(part, torch.nn.Linear) for part in network.modules()) == 464


def test_a_motion_map_is_demanded(with_lora):
    (network, _), _ = with_lora
    sample, context = torch.zeros(1, 3, 8, 6, 10), torch.zeros(1, 1, 24)
    with pytest.raises(BrainvizError, match="without a motion map"):
        network(sample, torch.zeros(1), context, torch.zeros(1, 3))
    with network.steered(torch.zeros(1, 3, 2, 40, 80)), pytest.raises(BrainvizError, match="does not fit"):
        network(sample, torch.zeros(1), context, torch.zeros(1, 3))
