"""The cases that the Ambiguity page tells: planted in the film, proposed from the paper, marked by visitors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import choices
from brainviz.marked_cases import marked_cases

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.workspace import Workspace

CHOICE = "ambiguity"
ANY, MARKED = "clip", "marked"
PLANTED, PROPOSED = "planted", "proposed"

# Title and question of the cases that the simulated film holds.
WORDS = {
    "action": ("Which action", "An eagle: does it glide or flap?"),
    "camera": ("Object or camera", "A space shuttle: does it fly, or does the camera pass it?"),
    "static": ("Which way", "A tower: which way does the camera pan?"),
}
CONTINUATIONS = {
    "glide": "it glides",
    "flap": "it flaps",
    "object": "the aircraft flies",
    "camera": "the camera passes it",
    "left": "the camera pans left",
    "right": "the camera pans right",
}
# Yeung et al. 2025, by caption: segment, start and end in seconds, title, question.
PASSAGES = (
    ("test1", 152, 168, "Eagle", "An eagle: does it glide or flap?"),
    ("test1", 330, 336, "Space shuttle", "A space shuttle: does it move, or the camera?"),
    ("test1", 242, 258, "Eiffel Tower", "The Eiffel Tower stands still: which way does the camera pan?"),
    ("test1", 186, 188, "Jellyfish", "A jellyfish: which way does it drift?"),
    ("test1", 20, 22, "Soldier", "A soldier: which way does he turn?"),
)
PASSAGES_OF = "cc2017"


@dataclass(frozen=True)
class Case:
    """A set of clips with one question.

    Attributes
    ----------
    id : str
        As it stands in the link.
    title, question : str
    clips : clips in the film's order
    kind : "planted", "proposed", "marked" or "clip" (any test clip)
    """

    id: str
    title: str
    question: str
    clips: tuple[str, ...]
    kind: str


def cases_of(workspace: Workspace, measured: list[str]) -> list[Case]:
    """All cases that have a measured clip, those of the film first; the last one is any clip.

    Parameters
    ----------
    measured : clips whose bits are known, in the order they are offered
    """
    clips = workspace.clips[workspace.clips["clip"].isin(measured)]
    found = [*_planted(clips), *(_proposed(clips) if workspace.dataset_name == PASSAGES_OF else [])]
    marks = [clip for clip in marked_cases(workspace) if clip in set(measured)]
    if marks:
        found.append(Case(MARKED, "Marked by you", "A clip that was marked on this page.", tuple(marks), MARKED))
    return [*found, Case(ANY, "Any clip", "Which way does this picture move?", tuple(measured), ANY)]


def _planted(clips: pd.DataFrame) -> list[Case]:
    named = clips["case"].fillna("")
    order = [*(name for name in WORDS if (named == name).any()), *sorted(set(named) - set(WORDS) - {""})]
    cases = []
    for name in order:
        title, question = WORDS.get(name, (name.capitalize(), f"{name.capitalize()}: which way?"))
        cases.append(Case(name, title, question, tuple(clips["clip"][named == name]), PLANTED))
    return cases


def _proposed(clips: pd.DataFrame) -> list[Case]:
    cases = []
    for segment, start, end, title, question in PASSAGES:
        inside = (clips["segment"] == segment) & (clips["onset_s"] >= start) & (clips["onset_s"] < end)
        if inside.any():
            name = title.lower().replace(" ", "-")
            cases.append(Case(name, title, question, tuple(clips["clip"][inside]), PROPOSED))
    return cases


def choose_case(cases: list[Case]) -> Case:
    """The case of the link or of the widget; another case starts from its own first clip."""
    by_id = {case.id: case for case in cases}
    value = choices.choose(CHOICE, list(by_id), cases[0].id, "the case")
    key = f"widget:{CHOICE}"
    st.session_state[key] = value

    def changed() -> None:
        chosen = st.session_state.get(key)
        if chosen in by_id and chosen != value:
            choices.keep(CHOICE, chosen)
            choices.keep("clip", "", shown=False)

    st.segmented_control(
        "Case",
        list(by_id),
        key=key,
        format_func=lambda name: by_id[name].title,
        on_change=changed,
        required=True,
        label_visibility="collapsed",
    )
    return by_id[value]


def choose_clip(case: Case, offered: list[str]) -> str:
    """The clip of the link, else the first that is offered."""
    inside = set(case.clips)
    saved = st.session_state.get(choices.PREFIX + "clip")
    if "clip" not in st.query_params and saved not in inside:
        choices.keep("clip", offered[0], shown=False)
    clip = choices.choose("clip", offered, offered[0], "the clip")
    choices.keep("clip", clip)
    return clip


def show_clip(workspace: Workspace, clip: object) -> None:
    """Open a clip that was picked on the page: in its own case, or by itself. Looked up before use."""
    known = workspace.clips.set_index("clip")["case"].fillna("")
    if isinstance(clip, str) and clip in known.index:
        case = str(known[clip])
        choices.keep(CHOICE, case or ANY)
        choices.keep("clip", clip)
        choices.keep("frame", "0", shown=False)
