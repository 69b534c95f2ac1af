"""Pages under AppTest: a fake workspace once per session, pointed to by the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_workspace import make_workspace

ROOT = Path(__file__).resolve().parents[2]

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def workspace_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("fake"), subjects=["1", "2"]).path


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Open a page of the app as a visitor would: through app.py, with a workspace and a query string."""

    def opened(page: str, workspace: Path, **query: str) -> AppTest:
        monkeypatch.setenv("BRAINVIZ_WORKSPACE", str(workspace))
        monkeypatch.delenv("BRAINVIZ_AUTO_DEMO", raising=False)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "start":  # a switched AppTest runs the page first, then the app: a click would be lost on the way
            app.switch_page(f"pages/{page}.py")
        return app.run()

    return opened
