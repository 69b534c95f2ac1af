"""The Reanimation page in a real browser: every film in step, chosen by link, compared, exported."""

from __future__ import annotations

from typing import Any

import numpy as np

from support.canvases import pixels

PAINTED = "canvas[data-panel][data-frame]"
CANVASES = """() => [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)
  .flatMap((root) => [...root.querySelectorAll('canvas[data-panel]')])"""
FRAMES = f"() => ({CANVASES})().map((c) => [c.dataset.panel, Number(c.dataset.frame), Number(c.dataset.shown)])"
# In one animation frame after another, so that no sample can fall between two paintings.
SAMPLES = f"""(wanted) => new Promise((done) => {{
  const samples = [];
  const look = () => {{
    samples.push(({FRAMES})());
    samples.length < wanted ? requestAnimationFrame(look) : done(samples);
  }};
  requestAnimationFrame(look);
}})"""


def wait_for_panels(page: Any, panels: list[str]) -> None:
    page.wait_for_function(
        f"(ids) => JSON.stringify(({FRAMES})().map(([id]) => id)) === JSON.stringify(ids)", arg=panels
    )
    page.wait_for_selector(PAINTED)


def test_no_panel_is_out_of_step_in_200_samples(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&films=film,brain,image-only,truth,prior,zero")
    wait_for_panels(page, ["film", "brain", "image-only", "truth", "prior", "zero"])
    page.locator(".player[data-playing=true]").wait_for()
    samples = page.evaluate(SAMPLES, 200)
    assert len(samples) == 200
    assert all(len(sample) == 6 for sample in samples)
    assert all(len({(frame, shown) for _, frame, shown in sample}) == 1 for sample in samples)
    assert len({sample[0][1] for sample in samples}) > 5, "the films do not move"


def test_usual_panels_and_those_of_the_link(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=3")
    wait_for_panels(page, ["film", "brain", "image-only", "truth"])
    assert page.locator("figure", has_text="True motion").locator(".flag").inner_text() == "driven by the true film"
    other = visit(f"{server.url}/reanimation?clip=test1-0004&frame=3&films=ridge,film&objects=film-objects")
    wait_for_panels(other, ["ridge", "film"])
    assert "mask from the true film" in other.locator("figure", has_text="Ridge").locator(".flag").inner_text()


def test_every_film_begins_with_the_first_frame_and_the_frozen_one_stays(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=0&films=film,truth,zero")
    wait_for_panels(page, ["film", "truth", "zero"])
    first = {name: pixels(page, f"canvas[data-panel={name}]") for name in ("film", "truth", "zero")}
    assert np.abs(first["truth"] - first["zero"]).mean() < 2
    assert np.abs(first["film"] - first["zero"]).mean() < 6
    page.locator(".player").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => location.search.includes('frame=29')")
    assert np.abs(pixels(page, "canvas[data-panel=zero]") - first["zero"]).mean() < 2
    assert np.abs(pixels(page, "canvas[data-panel=film]") - first["film"]).mean() > 8


def test_difference_is_black_where_nothing_differs(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=20&films=film,truth,zero&compare=difference")
    wait_for_panels(page, ["film", "truth", "zero"])
    assert page.locator(".player").get_attribute("data-mode") == "difference"
    light = {name: pixels(page, f"canvas[data-panel={name}]").mean() for name in ("film", "truth", "zero")}
    assert light["truth"] < light["zero"], "the true motion differs less from the film than the frozen frame"
    page.get_by_role("button", name="Side by side").click()
    page.wait_for_function("() => !location.search.includes('compare=')")
    whole = pixels(page, "canvas[data-panel=zero]")
    film = pixels(page, "canvas[data-panel=film]")
    expected = np.minimum(2 * np.abs(whole - film), 255).mean()
    assert abs(expected - light["zero"]) < 0.05 * expected + 2


def test_divider_shows_one_film_on_each_side_and_stands_in_the_link(server, visit) -> None:
    page = visit(
        f"{server.url}/reanimation?clip=test1-0004&frame=25&films=film,zero&compare=slider&left=film&right=zero"
    )
    page.locator("canvas[data-pair][data-split='50']").wait_for()
    pair = pixels(page, "canvas[data-pair]")
    divider = page.get_by_role("slider", name="Divider")
    divider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => location.search.includes('split=0')")
    page.locator("canvas[data-pair][data-split='0']").wait_for()
    right = pixels(page, "canvas[data-pair]")
    stage = page.locator(".pair .stage").bounding_box()
    page.mouse.move(stage["x"] + 2, stage["y"] + 60)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] - 0.5, stage["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('split=100')")
    page.locator("canvas[data-pair][data-split='100']").wait_for()
    left = pixels(page, "canvas[data-pair]")
    half = pair.shape[1] // 2
    assert (pair[:, half + 2 :] == right[:, half + 2 :]).all()
    assert (pair[:, : half - 2] == left[:, : half - 2]).all()
    assert (left != right).any()


def test_keyboard_steps_and_changes_the_view(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=5")
    page.wait_for_selector(PAINTED)
    page.locator(".player").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('frame=6')")
    page.keyboard.press("d")
    page.wait_for_function("() => location.search.includes('compare=difference')")
    page.keyboard.press("c")
    page.wait_for_function("() => location.search.includes('compare=slider')")
    page.keyboard.press("]")
    page.wait_for_function("() => location.search.includes('split=55')")
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()


def test_no_autoplay_under_reduced_motion(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004", reduced_motion="reduce")
    page.wait_for_selector(PAINTED)
    page.wait_for_timeout(600)
    assert {frame for _, frame, _ in page.evaluate(FRAMES)} == {0}


def test_backend_without_weights_says_what_fetches_them(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=2&backend=dragnuwa&films=film,brain")
    page.locator(".veil", has_text="has not rendered this yet").wait_for()
    page.get_by_text("python -m pipelines weights dragnuwa").wait_for()
    page.get_by_text("needs weights that are not here: 8.0 GB").wait_for()


def test_exported_row_has_the_frames_size_and_rate_of_the_films(server, visit) -> None:
    import av
    from PIL import Image

    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=3")
    wait_for_panels(page, ["film", "brain", "image-only", "truth"])
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as film:
        page.get_by_role("button", name="Film (MP4)").click()
    stem = "brainviz_subject1_test1-0004_film_brain_image-only_truth_simulated"
    assert film.value.suggested_filename == f"{stem}.mp4"
    with av.open(str(film.value.path())) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert len(frames) == 30
        assert float(stream.average_rate) == 15
        assert (stream.width, stream.height) == (16 + 4 * 272, frames[0].height)
        assert frames[0].height > 292
    with page.expect_download() as gif:
        page.get_by_role("button", name="Film (GIF)").click()
    assert gif.value.suggested_filename == f"{stem}.gif"
    with Image.open(gif.value.path()) as picture:
        shown = picture.n_frames * picture.info["duration"] / 1000
        assert picture.width == 16 + 4 * 208
    assert abs(shown - 2) < 0.1


def test_narrow_screen_keeps_every_menu_in_reach(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=1", width=390, height=844)
    page.wait_for_selector(PAINTED)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for name in ("Films", "Rendering", "Export"):
        box = page.get_by_role("button", name=name).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_first_screen_shows_films_and_clock(server, visit) -> None:
    page = visit(f"{server.url}/reanimation?clip=test1-0004&frame=1")
    page.wait_for_selector(PAINTED)
    tools = page.locator(".modes").bounding_box()
    assert tools["y"] + tools["height"] <= 800
