"""Shots that training and test share are found; others are not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from brainviz.data.cc2017 import CC2017
from brainviz.data.duplicates import hamming, hash_frames, match_hashes, near_duplicates
from brainviz.video.cuts import Cuts
from support.tiny_cc2017 import write_film


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (5, 5, 3)).astype(np.uint8)
    fine = rng.integers(-30, 30, (24, 24, 3))
    picture = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(picture + cv2.resize(fine.astype(np.float32), (96, 96)), 0, 255).astype(np.uint8)


def test_hamming_counts_bits() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2**63, (n, 4), dtype=np.uint64) for n in (5, 7))
    plain = [[sum(int(x ^ y).bit_count() for x, y in zip(r.tolist(), s.tolist(), strict=True)) for s in b] for r in a]
    np.testing.assert_array_equal(hamming(a, b), plain)


def test_a_scene_is_its_own_twin_through_compression_size_and_light() -> None:
    frames = np.stack([scene(i) for i in range(40)])
    changed = np.stack([np.clip(1.1 * cv2.GaussianBlur(f, (3, 3), 0) + 5, 0, 255) for f in frames]).astype(np.uint8)
    rows, twins = match_hashes(hash_frames(changed), hash_frames(frames))
    np.testing.assert_array_equal(rows, np.arange(40))
    np.testing.assert_array_equal(twins, np.arange(40))


def test_flat_frames_match_nothing() -> None:
    flat = np.full((3, 64, 64, 3), 20, np.uint8)
    rows, _ = match_hashes(hash_frames(flat), hash_frames(flat))
    assert len(rows) == 0
    assert len(match_hashes(hash_frames(flat[:0]), hash_frames(flat))[0]) == 0


def test_the_same_scene_in_another_colour_is_another_scene() -> None:
    frame = scene(1)[None]
    other = np.clip(frame.astype(int) + np.array([90, -90, 0]), 0, 255).astype(np.uint8)
    assert len(match_hashes(hash_frames(frame), hash_frames(other))[0]) == 0


def test_shared_shots_are_reported_once(tmp_path: Path) -> None:
    shots = {"seg1": [1, 2, 3, 4], "seg2": [5, 6], "test1": [7, 3, 8], "test2": [9, 6]}
    for segment, seeds in shots.items():
        frames = [scene(s) for s in seeds for _ in range(4 * 5)]  # two clips per shot at 5 frames per second
        write_film(tmp_path / "stimuli" / f"{segment}.mp4", frames, fps=5)
    ds = CC2017(tmp_path)
    none = np.empty((0, 2), np.int64)
    cuts = {s: Cuts(np.arange(20, 20 * len(v), 20), none, 5.0, 20 * len(v)) for s, v in shots.items()}
    found = near_duplicates(ds, ds.catalogue(cuts))
    pairs = set(zip(found["shot"], found["twin_shot"], strict=True))
    assert pairs == {("test1-shot001", "seg1-shot002"), ("test2-shot001", "seg2-shot001")} and len(found) == 2
    assert (found["similarity"] > 0.9).all() and (found["distance"] <= 28).all()
    without_shots = near_duplicates(ds, ds.catalogue())
    assert len(without_shots) == 8, "two clips of each shot against two of its twin"
    assert near_duplicates(ds, ds.catalogue({"seg1": cuts["seg1"]})).empty
