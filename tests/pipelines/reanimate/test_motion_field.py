"""Motion conventions: there and back again, and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from brainviz.flow.chaining import pixel_positions
from pipelines.reanimate.motion_field import MotionField

STEP_S = np.array([20, 20, 19]) / 30


def shift(x: float, y: float, size: int = 32) -> np.ndarray:
    return np.broadcast_to(np.float32([x, y]), (3, size, size, 2)).copy()


def swirl(size: int = 32) -> np.ndarray:
    """A smooth field of up to two pixels, different in every step."""
    x, y = np.moveaxis(pixel_positions(size, size) / size, -1, 0)
    waves = [np.stack([np.sin(5 * y + k), 1.5 * np.cos(4 * x - k)], axis=-1) for k in range(3)]
    return np.stack(waves).astype(np.float32)


def test_shift_is_a_fraction_of_the_picture():
    field = MotionField.from_steps(shift(2, -1), STEP_S)
    np.testing.assert_allclose(field.displacement[:, 5, 7], [[k * 2 / 32, -k / 32] for k in (1, 2, 3)], atol=1e-6)
    np.testing.assert_allclose(field.times_s, [20 / 30, 40 / 30, 59 / 30])
    np.testing.assert_allclose(field.pixels(64, 128)[2, 10, 10], [6 * 4, -3 * 2], atol=1e-4)


def test_per_step_gives_a_shift_back_exactly():
    steps = shift(1.5, -0.75)
    np.testing.assert_allclose(MotionField.from_steps(steps, STEP_S).per_step(32, 32), steps, atol=1e-4)


def test_per_step_gives_a_smooth_field_back():
    steps = swirl()
    back = MotionField.from_steps(steps, STEP_S).per_step(32, 32)
    inner = (slice(None), slice(7, -7), slice(7, -7))
    assert np.abs(back[inner] - steps[inner]).max() < 0.05
    assert np.abs(back - steps).mean() < 0.1


def test_steps_again_give_the_same_field():
    field = MotionField.from_steps(swirl(), STEP_S)
    again = MotionField.from_steps(field.per_step(32, 32), STEP_S)
    inner = (slice(None), slice(7, -7), slice(7, -7))
    assert np.abs(again.displacement - field.displacement)[inner].max() * 32 < 0.1


def test_chain_reads_where_the_pixel_is():
    # Speed grows with x, dx/dt = .05 x: after three unit steps x (1 + .05)^3.
    steps = np.zeros((3, 32, 32, 2), np.float32)
    steps[..., 0] = 0.05 * pixel_positions(32, 32)[..., 0]
    moved = MotionField.from_steps(steps, STEP_S).displacement * 32
    np.testing.assert_allclose(moved[2, 4, 10], [10 * (1.05**3 - 1), 0], atol=2e-3)  # fields are read to 1/32 pixel


def test_visible_until_it_leaves():
    visible = MotionField.from_steps(shift(4, 0), STEP_S).visible
    assert visible[0, :, :28].all() and not visible[0, :, 28:].any()
    assert visible[2, :, :20].all() and not visible[2, :, 20:].any()


def test_motionpro_layout():
    layout = MotionField.from_steps(shift(4, 0), STEP_S).from_frame_zero(64, 64)
    assert layout.shape == (3, 64, 64, 3) and layout.dtype == np.float32
    np.testing.assert_allclose(layout[1, 30, 3], [16, 0, 1], atol=1e-4)
    assert layout[2, 30, -1, 2] == 0


def test_mask_of_frame_zero_travels_with_the_object():
    mask = np.zeros((32, 32))
    mask[8:16, 4:10] = 1
    field = MotionField.from_steps(shift(3, 0), STEP_S, mask)
    np.testing.assert_allclose(field.displacement[2, 10, 6] * 32, [9, 0], atol=1e-5)
    assert not field.displacement[:, mask == 0].any()
    steps = field.per_step(32, 32)
    np.testing.assert_allclose(steps[2, 12, 12], [3, 0], atol=1e-3)  # the object is at 10..16 by then
    np.testing.assert_allclose(steps[2, 25, 6], [0, 0], atol=1e-3)


def test_mask_of_each_step_holds_at_its_place():
    masks = np.zeros((3, 32, 32))
    masks[0, :, :8] = 1
    field = MotionField.from_steps(shift(2, 0), STEP_S, masks)
    np.testing.assert_allclose(field.displacement[2, 10, 3] * 32, [2, 0], atol=1e-5)
    np.testing.assert_allclose(MotionField.from_steps(shift(2, 0) * masks[..., None], STEP_S).visible, field.visible)


def test_other_times_move_steadily_and_go_on():
    field = MotionField.from_steps(shift(2, -1), STEP_S)
    times = np.arange(1, 30) / 15
    late = field.at(times)
    np.testing.assert_allclose(late.at(field.times_s).displacement, field.displacement, atol=0.2 / 32)
    np.testing.assert_allclose(late.displacement[9, 3, 3], field.displacement[0, 3, 3], atol=1e-6)  # 10 / 15 s
    half = field.at([field.times_s[0] / 2]).displacement[0, 3, 3]
    np.testing.assert_allclose(half, field.displacement[0, 3, 3] / 2, atol=1e-7)
    after = field.at([field.times_s[2] + STEP_S[2]]).displacement[0, 3, 3]
    np.testing.assert_allclose(after, field.displacement[2, 3, 3] / 3 * 4, atol=1e-6)


def test_resizing_keeps_fractions():
    field = MotionField.from_steps(shift(2, -1), STEP_S)
    np.testing.assert_allclose(
        field.resized(20, 36).displacement[0], field.displacement[0, 0, 0] * np.ones((20, 36, 1))
    )
    np.testing.assert_allclose(field.per_step(320, 576)[1, 99, 99], [2 * 18, -10], rtol=1e-4)


def test_immutable_and_named_by_content():
    steps = shift(1, 1)
    field, same = MotionField.from_steps(steps, STEP_S), MotionField.from_steps(steps, STEP_S)
    assert field.digest() == same.digest() != field.masked(np.zeros((32, 32))).digest()
    with pytest.raises(ValueError, match="read-only"):
        field.displacement[0] = 0


@pytest.mark.parametrize(
    ("displacement", "times", "visible"),
    [
        (np.zeros((2, 4, 4)), [1, 2], np.ones((2, 4, 4))),
        (np.zeros((2, 4, 4, 2)), [0, 1], np.ones((2, 4, 4))),
        (np.zeros((2, 4, 4, 2)), [2, 1], np.ones((2, 4, 4))),
        (np.zeros((2, 4, 4, 2)), [1, 2], np.ones((2, 4, 5))),
        (np.full((2, 4, 4, 2), np.nan), [1, 2], np.ones((2, 4, 4))),
    ],
)
def test_refuses(displacement, times, visible):
    with pytest.raises(BrainvizError):
        MotionField(displacement, np.array(times, float), visible)


def test_still_moves_nothing():
    field = MotionField.still(4, 6, [0.5, 1])
    assert field.grid == (4, 6) and field.mean_pixels(40, 60) == 0 and not field.per_step(8, 8).any()
