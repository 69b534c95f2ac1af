"""A picture in a generator's fixed shape, and back."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from pipelines.reanimate.framing import Framing


def test_square_in_wide():
    framing = Framing.fit(224, 224, 320, 576)
    assert (framing.top, framing.left, framing.inner_height, framing.inner_width) == (0, 128, 320, 320)


@pytest.mark.parametrize("shape", [(64, 64), (50, 120), (120, 50), (128, 192)])
def test_placed_and_cut_is_the_picture(shape):
    picture = np.full((*shape, 3), 90, np.uint8)
    picture[: shape[0] // 2] = 200
    framing = Framing.fit(*shape, 128, 192)
    placed = framing.place(picture)
    cut = framing.cut(placed[None])[0]
    assert placed.shape == (128, 192, 3)
    assert abs(cut.shape[1] / cut.shape[0] - shape[1] / shape[0]) < 0.05
    assert (cut[2] == 200).all() and (cut[-3] == 90).all()


def test_same_shape_stays():
    picture = np.random.default_rng(0).integers(0, 255, (64, 128, 3), dtype=np.uint8)
    assert np.array_equal(Framing.fit(64, 128, 64, 128).place(picture), picture)


def test_maps_carry_their_edge_on():
    framing = Framing.fit(64, 64, 64, 128)
    maps = np.random.default_rng(0).random((2, 64, 64, 2)).astype(np.float32)
    wide = framing.extend(maps)
    assert wide.shape == (2, 64, 128, 2)
    assert np.array_equal(wide[:, :, 32:96], maps)
    assert np.array_equal(wide[:, :, 0], maps[:, :, 0]) and np.array_equal(wide[:, :, -1], maps[:, :, -1])


def test_refuses_other_sizes():
    with pytest.raises(BrainvizError, match="multiples of 64"):
        Framing.fit(64, 64, 100, 128)
