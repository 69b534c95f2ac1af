"""What a page says, and that nothing went wrong on it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def words(app: AppTest) -> str:
    """Everything a visitor can read."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.error)
    html = [str(getattr(element.proto, "body", "")) for element in app.get("html")]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def assert_clean(app: AppTest) -> None:
    assert not app.exception
    assert "Something went wrong" not in words(app), words(app)
