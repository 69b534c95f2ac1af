"""One case on one screen: the frame, what it allows, what frame and fMRI say, what was true."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import exports, shell, store
from brainviz.components.ambiguity_cases import CONTINUATIONS, PLANTED, Case
from brainviz.components.ambiguity_view import AmbiguityView, case_means, continuations, instance_bits
from brainviz.errors import NotReady
from brainviz.figures import ambiguity as figures
from brainviz.figures.palette import look
from brainviz.figures.style import picture_settings
from brainviz.flow.summary import DIRECTIONS

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.workspace import Workspace

STRIP_KEY = "instances"


def message(view: AmbiguityView, case: Case, clip: str) -> str:
    """The page's one message, as HTML."""
    if case.kind == PLANTED:
        return _case_message(view, case)
    bits = view.bits(clip)
    if not np.isfinite(bits):
        return f"{html.escape(case.question)} <small>no direction of this clip can be measured</small>"
    adds = f"adds <b>{bits:.2f} bits</b>" if bits >= 0 else f"takes away <b>{-bits:.2f} bits</b>"
    note = "an illustration, n = 1 clip; " if case.kind != "clip" else "n = 1 clip; "
    return f"{html.escape(case.question)} fMRI {adds} <small>({note}{view.runs_words})</small>"


def _case_message(view: AmbiguityView, case: Case) -> str:
    means = case_means(case.id)
    if view.subject not in means.index:
        return html.escape(case.question)
    row = means.loc[view.subject]
    above = int((means["low"] > 0).sum())
    if row["low"] > 0:
        found = f"fMRI adds <b>{row['usable_bits']:.2f} usable bits</b>"
    else:
        found = f"fMRI adds nothing clear: <b>{row['usable_bits']:.2f} usable bits</b>"
    return (
        f"{html.escape(case.question)} {found} "
        f"<small>({row['low']:.2f} to {row['high']:.2f}; in {above} of {len(means)} subjects above 0)</small>"
    )


def story(workspace: Workspace, view: AmbiguityView, case: Case, clip: str) -> None:
    """Frame and roses side by side, for both continuations of the frame where there are two."""
    pair = [clip, *([view.partner(clip)] if view.partner(clip) else [])]
    known = continuations(workspace.clips.set_index("clip"))
    pair.sort(key=lambda name: (str(known[name]), name))
    others = [view.true(name) for name in pair]
    columns = st.columns([1.0] * (2 + len(pair)), gap="medium")
    with columns[0]:
        _heading("One frame", f"{clip}")
        st.image(_first_frame(str(store.workspace_path()), store.version(), clip), width="stretch")
    with columns[1], shell.guarded("frame alone"):
        _heading("What it allows", "from the frame alone")
        _rose(workspace, view, "image-only", clip, others, _prior_directions(workspace, view, clip), True)
    for column, name in zip(columns[2:], pair, strict=True):
        with column, shell.guarded("frame and fMRI"):
            words = CONTINUATIONS.get(str(known[name]), str(known[name]))
            _heading("Frame + fMRI", f"when {words}" if words else name)
            _rose(workspace, view, "brain", name, [], None, False)


def _heading(words: str, note: str) -> None:
    st.html(f'<p class="tile"><b>{html.escape(words)}</b> <small>{html.escape(note)}</small></p>')


def _rose(
    workspace: Workspace,
    view: AmbiguityView,
    system: str,
    clip: str,
    others: list[str],
    samples: npt.NDArray[np.int64] | None,
    several: bool,
) -> None:
    chances = view.chances[system][clip]
    true = view.true(clip)
    figure = figures.rose(chances, system, true, shell.is_dark(), workspace.simulated, others, samples)
    name = exports.file_stem(f"subject{view.subject}", clip, system, "directions", simulated=workspace.simulated)
    st.plotly_chart(figure, key=f"rose:{system}:{clip}", config=picture_settings(name))
    st.html(f'<p class="tile under">{_rose_words(view, system, clip, others, several)}</p>')


