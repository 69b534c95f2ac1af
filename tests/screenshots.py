"""The pictures of the README, taken from the running app on the demo: python tests/screenshots.py [WORKSPACE]."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from support.app_server import Server, serving

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "assets" / "screenshots"
SHOTS = (  # name, address, width, height, colour scheme
    ("motion-light", "/motion?subject=1", 1280, 800, "light"),
    ("motion-dark", "/motion?subject=1", 1280, 800, "dark"),
    ("motion-phone", "/motion?subject=1", 390, 844, "light"),
    ("data-light", "/data?subject=1", 1280, 800, "light"),
    ("encoding-light", "/encoding?subject=1", 1280, 800, "light"),
    ("encoding-dark", "/encoding?subject=1&map=r&mode=both&region=L_MT", 1280, 800, "dark"),
    ("encoding-phone", "/encoding?subject=1", 390, 844, "light"),
    ("insilico-light", "/insilico?subject=1", 1280, 800, "light"),
    ("reanimation-light", "/reanimation?subject=1", 1280, 800, "light"),
    ("ambiguity-light", "/ambiguity?subject=1", 1280, 800, "light"),
    ("regions-light", "/regions?subject=1", 1280, 800, "light"),
    ("draw-light", "/draw?subject=1", 1280, 800, "light"),
    ("benchmark-light", "/benchmark?subject=1", 1280, 800, "light"),
    ("mind-animator-light", "/mind_animator?subject=1", 1280, 800, "light"),
)

PAINTED = "canvas[data-panel][data-frame], img.flatmap, .cortex[data-painted], .js-plotly-plot, .stage canvas"


def take(browser: Any, server: Server, folder: Path, whole: bool = False) -> None:
    """Take every picture of `SHOTS`; `whole` takes the full height of each page."""
    for name, address, width, height, scheme in SHOTS:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = context.new_page()
        page.goto(server.url + address)
        page.wait_for_selector(PAINTED, timeout=60_000)
        page.wait_for_timeout(4000)  # sprites decode, plots draw, the skeletons go
        page.screenshot(path=folder / f"{name}.png", full_page=whole)
        context.close()
        print(folder / f"{name}.png")


def main() -> None:
    workspace = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BRAINVIZ_WORKSPACE", ROOT / "workspace"))
    if not (workspace / "workspace.json").exists():
        sys.exit(f"There is no workspace at {workspace}; run `make demo` first.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with serving(workspace, FOLDER / "server.log") as server, sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        take(browser, server, FOLDER)
        browser.close()
    (FOLDER / "server.log").unlink()


if __name__ == "__main__":
    main()
