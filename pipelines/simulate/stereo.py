"""A photograph in two depth layers, cut apart by its measured disparity: true parallax under a moving camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from brainviz.errors import DataProblem
from pipelines.simulate import materials
from pipelines.simulate.textures import PX_PER_WIDTH, Texture, premultiplied, smoothstep, wrap_pad

PX_PER_VIEW = 400.0
"""Photograph pixels per image width."""

NEAR_DISPARITY = 37.0
"""Disparity in pixels from which on a point belongs to the near layer: the motorcycle and the floor before it."""

PARALLAX = {"far": 0.72, "near": 1.0}
"""Parallax of the layers. Their mean disparities are about 22 and 49 pixels; the ratio is drawn nearer to 1, so that
the near layer uncovers only narrow strips of what the photograph does not show."""


def _near() -> NDArray[np.float32]:
    """Return the coverage of the near layer, float32 (500, 741) (disparity of Scharstein et al. 2014)."""
    path = materials.location("skimage/data/motorcycle_disp.npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            disparity = archive["arr_0"].astype(np.float32)
    except (OSError, KeyError, ValueError) as error:
        remedy = "Install the version of scikit-image in requirements.txt."
        raise DataProblem("The disparity of the motorcycle cannot be read.", str(path), remedy) from error
    known = np.isfinite(disparity)
    near = ((disparity >= NEAR_DISPARITY) & known).astype(np.uint8)
    # Points without disparity lie at the edges of things; small holes close, specks go.
    near = cv2.morphologyEx(near, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    near = cv2.morphologyEx(near, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(near.astype(np.float32), (0, 0), 0.9), dtype=np.float32)


def depth_layer(variant: str, seed: int) -> Texture:
    """Return one layer of the motorcycle's photograph; `variant` = far or near."""
    picture, near = materials.area("motorcycle").astype(np.float32), _near()
    if variant == "near":
        rgba = premultiplied(picture, near)
    else:
        behind = cv2.dilate((near > 0.05).astype(np.uint8), np.ones((5, 5), np.uint8))
        # The floor stays in the far layer too, so that no seam opens along its front part.
        behind[int(0.72 * len(behind)) :] = 0
        small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
        hole = cv2.resize(behind, small.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        filled = cv2.inpaint(small, hole, 4, cv2.INPAINT_TELEA)
        smooth = cv2.resize(filled, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
        share = smoothstep(0, 1, cv2.GaussianBlur(behind.astype(np.float32), (0, 0), 1.5))[..., None]
        rgba = premultiplied(picture * (1 - share) + smooth * share, np.ones_like(near))
    factor = PX_PER_WIDTH * 1.1 / PX_PER_VIEW
    rgba = np.asarray(cv2.resize(rgba, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    height, width = rgba.shape[:2]
    tile = np.vstack([np.hstack([rgba, rgba[:, ::-1]]), np.hstack([rgba, rgba[:, ::-1]])[::-1]])
    padded, (x, y) = wrap_pad(tile, True, True)
    period = (float(tile.shape[1]), float(tile.shape[0]))
    return Texture(padded, PX_PER_WIDTH * 1.1, (x + width / 2, y + height / 2), period, None, variant == "far")
