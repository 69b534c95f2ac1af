"""A fresh machine: the page is there, the demo starts from it, and a run can be cancelled and resumed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import runs
from support.app_server import Server, serving


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """The app with no workspace; whatever it started is ended afterwards."""
    workspace = tmp_path / "workspace"
    try:
        with serving(workspace, tmp_path / "server.log") as running:
            yield running
    finally:
        for run in runs.list_runs(workspace):
            end(run)


def end(run: runs.Run) -> None:
    """End the run's whole process group at once, whatever it is doing."""
    state = runs.status(run)
    if runs.alive(run) and state.get("pid"):
        os.killpg(int(state["pid"]), signal.SIGKILL)


def status(page: Any, word: str) -> Any:
    """The badge that says how the run stands."""
    return page.locator(".stMarkdownBadge", has_text=word).first


def test_first_start_offers_demo_and_own_data(fresh: Server, visit) -> None:
    page = visit(fresh.url)
    page.get_by_role("button", name="Build the demo").wait_for()
    assert page.get_by_text("What motion can be read from a brain").is_visible()
    page.get_by_label("Folder of the data set").fill(str(fresh.workspace.parent))
    page.get_by_label("Folder of the data set").press("Enter")
    page.get_by_role("button", name="Check").click()
    page.get_by_text("What to do:").wait_for()
    for address in ("motion", "data"):
        other = visit(f"{fresh.url}/{address}")
        other.get_by_text("There is nothing to show yet.").wait_for()


def test_demo_starts_from_the_page_and_can_be_cancelled_and_resumed(fresh: Server, visit) -> None:
    page = visit(fresh.url)
    page.get_by_role("button", name="Build the demo").click()
    page.get_by_text("Building the demo").wait_for()
    page.get_by_role("link", name="Log, cancel, resume").click()
    status(page, "Running").wait_for()
    page.get_by_role("button", name="Cancel").click()
    status(page, "Cancelled").wait_for()
    assert page.get_by_role("button", name="Cancel").is_disabled()
    page.get_by_role("button", name="Resume").click()
    status(page, "Running").wait_for()
    (run,) = runs.list_runs(fresh.workspace)
    assert runs.status(run)["status"] == "running"
    page.get_by_role("button", name="Cancel").click()
    status(page, "Cancelled").wait_for()


def test_demo_starts_by_itself_when_asked(tmp_path: Path, visit) -> None:
    workspace = tmp_path / "workspace"
    try:
        with serving(workspace, tmp_path / "server.log", BRAINVIZ_AUTO_DEMO="1") as running:
            page = visit(running.url)
            page.get_by_text("Building the demo").wait_for()
            again = visit(running.url)
            again.get_by_text("Building the demo").wait_for()
            assert len(runs.list_runs(workspace)) == 1
    finally:
        for run in runs.list_runs(workspace):
            end(run)
