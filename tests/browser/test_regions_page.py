"""The Regions page in a real browser: click regions out of the decoder, keep them, link, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.cortex_places import middle_vertex, place_of


def opened(server: Any, visit: Any, link: str = "", **settings: Any) -> Any:
    page = visit(f"{server.url}/regions?subject=1&clip=test1-0003&{link}", **settings)
    page.wait_for_selector(".cortex[data-painted]")
    page.wait_for_selector(".player canvas, .panels canvas")
    return page


def linked(page: Any, words: str) -> None:
    """Wait until the address holds these words."""
    page.wait_for_function(f"() => decodeURIComponent(location.search).includes({json.dumps(words)})")


def test_a_click_leaves_a_region_out_and_a_second_one_brings_it_back(server, visit) -> None:
    page = opened(server, visit)
    page.get_by_text("loses most without").wait_for()
    page.mouse.click(*place_of(page, middle_vertex("L_V4"), "regions"))
    linked(page, "set=V4")
    page.get_by_text("error over all test clips").first.wait_for()
    page.get_by_text("The first frame, moved").wait_for()
    page.wait_for_selector(".cortex[data-region='V4']")
    page.mouse.click(*place_of(page, middle_vertex("R_V4"), "regions"))
    page.wait_for_function("() => !location.search.includes('set=')")
    page.get_by_text("loses most without").wait_for()


def test_sets_and_ways_stand_in_the_link_and_come_back(server, visit) -> None:
    page = opened(server, visit, "set=V1,MT")
    page.get_by_text("error over all test clips").first.wait_for()
    page.get_by_text("Keep only", exact=True).first.click()
    linked(page, "way=only")
    page.get_by_text("only, this decoder keeps").wait_for()
    other = visit(page.url)
    other.get_by_text("only, this decoder keeps").wait_for()


def test_the_table_comes_out_as_csv(server, visit, tmp_path: Path) -> None:
    page = opened(server, visit)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_text("All regions, all measures (CSV)").click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    assert "simulated" in target.name
    assert len(target.read_text().splitlines()) == 1 + 3 * 180
