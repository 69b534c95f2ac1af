"""Exact motion of the film from its parameters: no picture is compared with another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from brainviz.errors import UnknownName
from pipelines.simulate.config import CLIP_S
from pipelines.simulate.geometry import Floats, Picture, Stage, views
from pipelines.simulate.plan import FilmPlan, Shot
from pipelines.simulate.renderer import fading, in_pixels

MOVING_SPEED = 0.02
"""Image widths per second by which a thing must differ from standing still in the scene to count as moving."""

SHARP_PX = 96
"""Edges of things are as sharp here as in a film of this size or larger."""


@dataclass(frozen=True)
class Course:
    """A shot over n instants: its pictures and cameras, and the pictures in a grid of sample points.

    Attributes
    ----------
    pictures : list of Picture
    camera : float64 (n, 4)
    points : int
        Sample points along each side of the frame.
    levels : list of int (n,)
    sampled : list of float64 (n, 3, 3)
        From a picture halved `levels` times to the grid of points.
    """

    pictures: list[Picture]
    camera: Floats
    points: int
    levels: list[NDArray[np.int64]]
    sampled: list[Floats]


def course(shot: Shot, times_s: Floats, points: int) -> Course:
    """Return a shot at times (n,) of it, seen at the centres of a `points` x `points` grid."""
    pictures = Stage(shot).pictures(times_s)
    placed = [in_pixels(picture, points, max(points, SHARP_PX)) for picture in pictures]
    levels, sampled = [level for level, _ in placed], [matrix for _, matrix in placed]
    return Course(pictures, shot.camera.at(times_s), points, levels, sampled)


_kept: dict[tuple[str, int, int], tuple[Shot, Course]] = {}


def course_of_frames(plan: FilmPlan, shot: Shot, points: int) -> Course:
    """Return a shot's course over its frames; the last few shots are kept."""
    key = (repr(plan.config), shot.number, points)
    kept = _kept.get(key)
    if kept is None or kept[0] is not shot:
        while len(_kept) >= 4:
            _kept.pop(next(iter(_kept)))
        kept = _kept[key] = (shot, course(shot, np.arange(shot.n_frames) / plan.config.fps, points))
    return kept[1]


def look(path: Course, at: int) -> NDArray[np.int16]:
    """Return what is seen at instant `at`: the number of the frontmost picture that is more than half opaque.

    int16 (points, points).
    """
    n = path.points
    owner = np.zeros((n, n), dtype=np.int16)
    for number, picture in enumerate(path.pictures):
        if picture.texture.opaque:
            owner[:] = number
            continue
        cover = picture.texture.alpha(int(path.levels[number][at]))
        seen = cv2.warpAffine(cover, path.sampled[number][at, :2], (n, n), flags=cv2.INTER_LINEAR)
        owner[seen > 127] = number
    return owner


def displacement(path: Course, owner: NDArray[np.int16], start: int, end: int) -> tuple[Floats, Floats]:
    """Return where each sample point goes, and what of that is the object's own.

    Parameters
    ----------
    path : Course
    owner : int16 (points, points)
        What is seen at instant `start` (from `look`).
    start, end : int
        Instants, as indices.

    Returns
    -------
    total, own : float64 (points, points, 2)
        Displacement in image widths (right, down); `own` = the part beyond what a thing standing still in the scene at
        the same depth would show (0 for scenery).
    """
    before = np.stack([picture.followed(start, start) for picture in path.pictures])
    after = np.stack([picture.followed(start, end) for picture in path.pictures])
    change = after @ np.linalg.inv(before)
    still = change.copy()
    for number, picture in enumerate(path.pictures):
        if picture.thing >= 0:
            first, last = views(path.camera[[start, end]], *picture.depth)
            still[number] = last @ np.linalg.inv(first)
    line = (np.arange(path.points) + 0.5) / path.points - 0.5
    return _moved(change - np.eye(3), owner, line), _moved(change - still, owner, line)


def _moved(change: Floats, owner: NDArray[np.int16], line: Floats) -> Floats:
    """Return change[owner] applied to every point of the grid spanned by `line`, float64 (points, points, 2)."""
    x, y = line[None, :], line[:, None]
    rows = (change[:, k, 0][owner] * x + change[:, k, 1][owner] * y + change[:, k, 2][owner] for k in (0, 1))
    return np.stack(list(rows), axis=-1)


def cell_means(values: NDArray, grid: int) -> NDArray:
    """Return the mean over the sample points of each cell, (grid, grid, ...)."""
    fine = values.shape[0] // grid
    return values.reshape(grid, fine, grid, fine, *values.shape[2:]).mean(axis=(1, 3))


def clip_frames(fps: int) -> NDArray[np.int_]:
    """Return the numbers of a clip's four frames: first, one and two thirds, last."""
    n = round(CLIP_S * fps)
    return np.array([0, n // 3, 2 * n // 3, n - 1])


def exact_flow(plan: FilmPlan, segment: str, index: int, grid: int = 32) -> tuple[NDArray, NDArray, NDArray]:
    """Return the true flow of a clip between its four frames.

    A cell holds the mean over 2 x 2 sample points of the film's exact displacement there; each point follows the
    picture that is in front of it on the earlier frame (more than half opaque).

    Parameters
    ----------
    plan : FilmPlan
    segment : str
    index : int
        Number of the clip in its segment, from 0.
    grid : int
        Cells along each side.

    Returns
    -------
    flow : float32 (3, grid, grid, 2)
        Right and down, in cells of this grid per step.
    valid : bool (3, grid, grid)
        False for a whole step that crosses a cut or touches a fade (its flow is then 0).
    moving : bool (3, grid, grid)
        Half the cell or more shows a thing whose own motion exceeds `MOVING_SPEED`.

    Raises
    ------
    UnknownName
        The segment has no such clip.
    """
    plan.shots(segment)
    fps = plan.config.fps
    if not 0 <= index < plan.config.segments[segment]:
        last = plan.config.segments[segment] - 1
        raise UnknownName(f"The segment has no clip {index}.", segment, f"Its clips are 0 to {last}.")
    frames = index * round(CLIP_S * fps) + clip_frames(fps)
    flow = np.zeros((3, grid, grid, 2), dtype=np.float32)
    valid = np.zeros((3, grid, grid), dtype=bool)
    moving = np.zeros((3, grid, grid), dtype=bool)
    for step, (first, last) in enumerate(pairwise(frames)):
        shot = plan.shot_at(segment, int(first))
        a, b = int(first) - shot.onset_frame, int(last) - shot.onset_frame
        if last >= shot.end_frame or fading(shot, a, b):
            continue
        path = course_of_frames(plan, shot, 2 * grid)
        total, own = displacement(path, look(path, a), a, b)
        flow[step] = cell_means(total, grid) * grid
        valid[step] = True
        fast = np.hypot(own[..., 0], own[..., 1]) > MOVING_SPEED * (b - a) / fps
        moving[step] = cell_means(fast.astype(np.float32), grid) >= 0.5
    return flow, valid, moving