def _rose_words(view: AmbiguityView, system: str, clip: str, others: list[str], several: bool) -> str:
    true = view.true(clip)
    if not true:
        return "No direction can be measured."
    chances = view.chances[system][clip]
    both = list(dict.fromkeys([true, *others])) if several else [true]
    said = ", ".join(f"{figures.ARROWS[d]} {d} <b>{_percent(chances[DIRECTIONS.index(d)])}</b>" for d in both if d)
    if several:
        return f"expected: {said}"
    bits = view.bits(clip)
    return f"true: {said} <small>· {bits:+.2f} usable bits</small>"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "&lt; 1 %"


def _prior_directions(workspace: Workspace, view: AmbiguityView, clip: str) -> npt.NDArray[np.int64] | None:
    """How many samples of the prior go each way, int (9,); None where there is no prior."""
    from brainviz.flow.summary import dominant_direction

    try:
        n = workspace.samples(view.subject, "prior")
        flows = np.stack([workspace.flow(view.subject, clip, "prior", sample) for sample in range(n)])
    except NotReady:
        return None
    still = float(view.clips["still_below"].iloc[0])
    return np.bincount(dominant_direction(flows, None, still), minlength=len(DIRECTIONS))


@st.cache_data(max_entries=64, show_spinner=False)
def _first_frame(path: str, version: str, clip: str) -> bytes:
    """The first frame as a PNG."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(store.workspace().first_frame(clip, 320)).save(buffer, "PNG")
    return buffer.getvalue()


def all_instances(workspace: Workspace, view: AmbiguityView, case: Case, clip: str) -> None:
    """Every instance of the case in every subject, with mean and interval."""
    clips = workspace.clips[workspace.clips["clip"].isin(case.clips)]
    dots = instance_bits(clips)
    means = _means(case, dots)
    first = _first_of_shot(clips, clip)
    stem = exports.file_stem("ambiguity", case.id, "instances", simulated=workspace.simulated)
    st.subheader("All instances, all subjects", anchor=False)
    figure = figures.instances(dots, means, (view.subject, first), CONTINUATIONS, shell.is_dark(), workspace.simulated)
    st.plotly_chart(figure, key=STRIP_KEY, on_select=_picked, selection_mode="points", config=picture_settings(stem))
    st.caption(_instances_words(case, means, dots))


def _means(case: Case, dots: pd.DataFrame) -> pd.DataFrame:
    counts = dots.groupby("subject")["bits"].size()
    means = case_means(case.id)[["usable_bits", "low", "high", "n_blocks", "pair_bits"]]
    means = means.assign(n=counts.reindex(means.index))
    return means.sort_index()


def _first_of_shot(clips: pd.DataFrame, clip: str) -> str:
    known = clips.set_index("clip")["shot"]
    return str(known.index[known == known[clip]][0]) if clip in known.index else clip


def _instances_words(case: Case, means: pd.DataFrame, dots: pd.DataFrame) -> str:
    n = int(means["n"].max())
    pairs = means["pair_bits"].astype(float).dropna()
    words = (
        f"Each mark is one of {n} instances, the mean over its clips and all test runs; click one to open it. "
        f"◆ mean with 95 % interval over {int(means['n_blocks'].max())} blocks of whole shots and over the luck of "
        "training. A single instance may hold more than one bit; a mean above 1 bit says that the image model is "
        "poorer than the best one."
    )
    if len(pairs):
        listed = ", ".join(f"subject {subject} {bits:.2f}" for subject, bits in pairs.items())
        words += f" Between the two continuations alone, against a fair coin (at most 1 bit): {listed}."
    return words


def _picked() -> None:
    from brainviz.components import choices
    from brainviz.components.ambiguity_cases import show_clip

    points = st.session_state[STRIP_KEY]["selection"]["points"]
    place = points[0].get("customdata") if points else None
    if isinstance(place, list) and len(place) == 2:
        workspace = store.workspace()
        if place[1] in workspace.subjects:
            choices.keep("subject", place[1])
        show_clip(workspace, place[0])


def systems_words() -> str:
    """What the three probabilities come from."""
    return ", ".join(look(name).label for name in ("image-only", "brain", "shuffled"))
