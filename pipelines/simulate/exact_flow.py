"""Exact motion of the film from its parameters: no picture is compared with another."""

from __future__ import annotations

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

_kept: dict[tuple[str, int], tuple[Shot, list[Picture], Floats]] = {}


def pictures_of(plan: FilmPlan, shot: Shot) -> tuple[list[Picture], Floats]:
    """Return a shot's pictures and camera states at every frame of it; the last few shots are kept."""
    key = (repr(plan.config), shot.number)
    kept = _kept.get(key)
    if kept is None or kept[0] is not shot:
        while len(_kept) >= 4:
            _kept.pop(next(iter(_kept)))
        times = np.arange(shot.n_frames) / plan.config.fps
        kept = _kept[key] = (shot, Stage(shot).pictures(times), shot.camera.at(times))
    return kept[1], kept[2]


def look(pictures: list[Picture], at: int, points: int) -> NDArray[np.int16]:
    """Return what is seen at instant `at` at the centres of a `points` x `points` grid over the frame.

    int16 (points, points): number of the frontmost picture that is more than half opaque there.
    """
    owner = np.zeros((points, points), dtype=np.int16)
    for number, picture in enumerate(pictures):
        if picture.texture.opaque:
            owner[:] = number
            continue
        now = slice(at, at + 1)
        only = Picture(picture.texture, 0, (0, 0), picture.base[now], picture.lever[now], picture.step[now])
        levels, matrices = in_pixels(only, points, max(points, SHARP_PX))
        cover = picture.texture.alpha(int(levels[0]))
        owner[cv2.warpAffine(cover, matrices[0, :2], (points, points), flags=cv2.INTER_LINEAR) > 127] = number
    return owner


def _grid(points: int) -> Floats:
    """Return the sample points in image widths from the frame's centre, (3, points * points), homogeneous."""
    line = (np.arange(points) + 0.5) / points - 0.5
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel(), np.ones(points * points)])


def displacement(
    pictures: list[Picture], camera: Floats, owner: NDArray[np.int16], start: int, end: int
) -> tuple[Floats, Floats]:
    """Return where each sample point goes, and what of that is the object's own.

    Parameters
    ----------
    pictures, camera
        Places of the pictures and states of the camera at n instants.
    owner : int16 (m, m)
        What is seen at the sample points at instant `start` (from `look`).
    start, end : int
        Instants, as indices.

    Returns
    -------
    total, own : float64 (m, m, 2)
        Displacement in image widths (right, down); `own` = the part beyond what a thing standing still in the scene at
        the same depth would show (0 for scenery).
    """
    points = owner.shape[0]
    grid, owners = _grid(points), owner.ravel()
    total, own = np.zeros((points * points, 2)), np.zeros((points * points, 2))
    for number in np.unique(owners):
        inside = owners == number
        picture = pictures[number]
        total[inside] = _moved(picture.followed(start, end), picture.followed(start, start), grid[:, inside])
        if picture.thing >= 0:
            before, after = views(camera[[start, end]], *picture.depth)
            own[inside] = total[inside] - _moved(after, before, grid[:, inside])
    return total.reshape(points, points, 2), own.reshape(points, points, 2)


def _moved(after: Floats, before: Floats, points: Floats) -> Floats:
    return ((after @ np.linalg.inv(before) @ points) - points)[:2].T


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
        pictures, camera = pictures_of(plan, shot)
        total, own = displacement(pictures, camera, look(pictures, a, 2 * grid), a, b)
        flow[step] = cell_means(total, grid) * grid
        valid[step] = True
        fast = np.hypot(own[..., 0], own[..., 1]) > MOVING_SPEED * (b - a) / fps
        moving[step] = cell_means(fast.astype(np.float32), grid) >= 0.5
    return flow, valid, moving
