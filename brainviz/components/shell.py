"""What every page shares: the guard, the error boundary, the head of a page, the badge of simulated data."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from brainviz.components import assets, choices
from brainviz.errors import BrainvizError, NotReady

LOG = logging.getLogger("brainviz.app")
SIMULATED = "Simulated data"
SIMULATED_HELP = (
    "Film, brain and scanner noise were made by a program. The decoders recover what was planted; nothing here "
    "replicates a finding on people."
)


def ensure_app() -> None:
    """First line of every page: run through app.py, not by itself.

    After a server start, the first session that opens ``/page`` directly would run the page file without app.py. The
    attribute is private to Streamlit, so it is touched here only; a regression test watches it.
    """
    from streamlit.runtime.pages_manager import PagesManager

    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


@contextmanager
def guarded(where: str) -> Iterator[None]:
    """Turn errors into words. Streamlit's own control flow (stop, rerun) passes through."""
    try:
        yield
    except NotReady as error:
        _not_ready(error)
    except BrainvizError as error:
        _known_error(error)
    except Exception:
        LOG.exception("Unexpected error in %s", where)
        _unexpected_error(traceback.format_exc())


def _not_ready(error: NotReady) -> None:
    with st.container(border=True):
        st.markdown(f":material/hourglass_empty: **{error.what}**")
        st.caption(f"{error.remedy} The page fills as soon as it is there.".strip())


def _known_error(error: BrainvizError) -> None:
    with st.container(border=True):
        st.markdown(f":material/error: **{error.what}**")
        if error.where:
            st.caption(f"Where: `{error.where}`")
        if error.remedy:
            st.markdown(f"What to do: {error.remedy}")


def _unexpected_error(details: str) -> None:
    with st.container(border=True):
        st.markdown(":material/error: **Something went wrong that should not have.**")
        st.markdown("The rest of the app still works. Reload the page; if it happens again, report the details below.")
        with st.expander("Details for a report"):
            st.code(details, language=None)


def style() -> None:
    """The app's own few rules of style."""
    st.html(f"<style>{assets.text('app.css')}</style>")


def page_head(title: str, shows: str, simulated: bool) -> None:
    """Title with the simulated badge beside it, and one sentence on what the page shows."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.title(title, anchor=False, width="content")
        if simulated:
            simulated_badge()
    st.markdown(f'<p class="shows">{shows}</p>', unsafe_allow_html=True)


def sentence(shows: str) -> None:
    """One sentence on what a page shows, on one line where there is room."""
    st.html(f'<p class="shows wide">{shows}</p>')


def message(words: str) -> None:
    """The page's one message, as HTML, on one line where there is room."""
    st.html(f'<p class="message wide">{words}</p>')


def simulated_badge() -> None:
    """The mark that every view of simulated data carries."""
    st.badge(SIMULATED, icon=":material/science:", color="orange", help=SIMULATED_HELP)


def is_dark() -> bool:
    """Whether the visitor sees the dark theme (light until the browser has said)."""
    theme = st.context.theme
    return bool(theme and getattr(theme, "type", None) == "dark")


def finish_page() -> None:
    """Last line of the app: notices that came up while the page ran."""
    choices.show_notices()
