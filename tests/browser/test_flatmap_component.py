"""The cortex component by itself in a real browser: pick, walk, search, threshold, linked panels, what is sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainviz.cortex import glasser, load_surface
from support.app_server import Server, serving

PAGE = "tests/support/cortex_page.py"
ROOT_NODE = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.cortex')).find(Boolean)"


@pytest.fixture(scope="module")
def cortex_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("cortex")
    with serving(folder, folder / "server.log", script=PAGE) as running:
        yield running


@pytest.fixture
def show(cortex_page: Server, visit: Callable[..., Any]) -> Callable[..., Any]:
    """Open the page with some query and wait for its first picture."""

    def opened(query: str = "", **settings: Any) -> Any:
        page = visit(f"{cortex_page.url}/?{query}", **settings)
        page.wait_for_selector(".cortex[data-painted]")
        page.wait_for_timeout(300)
        return page

    return opened


def said(page: Any, words: str) -> None:
    """Wait until Python's own line holds these words."""
    page.get_by_text(re.compile(words)).first.wait_for()


def pinned(page: Any) -> int:
    return int(page.locator(".cortex").get_attribute("data-pinned"))


def picture(page: Any, panel: str = "difference", layer: str = "picture") -> np.ndarray:
    """Pixels of a canvas, uint8 (h, w, 4)."""
    found = page.evaluate(
        f"""([panel, layer]) => {{
          const stage = {ROOT_NODE}.querySelector(`[data-panel="${{panel}}"]`).closest('.stage');
          const canvas = stage.querySelector('.' + layer);
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let text = '';
          for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
          return [canvas.width, canvas.height, btoa(text)];
        }}""",
        [panel, layer],
    )

    return np.frombuffer(base64.b64decode(found[2]), np.uint8).reshape(found[1], found[0], 4)


def places(box: dict[str, float]) -> np.ndarray:
    """Where every vertex stands on the screen (n, 2) when the whole map is shown in this box, from the mesh alone."""
    surface = load_surface()
    used = surface.flat[np.unique(surface.flat_faces)]
    low, high = used.min(0), used.max(0)
    scale = min((box["width"] - 8) / (high - low)[0], (box["height"] - 8) / (high - low)[1])
    x, y = ((surface.flat - (low + high) / 2) * scale).T
    return np.stack([box["x"] + box["width"] / 2 + x, box["y"] + box["height"] / 2 - y], 1)


def place_of(page: Any, vertex: int, panel: str = "difference") -> tuple[float, float]:
    x, y = places(page.locator(f"[data-panel={panel}]").bounding_box())[vertex]
    return float(x), float(y)


def middle_vertex(region: str) -> int:
    surface = load_surface()
    inside = glasser().vertices(region)
    centre = np.median(surface.flat[inside], 0)
    return int(inside[((surface.flat[inside] - centre) ** 2).sum(1).argmin()])


def true_difference() -> np.ndarray:
    """The values of the page's first map, in closed form."""
    x, y, z = load_surface().midthickness.T
    return 0.22 * np.sin(y / 21) * np.cos(z / 17) + 0.08 * np.sin(x / 9)


def check_dimmed(page: Any, before: np.ndarray, after: np.ndarray, kept: np.ndarray, near: np.ndarray) -> None:
    """Pixels of a few hundred vertices: those `kept` are as before, others paler; `near` the contour is not judged."""
    box = page.locator("[data-panel=difference]").bounding_box()
    screen, seen = places(box), {True: 0, False: 0}
    on_map = load_surface().mask.copy()
    on_map[np.setdiff1d(np.arange(len(on_map)), load_surface().flat_faces)] = False
    for vertex in range(0, len(kept), 97):
        if near[vertex] or not on_map[vertex]:
            continue
        left, top = screen[vertex]
        row, column = round(top - box["y"] - 0.5), round(left - box["x"] - 0.5)
        if not (0 <= row < len(before) and 0 <= column < before.shape[1]) or np.ptp(before[row, column, :3]) < 2:
            continue  # outside, or the bare cortex beside the medial wall
        seen[bool(kept[vertex])] += 1
        assert (before[row, column] == after[row, column]).all() == kept[vertex], vertex
        if not kept[vertex]:
            assert np.ptp(after[row, column, :3]) <= np.ptp(before[row, column, :3])
    assert min(seen.values()) > 40, seen


def test_click_pins_the_vertex_under_the_pointer_and_python_hears_of_it(show: Callable[..., Any]) -> None:
    page = show()
    vertex = middle_vertex("L_V4")
    page.mouse.click(*place_of(page, vertex))
    page.wait_for_selector(".cortex[data-pinned]:not([data-pinned=''])")
    found = pinned(page)
    assert np.linalg.norm(load_surface().flat[found] - load_surface().flat[vertex]) < 2.5
    said(page, f"pinned={found} ")
    readout = page.locator(".readout").inner_text()
    assert f"V4 · left · vertex {found}" in readout
    truth = true_difference()[found]
    shown = float(re.search(r"Δr (−?\d\.\d+)", readout)[1].replace("−", "-"))
    assert abs(shown - truth) < 0.003
    page.get_by_role("button", name="Pin vertex 1000").click()
    page.wait_for_selector(".cortex[data-pinned='1000']")


