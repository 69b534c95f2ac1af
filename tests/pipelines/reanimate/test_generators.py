"""Backends around Stable Video Diffusion, with tiny random models saved to disk in the true format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_svd import NETWORK, save_tiny_svd

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


def quiet(*_):
    pass


def moving(x: float = 3.0) -> MotionField:
    return MotionField.from_steps(np.broadcast_to(np.float32([x, 0]), (3, 32, 32, 2)), np.array([20, 20, 19]) / 30)


@pytest.fixture(scope="module")
def svd(tmp_path_factory) -> Path:
    return save_tiny_svd(tmp_path_factory.mktemp("svd"))


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
