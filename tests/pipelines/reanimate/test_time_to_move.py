"""Time-to-Move on a tiny random pipeline, against the stock pipeline's whole schedule and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_svd import save_tiny_svd

from brainviz.errors import BrainvizError, Cancelled, NotReady
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.registry import make_backend
from pipelines.reanimate.request import ReanimationRequest
from pipelines.reanimate.time_to_move import TimeToMoveBackend, TimeToMoveSettings, _Led, encode, moving_mask

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
SMALL = {"width": 128, "height": 64, "n_frames": 3, "steps": 4, "weak": 1, "strong": 3}
SETTINGS = TimeToMoveSettings(**SMALL)
STEP_S = np.array([20, 20, 19]) / 30


def quiet(*_):
    pass


def moving(x: float = 3.0, mask: np.ndarray | None = None) -> MotionField:
    return MotionField.from_steps(np.broadcast_to(np.float32([x, 0]), (3, 32, 32, 2)), STEP_S, mask)


@pytest.fixture(scope="module")
def backend(tmp_path_factory) -> TimeToMoveBackend:
    return TimeToMoveBackend(save_tiny_svd(tmp_path_factory.mktemp("svd")))


def test_film_progress_and_provenance(backend):
    told = []
    request = ReanimationRequest(PICTURE, moving(), 1, SMALL)
    clip = backend.render(request, lambda share, text: told.append((share, text)))
    assert clip.frames.shape == (3, 64, 64, 3) and clip.fps == pytest.approx(2 / (59 / 30))
    assert told == [(k / 3, f"step {k} of 3") for k in (1, 2, 3)]  # of four steps, the first is left out
    assert clip.provenance["backend"] == "time-to-move" and clip.provenance["setting.weak"] == 1
    assert np.array_equal(backend.render(request, quiet).frames, clip.frames)
    other = backend.render(ReanimationRequest(PICTURE, moving(), 2, SMALL), quiet)
    left = backend.render(ReanimationRequest(PICTURE, moving(-3.0), 1, SMALL), quiet)
    assert not np.array_equal(other.frames, clip.frames) and not np.array_equal(left.frames, clip.frames)


def test_the_same_as_in_the_whole_schedule(backend):
    """The published way runs the stock schedule from its start and puts the film's noisy latents in at `weak`."""
    rng = np.random.default_rng(1)
    film = rng.integers(0, 255, (3, 64, 128, 3), dtype=np.uint8)
    mask = (rng.random((3, 8, 16)) > 0.5).astype(np.float32)
    made = backend._draw(film, mask, SETTINGS, 5, quiet)

    pipeline = backend._pipeline
    latents = encode(pipeline, film, 4)
    noise = _Led(latents, torch.from_numpy(mask), SETTINGS, 5).noise
    keep = torch.from_numpy(mask)[None, :, None]

    def put_in(used, step, _time, state):
        sigma = used.scheduler.sigmas[step + 1]
        film_now = latents + noise * sigma
        if step + 1 == SETTINGS.weak:
            return {"latents": film_now}
        if SETTINGS.weak <= step < SETTINGS.strong:
            return {"latents": torch.where(keep > 0, film_now, state["latents"])}
        return {}

    from PIL import Image

    whole = pipeline(
        Image.fromarray(film[0]),
        height=64,
        width=128,
        num_frames=3,
        num_inference_steps=4,
        fps=SETTINGS.fps,
        motion_bucket_id=SETTINGS.motion_bucket_id,
        noise_aug_strength=SETTINGS.noise,
        max_guidance_scale=SETTINGS.max_guidance,
        decode_chunk_size=4,
        # The pipeline's own first noise is drawn only where none is given; it must not shift the picture's noise.
        latents=torch.randn(latents.shape),
        generator=torch.Generator().manual_seed(5),
        callback_on_step_end=put_in,
        output_type="np",
    ).frames[0]
    assert np.abs(made - 255.0 * whole).max() <= 1


def test_what_is_led_to_the_end_is_the_warped_film(backend):
    film = np.random.default_rng(2).integers(0, 255, (3, 64, 128, 3), dtype=np.uint8)
    settings = TimeToMoveSettings(**SMALL | {"strong": 4})
    made = backend._draw(film, np.ones((3, 8, 16), np.float32), settings, 0, quiet)
    pipeline = backend._pipeline
    with torch.no_grad():
        frames = pipeline.decode_latents(encode(pipeline, film, 4), 3, 4)
        decoded = pipeline.video_processor.postprocess_video(frames, output_type="np")[0]
    assert np.abs(made - 255.0 * decoded).max() <= 1


def test_the_stock_scheduler_comes_back(backend):
    request = ReanimationRequest(PICTURE, moving(), 1, SMALL)
    before = backend.render(request, quiet).frames
    scheduler = backend._pipeline.scheduler

    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        backend.render(request, stop)
    assert backend._pipeline.scheduler is scheduler
    scheduler.set_timesteps(4)
    assert len(scheduler.timesteps) == 4
    assert np.array_equal(backend.render(request, quiet).frames, before)


def test_mask_of_a_whole_shift_leaves_out_what_is_uncovered():
    framing = Framing.fit(64, 64, 256, 256)
    field = moving(8.0)
    mask = moving_mask(field, field.times_s, framing)
    assert mask.shape == (4, 32, 32) and set(np.unique(mask)) == {0.0, 1.0}
    for k in range(4):
        assert mask[k, :, 8 * k :].all() and not mask[k, :, : 8 * k].any()


def test_mask_of_an_object_goes_with_it():
    framing = Framing.fit(64, 64, 256, 256)
    inside = np.zeros((32, 32), bool)
    inside[10:18, 4:12] = True
    field = moving(4.0, inside)
    mask = moving_mask(field, field.times_s, framing)
    for k in range(4):
        expected = np.zeros((32, 32), bool)
        expected[10:18, 4 + 4 * k : 12 + 4 * k] = True
        assert np.array_equal(mask[k] > 0, expected)
    assert not moving_mask(MotionField.still(32, 32, [1.0]), np.array([1.0]), framing).any()


def test_mask_in_a_wide_film_goes_on_at_the_border():
    framing = Framing.fit(64, 64, 64, 128)
    field = moving(1.0)
    mask = moving_mask(field, field.times_s, framing)
    assert mask.shape == (4, 8, 16) and mask[0].all()


def test_refuses(backend, tmp_path):
    with pytest.raises(BrainvizError, match="has none"):
        backend.render(ReanimationRequest(PICTURE, None, 0, SMALL), quiet)
    with pytest.raises(BrainvizError, match="no option speed"):
        backend.render(ReanimationRequest(PICTURE, moving(), 0, {"speed": 1}), quiet)
    with pytest.raises(BrainvizError, match="weak"):
        TimeToMoveSettings(weak=30)
    with pytest.raises(NotReady, match="python -m pipelines weights"):
        TimeToMoveBackend(tmp_path / "none").render(ReanimationRequest(PICTURE, moving(), 0, SMALL), quiet)
    assert "weights svd-xt" in make_backend("time-to-move").missing()
