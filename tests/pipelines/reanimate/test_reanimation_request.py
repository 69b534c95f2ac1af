"""Requests and clips hold what they say and cannot be changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from pipelines.reanimate.backend import settings_from
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.request import ReanimationRequest, RenderedClip

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_facts_name_what_differs():
    motion = MotionField.still(4, 4, [1.0])
    first, second = ReanimationRequest(IMAGE, motion, 3, {"fps": 8}), ReanimationRequest(IMAGE + 1, None, 3)
    assert first.facts()["image"] != second.facts()["image"]
    assert first.facts()["motion"] == motion.digest() and second.facts()["motion"] == "none"
    assert first.facts()["option.fps"] == 8


def test_later_changes_do_not_reach_it():
    image, options = IMAGE.copy(), {"fps": 8}
    request = ReanimationRequest(image, options=options)
    image[:], options["fps"] = 0, 9
    assert (request.image == IMAGE).all() and request.options["fps"] == 8
    with pytest.raises(ValueError, match="read-only"):
        request.image[0] = 1
    with pytest.raises(TypeError):
        request.options["fps"] = 1


@pytest.mark.parametrize(
    "values",
    [
        {"image": IMAGE.astype(float)},
        {"image": IMAGE[..., 0]},
        {"image": IMAGE, "seed": -1},
        {"image": IMAGE, "planes": np.zeros((6, 4), np.uint8)},
    ],
)
def test_request_refuses(values):
    with pytest.raises(BrainvizError):
        ReanimationRequest(**values)


def test_clip_refuses_floats():
    with pytest.raises(BrainvizError):
        RenderedClip(np.zeros((2, 4, 4, 3)), 8, {})


def test_unknown_option_is_refused():
    @dataclass(frozen=True)
    class Settings:
        fps: int = 3

    assert settings_from(Settings, {"fps": 4}, "warp").fps == 4
    with pytest.raises(BrainvizError, match="no option speed"):
        settings_from(Settings, {"speed": 4}, "warp")
