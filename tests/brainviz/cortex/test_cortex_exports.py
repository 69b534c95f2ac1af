"""Exports of what is shown, opened again by other programs and compared."""

from __future__ import annotations

import base64
import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from brainviz.components.cortex_message import MapPanel
from brainviz.cortex import flatmap_image, glasser, load_surface
from brainviz.cortex.exports import (
    Shown,
    cifti,
    from_surface_image,
    gifti,
    png,
    pycortex_export,
    region_csv,
    svg,
    to_surface_image,
)
from brainviz.cortex.exports.pictures import HEAD, MARGIN, to_pixels
from brainviz.cortex.outlines import region_outlines
from brainviz.cortex.raster import flatmap_raster
from brainviz.cortex.surface import N_CORTEX, N_FULL, N_HEMISPHERE
from brainviz.errors import BrainvizError, NotReady

HEIGHT = 160
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shown() -> Shown:
    surface = load_surface()
    values = np.where(surface.mask, 0.3 * np.sin(surface.midthickness[:, 1] / 15), np.nan).astype(np.float32)
    q = np.clip(10 ** (-10 * np.abs(np.nan_to_num(values))), 1e-6, 1).astype(np.float32)
    return Shown(
        "A minus B", values, limits=(-0.3, 0.3), q=q, q_level=0.05, unit="Δr", caption="Subject 1.", simulated=True
    )


def test_picture_holds_the_map_the_words_and_the_mark(shown: Shown) -> None:
    with Image.open(io.BytesIO(png(shown, HEIGHT))) as opened:
        pixels, facts = np.asarray(opened.convert("RGB")), dict(opened.text)
    image = shown.image(HEIGHT)
    inside = flatmap_raster(HEIGHT).coverage == 255
    unnamed = np.asarray(Image.open(io.BytesIO(png(_without_names(shown), HEIGHT))).convert("RGB"))
    part = unnamed[HEAD : HEAD + image.shape[0], MARGIN : MARGIN + image.shape[1]]
    np.testing.assert_array_equal(part[inside], image[inside][:, :3])
    assert pixels.shape == unnamed.shape
    assert png(shown, 2 * HEIGHT) != png(_without_names(shown), 2 * HEIGHT)
    assert facts["Source"] == "Simulated data" and facts["Description"].startswith("Simulated data. Subject 1.")
    assert json.loads(facts["Settings"])["q_level"] == 0.05


def _without_names(shown: Shown) -> Shown:
    from dataclasses import replace

    return replace(shown, names=False)


def test_dimmed_vertices_are_paler_and_the_others_as_plain(shown: Shown) -> None:
    plain = flatmap_image(shown.values, limits=shown.limits, height=HEIGHT).astype(int)
    image = shown.image(HEIGHT).astype(int)
    index = flatmap_raster(HEIGHT).index
    near = np.abs(np.log10(shown.q / 0.05)) < 0.4
    judged = (index >= 0) & ~near[index] & load_surface().mask[index]
    kept = judged & shown.kept()[index]
    dimmed = judged & ~shown.kept()[index]
    assert kept.sum() > 2000 and dimmed.sum() > 2000
    assert (image[kept] != plain[kept]).any(1).mean() < 1e-3, "but for pixels where the map is folded or cut"
    assert (np.ptp(image[dimmed][:, :3], axis=1) <= np.ptp(plain[dimmed][:, :3], axis=1) + 1).mean() > 0.99
    assert np.ptp(image[dimmed][:, :3], axis=1).max() > 3, "dimmed, not hidden"


def test_svg_has_the_same_picture_vector_outlines_and_text(shown: Shown) -> None:
    root = ElementTree.fromstring(svg(shown, 2 * HEIGHT))
    picture = next(root.iter(f"{SVG}image")).get("{http://www.w3.org/1999/xlink}href")
    with Image.open(io.BytesIO(base64.b64decode(picture.split(",")[1]))) as opened:
        pixels = np.asarray(opened)
    from dataclasses import replace

    np.testing.assert_array_equal(pixels, replace(shown, outlines=False).image(2 * HEIGHT))
    paths = {path.get("id"): path.get("d") for path in root.iter(f"{SVG}path")}
    assert set(paths) == set(glasser().names[1:])
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {"A minus B", "4", "-0.3"} <= words and any(word.startswith("Simulated data.") for word in words)
    assert json.loads(root.find(f"{SVG}metadata").text)["simulated"] is True
    points = np.array([[float(v) for v in pair.split(",")] for pair in paths["L_V4"][1:].split("Z")[0].split("L")])
    index = flatmap_raster(2 * HEIGHT).index
    rows, columns = np.nonzero(np.isin(glasser().labels[index], glasser().ids("L_V4")) & (index >= 0))
    np.testing.assert_allclose(
        [points.min(0), points.max(0)], [[columns.min(), rows.min()], [columns.max(), rows.max()]], atol=1.5
    )


def test_outlines_are_closed_and_stand_where_labels_change() -> None:
    for name, lines in region_outlines().items():
        assert all(np.array_equal(line[0], line[-1]) and len(line) > 3 for line in lines), name
    raster = flatmap_raster(HEIGHT)
    at = np.round(to_pixels(region_outlines()["R_MT"][0], HEIGHT)).astype(int)
    inside = np.isin(glasser().labels[raster.index], glasser().ids("R_MT"))
    around = np.array([inside[y - 1 : y + 2, x - 1 : x + 2].mean() for x, y in at])
    assert (around > 0).all() and (around < 1).mean() > 0.9


