"""Tiny data sets in the true HCP 7T layout: films at 24 fps, CIFTI-2 scans at TR 1 s, 59k scans with their spheres."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel import cifti2

from support.tiny_cc2017 import N_CORTEX, write_film, write_scan, write_with_nibabel

RUNS = {1: "tfMRI_MOVIE1_7T_AP", 2: "tfMRI_MOVIE2_7T_PA", 3: "tfMRI_MOVIE3_7T_PA", 4: "tfMRI_MOVIE4_7T_AP"}
FILMS = {1: "7T_MOVIE1_CC1", 2: "7T_MOVIE2_HO1", 3: "7T_MOVIE3_CC2", 4: "7T_MOVIE4_HO2"}
FPS = 24
BLOCKS = {1: ((2, 18), (20, 28)), 4: ((2, 18), (20, 28))}
REST_S = 14

Blocks = Mapping[int, Sequence[tuple[float, float]]]


def scan_path(root: Path, subject: str, movie: int, kind: str = "_MSMAll_hp2000_clean") -> Path:
    """Where a run's file stands; `kind` is what its name holds after _Atlas."""
    return root / subject / "MNINonLinear" / "Results" / RUNS[movie] / f"{RUNS[movie]}_Atlas{kind}.dtseries.nii"


def film_path(root: Path, movie: int, version: str = "_v2") -> Path:
    """Where a film stands."""
    folder = "Post_20140821_version" if version else "Pre_20140821_version"
    return root / "movies" / folder / f"{FILMS[movie]}{version}.mp4"


def write_blocks(root: Path, blocks: Blocks) -> None:
    """`blocks.csv`, which takes the place of the published times."""
    lines = [f"{movie},{a},{b}" for movie, times in blocks.items() for a, b in times]
    root.mkdir(parents=True, exist_ok=True)
    (root / "blocks.csv").write_text("\n".join(["movie,onset_s,offset_s", *lines]) + "\n")


def moving_frames(seconds: float, seed: int, height: int = 48, width: int = 64, fps: int = FPS) -> Iterable[np.ndarray]:
    """A film of textures, each drifting for 2 s in its own direction, then cut to the next."""
    generator = np.random.default_rng(seed)
    for second in range(0, int(np.ceil(seconds)), 2):
        coarse = generator.uniform(30, 225, (12, 16, 3))
        picture = np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)
        dx, dy = generator.integers(-1, 2, 2)
        for frame in range(min(2 * fps, round((seconds - second) * fps))):
            moved = np.roll(picture, (int(dy) * (frame // 3), int(dx) * (frame // 3)), (0, 1))
            yield moved[:height, :width]


def noise_run(n: int, seed: int, shared: int) -> np.ndarray:
    """int16 (n, 59412): 300 vertices carry what runs with the same `shared` seed share, the rest is noise."""
    values = np.random.default_rng(seed).integers(-400, 400, (n, N_CORTEX), dtype=np.int16)
    signal = np.random.default_rng(shared).normal(0, 400, (n, 300))
    values[:, 1000:1300] += signal.astype(np.int16)
    return values + np.int16(1000)


def write_dataset(root: Path, subjects: Iterable[str] = ("111312",), blocks: Blocks | None = None) -> Path:
    """A whole folder; film 4 is the test, the last block of each film the repeat."""
    times = BLOCKS if blocks is None else blocks
    write_blocks(root, times)
    for movie, own in times.items():
        seconds = own[-1][1] + REST_S
        write_film(film_path(root, movie), moving_frames(seconds, seed=movie), FPS)
        for number, subject in enumerate(subjects):
            write_scan(scan_path(root, subject, movie), noise_run(round(seconds), 10 * number + movie, 0), tr_s=1.0)
    return root


# ---- the 59k surface


def octahedron_sphere(depth: int) -> tuple[np.ndarray, np.ndarray]:
    """A regular sphere of radius 100: points (4 ** (depth + 1) + 2, 3) and triangles."""
    points = [np.array(p, float) for p in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))]
    faces = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    for _ in range(depth):
        middles: dict[tuple[int, int], int] = {}

        def middle(a: int, b: int, known: dict[tuple[int, int], int] = middles) -> int:
            key = (min(a, b), max(a, b))
            if key not in known:
                points.append((points[a] + points[b]) / np.linalg.norm(points[a] + points[b]))
                known[key] = len(points) - 1
            return known[key]

        split = []
        for a, b, c in faces:
            ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
            split += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = split
    return np.array(points) * 100, np.array(faces)


def write_surface(path: Path, points: np.ndarray, triangles: np.ndarray) -> Path:
    """A ``.surf.gii``."""
    arrays = [
        nib.gifti.GiftiDataArray(points.astype(np.float32), "NIFTI_INTENT_POINTSET"),
        nib.gifti.GiftiDataArray(triangles.astype(np.int32), "NIFTI_INTENT_TRIANGLE"),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.gifti.GiftiImage(darrays=arrays), str(path))
    return path


def sphere_path(root: Path, subject: str, side: str, mesh: str) -> Path:
    """Where a subject's sphere stands."""
    return root / subject / "MNINonLinear" / f"fsaverage_LR{mesh}" / f"{subject}.{side}.sphere.{mesh}_fs_LR.surf.gii"


def write_fine_scan(path: Path, left: np.ndarray, right: np.ndarray, n_surface: int, there: np.ndarray) -> Path:
    """A dense series (tr, vertices there) of both hemispheres of another surface, with some voxels, TR 1 s."""
    axis = cifti2.BrainModelAxis.from_surface(there, n_surface, "CORTEX_LEFT")
    axis = axis + cifti2.BrainModelAxis.from_surface(there, n_surface, "CORTEX_RIGHT")
    places = np.stack(np.unravel_index(np.arange(50), (113, 136, 113)), axis=1)
    voxels = cifti2.BrainModelAxis(
        "BRAIN_STEM", voxel=places, affine=np.diag([1.6, 1.6, 1.6, 1.0]), volume_shape=(113, 136, 113)
    )
    values = np.concatenate([left, right, np.zeros((len(left), 50), left.dtype)], axis=1)
    return write_with_nibabel(path, values, axis + voxels, tr_s=1.0)
