"""Shots of the training films that come back in the test films, found by comparing small fingerprints of frames.

Each clip's middle frame gives 256 bits (is a pixel brighter than its left neighbour, on a 17 x 16 picture; Krawetz'
"difference hash") and a 4 x 4 picture of colours. Two frames are near-duplicates when both agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.flow.fields import clip_length

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.data.base import Dataset

Progress = Callable[[float, str], None]

BITS = 256
_MOST_BITS = 28  # that may differ; independent frames differ in about 128
_MOST_COLOUR = 24.0  # mean difference of the colour pictures, of 255
_LEAST_DETAIL = 6.0  # standard deviation of the brightness; flatter frames (fades) say nothing
_SIZE = 64
_ROWS = 256
COLUMNS = ("clip", "shot", "twin", "twin_shot", "similarity", "distance", "colour_difference")


@dataclass(frozen=True)
class FrameHashes:
    """Fingerprints of n frames.

    Attributes
    ----------
    bits : uint64 (n, 4)
    colour : float32 (n, 48)
    detail : float32 (n,)
        Standard deviation of the brightness.
    """

    bits: npt.NDArray[np.uint64]
    colour: npt.NDArray[np.float32]
    detail: npt.NDArray[np.float32]


def hash_frames(frames: npt.NDArray[np.uint8]) -> FrameHashes:
    """Fingerprints of frames uint8 (n, h, w, 3)."""
    import cv2

    n = len(frames)
    grey = frames.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    small = np.empty((n, 16, 17), np.float32)
    colour = np.empty((n, 48), np.float32)
    for i in range(n):
        small[i] = cv2.resize(grey[i], (17, 16), interpolation=cv2.INTER_AREA)
        colour[i] = cv2.resize(frames[i], (4, 4), interpolation=cv2.INTER_AREA).reshape(-1)
    packed = np.packbits(small[:, :, 1:] > small[:, :, :-1], axis=None).reshape(n, BITS // 8)
    return FrameHashes(
        np.ascontiguousarray(packed).view(np.uint64).reshape(n, BITS // 64),
        colour,
        grey.std(axis=(1, 2)).astype(np.float32),
    )


def match_hashes(a: FrameHashes, b: FrameHashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All pairs of near-duplicate frames: their rows in `a` and in `b`."""
    pairs: list[npt.NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    for start in range(0, len(a.bits), _ROWS):
        part = slice(start, start + _ROWS)
        near = hamming(a.bits[part], b.bits) <= _MOST_BITS
        near &= (a.detail[part, None] > _LEAST_DETAIL) & (b.detail[None] > _LEAST_DETAIL)
        rows, columns = np.nonzero(near)
        rows = rows + start
        alike = np.abs(a.colour[rows] - b.colour[columns]).mean(axis=1) <= _MOST_COLOUR
        pairs.append(np.stack([rows[alike], columns[alike]], axis=1).astype(np.int64))
    found = np.concatenate(pairs)
    return found[:, 0], found[:, 1]


def hamming(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Number of differing bits of every pair of rows: (n, words), (m, words) -> (n, m)."""
    return np.asarray(np.bitwise_count(a[:, None] ^ b[None]).sum(axis=2, dtype=np.int64))


def film_hashes(ds: Dataset, segment: str, indices: npt.NDArray[np.integer]) -> FrameHashes:
    """Fingerprints of the middle frames of a segment's clips."""
    from brainviz.video.reading import film_info, read_frames

    info = film_info(ds.film(segment))
    middle = np.round(np.asarray(indices) * 2.0 * info.fps).astype(np.int64) + clip_length(info.fps) // 2
    return hash_frames(read_frames(ds.film(segment), np.minimum(middle, info.n_frames - 1), _SIZE))


def near_duplicates(ds: Dataset, clips: pd.DataFrame, progress: Progress | None = None) -> pd.DataFrame:
    """Test shots that a training film shows too.

    Parameters
    ----------
    ds : data set
    clips : DataFrame
        Of `Dataset.catalogue`; with its shots, each pair of shots is reported once, by its most similar clips.
    progress : callable (fraction, message), optional

    Returns
    -------
    DataFrame, most similar first
        clip, shot (test); twin, twin_shot (training); similarity (share of equal bits), distance (bits of 256 that
        differ), colour_difference (of 255).
    """
    import pandas as pd

    segments = list(dict.fromkeys(clips["segment"]))
    parts: list[tuple[pd.DataFrame, FrameHashes]] = []
    for number, segment in enumerate(segments):
        if progress is not None:
            progress(number / len(segments), f"fingerprints of {segment}")
        own = clips[clips["segment"] == segment]
        parts.append((own, film_hashes(ds, segment, own["index"].to_numpy())))
    train, test = (_joined(parts, split) for split in ("train", "test"))
    if train is None or test is None:
        return pd.DataFrame(columns=list(COLUMNS))
    rows, twins = match_hashes(test[1], train[1])
    distance = np.bitwise_count(test[1].bits[rows] ^ train[1].bits[twins]).sum(axis=1, dtype=np.int64)
    table = pd.DataFrame(
        {
            "clip": test[0]["clip"].to_numpy()[rows],
            "shot": test[0]["shot"].to_numpy()[rows],
            "twin": train[0]["clip"].to_numpy()[twins],
            "twin_shot": train[0]["shot"].to_numpy()[twins],
            "similarity": 1 - distance / BITS,
            "distance": distance,
            "colour_difference": np.abs(test[1].colour[rows] - train[1].colour[twins]).mean(axis=1),
        }
    ).sort_values(["distance", "clip", "twin"], ignore_index=True)
    with_shots = (table["shot"] != "").all() and (table["twin_shot"] != "").all()
    return table.drop_duplicates(["shot", "twin_shot"], ignore_index=True) if with_shots else table


def _joined(parts: list[tuple[pd.DataFrame, FrameHashes]], split: str) -> tuple[pd.DataFrame, FrameHashes] | None:
    import pandas as pd

    chosen = [(own, hashes) for own, hashes in parts if len(own) and own["split"].iloc[0] == split]
    if not chosen:
        return None
    joined = FrameHashes(
        *(np.concatenate([getattr(h, name) for _, h in chosen]) for name in ("bits", "colour", "detail"))
    )
    return pd.concat([own for own, _ in chosen], ignore_index=True), joined
