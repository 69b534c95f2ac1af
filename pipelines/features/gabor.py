"""Colour and Gabor energy at several scales: a first-frame encoder that needs no weights.

Per cell of the 32x32 grid: mean and contrast of three opponent colours, the brightness gradient, and the energy of
quadrature Gabor pairs (Adelson & Bergen 1985) at 3 scales and 6 orientations; then the same channels averaged over two
wider neighbourhoods and over the whole frame, so that a cell knows its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError
from brainviz.flow.fields import GRID

Array = npt.NDArray[np.float32]

WORK_SIDE = 4 * GRID  # pixels a side: every cell is 4x4 pixels
_SCALES = 3
_ORIENTATIONS = 6
_WAVELENGTH, _SIGMA, _RADIUS = 4.0, 1.8, 4  # pixels of the scale's own level
_CONTEXTS = (1.5, 5.0)  # standard deviations of the wider neighbourhoods, in cells
_LOCAL = 8 + _SCALES * _ORIENTATIONS

# Brightness, red against green, blue against yellow, each about -1 to 1.
_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0.0], [-0.25, -0.25, 0.5]], dtype=np.float32)


@dataclass(frozen=True)
class GaborEncoder:
    """First-frame features without weights; see the file's heading.

    Attributes
    ----------
    name : str
    size : int
        Side of the frames it would rather have, in pixels; others are resized.
    """

    name: str = "colour and Gabor energy (3 scales, 6 orientations, 3 contexts)"
    size: int = WORK_SIDE

    @property
    def channels(self) -> int:
        return _LOCAL * (2 + len(_CONTEXTS))

    def encode(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """Features of square frames: uint8 (n, h, w, 3) -> float16 (n, 32, 32, 104)."""
        frames = np.asarray(frames)
        if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
            raise BrainvizError(f"Frames must be uint8 (n, h, w, 3), not {frames.dtype} {frames.shape}.")
        out = np.empty((len(frames), GRID, GRID, self.channels), dtype=np.float16)
        for i, frame in enumerate(frames):
            out[i] = _with_context(frame_channels(frame)).astype(np.float16).transpose(1, 2, 0)
        return out


def frame_channels(frame: npt.NDArray[np.uint8]) -> Array:
    """Channels of each cell on its own, without its surroundings: uint8 (h, w, 3) -> float32 (26, 32, 32)."""
    import cv2

    small = cv2.resize(frame, (WORK_SIDE, WORK_SIDE), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    colours = np.asarray(_OPPONENT / 255 @ small.T.astype(np.float32), np.float32)
    return _local(colours.reshape(3, WORK_SIDE, WORK_SIDE))


def _local(colours: Array) -> Array:
    """Channels of each cell on its own: opponent colours, float32 (3, 128, 128) -> (26, 32, 32)."""
    import cv2

    mean = _cells(colours)
    contrast = np.sqrt(np.maximum(_cells(colours**2) - mean**2, 0))
    blurred = cv2.GaussianBlur(colours[0], (0, 0), 2.0)
    gradient = _cells(np.stack([cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)]))
    energies = []
    level = colours[0]
    for _ in range(_SCALES):
        energies.append(np.sqrt(_cells(gabor_energy(level))))
        level = np.asarray(cv2.pyrDown(level), dtype=np.float32)
    return np.concatenate([mean, contrast, gradient, *energies])


def gabor_energy(image: Array) -> Array:
    """Squared length of the complex Gabor response at 6 orientations: float32 (h, w) -> (6, h, w).

    Orientation k is the grating whose wave travels at 30 k degrees (clockwise from right), of wavelength 4 px. An
    isotropic Gabor is a product of two one-dimensional complex filters, so every response is made of four separable
    convolutions, which the orientations at +a and -a share.
    """
    import cv2

    def response(across: Array, down: Array) -> Array:
        return np.asarray(cv2.sepFilter2D(image, cv2.CV_32F, across, down, borderType=cv2.BORDER_REFLECT_101))

    energy = np.empty((_ORIENTATIONS, *image.shape), dtype=np.float32)
    for k in range(_ORIENTATIONS // 2 + 1):
        across, down = _carriers(k)
        if k in (0, _ORIENTATIONS // 2):  # along an axis one of the two carriers is plain
            other = (across["s"], down["c"]) if k == 0 else (across["c"], down["s"])
            energy[k] = response(across["c"], down["c"]) ** 2 + response(*other) ** 2
            continue
        cc, ss, sc, cs = (response(across[a], down[b]) for a, b in ("cc", "ss", "sc", "cs"))
        both, turn = cc * cc + ss * ss + sc * sc + cs * cs, 2 * (sc * cs - cc * ss)
        energy[k], energy[_ORIENTATIONS - k] = both + turn, both - turn
    # At -a the two terms nearly cancel; rounding must not leave a negative energy.
    return np.maximum(energy, 0, out=energy)


@cache
def _carriers(k: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Cosine and sine filters along x and along y of orientation k; the cosine ones carry no mean."""
    x = np.arange(-_RADIUS, _RADIUS + 1)
    envelope = np.exp(-(x**2) / (2 * _SIGMA**2))
    envelope /= envelope.sum()
    pair = []
    for frequency in 2 * np.pi / _WAVELENGTH * np.array([np.cos(k * np.pi / 6), np.sin(k * np.pi / 6)]):
        pair.append(
            {"c": (envelope * np.cos(frequency * x)).astype("f4"), "s": (envelope * np.sin(frequency * x)).astype("f4")}
        )
    return pair[0], pair[1]


def _with_context(local: Array) -> Array:
    """The local channels, their means over wider neighbourhoods, and over the frame: (c, 32, 32) -> (4 c, 32, 32)."""
    rows = local.transpose(1, 0, 2).reshape(GRID, -1)
    wider = []
    for sigma in _CONTEXTS:
        # Two plain products; NumPy multiplies stacks of small matrices one by one.
        down = (_pooling(sigma) @ rows).reshape(GRID, -1, GRID).transpose(1, 0, 2).reshape(-1, GRID)
        wider.append((down @ _pooling(sigma).T).reshape(local.shape))
    whole = np.broadcast_to(local.mean(axis=(1, 2), keepdims=True), local.shape)
    return np.concatenate([local, *wider, whole])


@cache
def _pooling(sigma: float) -> Array:
    """Gaussian weights along one axis of the grid, rows summing to 1: float32 (32, 32)."""
    cell = np.arange(GRID)
    weights = np.exp(-((cell[:, None] - cell) ** 2) / (2 * sigma**2))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _cells(planes: Array) -> Array:
    """Mean over each grid cell: (c, 32 m, 32 m) -> (c, 32, 32)."""
    m = planes.shape[-1] // GRID
    rows = planes[:, ::m].copy()
    for k in range(1, m):  # strided sums are several times faster than a mean over two inner axes
        rows += planes[:, k::m]
    cells = rows[..., ::m].copy()
    for k in range(1, m):
        cells += rows[..., k::m]
    return cells / np.float32(m * m)
