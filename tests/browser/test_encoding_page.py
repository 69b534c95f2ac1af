"""The Encoding and In silico pages in a real browser: pick, search, link, compare, export, upload, play."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse
from xml.etree import ElementTree

import numpy as np
import pytest

from brainviz.cortex import glasser, load_surface
from brainviz.workspace import open_workspace
from support.cortex_places import middle_vertex, place_of

PAIR = "contrast/motion-energy|gabor-colour"
COURSE = ".course[data-volume]"


def query(page: Any) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlparse(page.url).query).items()}


def linked(page: Any, words: str) -> None:
    """Wait until the address holds these words."""
    page.wait_for_function(f"() => decodeURIComponent(location.search).includes({json.dumps(words)})")


def opened(server: Any, visit: Any, link: str = "", page: str = "encoding", **settings: Any) -> Any:
    found = visit(f"{server.url}/{page}?subject=1&{link}", **settings)
    found.wait_for_selector(".cortex[data-painted]")
    found.wait_for_timeout(400)
    return found


def test_click_pins_a_vertex_tells_of_it_and_stands_in_the_link(server, visit) -> None:
    page = opened(server, visit)
    page.mouse.click(*place_of(page, middle_vertex("L_V4"), "s1"))
    linked(page, "vertex=")
    vertex = int(query(page)["vertex"])
    page.get_by_role("heading", name=f"Vertex {vertex} · V4, left").wait_for()
    page.get_by_role("heading", name="Region V4, left").wait_for()
    value = open_workspace(server.workspace).map("1", PAIR)[vertex]
    page.get_by_text(f"Δr = {value:+.3f}".replace("-", "−")).wait_for()
    other = visit(page.url)
    other.wait_for_selector(f".cortex[data-pinned='{vertex}']")
    other.get_by_role("heading", name=f"Vertex {vertex} · V4, left").wait_for()


def test_search_opens_the_region_and_the_link_keeps_it(server, visit) -> None:
    page = opened(server, visit)
    page.get_by_placeholder("Region or vertex").fill("left mt")
    page.keyboard.press("Enter")
    linked(page, "region=L_MT")
    page.get_by_role("heading", name="Region MT, left").wait_for()
    page.get_by_text("in 2 of 2 subjects").first.wait_for()


def test_row_of_the_table_outlines_its_region(server, visit) -> None:
    page = opened(server, visit)
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    box = table.bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 52)
    linked(page, "region=")
    name = query(page)["region"]
    assert name[2:] in ("MT", "MST", "V3A"), "the largest difference stands first"
    page.wait_for_selector(f".cortex[data-region='{name}']")


def test_settings_of_the_cortex_go_into_the_link_and_come_back(server, visit) -> None:
    page = opened(server, visit)
    page.get_by_role("button", name="Colours and limits").click()
    page.locator(".threshold").evaluate("(e) => { e.value = 0.15; e.dispatchEvent(new Event('input')); }")
    linked(page, "dim=0.15")
    page.get_by_role("button", name="Both", exact=True).click()
    linked(page, "mode=both")
    assert "vertex" not in query(page), "a setting is no pin"
    other = visit(page.url)
    other.wait_for_selector(".panel.surface")
    other.get_by_role("button", name="Colours and limits").click()
    assert float(other.locator(".threshold-at").inner_text()) == 0.15


def test_maps_change_with_the_menus_and_carry_their_own_words(server, visit) -> None:
    page = opened(server, visit)
    before = page.evaluate("() => globalThis.__brainvizCortex.received")
    page.get_by_role("combobox", name="Map").click()
    page.get_by_role("option", name="Prediction of A").click()
    linked(page, "map=r")
    page.get_by_text(re.compile("Motion energy predicts")).first.wait_for()
    page.wait_for_function(f"() => globalThis.__brainvizCortex.received >= {before + 2}")
    assert page.evaluate("() => globalThis.__brainvizCortex.received") == before + 2, "the map and its q, nothing else"
    assert page.get_by_role("button", name="Swap").is_disabled()


def test_subjects_stand_side_by_side_with_one_pin_and_one_scale(server, visit) -> None:
    page = opened(server, visit, "side=1")
    page.wait_for_selector("[data-panel=s2]")
    page.mouse.click(*place_of(page, middle_vertex("R_V4"), "s2"))
    linked(page, "vertex=")
    vertex = int(query(page)["vertex"])
    said = page.locator(".cortex .readout").all_inner_texts()
    assert len(said) == 2 and all(f"vertex {vertex}" in words for words in said)
    workspace = open_workspace(server.workspace)
    for words, subject in zip(said, "12", strict=True):
        shown = float(re.search(r"Δr (−?\d\.\d+)", words)[1].replace("−", "-"))
        assert shown == pytest.approx(workspace.map(subject, PAIR)[vertex], abs=0.004)
    highs = page.locator(".cortex .legend .high").all_inner_texts()
    assert len(set(highs)) == 1


def test_time_course_walks_by_keys_and_shows_the_films_frame(server, visit) -> None:
    page = opened(server, visit, f"vertex={middle_vertex('L_MT')}&volume=3&testfilm=test2")
    page.wait_for_selector(COURSE + "[data-volume='3']")
    page.locator(".course").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(COURSE + "[data-volume='5'][data-time='14']")
    linked(page, "volume=5")
    assert page.locator(".course .frame").get_attribute("data-frame") == "7", "film time 14 s is the eighth clip"
    found = page.evaluate(
        """() => {
          const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot);
          const root = roots.map((e) => e?.querySelector('.frame')).find(Boolean);
          return [...root.getContext('2d').getImageData(0, 0, 256, 256).data];
        }"""
    )
    shown = np.array(found, float).reshape(256, 256, 4)[..., :3]
    frames = open_workspace(server.workspace).first_frames("test2").astype(float)
    small = shown.reshape(16, 16, 16, 16, 3).mean((1, 3))
    side = frames.shape[1] // 16
    means = frames[:, : 16 * side, : 16 * side].reshape(len(frames), 16, side, 16, side, 3).mean((2, 4))
    errors = np.abs(means - small).mean((1, 2, 3))
    assert errors.argmin() in (6, 7) and errors[7] < 6, errors
    readout = page.locator(".course .readout").inner_text()
    measured = float(re.search(r"measured (−?[\d.]+)", readout)[1].replace("−", "-"))
    column = int(np.searchsorted(load_surface().cortex, middle_vertex("L_MT")))
    assert measured == pytest.approx(np.sin(5 / 2 + column / 5000 + 1), abs=0.01)


def download(page: Any, label: str, folder: Path) -> tuple[Path, str]:
    if not page.get_by_role("button", name=label).is_visible():
        page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path, waiting.value.suggested_filename


def test_exports_hold_what_is_shown(server, visit, tmp_path: Path) -> None:
    import nibabel as nib
    import pandas as pd
    from PIL import Image

    page = opened(server, visit, "region=L_MT")
    page.get_by_role("button", name="Colours and limits").click()
    page.get_by_label("False discovery rate").select_option("0.05")
    linked(page, "fdr=0.05")
    page.wait_for_timeout(600)
    values = open_workspace(server.workspace).map("1", PAIR)
    path, name = download(page, "Cortex (CIFTI dscalar)", tmp_path)
    assert name == "brainviz_subject1_motion-energy-minus-gabor-colour_simulated.dscalar.nii"
    image = nib.load(path)
    np.testing.assert_allclose(image.get_fdata()[0], values[load_surface().cortex], atol=1e-6)
    path, _ = download(page, "Surface (GIFTI, both sides)", tmp_path)
    with zipfile.ZipFile(path) as archive:
        sides = {name.split("_")[-1]: nib.GiftiImage.from_bytes(archive.read(name)) for name in archive.namelist()}
    np.testing.assert_allclose(sides["left.func.gii"].darrays[0].data, values[:32492], atol=1e-6)
    path, _ = download(page, "Drawing with outlines (SVG)", tmp_path)
    drawing = path.read_text()
    assert "Simulated data" in drawing and ElementTree.fromstring(drawing).tag.endswith("svg")
    assert '"q_level": 0.05' in re.sub("&quot;", '"', drawing)
    path, _ = download(page, "Picture (PNG)", tmp_path)
    with Image.open(path) as picture:
        assert picture.width > 2000
    path, _ = download(page, "Regions of this map (CSV)", tmp_path)
    table = pd.read_csv(path).set_index(["hemisphere", "region"])
    inside = glasser().vertices("L_MT")
    assert table.loc[("left", "MT"), "mean"] == pytest.approx(values[inside].mean(), abs=1e-4)
    path, _ = download(page, "Tests of all regions (CSV)", tmp_path)
    tests = pd.read_csv(path)
    assert len(tests) == 360 and tests["simulated"].all() and (tests["q"] < 0.05).sum() == 10
    path, _ = download(page, "Settings of this view (JSON)", tmp_path)
    settings = json.loads(path.read_text())
    assert settings["choices"]["region"] == "L_MT" and settings["data"]["simulated"] is True


def test_pages_fit_a_phone(server, visit) -> None:
    for name in ("encoding", "insilico"):
        page = opened(server, visit, page=name, width=390, height=844)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert page.locator("[data-panel]").first.bounding_box()["width"] > 330


def test_film_and_cortex_play_from_one_clock(server, visit) -> None:
    page = opened(server, visit, "source=test1&length=10&from=4&t=0", page="insilico")
    cortex = page.locator(".cortex")
    assert float(cortex.get_attribute("data-time")) == 0
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        """() => {
          const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot);
          const root = roots.map((e) => e?.querySelector('.cortex')).find(Boolean);
          return Number(root.dataset.time) > 5.5;
        }"""
    )
    page.get_by_role("button", name="Pause").click()
    time_s, volume = (float(cortex.get_attribute(f"data-{what}")) for what in ("time", "volume"))
    frame = int(page.locator(".panel.film canvas.picture").get_attribute("data-frame"))
    assert volume == pytest.approx((time_s - 4) / 2, abs=0.02)
    assert abs(frame - time_s * 7.5) <= 1.5
    linked(page, "t=")


def test_upload_of_nonsense_is_refused_in_words(server, visit, tmp_path: Path) -> None:
    wrong = tmp_path / "film.mp4"
    wrong.write_bytes(b"this is no film" * 100)
    page = opened(server, visit, page="insilico")
    page.get_by_role("button", name="Upload a clip").click()
    page.locator("input[type=file]").set_input_files(wrong)
    page.get_by_text("cannot be decoded as a film").wait_for()


def test_uploaded_film_is_kept_and_its_features_are_offered(server, visit) -> None:
    film = server.workspace.parent / "dataset" / "stimuli" / "seg2.mp4"
    page = opened(server, visit, page="insilico")
    page.get_by_role("button", name="Upload a clip").click()
    page.locator("input[type=file]").set_input_files(film)
    linked(page, "source=upload-")
    page.get_by_text("are not extracted yet").wait_for()
    assert page.get_by_role("button", name="Extract features").is_enabled()