def test_arrow_keys_walk_to_neighbours(show: Callable[..., Any]) -> None:
    start = middle_vertex("R_V4")
    page = show(f"v={start}")
    surface = load_surface()
    page.locator(".cortex").focus()
    for key, axis, sign in (("ArrowRight", 0, 1), ("ArrowUp", 1, 1), ("ArrowLeft", 0, -1), ("ArrowDown", 1, -1)):
        before = pinned(page)
        page.keyboard.press(key)
        after = pinned(page)
        assert ((surface.faces == before).any(1) & (surface.faces == after).any(1)).any(), "not a neighbour"
        assert sign * (surface.flat[after] - surface.flat[before])[axis] > 0
    said(page, f"pinned={pinned(page)} ")


def test_search_jumps_to_a_region_and_to_a_vertex(show: Callable[..., Any]) -> None:
    page = show()
    whole = picture(page)
    page.get_by_placeholder("Region or vertex").fill("left mt")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cortex[data-region='L_MT']")
    said(page, "region=L_MT")
    page.wait_for_selector(".stage.zoomed")
    assert (picture(page) != whole).any()
    page.get_by_placeholder("Region or vertex").fill("40000")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cortex[data-pinned='40000']")
    page.get_by_placeholder("Region or vertex").fill("nowhere")
    page.get_by_text("No region has this name").wait_for()


def test_threshold_dims_but_does_not_hide(show: Callable[..., Any]) -> None:
    page = show()
    before = picture(page).astype(int)
    page.get_by_role("button", name="Colours and limits").click()
    page.locator(".threshold").evaluate("(e) => { e.value = 0.15; e.dispatchEvent(new Event('input')); }")
    said(page, "threshold=0.15")
    after = picture(page).astype(int)
    inside = before[..., 3] == 255
    np.testing.assert_array_equal(after[..., 3], before[..., 3])
    changed = (before != after).any(-1) & inside
    assert np.ptp(after[changed][:, :3], axis=-1).max() > 0, "dimmed values still show a little colour"
    truth = np.abs(true_difference())
    check_dimmed(page, before, after, truth >= 0.15, np.abs(truth - 0.15) < 0.02)


def test_false_discovery_level_dims_exactly_what_is_above_it(show: Callable[..., Any]) -> None:
    page = show()
    before = picture(page).astype(int)
    page.get_by_role("button", name="Colours and limits").click()
    page.get_by_label("False discovery rate").select_option("0.01")
    page.wait_for_timeout(400)
    after = picture(page).astype(int)
    q = 10 ** (-12 * np.abs(true_difference()))
    check_dimmed(page, before, after, q <= 0.01, (q > 0.005) & (q < 0.02))


def test_panels_share_cursor_view_and_pin(show: Callable[..., Any]) -> None:
    page = show("panels=3")
    page.mouse.move(*place_of(page, middle_vertex("R_PFm"), "difference"))
    page.wait_for_timeout(200)
    words = page.locator(".readout").all_inner_texts()
    assert len(words) == 3 and all("PFm · right" in one for one in words)
    values = [float(re.search(r"Δr (−?\d\.\d+)", one)[1].replace("−", "-")) for one in words]
    assert values[1] == pytest.approx(0.8 * values[0], abs=0.003)
    assert all((picture(page, name, "cursor")[..., 3] > 0).any() for name in ("difference", "s1", "s2"))
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(500)
    first, second = (picture(page, name)[..., 3] for name in ("difference", "s1"))
    np.testing.assert_array_equal(first, second)
    assert page.locator(".stage.zoomed").count() == 3


def test_a_pick_on_the_surface_is_shown_on_the_flat_map(show: Callable[..., Any]) -> None:
    page = show("mode=both")
    surface, aim = load_surface(), middle_vertex("L_PGi")
    box = page.locator(".panel.surface .stage").bounding_box()
    left = surface.inflated[:32492]
    _, forwards, up = surface.inflated[aim] - (left.min(0) + left.max(0)) / 2
    scale = min(box["width"] / 364, box["height"] / 178)
    at = float(box["x"] + box["width"] / 4 - scale * forwards), float(box["y"] + box["height"] / 2 - scale * up)
    page.mouse.click(*at)
    page.wait_for_selector(".cortex[data-pinned]:not([data-pinned=''])")
    vertex = pinned(page)
    assert np.linalg.norm(surface.inflated[vertex] - surface.inflated[aim]) < 4, "not the vertex that lies in front"
    ring = picture(page, "difference", "cursor")[..., 3] > 0
    rows, columns = np.nonzero(ring)
    stage = page.locator("[data-panel=difference]").bounding_box()
    left_px, top_px = place_of(page, vertex)
    assert abs(columns.mean() - (left_px - stage["x"])) < 2 and abs(rows.mean() - (top_px - stage["y"])) < 2
    page.get_by_role("button", name="medial").click()
    page.wait_for_selector("[data-look=medial][aria-pressed=true]")  # drawn: the click below meets the inner face
    page.mouse.click(*at)
    page.wait_for_function(f"() => {ROOT_NODE}.dataset.pinned !== '{vertex}'")
    assert surface.inflated[pinned(page), 0] > surface.inflated[vertex, 0] + 10, "the inner face"


