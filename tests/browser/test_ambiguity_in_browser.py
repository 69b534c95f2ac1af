"""The Ambiguity page in a real browser: roses, instances to click, clips to open, links, exports."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlparse

ROSES = "[class*='st-key-rose']"
PETALS = "[class*='st-key-rose'] .barlayer path, [class*='st-key-rose'] .polarlayer path"


def query(page: Any) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlparse(page.url).query).items()}


def opened(visit: Any, server: Any, words: str, **settings: Any) -> Any:
    page = visit(f"{server.url}/ambiguity?{words}", **settings)
    page.wait_for_selector(PETALS, state="attached")
    page.locator(".card").first.wait_for()
    return page


def test_case_and_its_pair_fit_on_the_first_screen(server, visit) -> None:
    page = opened(visit, server, "ambiguity=bird")
    page.wait_for_function(f'() => document.querySelectorAll("{ROSES}").length === 3')
    roses = [box.bounding_box() for box in page.locator(ROSES).all()]
    assert len({round(box["y"] / 12) for box in roses}) == 1, "the three roses stand side by side"
    assert all(box["y"] + box["height"] <= 800 for box in roses)
    assert query(page)["clip"].startswith("test")


def test_another_case_starts_from_its_own_clip(server, visit) -> None:
    page = opened(visit, server, "ambiguity=bird&clip=test1-0004")
    page.get_by_test_id("stMain").get_by_role("radio", name="Shuttle").click()
    page.wait_for_function("() => location.search.includes('ambiguity=shuttle')")
    page.wait_for_function("() => /clip=test\\d-000[89]/.test(location.search)")
    page.get_by_text("Shuttle: which way?").wait_for()
    assert page.get_by_text("which is not here").count() == 0


def test_thumbnail_opens_its_clip(server, visit) -> None:
    page = opened(visit, server, "ambiguity=clip&clip=test1-0003")
    card = page.locator(".card:not([aria-selected=true])").nth(3)
    clip = card.get_attribute("data-clip")
    card.click()
    page.wait_for_function(f"() => location.search.includes('clip={clip}')")
    page.locator(f".card[data-clip={clip}][aria-selected=true]").wait_for()


def test_instance_opens_with_its_subject(server, visit) -> None:
    page = opened(visit, server, "ambiguity=bird&subject=1&clip=test1-0004", height=1600)
    strip = page.locator(".st-key-instances .scatterlayer .trace")
    strip.first.locator("path.point").first.wait_for(state="attached")
    before = page.url
    # The dots of one continuation: subject by subject, so the last one is of the second subject.
    box = strip.nth(1).locator("path.point").last.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("(before) => location.href !== before", arg=before)
    page.wait_for_function("() => location.search.includes('subject=2')")
    assert query(page)["clip"] in ("test1-0004", "test2-0004")


def test_exports_say_simulated_and_hold_the_case_only(server, visit) -> None:
    page = opened(visit, server, "ambiguity=bird&clip=test1-0004")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as table:
        page.get_by_role("button", name="Bits of this case (CSV)").click()
    assert table.value.suggested_filename == "brainviz_subject1_ambiguity_bird_simulated.csv"
    rows = table.value.path().read_text().splitlines()
    assert "usable_bits" in rows[0] and "simulated" in rows[0]
    assert len(rows) == 1 + 4 * 3, "two shots of two clips, three choices of runs"
    assert all(",bird," in row for row in rows[1:])


def test_narrow_screen_stacks_the_story(server, visit) -> None:
    page = opened(visit, server, "ambiguity=bird&clip=test1-0004", width=390, height=844)
    page.wait_for_function(f'() => document.querySelectorAll("{ROSES}").length === 3')
    boxes = [box.bounding_box() for box in page.locator(ROSES).all()]
    assert len({round(box["x"]) for box in boxes}) == 1
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
