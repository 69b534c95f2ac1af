"""Agreement of hue.

Hue is an angle, so its correlation is a circular one. Mind-Animator's released "hue-pcc" is none: it is the cosine
between planes of 8-bit hue (0 to 179) of frames whose red and blue are swapped, and about .75 for unrelated noise. It
is kept under its own name to read published figures by.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.metrics.video.pixels import Array, Frames, check_frames

LEAST_CHROMA = 0.05
"""Of the largest possible; below it in either frame a pixel is grey and its hue noise."""


def hue_correlation(truth: Frames, predicted: Frames) -> Array:
    """Circular correlation of hue over the pixels that have one in both frames.

    sum(sin(a - mean a) sin(b - mean b)) over the root of the sums of squares (Jammalamadaka & SenGupta, Topics in
    Circular Statistics, 2001, section 8.2); means are circular. Turning all hues of one frame changes nothing.

    Parameters
    ----------
    truth, predicted : uint8 (n, h, w, 3), RGB

    Returns
    -------
    float64 (n,)
        -1 to 1; NaN where fewer than 2 pixels count or a frame has a single hue.
    """
    check_frames(truth, predicted, 1)
    return np.array([_circular(*_hues(a, b)) for a, b in zip(truth, predicted, strict=True)])


def _hues(a: Frames, b: Frames) -> tuple[Array, Array]:
    (hue_a, chroma_a), (hue_b, chroma_b) = _hue(a), _hue(b)
    counted = np.minimum(chroma_a, chroma_b) > LEAST_CHROMA
    return hue_a[counted], hue_b[counted]


def _hue(frame: Frames) -> tuple[Array, Array]:
    """Hue in radians and chroma (0 to 1) of every pixel, in the plane at right angles to grey: float64 (h, w) each."""
    red, green, blue = np.moveaxis(frame / 255.0, -1, 0)
    across, up = red - 0.5 * (green + blue), np.sqrt(0.75) * (green - blue)
    return np.arctan2(up, across), np.hypot(across, up)


def _circular(a: Array, b: Array) -> float:
    if len(a) < 2:
        return float("nan")
    x, y = (np.sin(angle - np.angle(np.exp(1j * angle).mean())) for angle in (a, b))
    power = float((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / np.sqrt(power)) if power > 1e-12 * len(a) ** 2 else float("nan")


def hue_cosine_8bit(truth: Frames, predicted: Frames) -> npt.NDArray[np.float64]:
    """Mind-Animator's hue-pcc as released (see above): float64 (n,), 0 to 1. Parameters as `hue_correlation`."""
    import cv2

    check_frames(truth, predicted, 1)
    scores = []
    for a, b in zip(truth, predicted, strict=True):
        planes = (cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_BGR2HSV)[..., 0] for frame in (a, b))
        x, y = (plane.ravel().astype(np.float64) for plane in planes)
        length = float(np.linalg.norm(x) * np.linalg.norm(y))
        scores.append(float(x @ y) / length if length > 0 else float("nan"))
    return np.array(scores)
