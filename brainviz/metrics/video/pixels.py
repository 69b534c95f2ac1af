"""Structural similarity and signal-to-noise ratio of frames.

Literature has more than one of each under the same name. `ssim` and `psnr` are those of scikit-image on RGB frames, as
Mind-Animator (Lu et al., ICLR 2025) uses them; `ssim_columns` is what the released code of NEURONS (2025) computes:
grey values, with the image's columns taken for channels, so that structure across columns does not count. Figures of
one must not stand beside figures of the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem

Frames = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]

PSNR_IDENTICAL = 100.0
"""Of equal frames, whose ratio is infinite; the value that Mind-Animator gives them."""

_WINDOW = 7
_K1, _K2 = 0.01, 0.03
_GREY = np.array([0.2125, 0.7154, 0.0721], np.float32)  # of scikit-image's rgb2gray
_MIDDLE = np.float32(0.5)


def ssim(truth: Frames, predicted: Frames) -> Array:
    """Structural similarity (Wang et al., IEEE TIP 2004) in 2-D: uniform windows of 7 px, mean over RGB and pixels.

    Parameters
    ----------
    truth, predicted : uint8 (n, h, w, 3)

    Returns
    -------
    float64 (n,)
        1 for equal frames.

    Raises
    ------
    DataProblem
        Different shapes, another kind of values, or frames of fewer than 7 pixels.
    """
    check_frames(truth, predicted, _WINDOW)
    return np.array([_ssim(a, b) for a, b in zip(truth, predicted, strict=True)])


def _ssim(a: Frames, b: Frames) -> float:
    import cv2

    # Single precision is three times as fast; values around 0 keep its variances exact to 1e-6.
    x, y = a.astype(np.float32) - 128, b.astype(np.float32) - 128
    size, edge = _WINDOW**2, _WINDOW // 2  # windows that reach beyond the frame do not count

    def mean(values: Single) -> Single:
        return np.asarray(cv2.boxFilter(values, -1, (_WINDOW, _WINDOW))[edge:-edge, edge:-edge], np.float32)

    mx, my = mean(x), mean(y)
    unbiased = size / (size - 1)
    pairs = ((x, x, mx, mx), (y, y, my, my), (x, y, mx, my))
    vx, vy, vxy = (unbiased * (mean(p * q) - mp * mq) for p, q, mp, mq in pairs)
    return float(_similarity(mx + 128, my + 128, vx, vy, vxy).mean(dtype=np.float64))


def _similarity(mx: Any, my: Any, vx: Any, vy: Any, vxy: Any, value_range: float = 255.0) -> Any:
    c1, c2 = (_K1 * value_range) ** 2, (_K2 * value_range) ** 2
    return ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))


def ssim_columns(truth: Frames, predicted: Frames) -> Array:
    """NEURONS' variant of SSIM: 1-D, along each column of the grey image, Gaussian windows (sigma 1.5 px); see above.

    Parameters and errors as `ssim`; frames have 11 pixels or more.
    """
    import cv2

    check_frames(truth, predicted, 11)
    kernel, whole = cv2.getGaussianKernel(11, 1.5, cv2.CV_32F), np.ones((1, 1), np.float32)

    def mean(values: Single) -> Single:
        return np.asarray(cv2.sepFilter2D(values, -1, whole, kernel)[5:-5], np.float32)

    x, y = _columns(truth), _columns(predicted)
    mx, my = mean(x), mean(y)
    deviations = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    similar = _similarity(mx + _MIDDLE, my + _MIDDLE, *deviations, value_range=1.0)
    return np.asarray(similar.reshape(-1, len(truth), truth.shape[2]).mean(axis=(0, 2), dtype=np.float64))


def _columns(frames: Frames) -> Single:
    """Grey values around 0 of all frames' columns, side by side: (n, h, w, 3) -> float32 (h, n * w)."""
    grey = (frames.reshape(-1, 3).astype(np.float32) @ (_GREY / 255) - _MIDDLE).reshape(frames.shape[:3])
    return np.asarray(grey.transpose(1, 0, 2).reshape(frames.shape[1], -1), np.float32)


def psnr(truth: Frames, predicted: Frames) -> Array:
    """Peak signal-to-noise ratio in dB over all pixels and channels; `PSNR_IDENTICAL` where frames are equal.

    Parameters and errors as `ssim`.
    """
    check_frames(truth, predicted, 1)
    difference = truth.astype(np.float64) - predicted
    error = (difference * difference).mean(axis=(1, 2, 3))
    ratio = np.full(len(error), PSNR_IDENTICAL)
    np.log10(255.0**2 / np.where(error > 0, error, 1), out=ratio, where=error > 0)
    return np.where(error > 0, 10 * ratio, PSNR_IDENTICAL)


def check_frames(truth: Frames, predicted: Frames, least: int) -> None:
    """Raise `DataProblem` where two films are not uint8 (n, h, w, 3) of one shape, `least` pixels high and wide."""
    shapes = np.shape(truth), np.shape(predicted)
    if shapes[0] != shapes[1] or len(shapes[0]) != 4 or shapes[0][-1] != 3 or min(shapes[0][1:3]) < least:
        raise DataProblem(f"Films of shapes {shapes[0]} and {shapes[1]} cannot be compared.", "frames")
    if np.asarray(truth).dtype != np.uint8 or np.asarray(predicted).dtype != np.uint8:
        raise DataProblem("Frames must be uint8.", "frames")
