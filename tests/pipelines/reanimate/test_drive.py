"""What masks keep of a flow, against worlds whose objects are known."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.errors import BrainvizError, UnknownName
from pipelines.reanimate.drive import MASKS, depth_planes, drive, objects, uses_film

STEP_S = np.array([20, 20, 19]) / 30


def world(pan: float = 1.0, own: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """A panned scene with one object that moves on its own, standing still in the frame's grid for simplicity."""
    moving = np.zeros((3, 32, 32), bool)
    moving[:, 8:18, 10:22] = True
    flow = np.zeros((3, 32, 32, 2), np.float32)
    flow[..., 0] = pan
    flow[moving, 1] = own
    return flow, moving


def test_whole_flow_without_mask():
    flow, _ = world(own=0.0)
    motion = drive(flow, STEP_S)
    assert np.allclose(motion.displacement[-1], [3 / 32, 0]) and np.allclose(motion.times_s, np.cumsum(STEP_S))


def test_own_residual_finds_the_object():
    flow, moving = world()
    assert np.array_equal(objects(flow, "predicted-objects"), moving)
    motion = drive(flow, STEP_S, "predicted-objects")
    still = np.ones((32, 32), bool)
    still[6:28, 8:26] = False
    assert np.abs(motion.displacement[:, still]).max() == 0
    assert np.allclose(motion.displacement[0, moving[0]], [1 / 32, 3 / 32])


def test_same_rule_as_the_films_objects():
    from brainviz.flow.camera import camera_fit, moving_objects

    flow = np.random.default_rng(0).normal(0, 0.5, (3, 32, 32, 2)).astype(np.float32)
    flow[:, 5:15, 5:15] += 4
    assert np.array_equal(objects(flow, "predicted-objects"), moving_objects(flow, camera_fit(flow)[1]))


@pytest.mark.parametrize("mask", ["film-objects", "flowsam"])
def test_objects_of_the_film(mask):
    flow, moving = world()
    field = drive(flow, STEP_S, mask, moving)
    assert np.abs(field.displacement[:, ~moving[0]]).max() == 0 and uses_film(mask)
    with pytest.raises(BrainvizError, match="needs the film"):
        drive(flow, STEP_S, mask)
    with pytest.raises(BrainvizError, match="shape"):
        drive(flow, STEP_S, mask, moving[0])


def test_masks_that_never_see_the_film_leave_it_alone():
    flow, moving = world()
    for mask in MASKS:
        if not uses_film(mask):
            assert drive(flow, STEP_S, mask, ~moving).digest() == drive(flow, STEP_S, mask).digest()


def test_motion_below_the_decoders_own_error_is_stillness():
    flow, _ = world()
    speed = float(np.linalg.norm(flow, axis=-1).mean())
    assert not drive(flow, STEP_S, least=1.01 * speed).displacement.any()
    assert drive(flow, STEP_S, least=0.99 * speed).digest() == drive(flow, STEP_S).digest()


def test_unknown_mask():
    with pytest.raises(UnknownName, match="no mask called 'moving'"):
        drive(world()[0], STEP_S, "moving")
    with pytest.raises(UnknownName):
        uses_film("../x")


def test_depth_planes():
    _, moving = world()
    planes = depth_planes(moving, 64, 64)
    assert planes is not None and planes.dtype == np.uint8
    assert np.array_equal(planes, moving[0].repeat(2, 0).repeat(2, 1))
    assert depth_planes(None, 64, 64) is None and depth_planes(np.zeros_like(moving), 64, 64) is None
    assert depth_planes(np.ones_like(moving), 64, 64) is None
