"""The player's panels as pictures on the server's side: for films to take away."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.flow.wheel import flow_to_rgb, wheel_image

SIDE, GAP, TOP, BOTTOM = 256, 16, 34, 84
INK, PAPER = (22, 24, 29), (255, 255, 255)

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Still:
    """What a composed film says around its panels: one label per panel (the film first), and lines below."""

    labels: list[str]
    lines: list[str]


def sprite_frames(sprite: Any) -> Image:
    """The frames of a sprite sheet: uint8 (n, height, width, 3)."""
    from PIL import Image as Pictures

    sheet = np.asarray(Pictures.open(io.BytesIO(sprite.data)).convert("RGB"))
    corners = [divmod(i, sprite.columns) for i in range(sprite.n)]
    return np.stack(
        [
            sheet[row * sprite.height : (row + 1) * sprite.height, column * sprite.width : (column + 1) * sprite.width]
            for row, column in corners
        ]
    )


def step_of_frames(n: int, fps: float, step_s: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Which step holds each film frame's time: int64 (n,). The same rule as in the player."""
    ends = np.cumsum(np.asarray(step_s, float))
    return np.minimum(np.searchsorted(ends, np.arange(n) / fps + 1e-9, side="right"), len(ends) - 1)


def compose_film(
    sprite: Any,
    flows: list[npt.NDArray[np.floating]],
    valid: npt.NDArray[np.bool_],
    step_s: npt.ArrayLike,
    maximum: float,
    still: Still,
) -> Image:
    """Film and flow panels side by side, with captions and the colour wheel.

    Parameters
    ----------
    sprite
        The film (data, n, columns, width, height, fps).
    flows : list of float (3, grid, grid, 2)
    valid : bool (3, grid, grid)
        False is drawn grey.
    step_s : float (3,)
    maximum : float
        Speed at full colour, one for all panels.
    still : Still

    Returns
    -------
    uint8 (n, height, width, 3), height and width even (as H.264 needs)
    """
    film = sprite_frames(sprite)
    steps = step_of_frames(sprite.n, sprite.fps, step_s)
    fields = [
        [_resized(flow_to_rgb(flow[k], maximum, valid[k]), smooth=False) for k in range(len(flow))] for flow in flows
    ]
    canvas = _frame_of_words(len(flows) + 1, maximum, valid.shape[-1], still)
    composed = np.repeat(canvas[None], sprite.n, axis=0)
    for frame in range(sprite.n):
        pictures = [_resized(film[frame], smooth=True), *(field[steps[frame]] for field in fields)]
        for i, picture in enumerate(pictures):
            left = GAP + i * (SIDE + GAP)
            composed[frame, TOP : TOP + SIDE, left : left + SIDE] = picture
    return composed


def _resized(picture: Image, smooth: bool) -> Image:
    from PIL import Image as Pictures

    how = Pictures.Resampling.LANCZOS if smooth else Pictures.Resampling.NEAREST
    return np.asarray(Pictures.fromarray(picture).resize((SIDE, SIDE), how))


def _frame_of_words(panels: int, maximum: float, grid: int, still: Still) -> Image:
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    picture = Pictures.new("RGB", (GAP + panels * (SIDE + GAP), TOP + SIDE + BOTTOM), PAPER)
    pen = ImageDraw.Draw(picture)
    for i, label in enumerate(still.labels):
        pen.text((GAP + i * (SIDE + GAP), 9), label, INK, ImageFont.load_default(17))
    wheel = Pictures.fromarray(wheel_image(64))
    picture.paste(wheel, (GAP, TOP + SIDE + 10), wheel)
    scale = f"Colour is direction; full colour: {maximum:g} px of the {grid}x{grid} grid per step"
    for i, line in enumerate([scale, *still.lines]):
        pen.text((GAP + 78, TOP + SIDE + 10 + 21 * i), line, INK, ImageFont.load_default(14))
    return np.asarray(picture)
