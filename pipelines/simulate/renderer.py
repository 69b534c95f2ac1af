"""Frames from the parameters: a few warped pictures laid over each other."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.geometry import Matrix, Placement, Stage, to_pixels
from pipelines.simulate.materials import Image
from pipelines.simulate.plan import FilmPlan, Shot


def light(shot: Shot, frame: float, fps: int) -> float:
    """Return the factor on the film's light at a frame number counted from the shot's first frame."""
    level = 1.0
    if shot.fade_in:
        level *= min(1.0, (frame + 0.5) / shot.fade_in)
    if shot.fade_out:
        level *= min(1.0, (shot.n_frames - 0.5 - frame) / shot.fade_out)
    for amplitude, hz, phase in shot.flicker:
        level *= float(np.exp(amplitude * np.sin(2 * np.pi * hz * frame / fps + phase)))
    return max(level, 0.0)


def fading(shot: Shot, first: int, last: int) -> bool:
    """Return whether a fade touches the frames first..last, counted from the shot's first frame."""
    return first < shot.fade_in or last >= shot.n_frames - shot.fade_out


def _level(matrix: Matrix, size: int) -> int:
    """Return how often a picture should be halved before it is warped to a frame of this size."""
    scale = float(np.sqrt(abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]))) * size
    return int(max(np.floor(np.log2(1.0 / max(scale, 1e-6)) + 0.25), 0))


def _halved(matrix: Matrix, level: int) -> Matrix:
    """Return the matrix from the pixels of the picture halved `level` times."""
    factor = float(2**level)
    shift = (factor - 1) / 2
    return matrix @ np.array([[factor, 0.0, shift], [0.0, factor, shift], [0.0, 0.0, 1.0]])


def in_pixels(place: Placement, size: int, frame: Matrix) -> tuple[Matrix, int]:
    """Return the matrix from a halved picture's pixels to the frame's, and how often it is halved."""
    level = min(_level(place.matrix, size), 5)
    return _halved(frame @ place.matrix, level), level


def _soft_rows(place: Placement, matrix: Matrix, level: int, size: int) -> tuple[int, int]:
    """Return the frame rows above which a layer is empty and below which it is solid."""
    if place.texture.soft_rows is None:
        return 0, size
    inverse = np.linalg.inv(matrix)
    rows = []
    for row in place.texture.soft_rows:
        at = (row + 0.5) / 2**level - 0.5
        rows.append([(at - inverse[1, 0] * x - inverse[1, 2]) / inverse[1, 1] for x in (0, size)])
    first = int(np.clip(np.floor(min(rows[0])) - 1, 0, size))
    return first, int(np.clip(np.ceil(max(rows[1])) + 1, first, size))


def _lay_over(target: Image, picture: Image) -> None:
    """Lay a premultiplied picture over a part of the frame, in place."""
    clear = cv2.bitwise_not(cv2.extractChannel(picture, 3))
    cv2.multiply(target, cv2.merge((clear, clear, clear, clear)), dst=target, scale=1 / 255)
    cv2.add(target, picture, dst=target)


def _warp(picture: Image, matrix: Matrix, left: int, top: int, width: int, height: int, border: int) -> Image:
    moved = matrix[:2].copy()
    moved[:, 2] -= left, top
    return np.asarray(cv2.warpAffine(picture, moved, (width, height), flags=cv2.INTER_LINEAR, borderMode=border))


def _box(shape: tuple[int, ...], matrix: Matrix, size: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a picture in the frame, clipped to it."""
    corners = np.array([[0, shape[1], 0, shape[1]], [0, 0, shape[0], shape[0]], [1, 1, 1, 1]])
    x, y = (matrix @ corners)[:2]
    left, right = np.clip([np.floor(x.min()), np.ceil(x.max()) + 1], 0, size).astype(int)
    top, bottom = np.clip([np.floor(y.min()), np.ceil(y.max()) + 1], 0, size).astype(int)
    return int(left), int(top), int(right), int(bottom)


def draw(stage: Stage, time_s: float, size: int) -> Image:
    """Return the frame at a time of the shot, without fades: uint8 (size, size, 4), RGB and a spare channel."""
    places, _ = stage.places(time_s)
    frame = to_pixels(size)
    placed = [(place, *in_pixels(place, size, frame)) for place in places]
    rows = [_soft_rows(place, matrix, level, size) if place.thing < 0 else (0, size) for place, matrix, level in placed]
    n_back = len(stage.shot.back)
    canvas = np.zeros((size, size, 4), dtype=np.uint8)
    for number, (place, matrix, level) in enumerate(placed):
        picture = place.texture.half(level)
        if place.thing >= 0:
            left, top, right, bottom = _box(picture.shape, matrix, size)
            if right > left and bottom > top:
                patch = _warp(picture, matrix, left, top, right - left, bottom - top, cv2.BORDER_CONSTANT)
                _lay_over(canvas[top:bottom, left:right], patch)
            continue
        # Rows that a later layer of the back hides need no paint.
        hidden = [rows[k][1] for k in range(number + 1, n_back) if places[k].texture.soft_rows is not None]
        first, solid = rows[number]
        last = min([size, *hidden])
        if last <= first:
            continue
        border = cv2.BORDER_REFLECT_101 if place.texture.opaque else cv2.BORDER_CONSTANT
        painted = _warp(picture, matrix, 0, first, size, last - first, border)
        solid = min(max(solid, first), last)
        if place.texture.opaque:
            solid = first
        if solid > first:
            _lay_over(canvas[first:solid], painted[: solid - first])
        canvas[solid:last] = painted[solid - first :]
    return canvas


def render_shot(shot: Shot, size: int, fps: int) -> Iterator[Image]:
    """Yield a shot's frames in order: uint8 (size, size, 4)."""
    stage = Stage(shot, shot.grade)
    for frame in range(shot.n_frames):
        picture = draw(stage, frame / fps, size)
        level = light(shot, frame, fps)
        yield picture if level == 1.0 else np.asarray(cv2.convertScaleAbs(picture, alpha=level))


def render_frames(plan: FilmPlan, segment: str, frames: NDArray[np.int_] | list[int]) -> Image:
    """Return chosen frames of a segment as they are before encoding: uint8 (n, h, w, 3), RGB."""
    size, fps = plan.config.frame_px, plan.config.fps
    stages: dict[int, Stage] = {}
    pictures = np.empty((len(frames), size, size, 3), dtype=np.uint8)
    for k, frame in enumerate(frames):
        shot = plan.shot_at(segment, int(frame))
        if shot.number not in stages:
            stages[shot.number] = Stage(shot, shot.grade)
        stage = stages[shot.number]
        local = int(frame) - shot.onset_frame
        picture = cv2.convertScaleAbs(draw(stage, local / fps, size), alpha=light(shot, local, fps))
        pictures[k] = picture[..., :3]
    return pictures
