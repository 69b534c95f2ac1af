"""Scores of films against scikit-image, mathematics, and arrays of other programs (BRAINVIZ_GOLDEN)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.metrics.video.embeddings import clip_pcc_adjacent, clip_pcc_gated, cosine, vifi_frame_numbers
from brainviz.metrics.video.hue import hue_correlation, hue_cosine_8bit
from brainviz.metrics.video.pixels import PSNR_IDENTICAL, psnr, ssim, ssim_columns
from brainviz.metrics.video.temporal import warping_error


@pytest.fixture(scope="module")
def films(golden: Path) -> dict[str, np.ndarray]:
    with np.load(golden / "mind_animator" / "video_metrics.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def each_frame(measure, films: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([measure(gt, pred) for gt, pred in zip(films["gt"], films["pred"], strict=True)])


@pytest.mark.parametrize(
    ("measure", "name"), [(ssim, "ssim"), (psnr, "psnr"), (ssim_columns, "neurons_ssim"), (psnr, "neurons_psnr")]
)
def test_published_scores(films: dict[str, np.ndarray], measure, name: str) -> None:
    assert each_frame(measure, films) == pytest.approx(films[name], rel=1e-4)


def test_published_hue_score(films: dict[str, np.ndarray]) -> None:
    assert each_frame(hue_cosine_8bit, films) == pytest.approx(films["hue"], rel=1e-3)


@pytest.mark.parametrize("total", [6, 8, 16, 60])
def test_frames_that_vifi_sees(golden: Path, total: int) -> None:
    with np.load(golden / "mind_animator" / "vifi_sampleframes.npz", allow_pickle=False) as arrays:
        assert np.array_equal(vifi_frame_numbers(total).ravel(), arrays[f"total{total}"])


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_structural_similarity_and_noise_ratio_of_scikit_image() -> None:
    from skimage import data, metrics

    truth = np.stack([data.astronaut()[100:160, 180:250], data.astronaut()[40:100, 200:270]])
    mixed = (0.8 * truth + 0.2 * noise(truth.shape)).astype(np.uint8)
    expected = [metrics.structural_similarity(a, b, channel_axis=-1) for a, b in zip(truth, mixed, strict=True)]
    assert ssim(truth, mixed) == pytest.approx(expected, abs=1e-5)
    expected = [metrics.peak_signal_noise_ratio(a, b) for a, b in zip(truth, mixed, strict=True)]
    assert psnr(truth, mixed) == pytest.approx(expected, abs=1e-9)


def test_equal_frames() -> None:
    frames = noise((2, 16, 20, 3))
    assert ssim(frames, frames) == pytest.approx(1)
    assert ssim_columns(frames, frames) == pytest.approx(1)
    assert hue_correlation(frames, frames) == pytest.approx(1)
    assert (psnr(frames, frames) == PSNR_IDENTICAL).all()


def coloured(hue: np.ndarray) -> np.ndarray:
    """Frames of given hues in degrees at full saturation: (h, w) -> uint8 (1, h, w, 3)."""
    import cv2

    hsv = np.stack([hue % 360, np.ones_like(hue), np.ones_like(hue)], -1).astype(np.float32)
    return np.round(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)[None]


def test_hue_correlates_around_the_circle() -> None:
    rng = np.random.default_rng(1)
    hue = rng.normal(0, 30, (40, 40))  # around red, where 8-bit hue jumps from 179 to 0
    assert hue_correlation(coloured(hue), coloured(hue + 150))[0] == pytest.approx(1, abs=0.02)
    assert hue_correlation(coloured(hue), coloured(-hue))[0] == pytest.approx(-1, abs=0.02)
    unrelated = coloured(rng.normal(0, 30, (40, 40)))
    assert abs(hue_correlation(coloured(hue), unrelated)[0]) < 0.1
    assert hue_cosine_8bit(coloured(rng.uniform(0, 360, (40, 40))), unrelated)[0] > 0.5  # what is wrong with it


def test_grey_pixels_have_no_hue() -> None:
    grey = np.repeat(noise((1, 16, 16, 1)), 3, axis=-1)
    assert np.isnan(hue_correlation(grey, noise((1, 16, 16, 3)))).all()


def test_cosines_of_known_angles() -> None:
    angles = np.radians([0, 10, 30, 90])
    frames = np.stack([np.cos(angles), np.sin(angles)], -1)[None]
    expected = np.mean(np.cos(np.radians([10, 20, 60])))
    assert clip_pcc_adjacent(frames) == pytest.approx([expected])
    two = np.repeat(frames, 2, axis=0)
    assert clip_pcc_gated(two, [0.61, 0.6]) == pytest.approx([expected, 0])
    assert np.isnan(cosine(np.zeros(3), np.ones(3)))
    assert cosine(3 * frames, frames) == pytest.approx(np.ones((1, 4)))


def test_a_film_that_follows_its_flow_is_consistent() -> None:
    scene = noise((32, 60, 3))
    frames = np.stack([scene[:, k : k + 40] for k in range(4)])  # moves left by a pixel per frame
    flow = np.zeros((3, 32, 40, 2))
    assert warping_error(np.repeat(frames[:1], 4, 0), flow) == 0
    flow[..., 0] = -1
    assert warping_error(frames, flow) == 0
    assert warping_error(frames, -flow) == pytest.approx(1 / 3, rel=0.1)  # mean distance of two uniform numbers
    assert np.isnan(warping_error(frames, flow * 1000))


@pytest.mark.parametrize("measure", [ssim, ssim_columns, psnr, hue_correlation, hue_cosine_8bit])
def test_films_of_different_shapes_are_refused(measure) -> None:
    with pytest.raises(DataProblem):
        measure(noise((2, 16, 16, 3)), noise((3, 16, 16, 3)))
    with pytest.raises(DataProblem):
        measure(noise((2, 16, 16, 3)), noise((2, 16, 16, 3)).astype(float))


def test_embeddings_of_different_shapes_are_refused() -> None:
    with pytest.raises(DataProblem):
        cosine(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(DataProblem):
        clip_pcc_adjacent(np.ones((2, 1, 4)))
    with pytest.raises(DataProblem):
        clip_pcc_gated(np.ones((2, 3, 4)), np.ones(3))
    with pytest.raises(DataProblem):
        warping_error(noise((2, 8, 8, 3)), np.zeros((2, 8, 8, 2)))
