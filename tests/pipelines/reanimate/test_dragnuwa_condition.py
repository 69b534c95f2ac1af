"""Motion maps against the original program's, and what dense motion becomes."""

from __future__ import annotations

import numpy as np
import pytest
from dragnuwa_arrays import arrays

from brainviz.errors import BrainvizError
from brainviz.flow.fields import resample
from pipelines.reanimate.dragnuwa.condition import (
    at_anchors,
    gaussian_row,
    motion_map,
    sparse_steps,
    spread,
    spread_normalised,
    track_points,
)
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField


@pytest.fixture(scope="module")
def held(golden):
    return arrays(golden, "flow_preprocess")


@pytest.fixture(scope="module")
def tracks(held):
    return np.split(held["tracks_flat"], np.cumsum(held["tracks"])[:-1])


def close(got, expected, tolerance, name):
    worst = float(np.abs(np.asarray(got, float) - expected).max())
    print(f"{name}: {worst:.2e} of {np.abs(expected).max():.3g}")
    assert np.shape(got) == expected.shape and worst < tolerance


def full_steps(tracks):
    return sparse_steps([track_points(track, 14) for track in tracks], 320, 576)


def test_paths_are_resampled(held, tracks):
    close([track_points(track, 14) for track in tracks], held["interp_14"], 1e-9, "interp_14")


def test_steps_stand_where_they_begin(held, tracks):
    steps = full_steps(tracks)
    places = np.argwhere(steps.any(axis=-1))
    order = np.lexsort(held["drag_full_nonzero_idx"].T[::-1])
    expected = held["drag_full_nonzero_idx"][order]
    assert np.array_equal(places, expected)
    close(steps[tuple(expected.T)], held["drag_full_nonzero_val"][order], 1e-5, "drag_full")


def test_filter(held):
    close(gaussian_row(), held["gauss_199_20_centre_row"], 1e-6, "gauss_199_20_centre_row")
    total = np.outer(gaussian_row(), gaussian_row()).sum(dtype=np.float64)
    assert abs(total - held["gauss_199_20_sum"]) < 1e-2
    row = gaussian_row(25, 2.5)
    close(np.outer(row, row), held["gauss_25_2p5"], 1e-6, "gauss_25_2p5")


def test_spread_of_the_paths(held, tracks):
    full = spread(full_steps(tracks))
    whole = np.concatenate([np.zeros_like(full[:1]), full]).transpose(0, 3, 1, 2)
    close(whole[:, :, ::8, ::8], held["cond_full_stride8"], 1e-3, "cond_full_stride8")
    close(np.abs(whole).max(axis=(1, 2, 3)), held["cond_full_absmax_per_frame"], 1e-3, "cond_full_absmax")


def test_small_spread(held):
    close(spread(held["small_drag"], 25, 2.5), held["small_cond_filtered"], 1e-4, "small_cond_filtered")


def test_small_steps(held, tracks):
    # The original scales drawn points to the film's pixels and cuts them to whole ones; the second path is one point.
    drawn = [tracks[0], tracks[1][:1]]
    small = [track_points(np.int64(track / 8), len(held["small_drag"]) + 1) for track in drawn]
    close(sparse_steps(small, 40, 72), held["small_drag"], 1e-5, "small_drag")


def test_dense_field_through_the_original_filter(held):
    import torch

    corner_aligned = torch.nn.functional.interpolate(
        torch.from_numpy(held["dense32"]).permute(0, 3, 1, 2), (320, 576), mode="bilinear", align_corners=True
    )
    resized = corner_aligned.permute(0, 2, 3, 1).numpy()
    close(resized[:, ::16, ::16], held["dense_resized_stride16"], 1e-4, "dense_resized_stride16")
    expected = held["dense_filtered_unnormalised_stride16"]
    # The original sums 39,601 products in single precision, which costs it 5e-5 of the largest value.
    close(spread(resized)[:, ::16, ::16], expected, 1e-4 * np.abs(expected).max(), "dense_filtered_unnormalised")


def test_dense_motion_keeps_its_length(held):
    # The map that an unnormalised filter makes is thousands of pixels long; ours keeps the field's own length.
    steps = resample(held["dense32"], 320, 576)
    assert np.abs(spread(steps[:1])).max() > 200 * np.abs(steps[0]).max()
    assert np.abs(spread_normalised(steps[:1])).max() <= np.abs(steps[0]).max()


@pytest.mark.parametrize(("method", "ripple"), [("normalised", 1e-4), ("anchors", 0.22)])
def test_steady_shift_stays_what_it_is(method, ripple):
    shift = np.broadcast_to(np.float32([2, -1]), (3, 32, 32, 2))
    made = motion_map(
        MotionField.from_steps(shift, [1.0] * 3), [1.0, 2.0, 3.0], Framing.fit(320, 576, 320, 576), method
    )
    assert made.shape == (4, 2, 320, 576) and not made[0].any()
    inner = made[1:, :, 120:-120, 120:-120]
    np.testing.assert_allclose(inner[:, 0], 2 * 18, rtol=ripple)
    np.testing.assert_allclose(inner[:, 1], -10, rtol=ripple)


def test_anchors_keep_the_mean_length():
    # Two periods down and seven across, away from the border.
    made = spread(at_anchors(np.ones((1, 320, 576, 1), np.float32)))[0, :, :, 0]
    assert abs(made[110:210, 113:464].mean() - 1) < 0.01


def test_anchors_are_few():
    steps = np.ones((1, 320, 576, 2), np.float32)
    assert at_anchors(steps)[..., 0].sum() == 7 * 11


def test_unknown_method():
    with pytest.raises(BrainvizError, match="There is no motion map"):
        motion_map(MotionField.still(4, 4, [1.0]), [1.0], Framing.fit(64, 64, 64, 64), "wide")
