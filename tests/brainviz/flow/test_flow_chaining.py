"""Chained flow against the composition of analytic warps."""

from __future__ import annotations

import numpy as np

from brainviz.flow.chaining import chain_flows, consistent, pixel_positions, sample_flow

SHAPE = (40, 50)


def _warp(matrix: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Flow of x -> matrix x + shift."""
    x = pixel_positions(*SHAPE)
    return (x @ matrix.T + shift - x).astype(np.float32)


M1, S1 = np.array([[1.02, 0.03], [-0.03, 0.99]]), np.array([1.3, -0.7])
M2, S2 = np.array([[0.98, -0.02], [0.01, 1.01]]), np.array([-2.1, 0.4])


def test_sampling_is_bilinear() -> None:
    field = _warp(M1, S1)  # affine, so bilinear sampling is exact
    at = pixel_positions(10, 10) * 1.5 + 3.25
    np.testing.assert_allclose(sample_flow(field, at), at @ M1.T + S1 - at, atol=2e-2)  # OpenCV places in 1/32 px


def test_chain_is_the_composed_warp_not_the_sum() -> None:
    shift = np.array([6.3, 5.0])
    total, inside = chain_flows([_warp(M1, shift), _warp(M2, S2)])
    composed = _warp(M2 @ M1, M2 @ shift + S2)
    np.testing.assert_allclose(total[inside], composed[inside], atol=3e-2)
    plain_sum = _warp(M1, shift) + _warp(M2, S2)
    assert np.abs(plain_sum - composed)[inside].max() > 0.1


def test_pixels_that_leave_are_known() -> None:
    _, inside = chain_flows([np.full((*SHAPE, 2), [5, 0], dtype=np.float32)] * 2)
    np.testing.assert_array_equal(inside, np.broadcast_to(np.arange(50) < 40, SHAPE))
    _, back_again = chain_flows([np.full((*SHAPE, 2), [d, 0], dtype=np.float32) for d in (30, -30)])
    assert not back_again[:, 25:].any()


def test_a_warp_and_its_inverse_agree_and_a_wrong_patch_does_not() -> None:
    inverse = np.linalg.inv(M1)
    forward, backward = _warp(M1, S1), _warp(inverse, -inverse @ S1)
    good = consistent(forward, backward)
    assert good[3:-3, 3:-3].all()
    forward[10:14, 20:26] += [3, 0]
    bad = ~consistent(forward, backward)
    assert bad[10:14, 20:26].all() and not bad[20:30, 5:45].any()
