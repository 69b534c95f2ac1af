"""Splatting and filling against closed forms."""

from __future__ import annotations

import numpy as np

from pipelines.reanimate.splatting import fill_holes, push_pull, splat


def values(h=12, w=16, c=3):
    return np.random.default_rng(0).random((h, w, c)).astype(np.float32)


def test_nothing_moves():
    summed, weight = splat(values(), np.zeros((12, 16, 2), np.float32))
    np.testing.assert_allclose(summed, values(), atol=1e-6)
    np.testing.assert_allclose(weight, 1)


def test_whole_shift_moves_and_leaves_a_hole():
    moved = np.broadcast_to(np.float32([3, -2]), (12, 16, 2))
    summed, weight = splat(values(), moved)
    np.testing.assert_allclose(summed[:-2, 3:], values()[2:, :-3], atol=1e-6)
    assert not weight[-2:].any() and not weight[:, :3].any()


def test_part_of_a_pixel_is_shared_out():
    one = np.zeros((5, 5, 1), np.float32)
    one[2, 2] = 1
    summed, weight = splat(one, np.full((5, 5, 2), 0.25, np.float32))
    np.testing.assert_allclose(summed[2:4, 2:4, 0], [[0.5625, 0.1875], [0.1875, 0.0625]])
    np.testing.assert_allclose(weight[1:, 1:], 1)
    np.testing.assert_allclose(weight[0, 0], 0.5625)


def test_mass_is_kept_inside():
    moved = np.random.default_rng(1).uniform(-1, 1, (12, 16, 2)).astype(np.float32)
    inner = np.zeros((12, 16, 1), np.float32)
    inner[3:-3, 3:-3] = values(6, 10, 1)
    assert abs(splat(inner, moved)[0].sum() - inner.sum()) < 1e-3


def test_the_important_win():
    row = np.float32([[[1], [2], [3], [4]]])
    moved = np.zeros((1, 4, 2), np.float32)
    moved[0, 0, 0] = 2  # lands on the third
    importance = np.float32([[20, 0, 0, 0]])
    summed, weight = splat(row, moved, importance)
    np.testing.assert_allclose(summed[0, 2] / weight[0, 2], 1, atol=1e-6)
    summed, weight = splat(row, moved)
    np.testing.assert_allclose(summed[0, 2] / weight[0, 2], 2)


def test_filling_keeps_what_is_known_and_continues_it():
    known = np.ones((31, 45), np.float32)
    known[8:19, 10:30] = 0
    picture = np.full((31, 45, 2), 7, np.float32)
    picture[known == 0] = -100
    np.testing.assert_allclose(push_pull(picture, known), 7, rtol=1e-5)
    picture = np.where(known[..., None] > 0, values(31, 45, 2), -100).astype(np.float32)
    filled = push_pull(picture, known)
    np.testing.assert_allclose(filled[known > 0], picture[known > 0], atol=1e-6)
    assert filled.min() >= 0 and filled.max() <= 1


def test_one_known_pixel_fills_all():
    known = np.zeros((9, 14), np.float32)
    known[4, 4] = 1
    np.testing.assert_allclose(push_pull(np.full((9, 14, 1), 3, np.float32), known), 3, rtol=1e-5)


def test_holes_are_filled_from_the_mean():
    summed, weight = splat(np.full((12, 16, 1), 5, np.float32), np.broadcast_to(np.float32([4.5, 0]), (12, 16, 2)))
    np.testing.assert_allclose(fill_holes(summed, weight), 5, rtol=1e-5)
