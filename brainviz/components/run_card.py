"""A run as the pages show it: what it does now, how far it is, how long it will take. Plain values in."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

ENDED = ("done", "failed", "cancelled", "lost")
WORDS = {
    "starting": ("Starting", "blue", "hourglass_top"),
    "queued": ("Waiting", "blue", "hourglass_top"),
    "running": ("Running", "blue", "progress_activity"),
    "done": ("Done", "green", "check_circle"),
    "failed": ("Failed", "red", "error"),
    "cancelled": ("Cancelled", "gray", "cancel"),
    "lost": ("Stopped", "orange", "link_off"),
}


def duration(seconds: float) -> str:
    """Seconds in words a person would use: 40 s, 3 min, 2 h 10 min."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def time_words(state: Mapping[str, Any]) -> str:
    """Elapsed time, and what is left of it as far as known."""
    if state["status"] in ENDED:
        if state.get("started") and state.get("ended"):
            return f"took {duration(state['ended'] - state['started'])}"
        return ""
    spent = f"{duration(time.time() - state['started'])} so far" if state.get("started") else ""
    left = f"about {duration(state['eta_s'])} left" if state.get("eta_s") else ""
    return ", ".join(filter(None, [left, spent]))


def badge(state: Mapping[str, Any]) -> None:
    """The status as a word, a colour and an icon."""
    word, colour, icon = WORDS.get(state["status"], (state["status"], "gray", "help"))
    st.badge(word, color=colour, icon=f":material/{icon}:")


def show(state: Mapping[str, Any], title: str) -> None:
    """Title, status, bar, current step and times of one run."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{title}**", width="content")
        badge(state)
        st.space("stretch")
        st.caption(time_words(state), width="content")
    share = min(max(float(state.get("progress") or 0.0), 0.0), 1.0)
    st.progress(1.0 if state["status"] == "done" else share)
    tasks = f"{state['n_done']} of {state['n_tasks']} tasks. " if state.get("n_tasks") else ""
    st.caption(f"{tasks}{state.get('message') or ''}")
    for task, (fraction, words) in list((state.get("running") or {}).items())[:4]:
        st.caption(f":material/subdirectory_arrow_right: `{task}` {fraction:.0%} {words}")
    for task, error in list((state.get("errors") or {}).items())[:4]:
        st.error(f"`{task}`: {error}", icon=":material/error:")


def strip(state: Mapping[str, Any]) -> None:
    """One line on any page: results are on their way."""
    share = 100 * float(state.get("progress") or 0.0)
    words = html.escape(str(state.get("message") or "starting"))
    st.html(
        f'<div class="strip" role="status"><span class="bar" style="width:{share:.1f}%"></span>'
        f"<b>{share:.0f} %</b> {words} <small>{html.escape(time_words(state))}</small></div>"
    )
