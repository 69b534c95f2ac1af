"""Stable Video Diffusion on a tiny random pipeline saved in the true format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from skimage import data

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, Cancelled, DataProblem, NotReady
from pipelines.flow_labels import make_labeller
from pipelines.motion_decoder.svd import (
    SvdSampler,
    SvdSettings,
    decode_svd,
    film_flow,
    sample_svd_flow,
)
from pipelines.svd_pipeline import svd_available

FRAME = cv2.resize(data.astronaut(), (96, 96), interpolation=cv2.INTER_AREA)
QUICK = SvdSettings(size=64, n_frames=14, steps=2, decode_chunk=14)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prepare_torchvision()
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    unet = diffusers.UNetSpatioTemporalConditionModel(
        sample_size=8,
        in_channels=8,
        out_channels=4,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 32),
        num_attention_heads=2,
        cross_attention_dim=32,
        layers_per_block=1,
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        num_frames=14,
    )
    vae = diffusers.AutoencoderKLTemporalDecoder(
        latent_channels=4,
        sample_size=64,
        block_out_channels=(32,) * 4,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        force_upcast=True,
    )
    clip = transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=37,
            projection_dim=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=224,
            patch_size=32,
        )
    )
    scheduler = diffusers.EulerDiscreteScheduler(  # the scheduler_config.json of stable-video-diffusion-img2vid
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
    path = tmp_path_factory.mktemp("svd") / "tiny"
    diffusers.StableVideoDiffusionPipeline(
        vae=vae,
        image_encoder=clip,
        unet=unet,
        scheduler=scheduler,
        feature_extractor=transformers.CLIPImageProcessor(
            size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}
        ),
    ).save_pretrained(path)
    index = path / "model_index.json"
    listed = json.loads(index.read_text())
    listed["feature_extractor"] = ["transformers", "CLIPImageProcessor"]  # the released folder's name for it
    index.write_text(json.dumps(listed))
    return path


def test_films_are_those_of_the_plain_pipeline(folder: Path) -> None:
    import torch
    from diffusers import StableVideoDiffusionPipeline
    from PIL import Image

    sampler = SvdSampler(folder, settings=QUICK)
    film = sampler.film(FRAME, seed=3)
    pipeline = StableVideoDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    expected = pipeline(
        Image.fromarray(FRAME).resize((64, 64), Image.Resampling.LANCZOS),
        height=64,
        width=64,
        num_frames=14,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(3),
        decode_chunk_size=14,
        output_type="np",
    ).frames[0]
    assert film.shape == (14, 64, 64, 3) and film.dtype == np.uint8
    np.testing.assert_allclose(film, expected * 255, atol=1)
    assert not np.array_equal(film, sampler.film(FRAME, seed=4))


def test_flow_of_each_seed_stands_alone(folder: Path) -> None:
    labeller = make_labeller("dis", size=64)
    two = sample_svd_flow(FRAME, [5, 6], labeller, folder, fps=15, settings=QUICK)
    one = sample_svd_flow(FRAME, [6], labeller, folder, fps=15, settings=QUICK)
    assert two.shape == (2, 3, 32, 32, 2) and two.dtype == np.float32 and np.isfinite(two).all()
    np.testing.assert_array_equal(two[1], one[0])
    assert not np.array_equal(two[0], two[1])


@pytest.mark.parametrize("clip_fps", [15.0, 30.0, 29.97])
def test_a_steady_pan_has_the_clips_own_step_lengths(clip_fps: float) -> None:
    """A film at another rate and four slightly different times: speed x time is what must come out."""
    photo, speed, film_fps = data.astronaut(), 20.0, 7
    starts = np.arange(14) / film_fps * speed
    film = np.stack([cv2.warpAffine(photo, np.float32([[1, 0, -100 - s], [0, 1, -100]]), (224, 224)) for s in starts])
    flow = film_flow(film, film_fps, make_labeller("dis"), clip_fps)
    n = round(2 * clip_fps)
    seconds = np.diff([0, n // 3, 2 * n // 3, n - 1]) / clip_fps
    measured = np.median(flow[:, 4:-4, 8:-4], axis=(1, 2))
    np.testing.assert_allclose(measured[:, 0], -speed * seconds * 32 / 224, rtol=0.04)
    np.testing.assert_allclose(measured[:, 1], 0, atol=0.05)


def test_films_that_are_too_short_are_refused() -> None:
    with pytest.raises(BrainvizError, match="too short"):
        film_flow(np.zeros((6, 64, 64, 3), np.uint8), 7, make_labeller("dis"), 30)


def test_every_clip_and_sample_with_progress(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import brainviz.video.reading as reading

    frames = {0: FRAME, 30: FRAME[::-1].copy()}
    monkeypatch.setattr(reading, "film_info", lambda path: SimpleNamespace(fps=15.0))
    monkeypatch.setattr(reading, "read_frames", lambda path, numbers, size=None: np.stack([frames[k] for k in numbers]))
    dataset = SimpleNamespace(film=lambda segment: Path(f"{segment}.mp4"))
    config = {"weights": str(folder), "samples": 2, "seed": 0, "labeller": "dis", "system": "svd"}
    config["svd"] = {"size": 64, "steps": 1, "decode_chunk": 14}
    parts: list[float] = []
    flow = decode_svd(dataset, ["test1-0000", "test1-0001"], config, lambda part, text: parts.append(part))  # type: ignore[arg-type]
    assert flow.shape == (2, 2, 3, 32, 32, 2)
    assert parts == pytest.approx([0.25, 0.5, 0.75, 1.0])
    alone = decode_svd(dataset, ["test1-0001"], config)  # type: ignore[arg-type]
    np.testing.assert_array_equal(alone[0], flow[1])


def test_progress_may_stop_the_work(folder: Path) -> None:
    def stop(part: float, text: str) -> None:
        raise Cancelled

    sampler = SvdSampler(folder, settings=QUICK)
    with pytest.raises(Cancelled):
        sampler.film(FRAME, 0, stop)
    assert sampler.film(FRAME, 0).shape == (14, 64, 64, 3)


def test_what_is_missing_is_said(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert svd_available(folder) == (True, str(folder))
    there, reason = svd_available()
    assert not there and "pipelines weights svd" in reason
    with pytest.raises(NotReady, match="pipelines weights svd"):
        SvdSampler(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "model_index.json" in svd_available(tmp_path / "empty")[1]
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    assert "StableDiffusionPipeline" in svd_available(other)[1]
    bare = shutil.copytree(folder, tmp_path / "bare")
    (bare / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert "unet" in svd_available(bare)[1]
    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DataProblem, match="cannot be read"):
        SvdSampler(broken)


def test_foreign_settings_are_refused() -> None:
    with pytest.raises(BrainvizError, match="guidance"):
        SvdSettings.from_mapping({"guidance": 3})
    with pytest.raises(BrainvizError, match="multiple of 64"):
        SvdSettings(size=100)
