"""Agreement of hue.

Hue is an angle, so its correlation is a circular one. Mind-Animator's released "hue-pcc" is none: it is the cosine
between planes of 8-bit hue (0 to 179) of frames whose red and blue are swapped, and about .75 for unrelated noise. It
is kept under its own name to read published figures by.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from brainviz.metrics.video.pixels import Array, Frames, check_frames

Turns = npt.NDArray[np.complex64]

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


def _hues(a: Frames, b: Frames) -> tuple[Turns, Turns]:
    """Hues of the pixels that count in both frames."""
    turns_a, chroma_a = _hue(a)
    turns_b, chroma_b = _hue(b)
    counted = np.minimum(chroma_a, chroma_b) > LEAST_CHROMA
    return turns_a[counted], turns_b[counted]


def _hue(frame: Frames) -> tuple[Turns, npt.NDArray[np.float32]]:
    """Hue as a complex number of length 1, and chroma (0 to 1), in the plane at right angles to grey."""
    red, green, blue = np.moveaxis(frame.astype(np.float32) / 255, -1, 0)
    plane = red - 0.5 * (green + blue) + 1j * np.float32(np.sqrt(0.75)) * (green - blue)
    chroma = np.abs(plane)
    return plane / np.maximum(chroma, 1e-6), chroma


def _circular(a: Turns, b: Turns) -> float:
    if len(a) < 2:
        return float("nan")
    x, y = _deviations(a), _deviations(b)
    power = float((x @ x) * (y @ y))
    return float(x @ y / np.sqrt(power)) if power > 1e-12 * len(a) ** 2 else float("nan")


def _deviations(turns: Turns) -> npt.NDArray[np.float64]:
    """Sines of the angles from their circular mean."""
    mean = turns.mean(dtype=np.complex128)
    return np.asarray((turns * np.conj(mean)).imag / max(abs(mean), 1e-12), dtype=np.float64)


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
