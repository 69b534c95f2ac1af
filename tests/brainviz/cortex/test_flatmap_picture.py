"""The flat map as pixels: geometry against the mesh, and what the renderer shows."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.cortex import flatmap_image, flatmap_raster, glasser, load_surface
from brainviz.cortex.colours import SCALES, colour_table
from brainviz.cortex.raster import Raster, region_centres, region_outline
from brainviz.cortex.surface import N_CORTEX, N_FULL
from brainviz.errors import BrainvizError, UnknownName

HEIGHT = 160


@pytest.fixture(scope="module")
def raster() -> Raster:
    return flatmap_raster(HEIGHT)


def test_pixels_point_at_the_vertices_under_them(raster: Raster) -> None:
    """Barycentric weights of the corner positions give the pixel's own position back."""
    surface = load_surface()
    used = surface.flat[np.unique(surface.flat_faces)]
    mm_per_pixel = (used[:, 1].max() - used[:, 1].min()) / (2 * HEIGHT - 1) * 2
    position = (surface.flat[raster.corners] * raster.weights[..., None]).sum(1)
    row, column = np.divmod(raster.pixels, raster.shape[1])
    np.testing.assert_allclose(position[:, 0], used[:, 0].min() + column * mm_per_pixel, atol=0.05)
    np.testing.assert_allclose(position[:, 1], used[:, 1].max() - row * mm_per_pixel, atol=0.05)
    np.testing.assert_allclose(raster.weights.sum(1), 1, atol=1e-4)


def test_index_is_the_heaviest_corner_and_minus_one_outside(raster: Raster) -> None:
    flat = raster.index.ravel()
    assert raster.index.dtype == np.int32
    assert (flat[raster.pixels] >= 0).all() and int((flat >= 0).sum()) == len(raster.pixels)
    assert flat.min() == -1
    chosen = raster.corners[np.arange(len(raster.pixels)), raster.weights.argmax(1)]
    np.testing.assert_array_equal(flat[raster.pixels], chosen)


def test_left_hemisphere_lies_left(raster: Raster) -> None:
    width = raster.shape[1]
    left = np.unique(raster.index[:, : width // 3])
    right = np.unique(raster.index[:, -width // 3 :])
    assert left.max() < N_FULL // 2
    assert right[right >= 0].min() >= N_FULL // 2


def test_every_region_with_room_is_on_the_map(raster: Raster) -> None:
    shown = set(np.unique(glasser().labels[raster.index[raster.index >= 0]]))
    assert len(shown - {0}) >= 355


def test_outline_surrounds_its_region(raster: Raster) -> None:
    outline = region_outline(raster, ("V1",))
    assert 0 < outline.sum() < (raster.index >= 0).sum() / 20
    for row, column in region_centres(raster, "V1"):
        assert glasser().region_of(int(raster.index[row, column]))[0] == "V1"


def test_picture_shows_values_bare_cortex_and_nothing_outside() -> None:
    values = np.full(N_FULL, np.nan)
    values[: N_FULL // 2] = 1.0
    picture = flatmap_image(values, "sequential", (0, 1), HEIGHT, border_strength=0)
    raster = flatmap_raster(HEIGHT)
    assert picture.shape == (*raster.shape, 4) and picture.dtype == np.uint8
    assert (picture[raster.index < 0, 3] == 0).all()
    left = (raster.index >= 0) & (raster.index < N_FULL // 2)
    np.testing.assert_array_equal(np.unique(picture[left][:, :3], axis=0), colour_table("sequential")[-1:])
    bare = picture[raster.index >= N_FULL // 2][:, :3]
    assert (bare.min(1) == bare.max(1)).all()  # grey


def test_opacity_blends_towards_the_cortex() -> None:
    ones = np.ones(N_CORTEX)
    full = flatmap_image(ones, limits=(-1, 1), height=HEIGHT).astype(int)
    half = flatmap_image(ones, limits=(-1, 1), height=HEIGHT, opacity=np.full(N_CORTEX, 0.5)).astype(int)
    none = flatmap_image(ones, limits=(-1, 1), height=HEIGHT, opacity=np.full(N_CORTEX, np.nan)).astype(int)
    on_cortex = load_surface().mask[flatmap_raster(HEIGHT).index] & (flatmap_raster(HEIGHT).index >= 0)
    np.testing.assert_allclose(half[on_cortex], ((full + none) / 2)[on_cortex], atol=2)
    spread = full[on_cortex][:, :3]
    assert (spread.max(1) - spread.min(1)).mean() > 30
    bare = none[on_cortex][:, :3]
    assert (bare.max(1) - bare.min(1)).max() <= 12  # border ink is slightly blue


def test_default_limits_are_symmetric_for_a_diverging_scale() -> None:
    values = np.linspace(-3, 1, N_CORTEX)
    auto = flatmap_image(values, height=HEIGHT)
    top = np.percentile(np.abs(values), 99)
    np.testing.assert_array_equal(auto, flatmap_image(values, limits=(-top, top), height=HEIGHT))


@pytest.mark.parametrize("limits", [(1.0, 1.0), (2.0, 1.0), (0.0, float("nan"))])
def test_limits_that_do_not_increase_are_refused(limits: tuple[float, float]) -> None:
    with pytest.raises(BrainvizError, match="do not increase"):
        flatmap_image(np.zeros(N_CORTEX), limits=limits, height=HEIGHT)


def test_colour_scales() -> None:
    for name in SCALES:
        table = colour_table(name)
        assert table.shape == (256, 3) and table.dtype == np.uint8
    lightness = colour_table("sequential").astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > -0.5).all()
    with pytest.raises(UnknownName, match="Choose one of"):
        colour_table("jet")
