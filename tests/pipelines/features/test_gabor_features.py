"""The encoder without weights against direct convolution and simple pictures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve
from skimage import data, transform

from brainviz.errors import BrainvizError, UnknownName
from pipelines.features.first_frame import make_frame_encoder
from pipelines.features.gabor import gabor_energy

ENCODER = make_frame_encoder("gabor")


def _grating(angle: float, wavelength: float, size: int = 64) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return np.cos(2 * np.pi / wavelength * (x * np.cos(angle) + y * np.sin(angle))).astype(np.float32)


@pytest.mark.parametrize("k", range(6))
def test_energy_is_that_of_the_two_dimensional_filter(k: int) -> None:
    image = data.camera()[100:150, 100:160].astype(np.float32) / 255
    y, x = np.mgrid[-4:5, -4:5]
    angle, envelope = k * np.pi / 6, np.exp(-(x**2 + y**2) / (2 * 1.8**2))
    kernel = envelope / envelope.sum() * np.exp(2j * np.pi / 4 * (x * np.cos(angle) + y * np.sin(angle)))
    parts = [convolve(image, part, mode="mirror") for part in (kernel.real, kernel.imag)]
    np.testing.assert_allclose(gabor_energy(image)[k], parts[0] ** 2 + parts[1] ** 2, atol=1e-5)


@pytest.mark.parametrize("k", range(6))
def test_each_orientation_prefers_its_grating(k: int) -> None:
    energy = gabor_energy(_grating(k * np.pi / 6, 4.0))[:, 16:-16, 16:-16].mean(axis=(1, 2))
    assert energy.argmax() == k
    assert energy[k] > 1.5 * np.delete(energy, k).max()


def test_shape_type_and_range() -> None:
    frames = np.stack([data.astronaut()[:480, :480], data.chelsea()[:300, :300].repeat(2, 0).repeat(2, 1)[:480, :480]])
    features = ENCODER.encode(frames)
    assert features.shape == (2, 32, 32, ENCODER.channels) and features.dtype == np.float16
    assert 64 <= ENCODER.channels <= 128
    assert np.isfinite(features).all() and np.abs(features).max() < 10
    assert features.reshape(-1, ENCODER.channels).std(axis=0).min() > 0


def test_the_grid_lies_over_the_frame() -> None:
    frame = np.zeros((224, 224, 3), dtype=np.uint8)
    frame[28:35, 70:77] = [255, 0, 0]  # exactly cell (4, 10)
    mean_red = ENCODER.encode(frame[None])[0, ..., 1].astype(float)
    assert np.unravel_index(mean_red.argmax(), mean_red.shape) == (4, 10)
    assert mean_red[4, 10] == pytest.approx(0.5, abs=0.01)
    assert np.abs(np.delete(mean_red.ravel(), 4 * 32 + 10)).max() < 0.05


def test_colours_are_means_of_the_cells_at_any_size() -> None:
    photo = data.astronaut()
    for size in (96, 224, 512):
        frame = (transform.resize(photo, (size, size), anti_aliasing=True) * 255).astype(np.uint8)
        brightness = ENCODER.encode(frame[None])[0, ..., 0].astype(float)
        expected = transform.resize(photo.mean(axis=-1) / 255, (32, 32), anti_aliasing=True)
        assert np.corrcoef(brightness.ravel(), expected.ravel())[0, 1] > 0.98


def test_the_last_context_is_the_whole_frame() -> None:
    features = ENCODER.encode(data.astronaut()[None])[0].astype(np.float32)
    n = ENCODER.channels // 4
    np.testing.assert_allclose(features[7, 9, 3 * n :], features[..., :n].mean(axis=(0, 1)), atol=2e-3)


def test_a_frame_does_not_depend_on_its_neighbours() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(ENCODER.encode(frames)[1], ENCODER.encode(frames[1:2])[0])


def test_foreign_input_is_refused() -> None:
    with pytest.raises(BrainvizError, match="uint8"):
        ENCODER.encode(np.zeros((1, 64, 64, 3), dtype=np.float32))  # type: ignore[arg-type]
    for name in ("resnet", "gabor:somewhere", ""):
        with pytest.raises(UnknownName):
            make_frame_encoder(name)
