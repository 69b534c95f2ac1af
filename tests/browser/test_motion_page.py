"""The Motion page in a real browser: played in step, clip by clip, linkable, exportable."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlparse

PAINTED = "canvas[data-panel][data-frame]"
FRAMES = """() => {
  const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
  const canvases = roots.flatMap((root) => [...root.querySelectorAll('canvas[data-panel]')]);
  return canvases.map((canvas) => [canvas.dataset.panel, Number(canvas.dataset.frame), Number(canvas.dataset.step)]);
}"""


def query(page: Any) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlparse(page.url).query).items()}


def wait_for_clip(page: Any, clip: str) -> None:
    page.wait_for_function(f"() => location.search.includes('clip={clip}')")
    page.wait_for_selector(PAINTED)


def test_all_panels_show_the_same_frame(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004")
    page.wait_for_selector(PAINTED)
    page.wait_for_function("() => true")
    samples = []
    for _ in range(120):
        samples.append(page.evaluate(FRAMES))
        page.wait_for_timeout(10)
    assert all(len(sample) == 4 for sample in samples)
    assert all(len({(frame, step) for _, frame, step in sample}) == 1 for sample in samples)
    assert len({sample[0][1] for sample in samples}) > 5, "the film does not move"
    assert [name for name, *_ in samples[0]] == ["film", "truth", "brain", "prior"]


def test_pause_puts_the_frame_into_the_link_and_the_link_restores_it(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004")
    page.wait_for_selector(PAINTED)
    page.get_by_role("button", name="Pause").click()
    for _ in range(3):
        page.get_by_role("button", name="Next frame").click()
    page.get_by_role("button", name="Arrows").click()
    page.wait_for_function("() => location.search.includes('frame=') && location.search.includes('arrows=1')")
    frame = page.evaluate(FRAMES)[0][1]
    page.wait_for_function(f"() => location.search.includes('frame={frame}')")
    other = visit(page.url)
    other.wait_for_selector(PAINTED)
    other.wait_for_function("() => true")
    assert {found for _, found, _ in other.evaluate(FRAMES)} == {frame}
    assert other.get_by_role("button", name="Arrows").get_attribute("aria-pressed") == "true"
    assert other.get_by_role("button", name="Play", exact=True).is_visible(), "a linked frame must stand still"


def test_keyboard_drives_the_player(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004&frame=5")
    page.wait_for_selector(PAINTED)
    page.locator(".player").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('frame=6')")
    page.keyboard.press("Home")
    page.wait_for_function("() => location.search.includes('frame=0')")
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()
    page.keyboard.press("Space")
    assert page.locator(".player").get_attribute("data-playing") == "true"


def test_no_autoplay_under_reduced_motion(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004", reduced_motion="reduce")
    page.wait_for_selector(PAINTED)
    page.wait_for_timeout(600)
    assert {frame for _, frame, _ in page.evaluate(FRAMES)} == {0}


def test_hover_reads_the_same_point_in_every_panel(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004&frame=2")
    page.wait_for_selector(PAINTED)
    page.locator("canvas[data-panel=truth]").hover(position={"x": 80, "y": 120})
    page.wait_for_function(
        """() => [...document.querySelectorAll('*')].some((e) =>
             e.shadowRoot?.querySelector('.readout')?.textContent.startsWith('grid point'))"""
    )
    texts = page.locator(".readout").all_inner_texts()
    assert re.fullmatch(r"grid point \d+, \d+", texts[0])
    for text in texts[1:]:
        assert re.search(r"→ [+−]\d+\.\d\d\s+↓ [+−]\d+\.\d\d\s+·\s+\d+\.\d\d px/step\s+·\s+\d+\.\d %/s", text), text
    assert page.locator(".dots circle").count() == 3


def test_clip_change_by_thumbnail_arrow_and_search(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004")
    page.wait_for_selector(PAINTED)
    page.locator(".card[data-clip=test1-0002]").click()
    wait_for_clip(page, "test1-0002")
    page.locator(".readout", has_text="4–6 s of test1").wait_for()
    page.get_by_test_id("stMain").get_by_role("button").filter(has_text="chevron_right").first.click()
    wait_for_clip(page, "test1-0003")
    page.get_by_placeholder("Search").fill("rocket")
    page.get_by_placeholder("Search").press("Enter")
    page.wait_for_function("() => location.search.includes('find=rocket')")
    page.wait_for_function(
        """() => { const cards = [...document.querySelectorAll('*')].flatMap((e) =>
             e.shadowRoot ? [...e.shadowRoot.querySelectorAll('.card')] : []);
             return cards.length && cards.every((card) => card.textContent.includes('rocket')); }"""
    )


def test_click_on_a_point_opens_that_clip(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004", height=1800)
    page.wait_for_selector(PAINTED)
    chart = page.locator(".st-key-scatter .scatterlayer .trace").nth(1)
    chart.locator("path.point").first.wait_for(state="attached")
    box = chart.locator("path.point").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("() => !location.search.includes('clip=test1-0004')")
    assert query(page)["clip"].startswith("test")


def test_bad_link_is_corrected_with_a_notice(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=nothing-like-this&subject=9")
    page.get_by_text("which is not here").first.wait_for()
    page.wait_for_selector(PAINTED)
    assert query(page)["clip"].startswith("test")


def test_exports_carry_clip_and_simulated_in_their_names(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004&frame=3")
    page.wait_for_selector(PAINTED)
    with page.expect_download() as picture:
        page.get_by_role("button", name="Save this view as a PNG").click()
    name = picture.value.suggested_filename
    assert name == "brainviz_subject1_test1-0004_truth_brain_prior_simulated_frame3.png"
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as film:
        page.get_by_role("button", name="Film of the panels (MP4)").click()
    assert film.value.suggested_filename == "brainviz_subject1_test1-0004_truth_brain_prior_simulated.mp4"
    assert film.value.path().read_bytes()[4:8] == b"ftyp"
    with page.expect_download() as table:
        page.get_by_role("button", name="Errors of this clip (CSV)").click()
    rows = table.value.path().read_text().splitlines()
    assert "simulated" in rows[0]
    assert len(rows) > 10
    assert all("test1-0004" in row for row in rows[1:])


def test_systems_of_the_link_stand_beside_the_film(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004&frame=1&systems=truth,brain,image-only,ridge,mean")
    page.wait_for_selector(PAINTED)
    page.wait_for_function(f"() => ({FRAMES})().length === 6")
    assert [name for name, *_ in page.evaluate(FRAMES)] == ["film", "truth", "brain", "image-only", "ridge", "mean"]


def test_narrow_screen_stacks_panels_two_by_two(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004&frame=1", width=390, height=844)
    page.wait_for_selector(PAINTED)
    boxes = [canvas.bounding_box() for canvas in page.locator(PAINTED).all()]
    assert len({round(box["x"]) for box in boxes}) == 2
    assert len({round(box["y"]) for box in boxes}) == 2
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_first_screen_shows_player_and_wheel(server, visit) -> None:
    page = visit(f"{server.url}/motion?clip=test1-0004&frame=1")
    page.wait_for_selector(PAINTED)
    wheel = page.locator(".wheel").bounding_box()
    assert wheel["y"] + wheel["height"] <= 800
