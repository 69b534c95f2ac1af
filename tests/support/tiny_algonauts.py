"""Tiny data sets in the true layout of the Algonauts Project 2021: short films and pickles of responses."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from support.tiny_cc2017 import write_film
from support.tiny_hcp7t import moving_frames

FILMS = "AlgonautsVideos268_All_30fpsmax"
RATES = (30, 24, 15)
SIZES = ((48, 48), (48, 64), (64, 48))
MASK_SHAPE = (78, 93, 71)


def film_path(root: Path, number: int) -> Path:
    """Where a film stands."""
    return root / FILMS / f"{number:04d}_0-1-{number}.mp4"


def pickle_path(root: Path, subject: str, region: str = "WB") -> Path:
    """Where a subject's responses stand."""
    track = "full_track" if region == "WB" else "mini_track"
    return root / "participants_data_v2021" / track / f"sub{subject}" / f"{region}.pkl"


def responses(n: int, voxels: int, seed: int, repeats: int = 3) -> np.ndarray:
    """float32 (n, repeats, voxels): part of it common to the repeats."""
    generator = np.random.default_rng(seed)
    common = np.random.default_rng(seed + 1).normal(0, 1, (n, 1, voxels))
    return (common + generator.normal(0, 0.7, (n, repeats, voxels))).astype(np.float32)


def write_pickle(path: Path, content: object, protocol: int = 2) -> Path:
    """As the challenge wrote its files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def whole_brain(train: np.ndarray) -> dict[str, np.ndarray]:
    """Content of a ``WB.pkl``."""
    mask = np.zeros(MASK_SHAPE, np.float64)
    mask.ravel()[: train.shape[2]] = 1
    return {"train": train, "voxel_mask": mask}


def write_films(root: Path, numbers: Iterable[int], seconds: float = 3.0) -> None:
    """Films of several sizes and frame rates."""
    for number in numbers:
        rate, (height, width) = RATES[number % 3], SIZES[number % 3]
        write_film(film_path(root, number), moving_frames(seconds, number, height, width, rate), rate)


def write_dataset(root: Path, n: int = 24, subjects: Iterable[str] = ("01",), voxels: int = 260) -> Path:
    """A whole folder of the full track, with two more films whose responses were never released."""
    write_films(root, range(1, n + 1))
    for subject in subjects:
        content = whole_brain(responses(n, voxels, seed=int(subject)))
        write_pickle(pickle_path(root, subject), content)
    return root