def test_gifti_opens_with_the_values_and_the_mark(shown: Shown) -> None:
    for side, part in (("left", slice(0, N_HEMISPHERE)), ("right", slice(N_HEMISPHERE, N_FULL))):
        opened = nib.gifti.GiftiImage.from_bytes(gifti(shown)[side])
        assert opened.meta["AnatomicalStructurePrimary"] == f"Cortex{side.capitalize()}"
        assert opened.meta["Source"] == "Simulated data"
        assert [array.meta["Name"] for array in opened.darrays] == ["A minus B", "q", "kept"]
        np.testing.assert_array_equal(opened.darrays[0].data, shown.full[part])
        np.testing.assert_array_equal(opened.darrays[2].data == 1, shown.kept()[part])


def test_cifti_opens_with_standard_brain_models(shown: Shown) -> None:
    opened = nib.Cifti2Image.from_bytes(cifti(shown))
    scalars, brain = (opened.header.get_axis(k) for k in (0, 1))
    assert list(scalars.name) == ["A minus B", "q", "kept"]
    assert opened.header.matrix.metadata["Source"] == "Simulated data"
    models = {name: (part, model) for name, part, model in brain.iter_structures()}
    surface = load_surface()
    assert list(models) == ["CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"]
    assert len(brain) == N_CORTEX and set(brain.nvertices.values()) == {N_HEMISPHERE}
    np.testing.assert_array_equal(models["CIFTI_STRUCTURE_CORTEX_LEFT"][1].vertex, surface.cortex[:29696])
    np.testing.assert_array_equal(
        models["CIFTI_STRUCTURE_CORTEX_RIGHT"][1].vertex, surface.cortex[29696:] - N_HEMISPHERE
    )
    np.testing.assert_array_equal(np.asarray(opened.dataobj)[0], shown.cortex)
    assert opened.nifti_header.get_intent()[0] == "ConnDenseScalar"


def test_cifti_is_read_by_nilearn_and_comes_back(shown: Shown, tmp_path: Path) -> None:
    image = to_surface_image(shown.values)
    np.testing.assert_array_equal(from_surface_image(image), shown.full)
    image.mesh.to_filename(tmp_path / "mesh.gii")
    image.data.to_filename(tmp_path / "data.gii")
    from nilearn.surface import SurfaceImage

    sides = ("left", "right")
    again = SurfaceImage(
        {side: str(tmp_path / f"mesh_hemi-{side[0].upper()}.gii") for side in sides},
        {side: str(tmp_path / f"data_hemi-{side[0].upper()}.gii") for side in sides},
    )
    np.testing.assert_array_equal(np.ravel(from_surface_image(again)), shown.full)
    small = SimpleNamespace(data=SimpleNamespace(parts={"left": np.zeros(10242), "right": np.zeros(10242)}))
    with pytest.raises(BrainvizError, match="fs_LR 32k"):
        from_surface_image(small)


def test_region_table_agrees_with_the_vertices(shown: Shown) -> None:
    rows = list(csv.DictReader(io.StringIO(region_csv(shown))))
    assert len(rows) == 360 and {row["simulated"] for row in rows} == {"true"}
    row = next(row for row in rows if row["hemisphere"] == "right" and row["region"] == "MT")
    own = glasser().vertices("R_MT")
    assert int(row["n_vertices"]) == len(own)
    assert float(row["mean"]) == pytest.approx(shown.full[own].mean(), rel=1e-4)
    assert float(row["share_kept"]) == pytest.approx((shown.q[own] <= 0.05).mean(), rel=1e-4)


def test_classes_export_as_shares() -> None:
    values = np.where(load_surface().mask, glasser().labels % 2, np.nan).astype(np.float32)
    best = Shown("Best", values, classes=(("A", "0072b2"), ("B", "e69f00")))
    rows = list(csv.DictReader(io.StringIO(region_csv(best))))
    assert rows[0]["A"] == "0" and rows[0]["B"] == "1"
    colours = {tuple(pixel[:3]) for pixel in best.image(HEIGHT)[flatmap_raster(HEIGHT).index >= 0]}
    assert (0, 0x72, 0xB2) in colours and (0xE6, 0x9F, 0) in colours
    ElementTree.fromstring(svg(best, HEIGHT))


def test_settings_of_the_page_become_those_of_the_file(shown: Shown) -> None:
    panel = MapPanel("d", "A minus B", shown.values, limits=(-0.3, 0.3), q=shown.q, reliability=np.ones(N_FULL))
    view = {"limit": 0.6, "threshold": 0.1, "q": 0.01, "opacity": 50, "scale": "diverging-purple-green", "two": False}
    made = Shown.from_panel(panel, view)
    assert made.scale == (-0.6, 0.6) and made.q_level == 0.01 and made.opacity == 0.5 and made.reliability is None
    assert made.colormap == "diverging-purple-green"
    assert Shown.from_panel(panel, {"scale": "sequential"}).colormap == "diverging"
    assert Shown.from_panel(panel, {"two": True}).reliability is not None


def test_pycortex_draws_the_map(shown: Shown) -> None:
    if pycortex_export.missing():
        pytest.skip(pycortex_export.missing())
    with Image.open(io.BytesIO(pycortex_export.quickflat_figure(shown, 256))) as opened:
        pixels, facts = np.asarray(opened.convert("RGB")).astype(int), dict(opened.text)
    assert facts["Description"].startswith("Simulated data.")
    blue, orange = pixels[..., 2] - pixels[..., 0] > 80, pixels[..., 0] - pixels[..., 2] > 80
    assert blue.mean() > 0.02 and orange.mean() > 0.02


def test_without_pycortex_the_reason_is_said(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pycortex_export.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotReady, match="pip install pycortex"):
        pycortex_export.quickflat_figure(shown)
