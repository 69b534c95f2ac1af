"""Exact motion of the film from its parameters: no picture is compared with another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from brainviz.errors import UnknownName
from pipelines.simulate.config import CLIP_S
from pipelines.simulate.geometry import Hold, Matrix, Placement, Stage, to_pixels, view
from pipelines.simulate.plan import FilmPlan, Shot
from pipelines.simulate.renderer import fading, in_pixels

MOVING_SPEED = 0.02
"""Image widths per second by which a thing must differ from standing still in the scene to count as moving."""

_stages: dict[tuple[str, int], tuple[Shot, Stage]] = {}


def stage_of(plan: FilmPlan, shot: Shot) -> Stage:
    """Return a shot's stage; the last few are kept."""
    key = (repr(plan.config), shot.number)
    kept = _stages.get(key)
    if kept is None or kept[0] is not shot:
        while len(_stages) >= 4:
            _stages.pop(next(iter(_stages)))
        kept = _stages[key] = (shot, Stage(shot))
    return kept[1]


@dataclass(frozen=True)
class Seen:
    """What is in front at each sample point of an instant.

    Attributes
    ----------
    owner : int (n, n)
        Number of the picture that is seen (more than half opaque), by its place from back to front.
    places : list of Placement
    hold : Hold
        Periods of the layers, to follow the same points to another instant.
    """

    owner: NDArray[np.int16]
    places: list[Placement]
    hold: Hold


def look(stage: Stage, time_s: float, points: int) -> Seen:
    """Return what is seen at the centres of a `points` x `points` grid over the frame."""
    places, hold = stage.places(time_s)
    frame = to_pixels(points)
    owner = np.zeros((points, points), dtype=np.int16)
    for number, place in enumerate(places):
        if place.texture.opaque:
            owner[:] = number
            continue
        # Coverage is sampled as it is drawn at about the film's own scale, not smoothed over a grid cell.
        matrix, level = in_pixels(place, max(points, 96), frame)
        cover = cv2.warpAffine(place.texture.alpha(level), matrix[:2], (points, points), flags=cv2.INTER_LINEAR)
        owner[cover > 127] = number
    return Seen(owner, places, hold)


def _grid(points: int) -> NDArray[np.float64]:
    """Return the sample points in image widths from the frame's centre, (3, points * points), homogeneous."""
    line = (np.arange(points) + 0.5) / points - 0.5
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel(), np.ones(points * points)])


def displacement(stage: Stage, seen: Seen, start_s: float, end_s: float) -> tuple[NDArray, NDArray]:
    """Return where each sample point goes, and what of that is the object's own.

    Returns
    -------
    total, own : float64 (n, n, 2)
        Displacement from `start_s` to `end_s` in image widths (right, down); `own` = the part beyond what a thing
        standing still in the scene at the same depth would show (0 for scenery).
    """
    points = seen.owner.shape[0]
    later, _ = stage.places(end_s, seen.hold)
    grid = _grid(points)
    total, own = np.zeros((points * points, 2)), np.zeros((points * points, 2))
    owners = seen.owner.ravel()
    cameras = stage.camera(start_s), stage.camera(end_s)
    for number in np.unique(owners):
        inside = owners == number
        before, after = seen.places[number], later[number]
        total[inside] = _moved(after.matrix, before.matrix, grid[:, inside])
        if before.thing >= 0:
            still = _moved(view(cameras[1], *before.depth), view(cameras[0], *before.depth), grid[:, inside])
            own[inside] = total[inside] - still
    return total.reshape(points, points, 2), own.reshape(points, points, 2)


def _moved(after: Matrix, before: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((after @ np.linalg.inv(before) @ points) - points)[:2].T


def _cells(values: NDArray, grid: int) -> NDArray:
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
        stage = stage_of(plan, shot)
        total, own = displacement(stage, look(stage, a / fps, 2 * grid), a / fps, b / fps)
        flow[step] = _cells(total, grid) * grid
        valid[step] = True
        fast = np.hypot(own[..., 0], own[..., 1]) > MOVING_SPEED * (b - a) / fps
        moving[step] = _cells(fast.astype(np.float32), grid) >= 0.5
    return flow, valid, moving
