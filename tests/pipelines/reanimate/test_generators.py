"""Backends around Stable Video Diffusion, with tiny random models saved to disk in the true format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, Cancelled, NotReady
from pipelines.reanimate.backend import Backend
from pipelines.reanimate.dragnuwa.backend import DragNuwaBackend
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.motionpro import MotionProBackend, displacement_map
from pipelines.reanimate.request import ReanimationRequest
from pipelines.reanimate.stable_video import StableVideoBackend, render_seeds

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype=np.uint8)
SMALL = {"width": 128, "height": 64, "n_frames": 3, "steps": 2}
NETWORK = {
    "sample_size": 8,
    "down_block_types": ("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    "up_block_types": ("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    "block_out_channels": (32, 32),
    "num_attention_heads": (2, 2),
    "cross_attention_dim": 32,
    "layers_per_block": 1,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
}


def quiet(*_):
    pass


def moving(x: float = 3.0) -> MotionField:
    return MotionField.from_steps(np.broadcast_to(np.float32([x, 0]), (3, 32, 32, 2)), np.array([20, 20, 19]) / 30)


@pytest.fixture(scope="module")
def svd(tmp_path_factory) -> Path:
    """A stock pipeline's folder, random weights."""
    prepare_torchvision()
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    sides = {"hidden_size": 32, "intermediate_size": 37, "projection_dim": 32, "image_size": 224, "patch_size": 32}
    autoencoder = AutoencoderKLTemporalDecoder(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        layers_per_block=1,
        sample_size=64,
        force_upcast=True,
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        sigma_max=700.0,
        sigma_min=0.002,
        timestep_spacing="leading",
        timestep_type="continuous",
        use_karras_sigmas=True,
        steps_offset=1,
    )
    pipeline = StableVideoDiffusionPipeline(
        vae=autoencoder,
        image_encoder=CLIPVisionModelWithProjection(
            CLIPVisionConfig(num_hidden_layers=1, num_attention_heads=4, **sides)
        ),
        unet=UNetSpatioTemporalConditionModel(num_frames=3, **NETWORK),
        scheduler=scheduler,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}),
    )
    folder = tmp_path_factory.mktemp("svd")
    pipeline.save_pretrained(folder, safe_serialization=True)
    index = folder / "model_index.json"
    listed = json.loads(index.read_text())
    listed["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    index.write_text(json.dumps(listed))
    return folder


@pytest.fixture(scope="module")
def unets(tmp_path_factory) -> dict[int, Path]:
    """Folders of steered U-Nets by motion channels."""
    from pipelines.reanimate.dragnuwa.network import FlowUNet

    folders = {}
    for channels in (2, 3):
        torch.manual_seed(channels)
        folders[channels] = tmp_path_factory.mktemp(f"unet{channels}")
        FlowUNet(num_frames=3, flow_channels=channels, **NETWORK).save_pretrained(folders[channels])
    return folders


@pytest.fixture(scope="module")
def dragnuwa(svd, unets) -> DragNuwaBackend:
    return DragNuwaBackend(unets[2], svd)


def test_steered_film(dragnuwa):
    told = []
    request = ReanimationRequest(PICTURE, moving(), 1, SMALL)
    clip = dragnuwa.render(request, lambda share, text: told.append((share, text)))
    assert clip.frames.shape == (3, 64, 64, 3)
    assert clip.fps == pytest.approx(2 / (59 / 30))
    assert told == [(0.5, "step 1 of 2"), (1.0, "step 2 of 2")]
    assert clip.provenance["backend"] == "dragnuwa" and clip.provenance["setting.steps"] == 2
    assert np.array_equal(dragnuwa.render(request, quiet).frames, clip.frames)


def test_motion_and_seed_change_the_film(dragnuwa):
    films = [
        dragnuwa.render(ReanimationRequest(PICTURE, motion, seed, SMALL), quiet).frames
        for motion, seed in ((moving(), 1), (moving(-3.0), 1), (moving(), 2))
    ]
    assert not np.array_equal(films[0], films[1]) and not np.array_equal(films[0], films[2])


def test_cancel_leaves_it_usable(dragnuwa):
    request = ReanimationRequest(PICTURE, moving(), 1, SMALL)

    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        dragnuwa.render(request, stop)
    assert dragnuwa.render(request, quiet).frames.shape == (3, 64, 64, 3)


def test_steered_refuses(dragnuwa):
    with pytest.raises(BrainvizError, match="has none"):
        dragnuwa.render(ReanimationRequest(PICTURE, None, 0, SMALL), quiet)
    with pytest.raises(BrainvizError, match="no option speed"):
        dragnuwa.render(ReanimationRequest(PICTURE, moving(), 0, {"speed": 1}), quiet)


def test_motionpro_film_and_bucket(svd, unets):
    backend = MotionProBackend(unets[3], svd)
    clip = backend.render(ReanimationRequest(PICTURE, moving(1.0), 1, SMALL), quiet)
    assert clip.frames.shape == (3, 64, 64, 3)
    # About 3 and 6 film pixels, visible ones only: their mean is about 4.4.
    assert clip.provenance["motion_bucket_id"] in (4, 5)


def test_displacement_map():
    made = displacement_map(moving(1.0), np.array([20 / 30, 40 / 30]), Framing.fit(32, 32, 64, 64))
    assert made.shape == (3, 3, 64, 64)
    assert not made[0, :2].any() and (made[0, 2] == 1).all()
    np.testing.assert_allclose(made[:, :, 30, 10], [[0, 0, 1], [2, 0, 1], [4, 0, 1]], atol=1e-4)


def test_svd_seeds_do_not_depend_on_each_other(svd):
    backend = StableVideoBackend(svd)
    options = {"size": 64, "n_frames": 4, "steps": 1, "decode_chunk": 2}
    request, told = ReanimationRequest(PICTURE, None, 0, options), []
    both = list(render_seeds(backend, request, [3, 8], lambda share, _: told.append(share)))
    alone = backend.render(ReanimationRequest(PICTURE, moving(), 8, options), quiet)
    assert np.array_equal(both[1].frames, alone.frames) and not np.array_equal(both[0].frames, both[1].frames)
    assert both[0].fps == 7 and [clip.provenance["seed"] for clip in both] == [3, 8]
    assert alone.provenance["motion"] == "none" and told == [0.5, 1.0]


def test_missing_says_what_to_do(svd, unets, tmp_path):
    assert DragNuwaBackend(unets[2], svd).missing() == ""
    nothing = tmp_path / "nothing"
    assert "weights svd" in DragNuwaBackend(unets[2], nothing).missing()
    assert "weights dragnuwa" in DragNuwaBackend(nothing, svd).missing()
    assert "another network" in MotionProBackend(unets[2], svd).missing()
    assert "weights svd" in StableVideoBackend(nothing).missing()
    with pytest.raises(NotReady, match="cannot run"):
        DragNuwaBackend(nothing, svd).render(ReanimationRequest(PICTURE, moving(), 0, SMALL), quiet)
    with pytest.raises(NotReady):
        StableVideoBackend(nothing).render(ReanimationRequest(PICTURE), quiet)


def test_all_state_what_they_are(svd, unets):
    from pipelines.reanimate.warp import WarpBackend

    backends: list[Backend] = [
        WarpBackend(),
        DragNuwaBackend(unets[2], svd),
        MotionProBackend(unets[3], svd),
        StableVideoBackend(svd),
    ]
    assert [backend.id for backend in backends] == ["warp", "dragnuwa", "motionpro", "svd"]
    for backend in backends:
        assert backend.title and backend.licence and backend.memory_gb > 0
        assert bool(backend.weights) == (backend.size_gb > 0)
    assert backends[0].deterministic and backends[0].missing() == ""