def test_a_map_is_sent_once_and_the_surface_stays_in_the_browser(show: Callable[..., Any], visit: Any) -> None:
    page = show()
    received = "() => globalThis.__brainvizCortex.received"
    before = page.evaluate(received)
    page.get_by_text("best", exact=True).click()
    page.wait_for_selector(".cortex[data-painted^=best]")
    between = page.evaluate(received)
    assert between == before + 1, "a map of classes is one blob"
    page.get_by_text("difference", exact=True).click()
    page.wait_for_selector(".cortex[data-painted^=difference]")
    assert page.evaluate(received) == between, "a map that was here is not sent again"
    page.reload()
    page.wait_for_selector(".cortex[data-painted]")
    assert page.evaluate(received) == 4, "after a reload: values, reliability, q, ceiling, but not the surface"


def test_zoom_pan_and_reset(show: Callable[..., Any]) -> None:
    page = show()
    whole = picture(page)
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_selector(".stage.zoomed")
    page.wait_for_timeout(400)
    zoomed = picture(page)
    assert (zoomed != whole).any()
    box = page.locator("[data-panel=difference]").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 240, steps=6)
    page.mouse.up()
    page.wait_for_timeout(500)
    moved = picture(page)
    np.testing.assert_allclose(moved[100:300, 300:800].astype(int), zoomed[60:260, 180:680], atol=6)
    assert page.locator(".cortex").get_attribute("data-pinned") in ("", None), "a drag is not a click"
    page.mouse.dblclick(box["x"] + 300, box["y"] + 200)
    page.wait_for_timeout(500)
    np.testing.assert_array_equal(picture(page), whole)


def test_saved_picture_holds_the_maps_and_the_mark(show: Callable[..., Any], tmp_path: Path) -> None:
    from PIL import Image

    page = show("mode=both")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save this view as a PNG").click()
    waiting.value.save_as(tmp_path / "view.png")
    assert waiting.value.suggested_filename == "brainviz_cortex.png"
    with Image.open(tmp_path / "view.png") as saved:
        pixels = np.asarray(saved.convert("RGB")).astype(int)
    assert pixels.shape[1] > 1200 and (np.ptp(pixels, axis=-1) > 100).mean() > 0.03


def test_fits_a_phone(show: Callable[..., Any]) -> None:
    page = show("mode=both", width=390, height=844)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.locator("[data-panel=difference]").bounding_box()["width"] > 330
    page.get_by_role("button", name="Colours and limits").click()
    assert page.get_by_label("Colour scale").is_visible()


def test_a_response_plays_in_step_with_its_film(show: Callable[..., Any]) -> None:
    page = show("play=1")
    cortex = page.locator(".cortex")
    assert cortex.get_attribute("data-time") == "0.00"
    for time, frame, volume in ((4.0, 8, 0.0), (11.0, 22, 3.5), (19.0, 38, 7.0)):
        page.locator(".scrub").evaluate(
            f"(e) => {{ e.value = {1000 * time / 20}; e.dispatchEvent(new Event('input')); }}"
        )
        page.wait_for_timeout(250)
        assert float(cortex.get_attribute("data-volume")) == pytest.approx(volume)
        assert page.locator(".film .picture").get_attribute("data-frame") == str(frame)
    page.mouse.move(*place_of(page, middle_vertex("R_PFm")))
    page.wait_for_timeout(200)
    words = page.locator(".readout").first.inner_text()
    vertex = int(re.search(r"vertex (\d+)", words)[1])
    truth = 0.3 * np.sin(load_surface().midthickness[vertex, 1] / 20 + 2 * np.pi * 7 / 8)
    assert float(re.search(r"Δr (−?\d\.\d+)", words)[1].replace("−", "-")) == pytest.approx(truth, abs=0.003)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"() => {ROOT_NODE}.dataset.playing === 'true' && Number({ROOT_NODE}.dataset.time) < 15")
    first, tries = picture(page), 0
    while (picture(page) == first).all():  # a busy machine paints late
        page.wait_for_timeout(250)
        tries += 1
        assert tries < 80, "the map stands still while the film plays"
    page.get_by_role("button", name="Pause").click()
