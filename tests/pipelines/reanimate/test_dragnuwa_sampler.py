"""The stock pipeline with the steered network draws what the original sampler drew."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from dragnuwa_arrays import LORA, arrays, tensors

from pipelines.reanimate.dragnuwa.checkpoint import convert
from pipelines.reanimate.dragnuwa.condition import spread
from pipelines.reanimate.dragnuwa.network import FlowUNet

# The golden folder's README: the stock scheduler reproduces the latents to 5e-5 (their largest is 4.1).
TOLERANCE = 5e-5


@pytest.fixture(scope="module")
def held(golden):
    return arrays(golden, "sampler")


def scheduler():
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(  # as published with Stable Video Diffusion
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        interpolation_type="linear",
        prediction_type="v_prediction",
        sigma_max=700.0,
        sigma_min=0.002,
        timestep_spacing="leading",
        timestep_type="continuous",
        use_karras_sigmas=True,
        steps_offset=1,
    )


def test_noise_levels(held):
    levels = scheduler()
    levels.set_timesteps(len(held["sigmas"]) - 1)
    np.testing.assert_allclose(levels.sigmas, held["sigmas"], rtol=1e-4, atol=1e-6)


def test_motion_map_of_the_drags(held):
    made = spread(held["drag_in"][0], 25, 2.5)
    made = np.concatenate([np.zeros_like(made[:1]), made]).transpose(0, 3, 1, 2)
    worst = np.abs(made - held["drag_cond"][0]).max()
    print(f"drag_cond: {worst:.2e} of {np.abs(made).max():.2f}")
    assert worst < TOLERANCE


def test_latents(held, golden):
    from diffusers import StableVideoDiffusionPipeline

    network = FlowUNet(**LORA).eval()
    state, _ = convert(tensors(golden, "unet_lora"), network)
    network.load_state_dict(state)

    class FromLatents(StableVideoDiffusionPipeline):
        """The stock loop with the golden image embedding and image latents in place of their encoders."""

        def __init__(self) -> None:
            self.register_to_config()
            encoder = SimpleNamespace(parameters=lambda: iter([torch.zeros(1)]))
            autoencoder = SimpleNamespace(config=SimpleNamespace(force_upcast=False), dtype=torch.float32)
            self.unet, self.vae, self.image_encoder, self.scheduler = network, autoencoder, encoder, scheduler()
            self.vae_scale_factor = 8
            self.video_processor = SimpleNamespace(preprocess=lambda *_, **__: torch.zeros(1, 3, 48, 80))

        @property
        def _execution_device(self):
            return torch.device("cpu")

        def maybe_free_model_hooks(self):
            pass

        def _encode_image(self, *_):
            context = torch.from_numpy(held["crossattn"])
            return torch.cat([torch.zeros_like(context), context])

        def _encode_vae_image(self, *_, **__):
            latents = torch.from_numpy(held["concat"])
            return torch.cat([torch.zeros_like(latents), latents])

    pipeline = FromLatents()
    pipeline.set_progress_bar_config(disable=True)
    with network.steered(torch.from_numpy(held["drag_cond"])):
        made = pipeline(
            torch.zeros(1, 3, 48, 80),
            height=48,
            width=80,
            num_frames=3,
            num_inference_steps=len(held["sigmas"]) - 1,
            min_guidance_scale=1.0,
            max_guidance_scale=2.5,
            fps=int(held["fps_id"]) + 1,
            motion_bucket_id=int(held["motion_bucket_id"]),
            noise_aug_strength=float(held["cond_aug"]),
            latents=torch.from_numpy(held["init_noise"])[None],
            output_type="latent",
        ).frames
    worst = float((made[0] - torch.from_numpy(held["z"])).abs().max())
    print(f"z: {worst:.2e} of {np.abs(held['z']).max():.2f}")
    assert worst < TOLERANCE


def test_condition_vector_is_what_the_pipeline_makes(held):
    network = FlowUNet(**LORA)
    ids = torch.tensor([float(held["fps_id"]), float(held["motion_bucket_id"]), float(held["cond_aug"])])
    np.testing.assert_allclose(network.add_time_proj(ids).reshape(1, -1), held["vector"], atol=1e-5)
    np.testing.assert_allclose(np.linspace(1.0, 2.5, 3)[None], held["guidance"], atol=1e-6)
