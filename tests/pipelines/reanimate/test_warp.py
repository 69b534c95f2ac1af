"""The warp against closed forms: shifts are exact, near planes hide far ones, what is uncovered is filled."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from brainviz.errors import BrainvizError, Cancelled
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.request import ReanimationRequest
from pipelines.reanimate.warp import WarpBackend, warp_frames

STEP_S = np.array([20, 20, 19]) / 30


def photograph(size: int = 96) -> np.ndarray:
    """A picture with detail at all scales."""
    rng = np.random.default_rng(0)
    layers = [cv2.resize(rng.random((k, k, 3)), (size, size), interpolation=cv2.INTER_CUBIC) for k in (4, 12, 48)]
    return np.uint8(np.clip(255 * np.mean(layers, axis=0), 0, 255))


def shift(x: float, y: float, size: int = 32) -> MotionField:
    """By x, y pixels of a 96-pixel picture at one second, twice that at two."""
    moved = np.array([[x, y], [2 * x, 2 * y]], np.float32)[:, None, None] / 96 * np.ones((1, size, size, 1), np.float32)
    return MotionField(moved, np.array([1.0, 2.0]), np.ones((2, size, size), np.float32))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, 0), (0, -7), (-11, 13)])
def test_pure_shift_is_exact(x, y):
    picture = photograph()
    frames = warp_frames(picture, shift(x, y), [1.0, 2.0])
    assert frames.dtype == np.uint8 and np.array_equal(frames[0], picture)
    for k in (1, 2):
        rows, columns = (np.arange(96) - k * d for d in (y, x))
        inside = np.ix_((rows >= 0) & (rows < 96), (columns >= 0) & (columns < 96))
        expected = picture[np.clip(rows, 0, 95)][:, np.clip(columns, 0, 95)]
        assert np.array_equal(frames[k][inside], expected[inside])


def test_part_of_a_pixel_is_interpolated():
    picture = photograph()
    frame = warp_frames(picture, shift(0.5, 0), [1.0])[1].astype(int)
    expected = (picture[:, :-1].astype(int) + picture[:, 1:]) / 2
    assert np.abs(frame[:, 1:] - expected).max() <= 1


def test_zoom_reads_the_right_places():
    y, x = np.mgrid[:32, :32] / 32 + 0.5 / 32 - 0.5
    field = MotionField(0.2 * np.stack([x, y], -1)[None], np.array([1.0]), np.ones((1, 32, 32)))
    ramp = np.repeat(np.uint8(40 + np.arange(96))[None, :, None], 96, axis=0).repeat(3, axis=2)
    frame = warp_frames(ramp, field, [1.0])[1]
    expected = 40 + 47.5 + (np.arange(96) - 47.5) / 1.2
    assert np.abs(frame[48, :, 0] - expected).max() < 1


def test_the_border_is_mirrored_not_black():
    frame = warp_frames(photograph(), shift(20, 0), [1.0])[1]
    assert np.array_equal(frame[:, :20], frame[:, 40:20:-1])


def object_world():
    """A bright square on a striped ground, the square moves right by 24 pixels."""
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[:, ::8] = 60
    planes = np.zeros((96, 96), np.uint8)
    planes[30:60, 24:48] = 1
    picture[planes == 1] = 220
    moved = np.zeros((1, 96, 96, 2), np.float32)
    moved[0, planes == 1] = [24 / 96, 0]
    return picture, planes, MotionField(moved, np.array([1.0]), np.ones((1, 96, 96)))


def test_near_plane_hides_far_one_and_uncovers_it():
    picture, planes, field = object_world()
    frame = warp_frames(picture, field, [1.0], planes)[1]
    assert (frame[34:56, 52:68] == 220).all()  # the square, whole, at its new place
    assert frame[34:56, 26:44].max() < 100  # its old place shows ground, no trace of it
    far = np.ones((96, 96), bool)
    far[24:66, 18:78] = False
    assert np.array_equal(frame[far], picture[far])


def test_a_plane_that_has_left_shows_only_ground():
    picture, planes, _ = object_world()
    moved = np.zeros((1, 96, 96, 2), np.float32)
    moved[0, planes == 1] = [2.0, 0]
    frame = warp_frames(picture, MotionField(moved, np.array([1.0]), np.ones((1, 96, 96))), [1.0], planes)[1]
    assert frame.max() < 100
    far = np.ones((96, 96), bool)
    far[24:66, 18:54] = False
    assert np.array_equal(frame[far], picture[far])


def test_order_of_planes_decides():
    picture, planes, _ = object_world()
    planes = planes.copy()
    planes[30:60, 48:72] = 2
    picture[planes == 2] = 120
    moved = np.zeros((1, 96, 96, 2), np.float32)
    moved[0, planes == 1] = [24 / 96, 0]
    field = MotionField(moved, np.array([1.0]), np.ones((1, 96, 96)))
    assert (warp_frames(picture, field, [1.0], planes)[1][36:54, 54:66] == 120).all()
    swapped = np.where(planes == 0, 0, 3 - planes).astype(np.uint8)
    assert (warp_frames(picture, field, [1.0], swapped)[1][36:54, 54:66] == 220).all()


def test_without_planes_what_moves_is_in_front():
    picture, _, field = object_world()
    frame = warp_frames(picture, field, [1.0])[1]
    assert (frame[36:54, 54:66] > 200).all()


def test_clip_length_and_provenance():
    request = ReanimationRequest(photograph(), shift(4, 0), 5, {"fps": 10.0, "n_frames": 12})
    seen = []
    clip = WarpBackend().render(request, lambda share, text: seen.append(share))
    assert clip.frames.shape == (12, 96, 96, 3) and clip.fps == 10
    assert np.array_equal(clip.frames[10], warp_frames(request.image, request.motion, [1.0])[1])
    assert clip.provenance["backend"] == "warp" and clip.provenance["motion"] == request.motion.digest()
    assert seen == sorted(seen) and seen[-1] == 1


def test_same_film_whatever_the_seed():
    films = [
        WarpBackend().render(ReanimationRequest(photograph(), shift(4, 3), seed), lambda *_: None) for seed in (0, 1)
    ]
    assert np.array_equal(films[0].frames, films[1].frames)


def test_wide_pictures_and_one_frame():
    wide = photograph()[:48]
    field = MotionField.from_steps(np.ones((3, 32, 32, 2), np.float32), STEP_S)
    assert warp_frames(wide, field, [0.5, 1.0]).shape == (3, 48, 96, 3)
    only = WarpBackend().render(ReanimationRequest(wide, field, 0, {"n_frames": 1}), lambda *_: None)
    assert np.array_equal(only.frames[0], wide)


def test_cancel():
    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        WarpBackend().render(ReanimationRequest(photograph(), shift(4, 0)), stop)


def test_refuses():
    with pytest.raises(BrainvizError, match="no motion of its own"):
        WarpBackend().render(ReanimationRequest(photograph()), lambda *_: None)
    with pytest.raises(BrainvizError, match="no option"):
        WarpBackend().render(ReanimationRequest(photograph(), shift(1, 0), 0, {"speed": 2}), lambda *_: None)
    with pytest.raises(BrainvizError, match="frames"):
        WarpBackend().render(ReanimationRequest(photograph(), shift(1, 0), 0, {"n_frames": 0}), lambda *_: None)
