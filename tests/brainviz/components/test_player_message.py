"""What the player is told: steps, one maximum for all panels, masks, names."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from brainviz.components.player import FlowPanel, PlayerClip, colour_maximum, pack_clip, view_maximum
from brainviz.errors import BrainvizError

GRID = 8
VALID = np.ones((3, GRID, GRID), bool)


def constant(speed: float) -> np.ndarray:
    flow = np.zeros((3, GRID, GRID, 2), np.float32)
    flow[..., 0] = speed
    return flow


def clip(panels: list[FlowPanel], **changes: object) -> PlayerClip:
    settings = {
        "id": "1/test1-0000",
        "sprite": SimpleNamespace(data=b"webp", n=30, columns=6, width=64, height=64, fps=15.0),
        "panels": panels,
        "step_s": np.array([10, 10, 9]) / 15,
        "valid": VALID,
        "moving": None,
        "title": "Subject 1",
        "caption": "0-2 s",
        "file_stem": "name",
        "simulated": True,
    }
    return PlayerClip(**(settings | changes))  # type: ignore[arg-type]


def header_of(message: bytes) -> dict:
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length])


def test_header_says_steps_frames_and_one_maximum() -> None:
    panels = [FlowPanel("truth", "True flow", constant(1.9)), FlowPanel("brain", "Brain", constant(0.4))]
    header = header_of(pack_clip(clip(panels)))
    assert header["frames"] == 30
    assert np.allclose(header["ends"], [10 / 15, 20 / 15, 29 / 15])
    assert header["maximum"] == 2.0
    assert [panel["id"] for panel in header["panels"]] == ["film", "truth", "brain"]
    assert header["moving"] is None
    assert header["simulated"] is True


def test_maximum_follows_the_truth_not_a_wild_guess() -> None:
    truth, wild = FlowPanel("truth", "", constant(0.9)), FlowPanel("prior", "", constant(20))
    assert view_maximum([truth, wild], VALID) == 1.0
    assert view_maximum([wild], VALID) == 24.0


def test_maximum_leaves_out_invalid_points() -> None:
    flow, valid = constant(0.5), VALID.copy()
    flow[:, :4], valid[:, :4] = 30, False
    assert colour_maximum([flow], valid) == 0.5
    assert colour_maximum([flow], np.zeros_like(VALID)) == 1.0


def test_more_panels_than_fit_are_refused() -> None:
    panels = [FlowPanel(str(i), str(i), constant(1)) for i in range(6)]
    with pytest.raises(BrainvizError, match="at most five"):
        pack_clip(clip(panels))


def test_field_of_another_grid_is_refused() -> None:
    with pytest.raises(BrainvizError, match="shape"):
        pack_clip(clip([FlowPanel("a", "a", np.zeros((3, 4, 4, 2), np.float32))]))


def test_message_of_five_fields_on_the_real_grid_stays_under_a_megabyte() -> None:
    valid = np.ones((3, 32, 32), bool)
    flow = np.random.default_rng(0).normal(size=(3, 32, 32, 2)).astype(np.float32)
    sprite = SimpleNamespace(data=bytes(700_000), n=60, columns=8, width=224, height=224, fps=30.0)
    panels = [FlowPanel(str(i), str(i), flow) for i in range(5)]
    assert len(pack_clip(clip(panels, sprite=sprite, valid=valid, moving=valid))) < 1_000_000
