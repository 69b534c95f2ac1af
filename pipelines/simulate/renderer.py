"""Frames from the parameters: a few warped pictures laid over each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.geometry import Floats, Picture, Stage, to_pixels
from pipelines.simulate.materials import Image
from pipelines.simulate.plan import FilmPlan, Shot
from pipelines.simulate.textures import Texture


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


@dataclass(frozen=True)
class Placed:
    """A picture in frame pixels over n instants.

    Attributes
    ----------
    texture : Texture
    scenery : bool
    levels : list of int
        How often the picture is halved before it is warped (no alias).
    matrices : float64 (n, 3, 3)
        From the halved picture's pixels to the frame's.
    box : list of [left, top, right, bottom]
        Where it can be seen in the frame.
    solid : list of int
        Frame row from which on it hides everything behind.
    """

    texture: Texture
    scenery: bool
    levels: list[int]
    matrices: Floats
    box: list[list[int]]
    solid: list[int]


def in_pixels(picture: Picture, size: int, sharp: int) -> tuple[NDArray[np.int64], Floats]:
    """Return halvings (n,) that suit a frame of `sharp` pixels, and matrices (n, 3, 3) to a frame of `size` pixels."""
    matrices = picture.matrices()
    area = np.abs(matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0])
    levels = np.floor(-np.log2(np.maximum(np.sqrt(area) * sharp, 1e-6)) + 0.25).clip(0, 5).astype(np.int64)
    halved = np.zeros_like(matrices)
    factor = 2.0**levels
    halved[:, 0, 0] = halved[:, 1, 1] = factor
    halved[:, 0, 2] = halved[:, 1, 2] = (factor - 1) / 2
    halved[:, 2, 2] = 1.0
    return levels, to_pixels(size) @ matrices @ halved


def place(picture: Picture, size: int) -> Placed:
    """Return a picture in the pixels of a frame of a size."""
    levels, matrices = in_pixels(picture, size, size)
    n = len(levels)
    solid = np.full(n, size)
    if picture.thing >= 0:
        height, width = picture.texture.rgba.shape[:2]
        corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float64)
        corners = (to_pixels(size) @ picture.matrices() @ corners)[:, :2]
        low = np.floor(corners.min(axis=2) - 1).clip(0, size)
        high = np.ceil(corners.max(axis=2) + 2).clip(0, size)
        box = np.hstack([low, high]).astype(np.int64)
    else:
        box = np.tile([0, 0, size, size], (n, 1))
        if picture.texture.soft_rows is not None:
            box[:, 1], solid = _soft_rows(picture.texture.soft_rows, levels, matrices, size)
        elif picture.texture.opaque:
            solid = np.zeros(n, dtype=np.int64)
    return Placed(picture.texture, picture.thing < 0, levels.tolist(), matrices, box.tolist(), solid.tolist())


def _soft_rows(
    soft: tuple[float, float], levels: NDArray[np.int64], matrices: Floats, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the frame rows above which a layer is empty and below which it is solid, (n,) each."""
    inverse = np.linalg.inv(matrices)
    crossed = []
    for row in soft:
        at = (row + 0.5) / 2.0**levels - 0.5
        sides = [(at - inverse[:, 1, 0] * x - inverse[:, 1, 2]) / inverse[:, 1, 1] for x in (0, size)]
        crossed.append(np.stack(sides))
    first = np.floor(crossed[0].min(axis=0) - 1).clip(0, size).astype(np.int64)
    last = np.ceil(crossed[1].max(axis=0) + 1).clip(0, size).astype(np.int64)
    return first, np.maximum(first, last)


def _lay_over(target: Image, picture: Image) -> None:
    """Lay a premultiplied picture over a part of the frame, in place."""
    clear = cv2.bitwise_not(cv2.extractChannel(picture, 3))
    cv2.multiply(target, cv2.merge((clear, clear, clear, clear)), dst=target, scale=1 / 255)
    cv2.add(target, picture, dst=target)


def compose(placed: Sequence[Placed], k: int, size: int) -> Image:
    """Return the frame at instant k, without fades: uint8 (size, size, 4), RGB and a spare channel."""
    canvas = np.zeros((size, size, 4), dtype=np.uint8)
    # Rows that a later layer of the scenery behind the things hides need no paint.
    hidden = [size] * (len(placed) + 1)
    for number in range(len(placed) - 1, -1, -1):
        layer = placed[number]
        hidden[number] = min(hidden[number + 1], layer.solid[k]) if layer.scenery else size
    for number, layer in enumerate(placed):
        left, top, right, bottom = layer.box[k]
        if layer.scenery:
            bottom = min(bottom, hidden[number + 1])
        if right <= left or bottom <= top:
            continue
        matrix = layer.matrices[k, :2].copy()
        matrix[:, 2] -= left, top
        border = cv2.BORDER_REFLECT_101 if layer.texture.opaque else cv2.BORDER_CONSTANT
        picture = layer.texture.half(layer.levels[k])
        flags = cv2.INTER_LINEAR
        warped = cv2.warpAffine(picture, matrix, (right - left, bottom - top), flags=flags, borderMode=border)
        painted = np.asarray(warped, dtype=np.uint8)
        solid = min(max(layer.solid[k], top), bottom) if layer.scenery else bottom
        if solid > top:
            _lay_over(canvas[top:solid, left:right], painted[: solid - top])
        if solid < bottom:
            canvas[solid:bottom, left:right] = painted[solid - top :]
    return canvas


def draw(stage: Stage, times_s: Floats, size: int) -> Iterator[Image]:
    """Yield the frames at times of the shot, without fades: uint8 (size, size, 4)."""
    placed = [place(picture, size) for picture in stage.pictures(times_s)]
    for k in range(len(times_s)):
        yield compose(placed, k, size)


def render_shot(shot: Shot, size: int, fps: int) -> Iterator[Image]:
    """Yield a shot's frames in order: uint8 (size, size, 4)."""
    frames = np.arange(shot.n_frames)
    for frame, picture in enumerate(draw(Stage(shot, shot.grade), frames / fps, size)):
        level = light(shot, frame, fps)
        yield picture if level == 1.0 else np.asarray(cv2.convertScaleAbs(picture, alpha=level), dtype=np.uint8)


def render_frames(plan: FilmPlan, segment: str, frames: Sequence[int]) -> Image:
    """Return chosen frames of a segment as they are before encoding: uint8 (n, h, w, 3), RGB."""
    size, fps = plan.config.frame_px, plan.config.fps
    pictures = np.empty((len(frames), size, size, 3), dtype=np.uint8)
    for k, frame in enumerate(frames):
        shot = plan.shot_at(segment, frame)
        local = frame - shot.onset_frame
        picture = next(draw(Stage(shot, shot.grade), np.array([local / fps]), size))
        pictures[k] = cv2.convertScaleAbs(picture, alpha=light(shot, local, fps))[..., :3]
    return pictures


def forget_pictures() -> None:
    """Drop the painted scenery and things of finished shots: a few hundred MB that no other film will use."""
    from pipelines.simulate.scenery import paint
    from pipelines.simulate.things import parts

    paint.cache_clear()
    parts.cache_clear()
