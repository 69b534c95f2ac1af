"""Flow colours against the published wheel and torchvision's rendering of it."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError
from brainviz.flow.wheel import arrow_grid, flow_to_rgb, wheel_image


def test_known_colours() -> None:
    flow = np.float32([[0, 0], [1, 0], [-1, 0], [2, 0]])
    white, right, left, fast = flow_to_rgb(flow, 1.0).astype(int)
    assert white.tolist() == [255, 255, 255]
    assert right[0] == 255 and right[1:].max() < 50  # red
    assert left.tolist()[0] == 0 and min(left[1:]) > 200  # cyan
    assert fast.max() <= 192


def test_same_picture_as_torchvision() -> None:
    prepare_torchvision()
    import torch
    from torchvision.utils import flow_to_image

    flow = np.random.default_rng(0).normal(size=(2, 20, 30)).astype(np.float32)
    theirs = flow_to_image(torch.from_numpy(flow)).numpy().transpose(1, 2, 0).astype(int)
    ours = flow_to_rgb(flow.transpose(1, 2, 0), float(np.hypot(*flow).max())).astype(int)
    assert np.abs(ours - theirs).max() <= 2


def test_invalid_vectors_take_the_neutral_colour() -> None:
    flow = np.float32([[1, 0], [np.nan, 0], [0, 1]])
    rgb = flow_to_rgb(flow, 1, valid=[True, True, False])
    assert rgb[1:].tolist() == [[128, 128, 128]] * 2


@pytest.mark.parametrize("maximum", [0, -1, np.nan])
def test_a_scale_needs_a_maximum(maximum: float) -> None:
    with pytest.raises(BrainvizError, match="maximum"):
        flow_to_rgb(np.zeros((2, 2)), maximum)


def test_the_legend_is_the_same_map() -> None:
    wheel = wheel_image(101)
    assert wheel.shape == (101, 101, 4) and wheel[0, 0, 3] == 0 and wheel[50, 50, 3] == 255
    x = (70 + 0.5) / 101 * 2 - 1
    np.testing.assert_allclose(wheel[50, 70, :3], flow_to_rgb([x, 0], 1), atol=1)


def test_arrows_are_block_means_at_block_centres() -> None:
    y, x = np.mgrid[:10, :8].astype(np.float32)
    positions, vectors = arrow_grid(np.stack([x, y], axis=-1)[None], every=4)
    np.testing.assert_allclose(positions, [[2, 2], [6, 2], [2, 6], [6, 6]])
    np.testing.assert_allclose(vectors[0], positions - 0.5)
    with pytest.raises(BrainvizError, match="arrows"):
        arrow_grid(np.zeros((2, 2, 2)), every=4)
