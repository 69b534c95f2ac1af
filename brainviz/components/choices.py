"""What the visitor has chosen: kept in the URL, so that every view is a link, and carried from page to page.

The URL wins; without it the session's last choice; without that the default. A value that is not on offer gives the
default and a gentle notice: what the URL says is the visitor's, and is only ever looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import streamlit as st

PREFIX = "choice:"
NOTICES = "choice-notices"


def choose(name: str, options: Collection[str], default: str, what: str = "") -> str:
    """The current value of a choice, one of `options`."""
    asked = st.query_params.get(name)
    wanted = asked if asked is not None else st.session_state.get(PREFIX + name)
    if wanted is not None and wanted not in options:
        if asked is not None:
            notice(f"The link asks for {what or name} “{asked[:60]}”, which is not here. Showing {default or 'all'}.")
        wanted = None
    value = default if wanted is None else wanted
    keep(name, value, shown=value != default or asked is not None)
    return value


def number(name: str, low: int, high: int, default: int) -> int:
    """A whole number from the URL, within its limits."""
    try:
        value = int(st.query_params.get(name, default))
    except ValueError:
        notice(f"The link's {name} is not a number. Showing {default}.")
        value = default
    return min(max(value, low), high)


def keep(name: str, value: str, shown: bool = True) -> None:
    """Set a choice: in the session, and in the URL unless it is a default nobody asked for."""
    st.session_state[PREFIX + name] = value
    if shown:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def pick_one(
    name: str,
    label: str,
    options: Sequence[str],
    default: str,
    format_func: Callable[[str], str] = str,
    widget: str = "segments",
    **settings: Any,
) -> str:
    """A widget bound to a choice: ``segments`` for a few options, ``list`` for many."""
    value = choose(name, options, default, label.lower())
    key = f"widget:{name}"
    st.session_state[key] = value

    def changed() -> None:
        chosen = st.session_state.get(key)
        keep(name, chosen if chosen is not None else value)

    make: Any = st.segmented_control if widget == "segments" else st.selectbox
    make(label, options, key=key, format_func=format_func, on_change=changed, **settings)
    return value


def search_text(name: str, label: str, placeholder: str) -> str:
    """A text field whose content stands in the URL."""
    value = st.query_params.get(name, st.session_state.get(PREFIX + name, ""))[:80]
    key = f"widget:{name}"
    st.session_state[key] = value
    st.text_input(
        label,
        key=key,
        placeholder=placeholder,
        label_visibility="collapsed",
        on_change=lambda: keep(name, st.session_state[key], shown=bool(st.session_state[key])),
    )
    return str(value)


def show_notices() -> None:
    """Show what could not be honoured, once."""
    for message in st.session_state.pop(NOTICES, []):
        st.toast(message, icon=":material/link_off:", duration="long")


def notice(message: str) -> None:
    """Say, when the page is done, what of the link could not be honoured."""
    st.session_state.setdefault(NOTICES, []).append(message)
