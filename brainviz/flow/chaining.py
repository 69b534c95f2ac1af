"""Flow over several frames from flow between neighbours, and the forward-backward check."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_NO_MAP = np.empty(0, dtype=np.float32)  # OpenCV takes x and y from its first map where the second is empty


@lru_cache(maxsize=8)
def pixel_positions(height: int, width: int) -> Array:
    """x, y of every pixel: float32 (height, width, 2), read-only."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    positions = np.stack([x, y], axis=-1)
    positions.setflags(write=False)
    return positions


def sample_flow(flow: npt.ArrayLike, positions: npt.ArrayLike) -> Array:
    """Bilinear values of a field at given positions; beyond the border the border's value holds.

    Parameters
    ----------
    flow : float32 (h, w, 2)
    positions : float32 (rows, columns, 2)
        x, y in pixels.

    Returns
    -------
    float32 (rows, columns, 2)
    """
    import cv2

    field, at = np.asarray(flow, dtype=np.float32), np.asarray(positions, dtype=np.float32)
    return np.asarray(
        cv2.remap(field, at, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32
    )


def chain_flows(flows: Sequence[npt.ArrayLike]) -> tuple[Array, Mask]:
    """Flow from the first frame to the last: each field is read where the pixel has come to, F(x) + G(x + F(x)).

    Parameters
    ----------
    flows : sequence of float32 (h, w, 2)
        Fields between successive frames, in order.

    Returns
    -------
    total : float32 (h, w, 2)
    inside : bool (h, w)
        Pixels that stay in the frame all the way; the others were carried on with the border's motion.
    """
    total = np.array(flows[0], dtype=np.float32)
    h, w = total.shape[:2]
    start = pixel_positions(h, w)
    place = start + total
    inside = _inside(place, h, w)
    for flow in flows[1:]:
        place = place + sample_flow(flow, place)
        inside &= _inside(place, h, w)
    return place - start, inside


def consistent(forward: npt.ArrayLike, backward: npt.ArrayLike, share: float = 0.01, slack: float = 0.5) -> Mask:
    """Forward-backward check of Sundaram, Brox & Keutzer (ECCV 2010, eq. 5).

    A pixel that goes forward and comes back should land where it began: with b the backward flow read at x + f(x),
    |f + b|^2 < share (|f|^2 + |b|^2) + slack.

    Parameters
    ----------
    forward, backward : float32 (h, w, 2)
        First to second frame, and second to first.
    share : float
        Tolerance in proportion to speed.
    slack : float
        Tolerance at rest, squared pixels.

    Returns
    -------
    bool (h, w)
        False also where the pixel leaves the frame.
    """
    there = np.asarray(forward, dtype=np.float32)
    h, w = there.shape[:2]
    landing = pixel_positions(h, w) + there
    back = sample_flow(backward, landing)
    gap = np.square(there + back).sum(axis=-1)
    speed = np.square(there).sum(axis=-1) + np.square(back).sum(axis=-1)
    return np.asarray((gap < share * speed + slack) & _inside(landing, h, w), dtype=bool)


def _inside(positions: Array, height: int, width: int) -> Mask:
    import cv2

    return np.asarray(cv2.inRange(positions, (-0.5, -0.5), (width - 0.5, height - 0.5)) > 0, dtype=bool)
