"""A real server on a free port and a real Chromium. The server's log must stay clean."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.app_server import Server, serving
from support.fake_workspace import make_workspace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def fake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("fake"), subjects=["1", "2"]).path


@pytest.fixture(scope="session")
def server(fake_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on the fake workspace."""
    with serving(fake_folder, tmp_path_factory.mktemp("log") / "server.log") as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium. Without one: a failure under CI, else a skip."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        words = f"There is no Chromium at {path}"
        pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def contexts(chromium: Any) -> Iterator[dict[str, Any]]:
    """Browser contexts by their settings, kept for the session: the app's scripts are read and compiled once."""
    kept: dict[str, Any] = {}
    yield kept
    for context in kept.values():
        context.close()


@pytest.fixture
def visit(chromium: Any, contexts: dict[str, Any]) -> Iterator[Callable[..., Any]]:
    """Open an address in a new page; errors thrown in it, or requests to the network, fail the test."""
    pages, errors, outside = [], [], []

    def opened(url: str, width: int = 1280, height: int = 800, **settings: Any) -> Any:
        key = repr(sorted(settings.items()))
        if key not in contexts:
            contexts[key] = chromium.new_context(**settings)
        page = contexts[key].new_page()
        pages.append(page)
        page.set_default_timeout(60_000)
        page.set_viewport_size({"width": width, "height": height})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: outside.append(request.url) if _foreign(request.url) else None)
        page.goto(url)
        return page

    yield opened
    for page in pages:
        page.close()
    assert not errors, errors
    assert not outside, f"The page asked the network for {outside}"


def _foreign(url: str) -> bool:
    return url.startswith("http") and not url.startswith(("http://127.0.0.1", "http://localhost"))
