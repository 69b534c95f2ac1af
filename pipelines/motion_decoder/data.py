"""What a decoder is trained on: windows of BOLD, first-frame features, true flow. Arrays only, no file formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError

from .features import Features

# A control shifted by less than this may still share a shot with its film (long training shots, slow haemodynamics).
MINIMUM_SHIFT_S = 30.0


@dataclass(frozen=True)
class BoldWindows:
    """fMRI windows of n clips, gathered only when asked for: windows overlap, stored whole they take 5 times the space.

    Attributes
    ----------
    volumes : float32 (n_volumes, n_vertices), all segments stacked; may be a memory map.
    index : int64 (n_clips, n_window), rows of `volumes`; -1 where the recording has no such volume (reads as zeros).
    """

    volumes: NDArray[np.float32]
    index: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.volumes.ndim != 2 or self.index.ndim != 2:
            raise BrainvizError("BOLD windows need volumes (tr, vertex) and index (clip, window).", "decoder input")
        if self.index.size and (self.index.max() >= len(self.volumes) or self.index.min() < -1):
            raise BrainvizError("A BOLD window points outside the recording.", "decoder input")

    def __len__(self) -> int:
        return len(self.index)

    @property
    def n_window(self) -> int:
        return int(self.index.shape[1])

    @property
    def n_vertices(self) -> int:
        return int(self.volumes.shape[1])

    def select(self, rows: NDArray[np.integer] | slice) -> BoldWindows:
        """The same recording seen by fewer clips."""
        return BoldWindows(self.volumes, self.index[rows])

    def gather(self, rows: NDArray[np.integer] | slice | None = None) -> NDArray[np.float32]:
        """float32 (n, n_window, n_vertices), zeros where a volume is missing."""
        index = self.index if rows is None else self.index[rows]
        windows = np.asarray(self.volumes[np.maximum(index, 0)], dtype=np.float32)
        windows[index < 0] = 0
        return windows

    @classmethod
    def from_array(cls, windows: NDArray[np.float32]) -> BoldWindows:
        """Wrap windows that are already gathered, (n, n_window, n_vertices)."""
        n, width, vertices = windows.shape
        return cls(windows.reshape(n * width, vertices), np.arange(n * width, dtype=np.int64).reshape(n, width))

    @classmethod
    def from_segments(
        cls,
        volumes: Sequence[NDArray[np.float32]],
        indices: Sequence[NDArray[np.integer]],
        vertices: NDArray[np.integer] | None = None,
    ) -> BoldWindows:
        """Stack segments: `volumes[i]` (tr, vertex) with its own `indices[i]` from `brainviz.data.timing`."""
        kept = [v if vertices is None else np.ascontiguousarray(v[:, vertices]) for v in volumes]
        starts = np.cumsum([0, *(len(v) for v in kept)])
        shifted = [np.where(i < 0, -1, i + start) for i, start in zip(indices, starts, strict=False)]
        return cls(np.concatenate(kept), np.concatenate(shifted).astype(np.int64))


@dataclass(frozen=True)
class DecoderData:
    """One subject's training clips.

    Attributes
    ----------
    bold : BoldWindows of n clips.
    features : float16 (n, 32, 32, channels), of the first frame; in memory or read where they are looked at.
    flow : float32 (n, 3, 32, 32, 2), grid pixels per step.
    valid : bool (n, 3, 32, 32).
    segment : str (n,), rows of a segment in film order.
    reliability : float32 (n_vertices,) or None, split-half of the training runs.
    clip_s : length of a clip in seconds.
    """

    bold: BoldWindows
    features: Features
    flow: NDArray[np.float32]
    valid: NDArray[np.bool_]
    segment: NDArray[np.str_]
    reliability: NDArray[np.float32] | None = None
    clip_s: float = 2.0

    def __post_init__(self) -> None:
        n = len(self.flow)
        lengths = {len(self.bold), len(self.features), n, len(self.valid), len(self.segment)}
        if n == 0 or lengths != {n}:
            raise BrainvizError("Training clips are empty or differ in number between inputs.", "decoder input")
        if self.flow.shape[:-1] != self.valid.shape or self.features.shape[1:3] != self.flow.shape[2:4]:
            raise BrainvizError("Flow, validity and features do not share one grid.", "decoder input")
        if self.reliability is not None and len(self.reliability) != self.bold.n_vertices:
            raise BrainvizError("One reliability per decoded vertex is needed.", "decoder input")
        if not self.valid.any():
            raise BrainvizError("No training step has valid flow.", "decoder input", "Check the flow labels.")
        if not (np.isfinite(self.flow)[self.valid].all() and np.isfinite(self.bold.volumes).all()):
            raise BrainvizError("Training flow or BOLD holds values that are not finite.", "decoder input")


def choose_vertices(
    reliability: NDArray[np.floating], threshold: float = 0.1, most: int = 8000, least: int = 200
) -> NDArray[np.int64]:
    """Vertices whose training runs agree: reliability >= threshold, at most `most`, at least the `least` best.

    `reliability` (n_vertices,) comes from training runs only; NaN means unknown and is never chosen.
    Returns sorted indices.
    """
    known = np.flatnonzero(np.isfinite(reliability))
    if len(known) == 0:
        raise BrainvizError("No vertex has a known reliability.", "vertex choice", "Two training runs are needed.")
    best_first = known[np.argsort(-reliability[known], kind="stable")]
    wanted = int((reliability[known] >= threshold).sum())
    return np.sort(best_first[: min(max(wanted, least), most)])


def segment_folds(segment: NDArray[np.str_], max_folds: int = 6, gap: int = 8) -> NDArray[np.int64]:
    """Fold number per clip, int64 (n,): whole segments, because neighbouring clips share shots and windows.

    With one segment only, it is cut into thirds and the clips within `gap` of a border are marked -1 (in no fold).
    """
    names = list(dict.fromkeys(segment.tolist()))
    if len(names) == 1:
        fold = np.arange(len(segment)) * 3 // max(len(segment), 1)
        borders = np.flatnonzero(np.diff(fold)) + 1
        near = (np.abs(np.arange(len(segment))[:, None] - borders[None]) < min(gap, len(segment) // 8)).any(1)
        return np.where(near, -1, fold).astype(np.int64)
    n_folds = min(max_folds, len(names))
    of_name = {name: position % n_folds for position, name in enumerate(names)}
    return np.array([of_name[name] for name in segment.tolist()], dtype=np.int64)


def fold_splits(data: DecoderData, max_folds: int = 6) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """(rows to train on, rows to stop early on) for every fold; clips without a valid vector are in neither.

    With one fold only, both are all clips.
    """
    fold = segment_folds(data.segment, max_folds)
    usable = data.valid.any(axis=(1, 2, 3)) & (fold >= 0)
    folds = np.unique(fold[usable])
    held = [(usable & (fold == number)) for number in folds]
    return [(np.flatnonzero(usable & ~part if len(folds) > 1 else part), np.flatnonzero(part)) for part in held]


def shift_against_film(data: DecoderData, seed: int) -> DecoderData:
    """fMRI circularly shifted against the film, each segment by its own draw of more than 30 s either way.

    A segment shorter than a minute is shifted by half its length, the most it allows.
    """
    bold = data.bold.select(shifted_rows(data.segment, seed, data.clip_s))
    return DecoderData(bold, data.features, data.flow, data.valid, data.segment, data.reliability, data.clip_s)


def shifted_rows(segment: NDArray[np.str_], seed: int, clip_s: float = 2.0) -> NDArray[np.int64]:
    """Which clip's fMRI stands at each clip after the shift of `shift_against_film`: int64 (n,)."""
    generator = np.random.default_rng(seed)
    least = int(MINIMUM_SHIFT_S // clip_s) + 1
    source = np.arange(len(segment))
    for name in dict.fromkeys(segment.tolist()):
        rows = np.flatnonzero(segment == name)
        widest = len(rows) - least
        shift = int(generator.integers(least, widest + 1)) if widest >= least else len(rows) // 2
        source[rows] = np.roll(rows, shift)
    return source
