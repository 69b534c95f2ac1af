"""Where a film cuts or fades, found from brightness and colour in one fast pass over its frames.

A cut is a frame whose difference from the one before stands far above the differences around it, both in its coarse
picture and in its colours: fast pans differ strongly too, but do so for many frames on end, and keep their colours. A
flash differs twice and returns to what was before. A fade is a run of frames whose contrast falls to nearly nothing or
rises from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]
Progress = Callable[[float, str], None]

_SIZE = 48  # px of the short side that frames are looked at
_CELLS = 12  # cells along each side of the coarse picture
_BINS = 16  # of each histogram
_BATCH = 128  # frames summarised at once
_NEIGHBOURS_S = 0.5  # a cut is compared with the differences this far around
_LEAST_CHANGE = 0.035  # of the coarse picture, relative to full scale
_LARGE_CHANGE = 0.12  # that is a cut even between pictures of one composition
_OTHER_PICTURE = 0.95  # correlation with the frame before, below which the picture is another
_LEAST_COLOUR = 0.06  # share of pixels that change their histogram bin
_OUTLIER = 3.0  # times the differences around
_LEAST_GAIN = 0.2  # change of light from frame to frame that is still flicker
_FLAT = 0.25  # contrast, relative to the strongest around, below which a frame counts as faded out
_DARK, _BRIGHT = 60.0, 195.0  # mean brightness of a faded-out frame is below or above
_LONGEST_FADE_S = 2.0
_SAME_PICTURE = 0.9  # correlation with the frame before, above which a fade may go on
_FADE_STEP = 1.03  # least growth of contrast from frame to frame of a fade


@dataclass(frozen=True)
class Cuts:
    """Cuts of one film.

    Attributes
    ----------
    cuts : int64 (n,)
        Numbers of the frames that begin a new shot (frame 0 not among them), ascending.
    fades : int64 (m, 2)
        First and last frame of every fade.
    fps : float
    n_frames : int
    """

    cuts: npt.NDArray[np.int64]
    fades: npt.NDArray[np.int64]
    fps: float
    n_frames: int


@dataclass(frozen=True)
class FrameTraces:
    """What the search looks at, one value per frame.

    Attributes
    ----------
    coarse : float32 (n, 3, 12, 12)
        Coarse brightness and colour differences, 0 to 255.
    histogram : float32 (n, 3, 16)
        Shares of pixels.
    contrast, brightness : float32 (n,)
        Standard deviation and mean of the brightness.
    """

    coarse: Array
    histogram: Array
    contrast: Array
    brightness: Array


def detect_cuts(path: str | Path, progress: Progress | None = None) -> Cuts:
    """Find the cuts and fades of a film.

    Parameters
    ----------
    path : path of the film
    progress : callable (fraction, message), optional

    Raises
    ------
    DataProblem
        The film cannot be read, or its data end early.
    """
    from brainviz.video.reading import film_info, iterate_planes

    info = film_info(path)
    traces = trace_frames(iterate_planes(path, _SIZE), info.n_frames, progress)
    return find_cuts(traces, info.fps)


def trace_frames(frames: Iterable[list[Frames]], n_frames: int, progress: Progress | None = None) -> FrameTraces:
    """Summarise frames given as brightness and two colour planes, uint8 (h, w) each."""
    parts: list[tuple[Array, ...]] = []
    for batch in _batches(frames):
        parts.append(_traces_of(batch))
        if progress is not None:
            done = sum(len(part[0]) for part in parts)
            progress(min(1.0, done / max(n_frames, 1)), f"frame {done} of {n_frames}")
    if not parts:
        nothing = np.empty(0, np.float32)
        return FrameTraces(
            np.empty((0, 3, _CELLS, _CELLS), np.float32), np.empty((0, 3, _BINS), np.float32), nothing, nothing
        )
    return FrameTraces(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _batches(frames: Iterable[list[Frames]]) -> Iterator[list[list[Frames]]]:
    remaining = iter(frames)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _traces_of(batch: list[list[Frames]]) -> tuple[Array, ...]:
    """Coarse picture, histogram, contrast and brightness of some frames."""
    planes = [np.stack([frame[channel] for frame in batch]) for channel in range(3)]
    coarse = np.stack([_coarse(plane) for plane in planes], axis=1)
    histogram = np.stack([_histogram(plane) for plane in planes], axis=1)
    luma = planes[0].reshape(len(batch), -1).astype(np.float32)
    return coarse, histogram, luma.std(1), luma.mean(1)


def _coarse(plane: Frames) -> Array:
    """Area averages of (n, h, w) on the coarse grid: float32 (n, 12, 12)."""
    rows, columns = (_averaging(size) for size in plane.shape[1:])
    return np.asarray(rows @ plane.astype(np.float32) @ columns.T, np.float32)


@lru_cache(maxsize=16)
def _averaging(size: int) -> Array:
    """Weights (12, size) that average equal, possibly fractional shares of an axis."""
    edges = np.linspace(0, size, _CELLS + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(size)
    overlap = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None)
    return np.asarray(overlap / overlap.sum(1, keepdims=True), np.float32)


def _histogram(plane: Frames) -> Array:
    """Shares of pixels per bin of (n, h, w): float32 (n, 16)."""
    n = len(plane)
    bins = (plane.reshape(n, -1) >> 4).astype(np.int64) + _BINS * np.arange(n)[:, None]
    return np.asarray(np.bincount(bins.ravel(), minlength=_BINS * n).reshape(n, _BINS) / bins.shape[1], np.float32)


def find_cuts(traces: FrameTraces, fps: float) -> Cuts:
    """Cuts and fades from the traces of all frames of a film."""
    n = len(traces.contrast)
    alike = _likeness(traces)
    fades = _fades(traces, alike, fps)
    inside = {t for first, last in fades for t in range(first, last + 2) if alike[min(t, n - 1)] > _SAME_PICTURE}
    cuts = [t for t in _hard_cuts(traces, fps) if t not in inside]
    for first, last in fades:
        if not any(first <= t <= last + 1 for t in cuts):  # the next shot begins where the picture is faintest
            cuts.append(first + int(np.argmin(traces.contrast[first : last + 1])))
    cuts = [t for t in cuts if t > 0]
    kept: list[int] = []
    for t in sorted(set(cuts)):
        if not kept or t - kept[-1] > max(1, round(0.1 * fps)):
            kept.append(t)
    return Cuts(np.asarray(kept, np.int64), np.asarray(fades, np.int64).reshape(-1, 2), fps, n)


def _change(traces: FrameTraces, gap: int) -> tuple[Array, Array]:
    """Difference of each frame from the one `gap` before, coarse picture and colours, both 0 to 1: (n - gap,) each.

    The earlier picture is first scaled to the later one's light, so that flicker and fades count little.
    """
    black = np.array([16, 128, 128], np.float32)[:, None, None]
    picture = traces.coarse - black
    later, earlier = picture[gap:], picture[:-gap]
    gain = (later * earlier).sum((1, 2, 3)) / np.maximum((earlier * earlier).sum((1, 2, 3)), 1.0)
    coarse = np.abs(later - np.clip(gain, _LEAST_GAIN, 1 / _LEAST_GAIN)[:, None, None, None] * earlier).mean(
        axis=(2, 3)
    )
    colours = 0.5 * np.abs(traces.histogram[gap:] - traces.histogram[:-gap]).sum(axis=2)
    return (coarse.sum(1) / 255).astype(np.float32), colours.max(1).astype(np.float32)


def _hard_cuts(traces: FrameTraces, fps: float) -> list[int]:
    if len(traces.contrast) < 3:
        return []
    coarse, colour = _change(traces, 1)
    another = (_likeness(traces)[1:] < _OTHER_PICTURE) | (coarse > _LARGE_CHANGE)
    score = coarse * (coarse > _LEAST_CHANGE) * (colour > _LEAST_COLOUR) * another
    around = _median_around(coarse, max(2, round(_NEIGHBOURS_S * fps)))
    found = np.flatnonzero((score > 0) & (coarse > _OUTLIER * around + 0.01)) + 1
    coarse_over_two, _ = _change(traces, 2)
    return [int(t) for t in found if not _is_flash(int(t), coarse, coarse_over_two)]


def _median_around(values: Array, reach: int) -> Array:
    """Median of the values up to `reach` places before and after, without the value and its next neighbours."""
    padded = np.pad(values, reach, mode="reflect" if len(values) > reach else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    keep = np.abs(np.arange(-reach, reach + 1)) > 1
    return np.asarray(np.median(windows[:, keep], axis=1), np.float32)


def _is_flash(t: int, coarse: Array, coarse_over_two: Array) -> bool:
    """Whether frame t differs from the frame before, but its neighbours t - 1 and t + 1 (or t - 2 and t) agree."""
    change = coarse[t - 1]
    neighbours = [i for i in (t - 1, t - 2) if 0 <= i < len(coarse_over_two)]
    return any(coarse_over_two[i] < 0.25 * change for i in neighbours)


def _likeness(traces: FrameTraces) -> Array:
    """Correlation of each frame's coarse brightness with the frame before, (n,); 1 for the first."""
    picture = traces.coarse[:, 0].reshape(len(traces.coarse), -1)
    centred = picture - picture.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1) + 1e-3
    pairs = (centred[1:] * centred[:-1]).sum(1) / (length[1:] * length[:-1])
    return np.concatenate([np.ones(min(1, len(picture)), np.float32), pairs.astype(np.float32)])


def _fades(traces: FrameTraces, alike: Array, fps: float) -> list[tuple[int, int]]:
    """First and last frame of every fade; a fade ends where the picture itself changes."""
    contrast, n = traces.contrast, len(traces.contrast)
    strongest = _maximum_around(contrast, max(2, round(1.5 * fps)))
    extreme = (traces.brightness < _DARK) | (traces.brightness > _BRIGHT)
    longest = round(_LONGEST_FADE_S * fps)

    def goes_on(at: int, to: int) -> bool:
        return bool(contrast[to] > _FADE_STEP * contrast[at] and alike[max(at, to)] > _SAME_PICTURE)

    fades: list[tuple[int, int]] = []
    for first, last in _runs((contrast < _FLAT * strongest) & extreme):
        start, end = first, last
        while start > 0 and first - start < longest and goes_on(start, start - 1):
            start -= 1
        while end < n - 1 and end - last < longest and goes_on(end, end + 1):
            end += 1
        if end - start >= 2:
            fades.append((start, end))
    return fades


def _maximum_around(values: Array, reach: int) -> Array:
    padded = np.pad(values, reach, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1), np.float32)


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]
