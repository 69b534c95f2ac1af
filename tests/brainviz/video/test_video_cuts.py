"""Cuts and fades of made-up films whose shots are known to the frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from brainviz.video.cuts import Cuts, detect_cuts
from support.tiny_cc2017 import write_film

FPS = 15


def picture(seed: int, width: int = 400) -> np.ndarray:
    """A wide scene of soft blobs in a palette of its own."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (6, 24, 1)) * 0.6 + rng.integers(0, 100, (1, 1, 3))
    fine = rng.integers(0, 50, (48, 200, 3))
    base = cv2.resize(coarse.astype(np.float32), (width, 96), interpolation=cv2.INTER_CUBIC)
    return np.clip(base + cv2.resize(fine.astype(np.float32), (width, 96)), 0, 255)


def pan(seed: int, n: int, speed: float) -> list[np.ndarray]:
    """A camera pan in px per frame over a 128-px view."""
    scene = picture(seed)
    starts = (np.arange(n) * speed).astype(int) % (scene.shape[1] - 128)
    return [scene[:, s : s + 128].astype(np.uint8) for s in starts]


def detect(tmp_path: Path, frames: list[np.ndarray]) -> Cuts:
    return detect_cuts(write_film(tmp_path / "a.mp4", frames, FPS, gop=30))


def test_hard_cuts_between_pans_are_exact(tmp_path: Path) -> None:
    lengths, speeds = [40, 23, 60, 31, 17, 50], [0, 1, 2, 0, 3, 1]
    frames = [f for i, (n, v) in enumerate(zip(lengths, speeds, strict=True)) for f in pan(i, n, v)]
    seen: list[float] = []
    found = detect_cuts(write_film(tmp_path / "a.mp4", frames, FPS), lambda fraction, _: seen.append(fraction))
    assert found.cuts.tolist() == np.cumsum(lengths)[:-1].tolist()
    assert found.fades.shape == (0, 2) and (found.fps, found.n_frames) == (FPS, len(frames))
    assert seen and seen == sorted(seen) and seen[-1] <= 1


@pytest.mark.parametrize("speed", [1, 4, 8])
def test_an_uncut_pan_has_no_cut(tmp_path: Path, speed: int) -> None:
    scene = picture(9, width=128 + 100 * speed)
    frames = [scene[:, i * speed : i * speed + 128].astype(np.uint8) for i in range(100)]
    assert detect(tmp_path, frames).cuts.tolist() == []


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    frames = pan(3, 60, 1)
    frames[30] = np.clip(frames[30].astype(int) + 90, 0, 255).astype(np.uint8)
    assert detect(tmp_path, frames).cuts.tolist() == []


def test_flickering_light_is_no_cut_and_hides_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = pan(11, 60, 1) + pan(12, 60, 1)
    lit = [np.clip(f * g, 0, 255).astype(np.uint8) for f, g in zip(frames, rng.uniform(0.8, 1.2, 120), strict=True)]
    assert detect(tmp_path, lit).cuts.tolist() == [60]


def fade(frames: list[np.ndarray], levels: np.ndarray) -> list[np.ndarray]:
    return [(f * level).astype(np.uint8) for f, level in zip(frames, levels, strict=True)]


def test_fade_through_black(tmp_path: Path) -> None:
    down, up = np.linspace(1, 0.02, 12), np.linspace(0.02, 1, 10)
    a, b = pan(1, 52, 1), pan(2, 50, 1)
    frames = a[:40] + fade(a[40:], down) + fade(b[:10], up) + b[10:]
    found = detect(tmp_path, frames)
    assert len(found.fades) >= 1
    assert abs(found.fades[0, 0] - 40) <= 1 and abs(found.fades[-1, 1] - 61) <= 1
    assert len(found.cuts) == 1 and abs(int(found.cuts[0]) - 52) <= 1


def test_fade_out_then_a_cut_to_a_bright_shot(tmp_path: Path) -> None:
    a, b = pan(4, 50, 1), pan(5, 40, 1)
    found = detect(tmp_path, a[:40] + fade(a[40:], np.linspace(0.95, 0.05, 10)) + b)
    assert found.cuts.tolist() == [50]
    assert len(found.fades) == 1 and found.fades[0, 1] == 49 and abs(found.fades[0, 0] - 40) <= 1


def test_a_cut_to_a_dark_frame_then_a_fade_in(tmp_path: Path) -> None:
    a, b = pan(6, 40, 0), pan(7, 50, 0)
    found = detect(tmp_path, a + fade(b[:8], (np.arange(8) + 0.5) / 8) + b[8:])
    assert found.cuts.tolist() == [40]
    assert len(found.fades) == 1 and found.fades[0, 0] == 40 and abs(found.fades[0, 1] - 48) <= 1


def test_a_dark_still_film_has_neither(tmp_path: Path) -> None:
    found = detect(tmp_path, [np.full((64, 64, 3), 8, np.uint8)] * 50)
    assert found.cuts.tolist() == [] and len(found.fades) == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_films_of_few_frames(tmp_path: Path, n: int) -> None:
    assert detect(tmp_path, pan(8, n, 1)).cuts.tolist() == []
