"""The Benchmark page in a real browser: ranking, scatter to clip, an imported system, exports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brainviz.workspace import open_workspace
from pipelines.__main__ import main
from support.app_server import Server, serving
from support.fake_benchmark import write_benchmark

IMPORTED = "mindvideo"
DOTS = ".st-key-benchmark-ranking .scatterlayer .trace .point"
POINTS = ".st-key-benchmark-scatter .scatterlayer .point"


@pytest.fixture(scope="module")
def compared(fake_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on a workspace with a benchmark, and another system's films in it."""
    root = tmp_path_factory.mktemp("compared")
    shutil.copytree(fake_folder, root / "workspace")
    (root / "dataset").symlink_to(fake_folder.parent / "dataset")
    films = root / "films"
    films.mkdir()
    for clip in open_workspace(root / "workspace").clips.query("split == 'test'")["clip"]:
        frames = [Image.fromarray(np.full((64, 64, 3), 40 + 30 * k, np.uint8)) for k in range(4)]
        frames[0].save(films / f"{clip}.gif", save_all=True, append_images=frames[1:], duration=200)
    arguments = ["import-system", IMPORTED, str(films), "--workspace", str(root / "workspace")]
    assert main(arguments) == 0
    write_benchmark(root / "workspace", others=[IMPORTED])
    with serving(root / "workspace", root / "server.log") as running:
        yield running


def linked(page: Any, words: str) -> None:
    """Wait until the address holds these words."""
    page.wait_for_function(f"() => decodeURIComponent(location.search).includes({json.dumps(words)})")


def panels(page: Any, names: list[str]) -> None:
    """Wait until these films stand side by side, painted."""
    for name in names:
        page.wait_for_selector(f"canvas[data-panel='{name}'][data-frame]")


def resting_places(page: Any) -> np.ndarray:
    """Middles of the scatter's points once the chart stands still: Plotly draws it again when its width is known."""
    page.wait_for_function(
        """(points) => {
          const now = [...document.querySelectorAll(points)].map((p) => p.getBoundingClientRect())
            .map((box) => [box.x + box.width / 2, box.y + box.height / 2]);
          const same = now.length && JSON.stringify(now) === JSON.stringify(window.seenPlaces);
          window.seenPlaces = now;
          window.restedFor = same ? (window.restedFor ?? 0) + 1 : 0;
          return window.restedFor >= 30;
        }""",
        arg=POINTS,
    )
    return np.array(page.evaluate("() => window.seenPlaces"))


def test_all_systems_are_ranked_and_the_imported_one_among_them(compared, visit) -> None:
    page = visit(f"{compared.url}/benchmark?subject=1")
    page.get_by_text("comes first of 8").wait_for()
    page.wait_for_selector(DOTS)
    page.wait_for_function(f"() => document.querySelectorAll({json.dumps(DOTS)}).length === 18")
    names = page.locator(".st-key-benchmark-ranking .ytick text").all_text_contents()
    assert names[0].endswith("Frame + fMRI") and names[-1] == "True motion (ceiling)"
    assert any(name.endswith(IMPORTED) for name in names)
    assert any(name.endswith("Frozen frame (control)") for name in names)
    panels(page, ["film", "mind-animator", "brain-e2e"])


def test_a_click_in_the_scatter_opens_the_clip(compared, visit) -> None:
    page = visit(f"{compared.url}/benchmark?subject=1&a=image-only&b=brain&clip=test1-0004", height=1400)
    panels(page, ["film", "image-only", "brain"])
    page.wait_for_selector(POINTS)
    page.get_by_role("heading", name="Clip test1-0004").wait_for()
    centres = resting_places(page)
    # The one farthest from all others, so that no neighbour is hit.
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=-1) + 1e6 * np.eye(len(centres))
    place = centres[int(apart.min(1).argmax())]
    page.mouse.move(*place)
    # Plotly takes a click for the point that it has found under the pointer, and says so by its label.
    page.wait_for_selector(".st-key-benchmark-scatter .hoverlayer .hovertext")
    page.mouse.click(*place)
    page.wait_for_function("() => !location.search.includes('clip=test1-0004')")
    clip = page.evaluate("() => new URLSearchParams(location.search).get('clip')")
    page.get_by_role("heading", name=f"Clip {clip}").wait_for()
    panels(page, ["film", "image-only", "brain"])
    # The link stands below the films and is drawn after them: until then it is the former clip's.
    page.locator(f"a[href*='clip={clip}']", has_text="Look closer").click()
    page.wait_for_url("**/reanimation?**")
    linked(page, f"clip={clip}")
    linked(page, "films=film,image-only,brain")
    panels(page, ["film", "image-only", "brain"])


def test_an_imported_system_is_shown_beside_another(compared, visit) -> None:
    page = visit(f"{compared.url}/benchmark?subject=2&a={IMPORTED}&b=mind-animator&clip=test1-0003")
    panels(page, ["film", IMPORTED, "mind-animator"])
    page.get_by_text("Mind-Animator is better in").wait_for()


def test_the_report_opens_without_a_network(compared, visit, chromium, tmp_path: Path) -> None:
    page = visit(f"{compared.url}/benchmark")
    page.wait_for_selector(DOTS)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_text("Report (HTML)").click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    assert "simulated" in target.name
    context = chromium.new_context(offline=True, java_script_enabled=False)
    report = context.new_page()
    asked: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.goto(target.as_uri())
    assert asked == [target.as_uri()]
    assert report.locator("svg").count() == 7
    assert report.get_by_text("Simulated data", exact=True).is_visible()
    context.close()


def test_a_phone_shows_the_message_first_and_nothing_sticks_out(compared, visit) -> None:
    page = visit(f"{compared.url}/benchmark?metric=ssim", width=390, height=844)
    page.get_by_text("comes first of 8").wait_for()
    page.wait_for_selector(DOTS)
    assert page.evaluate("() => document.scrollingElement.scrollWidth <= 390")
