"""The motion map that steers DragNUWA: sparse steps spread by a Gaussian that is not normalised.

A single arrow keeps its length at its own place and fades over some 50 pixels. A dense field put through the same
filter would grow by the filter's sum, 2513. So dense motion enters either at anchors so far apart that their Gaussians
add up to one, or through a normalised filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField

Array = npt.NDArray[np.float32]

KERNEL, SIGMA = 199, 20.0
# Gaussians a distance d apart add up to s sqrt(2 pi) / d on average: 1 here, from .79 between anchors to 1.18 on them.
ANCHOR_PX = SIGMA * float(np.sqrt(2 * np.pi))
METHODS = ("normalised", "anchors")


@lru_cache(maxsize=4)
def gaussian_row(kernel: int = KERNEL, sigma: float = SIGMA) -> Array:
    """One row through the middle of the filter: float32 (kernel,), peak 1; the filter is its outer product."""
    offset = np.arange(kernel) - kernel // 2
    row = np.exp(-0.5 * np.square(offset / sigma)).astype(np.float32)
    row.setflags(write=False)
    return row


def spread(maps: npt.ArrayLike, kernel: int = KERNEL, sigma: float = SIGMA) -> Array:
    """Each map filtered by the Gaussian of peak 1; nothing lies beyond the border.

    Parameters
    ----------
    maps : float (t, h, w, c)

    Returns
    -------
    float32 (t, h, w, c)
    """
    import cv2

    row = gaussian_row(kernel, sigma)
    fields = np.asarray(maps, dtype=np.float32)
    done = [cv2.sepFilter2D(f, cv2.CV_32F, row, row, borderType=cv2.BORDER_CONSTANT) for f in fields]
    return np.asarray(np.stack(done).reshape(fields.shape), dtype=np.float32)


def spread_normalised(maps: npt.ArrayLike, kernel: int = KERNEL, sigma: float = SIGMA) -> Array:
    """Each map smoothed by the same Gaussian with a sum of 1 at every place, also at the border: (t, h, w, c)."""
    fields = np.asarray(maps, dtype=np.float32)
    ones = np.ones((1, *fields.shape[1:3], 1), dtype=np.float32)
    return np.asarray(spread(fields, kernel, sigma) / spread(ones, kernel, sigma), dtype=np.float32)


def track_points(track: npt.ArrayLike, n: int) -> npt.NDArray[np.float64]:
    """A drawn path at n even steps along its points, by monotone cubics (PCHIP).

    Parameters
    ----------
    track : (m, 2)
        x, y; a single point counts as a path to its lower right neighbour.
    n : int
        Number of frames.

    Returns
    -------
    float64 (n, 2)
    """
    from scipy.interpolate import PchipInterpolator

    points = np.asarray(track, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise BrainvizError(f"A path has the shape (points, 2), not {points.shape}.")
    if len(points) == 1:
        points = np.concatenate([points, points + 1])
    return np.asarray(PchipInterpolator(np.linspace(0, 1, len(points)), points)(np.linspace(0, 1, n)))


def sparse_steps(tracks: Sequence[npt.NDArray[np.float64]], height: int, width: int) -> Array:
    """Steps of tracks at the places where they begin.

    Parameters
    ----------
    tracks : sequence of float (n, 2)
        x, y in each of n frames, as `track_points` gives them. Later tracks overwrite earlier ones.

    Returns
    -------
    float32 (n - 1, height, width, 2)
    """
    n = len(tracks[0])
    steps = np.zeros((n - 1, height, width, 2), dtype=np.float32)
    for track in tracks:
        place = np.trunc(track[:-1]).astype(np.int64)
        inside = ((place >= 0) & (place < (width, height))).all(axis=1)
        frame = np.flatnonzero(inside)
        steps[frame, place[frame, 1], place[frame, 0]] = np.diff(track, axis=0)[frame]
    return steps


def at_anchors(steps: Array, spacing: float = ANCHOR_PX) -> Array:
    """Dense steps kept on a grid of anchors only: (t, h, w, 2) -> the same shape, zero elsewhere.

    The grid stands in the middle of the picture.
    """
    kept = np.zeros_like(steps)
    rows, columns = (_anchor_places(size, spacing) for size in steps.shape[1:3])
    kept[:, rows[:, None], columns] = steps[:, rows[:, None], columns]
    return kept


def _anchor_places(size: int, spacing: float) -> npt.NDArray[np.int64]:
    reach = int(size / 2 // spacing)
    places = np.round((size - 1) / 2 + spacing * np.arange(-reach, reach + 1)).astype(np.int64)
    return places[(places >= 0) & (places < size)]


def motion_map(
    motion: MotionField, times_s: Sequence[float] | npt.NDArray[np.floating], framing: Framing, method: str
) -> Array:
    """The map for a whole motion field.

    Parameters
    ----------
    motion : MotionField
    times_s : (n - 1,)
        Of the frames after the first.
    framing : Framing
        Where the picture stands in the generated film.
    method : str
        'normalised' or 'anchors'.

    Returns
    -------
    float32 (n, 2, height, width)
        Pixels per step at the current position; the first frame's is zero.
    """
    if method not in METHODS:
        raise BrainvizError(f"There is no motion map {method!r}.", "options", f"There are: {', '.join(METHODS)}.")
    steps = framing.extend(motion.at(times_s).per_step(framing.inner_height, framing.inner_width))
    dense = spread_normalised(steps) if method == "normalised" else spread(at_anchors(steps))
    return np.concatenate([np.zeros_like(dense[:1]), dense]).transpose(0, 3, 1, 2).copy()
