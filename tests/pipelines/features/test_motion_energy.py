"""Motion energy against pymoten's own filters, and on gratings that move as they are told."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from brainviz.errors import BrainvizError
from pipelines.features import motion_energy as me
from pipelines.features.registry import make_encoder

ENCODER = make_encoder("motion-energy")
PAIRS = me.spatial_parameters()


def _moten(planes: np.ndarray, fps: float, frequency: float, opposite: bool) -> tuple[np.ndarray, np.ndarray]:
    """pymoten's sine and cosine responses of every pair: (t, pairs) each."""
    from moten.core import raw_project_stimulus

    filters = [
        pair
        | {
            "direction": pair["direction"] + 180 * opposite,
            "temporal_freq": frequency,
            "temporal_env": 0.3,
            "stimulus_fps": fps,
            "filter_temporal_width": int(fps * 2 / 3),
        }
        for pair in PAIRS
    ]
    frames = planes.reshape(-1, me.SIDE, me.SIDE)
    return raw_project_stimulus(frames, filters, dtype="float64")


@pytest.mark.parametrize(("fps", "frequency"), [(15.0, 2.0), (15.0, 4.0), (30.0, 4.0), (24.0, 0.0)])
def test_responses_are_those_of_pymoten(fps: float, frequency: float) -> None:
    rng = np.random.default_rng(0)
    width = int(fps * 2 / 3)
    planes = (rng.random((1, width + 5, me.SIDE**2)) * 100).astype(np.float32)
    along, against = me.moving_energy(me.spatial_responses(planes), fps, frequency)
    assert along.shape == (1, 6, len(PAIRS))
    first = width - int(np.ceil(width / 2))  # pymoten's row of the first window that lies wholly within
    for ours, opposite in ((along, True), (against, False)):  # pymoten names the filter, not what it answers to
        sine, cosine = _moten(planes[0], fps, frequency, opposite)
        theirs = (sine**2 + cosine**2)[first : first + 6]
        # pymoten leaves out pixels where a filter is below .001
        np.testing.assert_allclose(np.sqrt(ours[0]), np.sqrt(theirs), rtol=2e-3, atol=2e-3 * np.sqrt(theirs.max()))


def _drifting(direction: float, cycles: float, hertz: float, fps: float = 15.0) -> np.ndarray:
    """Two seconds of a grating: uint8 (1, t, 56, 56, 3); direction in degrees, 0 right, 90 up."""
    place = np.linspace(0, 1, me.SIDE)
    angle = np.deg2rad(direction)
    along = np.cos(angle) * place[None, :] - np.sin(angle) * place[:, None]
    time = np.arange(round(2 * fps)) / fps
    wave = np.cos(2 * np.pi * (cycles * along - hertz * time[:, None, None]))
    return np.repeat((127 + 100 * wave).astype(np.uint8)[None, ..., None], 3, axis=-1)


def _by_kind(energy: np.ndarray) -> dict[tuple[float, str], np.ndarray]:
    """Channels by (hertz, kind), each (pairs,)."""
    kinds = [(hertz, kind) for hertz in me.TEMPORAL_FREQUENCIES for kind in ("energy", "balance")]
    return dict(zip(kinds, energy.reshape(len(kinds), len(PAIRS)), strict=True))


def _pairs(frequency: float, orientation: float) -> np.ndarray:
    return np.array([(p["spatial_freq"], p["direction"]) == (frequency, orientation) for p in PAIRS])


@pytest.mark.parametrize("fps", [15.0, 30.0])
@pytest.mark.parametrize("direction", [0.0, 45.0, 90.0, 180.0, 225.0])
@pytest.mark.parametrize("hertz", [2.0, 4.0])
def test_a_grating_is_strongest_in_its_own_channel(direction: float, hertz: float, fps: float) -> None:
    found = _by_kind(ENCODER.encode(_drifting(direction, 4.0, hertz, fps), fps)["energy"][0])
    means = {
        (moving, frequency, orientation): found[moving, "energy"][_pairs(frequency, orientation)].mean()
        for moving in me.TEMPORAL_FREQUENCIES
        for frequency in me.SPATIAL_FREQUENCIES
        for orientation in me.ORIENTATIONS
    }
    assert max(means, key=lambda name: means[name]) == (hertz, 4.0, direction % 180)
    balance = found[hertz, "balance"][_pairs(4.0, direction % 180)]
    assert (balance > 0.8).all() if direction < 180 else (balance < -0.8).all()


def test_reversal_swaps_directions_and_freezing_removes_motion() -> None:
    film = _drifting(0.0, 4.0, 4.0)
    plain, reverse, frozen = (
        _by_kind(make_encoder(f"motion-energy{control}").encode(film, 15.0)["energy"][0])
        for control in ("", ".reversed", ".frozen")
    )
    right = _pairs(4.0, 0.0)
    assert (plain[4.0, "balance"][right] > 0.8).all() and (reverse[4.0, "balance"][right] < -0.8).all()
    assert (frozen[4.0, "balance"] == 0).all()
    np.testing.assert_array_equal(frozen[4.0, "energy"], frozen[1.0, "energy"])
    assert (plain[4.0, "energy"][right] > frozen[4.0, "energy"][right] + 1).all()


def test_contrast_alone_is_no_motion() -> None:
    film = np.stack([data.astronaut()[100:212, k : k + 112] for k in range(0, 60, 2)])[None]
    fainter = (127 + (film.astype(float) - 127) / 2).astype(np.uint8)
    strong, faint = (_by_kind(ENCODER.encode(clip, 15.0)["energy"][0])[2.0, "energy"] for clip in (film, fainter))
    assert abs(np.mean(strong - faint)) < 0.2, "half the contrast is log 2 = 0.69 less energy"


def test_a_frozen_clip_is_the_first_frame_repeated() -> None:
    film = np.stack([data.astronaut()[:300, :300], data.astronaut()[100:400, 100:400]] * 15)[None]
    frozen = make_encoder("motion-energy.frozen")
    assert frozen.frames_per_clip == 1
    repeated = ENCODER.encode(np.repeat(film[:, :1], 30, axis=1), 15.0)["energy"]
    np.testing.assert_allclose(frozen.encode(film[:, :1], 15.0)["energy"], repeated, atol=1e-3)
    np.testing.assert_allclose(frozen.encode(film, 15.0)["energy"], repeated, atol=1e-3)


def test_a_short_clip_is_continued_with_its_last_frame() -> None:
    film = _drifting(0.0, 4.0, 2.0)[:, :4]
    longer = np.concatenate([film, np.repeat(film[:, -1:], 6, axis=1)], axis=1)
    expected = ENCODER.encode(longer, 15.0)["energy"]
    np.testing.assert_allclose(ENCODER.encode(film, 15.0)["energy"], expected, atol=1e-3)
    assert expected.shape == (1, me.n_channels()) == (1, 2064)


def test_frames_of_the_wrong_kind_are_named() -> None:
    with pytest.raises(BrainvizError, match=r"uint8 \(n_clips"):
        ENCODER.encode(np.zeros((2, 56, 56, 3), np.uint8), 15.0)
