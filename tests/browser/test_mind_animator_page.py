"""The Mind-Animator page in a real browser: choose a map, pin a vertex, and a link that brings both back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brainviz.cortex.regions import glasser
from support.app_server import Server, serving
from support.cortex_places import place_of
from support.fake_mind_animator import GIVEN, write_mind_animator

CHARTS = 6  # those above the map move it while they come
CANVAS = "canvas[data-panel='mind-animator']"


@pytest.fixture(scope="module")
def decoded(fake_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on a workspace with Mind-Animator's results."""
    root = tmp_path_factory.mktemp("decoded")
    shutil.copytree(fake_folder, root / "workspace")
    (root / "dataset").symlink_to(fake_folder.parent / "dataset")
    write_mind_animator(root / "workspace")
    with serving(root / "workspace", root / "server.log") as running:
        yield running


def linked(page: Any, words: str) -> None:
    """Wait until the address holds these words."""
    page.wait_for_function(f"() => decodeURIComponent(location.search).includes({json.dumps(words)})")


def another_picture(page: Any, before: str) -> str:
    """Wait until the map's pixels are others than before; returns them."""
    canvas = page.wait_for_selector(CANVAS)
    page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=[canvas, before])
    return str(canvas.evaluate("(canvas) => canvas.toDataURL()"))


def test_part_and_kind_change_the_map_and_the_link_brings_them_back(decoded, visit) -> None:
    page = visit(f"{decoded.url}/mind_animator?subject=1&part=semantic&kind=filter", height=1700)
    page.get_by_text("Shown fMRI beats shifted fMRI").wait_for()
    page.wait_for_selector(".cortex[data-painted]")
    page.get_by_text("Semantics, filter", exact=True).wait_for()
    picture = another_picture(page, "")
    page.get_by_role("radio", name="Pattern").click()
    linked(page, "kind=pattern")
    page.get_by_text("Semantics, pattern", exact=True).wait_for()
    picture = another_picture(page, picture)
    page.get_by_role("radio", name="Motion").click()
    linked(page, "part=motion")
    page.get_by_text("Motion, pattern", exact=True).wait_for()
    another_picture(page, picture)
    page.get_by_text("strongest in MT (left)").wait_for()
    vertex = int(glasser().vertices("L_MT")[GIVEN["MT"] // 2])
    page.wait_for_function(f"() => document.querySelectorAll('.js-plotly-plot .main-svg').length >= {2 * CHARTS}")
    page.locator(CANVAS).scroll_into_view_if_needed()
    page.mouse.click(*place_of(page, vertex, "mind-animator"))
    page.get_by_role("heading", name="MT, left").wait_for()
    linked(page, "vertex=")
    other = visit(page.url)
    other.get_by_text("Motion, pattern", exact=True).wait_for()
    other.get_by_role("heading", name="MT, left").wait_for()
    other.wait_for_selector(".cortex[data-region='L_MT']")
