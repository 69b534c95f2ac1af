"""The drawing board in a real browser: arrows move pixels the right way, at once, and stand in the link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np

from brainviz.flow.drawn import Drawing, drawing_from_code, drawn_motion
from support.canvases import pixels

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "draw"
PREVIEW = "canvas.preview"
PAN = Drawing(tuple((x, y, 0.25, 0.0) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)), 0.5)


def linked(page: Any) -> Drawing:
    """The drawing that stands in the address."""
    return drawing_from_code(parse_qs(urlparse(page.url).query)["arrows"][-1])


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = page.locator(".board").bounding_box()
    place = lambda at: (box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])  # noqa: E731
    page.mouse.move(*place(start))
    page.mouse.down()
    page.mouse.move(*place(end), steps=5)
    page.mouse.up()


def wait_for_arrows(page: Any, count: int) -> None:
    """Until the board has them and the link holds them."""
    page.locator(f".board[data-arrows='{count}']").wait_for()
    page.wait_for_function(
        "(n) => (new URLSearchParams(location.search).get('arrows') ?? '').length === n", arg=8 * count
    )


def show_frame(page: Any, frame: int) -> None:
    """Stop the clock and go to a frame."""
    page.locator(".draw .scrub").evaluate(
        "(scrub, frame) => { scrub.value = frame; scrub.dispatchEvent(new Event('input')); }", frame
    )
    page.locator(f"{PREVIEW}[data-frame='{frame}']").wait_for()


def test_field_and_mesh_agree_with_python(chromium) -> None:
    """The preview's interpolation is Python's; a steady motion is moved back exactly."""
    rng = np.random.default_rng(2)
    arrows = tuple(
        (*position, *moved)
        for position, moved in zip(rng.uniform(0, 1, (9, 2)), rng.normal(0, 0.2, (9, 2)).clip(-1, 1), strict=True)
    )
    drawing = Drawing(arrows, 0.22)
    places = rng.uniform(0, 1, (300, 2))
    script = "\n".join((ASSETS / f"{part}.js").read_text() for part in ("field", "mesh"))
    code = f"""() => {{ {script}
      const arrows = {json.dumps([dict(zip(("x", "y", "dx", "dy"), arrow, strict=True)) for arrow in arrows])};
      const motion = motionOf(arrows, 0.22);
      const moved = {json.dumps(places.tolist())}.map(([x, y]) => motion(x, y));
      const steady = origins(buildMesh(() => [0.25, -0.125]), 1);
      return [moved, [...steady]]; }}"""
    page = chromium.new_page()
    try:
        moved, steady = page.evaluate(code)
    finally:
        page.close()
    np.testing.assert_allclose(moved, drawn_motion(drawing, places), atol=1e-9)
    origin = np.array(steady).reshape(128, 128, 2)
    y, x = (np.mgrid[:128, :128] + 0.5) / 128
    np.testing.assert_allclose(origin, np.stack([x - 0.25, y + 0.125], axis=-1), atol=1e-5)


def test_a_dragged_arrow_moves_the_picture_its_way(server, visit) -> None:
    page = visit(f"{server.url}/draw?clip=test1-0004&reach=80", reduced_motion="reduce")
    page.locator(f"{PREVIEW}[data-frame='0']").wait_for()
    page.locator(".legend-words", has_text="test1-0004").wait_for()
    still = pixels(page, PREVIEW)
    drag(page, (0.5, 0.5), (0.75, 0.5))
    wait_for_arrows(page, 1)
    np.testing.assert_allclose(linked(page).arrows[0], (0.5, 0.5, 0.25, 0.0), atol=0.01)
    show_frame(page, 15)  # half of two seconds: an eighth of the frame
    moved, shift = pixels(page, PREVIEW), 32
    inner = (slice(112, 144), slice(120, 152))
    right = np.abs(moved[inner] - still[112:144, 120 - shift : 152 - shift]).mean()
    left = np.abs(moved[inner] - still[112:144, 120 + shift : 152 + shift]).mean()
    frozen = np.abs(moved[inner] - still[inner]).mean()
    assert right < 0.4 * min(left, frozen)


def test_pin_undo_redo_clear_and_numbers(server, visit) -> None:
    page = visit(f"{server.url}/draw?clip=test1-0004", reduced_motion="reduce")
    page.locator(".legend-words", has_text="test1-0004").wait_for()
    drag(page, (0.3, 0.5), (0.5, 0.4))
    wait_for_arrows(page, 1)
    drag(page, (0.8, 0.8), (0.8, 0.8))
    wait_for_arrows(page, 2)
    assert linked(page).arrows[1][2:] == (0.0, 0.0)
    page.get_by_role("button", name="Undo").click()
    wait_for_arrows(page, 1)
    page.get_by_role("button", name="Redo").click()
    wait_for_arrows(page, 2)
    page.get_by_label("Arrow 1: right, percent of the frame").fill("-40")
    page.get_by_label("Arrow 1: right, percent of the frame").press("Enter")
    page.wait_for_function(
        "(old) => new URLSearchParams(location.search).get('arrows') !== old", arg=linked(page).code()
    )
    assert abs(linked(page).arrows[0][2] + 0.4) < 0.001
    page.get_by_role("button", name="Clear").click()
    page.locator(".board[data-arrows='0']").wait_for()
    page.wait_for_function("() => !new URLSearchParams(location.search).get('arrows')")


def test_link_restores_the_drawing_and_renders_it(server, visit) -> None:
    import av
    from PIL import Image

    page = visit(f"{server.url}/draw?clip=test1-0004&reach=50&frame=29&arrows={PAN.code()}", reduced_motion="reduce")
    page.locator(".board[data-arrows='9']").wait_for()
    page.get_by_role("button", name="Render").click()
    page.locator("canvas[data-panel=drawn][data-shown='29']").wait_for()
    show_frame(page, 29)
    preview, rendered = pixels(page, PREVIEW), pixels(page, "canvas[data-panel=drawn]")
    small = np.asarray(Image.fromarray(rendered.astype(np.uint8)).resize((256, 256))).astype(int)
    inner = (slice(48, 208), slice(112, 208))
    first = pixels(page, ".board").astype(np.uint8)
    still = np.asarray(Image.fromarray(first).resize((256, 256))).astype(int)
    assert np.abs(small[inner] - preview[inner]).mean() < 0.5 * np.abs(still[inner] - preview[inner]).mean()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as film:
        page.get_by_role("button", name="Film (MP4)").click()
    assert film.value.suggested_filename == "brainviz_test1-0004_drawn_film_simulated.mp4"
    with av.open(str(film.value.path())) as container:
        frames = list(container.decode(video=0))
        assert len(frames) == 30
        assert float(container.streams.video[0].average_rate) == 15
        assert frames[0].width == 16 + 2 * 272


def test_a_finger_draws_too(server, visit) -> None:
    page = visit(f"{server.url}/draw?clip=test1-0004", width=390, height=844, has_touch=True, reduced_motion="reduce")
    page.locator(".legend-words", has_text="test1-0004").wait_for()
    board = page.locator(".board")
    assert board.evaluate("(canvas) => getComputedStyle(canvas).touchAction") == "none"
    box = board.bounding_box()
    page.touchscreen.tap(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"])
    wait_for_arrows(page, 1)
    assert abs(linked(page).arrows[0][0] - 0.6) < 0.02
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
