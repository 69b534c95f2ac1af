"""Motion: true flow beside what first frame and fMRI predict, for one clip, for all clips, for all subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import choices, clip_picker, motion_exports, motion_player, shell, store
from brainviz.components.heading import subject_heading
from brainviz.components.motion_view import MotionView, motion_view
from brainviz.data.timing import window_words
from brainviz.figures import motion as figures
from brainviz.figures.style import picture_settings
from brainviz.workspace import Workspace

if TYPE_CHECKING:
    import plotly.graph_objects as go

MASKS = {"none": "Whole frame", "moving": "Moving object only"}
MAIN_ROWS = {"part": "full", "runs": "all", "subset": "all", "measure": "epe"}
SUBJECT_SYSTEMS = ("brain", "brain-reference", "ridge", "image-only", "shuffled", "prior", "svd", "mean", "zero")

shell.ensure_app()


def message_row(workspace: Workspace, view: MotionView | None, subject: str, clip: str, ids: list[str]) -> None:
    """The page's one message, in words that claim no more than was tested, and the ways to other clips."""
    found = view.share_closer(clip) if view else None
    words = "Motion predicted from a clip's first frame and fMRI, beside the true motion"
    if found is not None:
        share, runs = found
        direction = "closer to" if share >= 0 else "farther from"
        words = (
            f"With fMRI, this clip's predicted motion is <b>{abs(100 * share):.0f} % {direction} the truth</b> "
            f"than from the first frame alone <small>({runs})</small>"
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<p class="message">{words}</p>', width="stretch")
        with st.container(horizontal=True, width="content", gap="small", wrap=False):
            clip_picker.neighbour_buttons(ids, clip)
            motion_player.choose_systems(workspace, subject)
            motion_exports.menu(workspace, view, subject, clip)


def errors_of_clip(view: MotionView, clip: str, stem: str, simulated: bool) -> None:
    st.subheader("This clip, system by system", anchor=False)
    if clip not in view.epe.index:
        st.info("No pixel of this clip can be scored under this mask.", icon=":material/block:")
        return
    figure = figures.clip_errors(view.of_clip(clip), view.samples, shell.is_dark(), simulated)
    st.plotly_chart(figure, key="errors", config=picture_settings(f"{stem}_errors"))
    st.caption(
        "Mean length of the difference between predicted and true vectors, over the clip's valid grid points and its "
        "three steps; n = 1 clip. A bar spans best to worst of a system's samples, the dot is their mean."
    )


def place_among_clips(view: MotionView, clip: str, stem: str, simulated: bool) -> None:
    st.subheader("This clip among all", anchor=False)
    if not {"brain", "image-only"} <= set(view.systems):
        st.info("Appears when the frame-alone control is there.", icon=":material/hourglass_empty:")
        return
    figure = figures.all_clips(view.epe, clip, "image-only", "brain", shell.is_dark(), simulated)
    st.plotly_chart(
        figure,
        key="scatter",
        on_select=picked_in_scatter,
        selection_mode="points",
        config=picture_settings(f"{stem}_all-clips"),
    )
    helped = (view.epe["brain"] < view.epe["image-only"]).sum()
    st.caption(
        f"Each point is a test clip of subject {view.subject}; click one to open it. Below the diagonal fMRI brings "
        f"the prediction closer to the truth: {helped} of {view.epe[['brain', 'image-only']].dropna().shape[0]} clips."
    )


def picked_in_scatter() -> None:
    points = st.session_state["scatter"]["selection"]["points"]
    if points:
        clip = points[0].get("customdata")
        clip_picker.open_clip(clip[0] if isinstance(clip, list) else clip)


def all_subjects(mask: str) -> None:
    st.subheader("All subjects, all test clips", anchor=False)
    figure, words, caption = subjects_figure(str(store.workspace_path()), store.version(), mask, shell.is_dark())
    st.plotly_chart(figure, key="subjects", config=picture_settings("brainviz_subjects_errors"))
    st.markdown(words)
    st.caption(caption)


@st.cache_resource(max_entries=8, show_spinner=False)
def subjects_figure(path: str, version: str, mask: str, dark: bool) -> tuple[go.Figure, str, str]:
    """Bars, verdict and caption of all subjects: made once per version of the workspace, mask and theme."""
    summary = store.table("motion_summary")
    keep = (summary["mask"] == mask) & summary["system"].isin(SUBJECT_SYSTEMS)
    for column, value in MAIN_ROWS.items():
        keep &= summary[column] == value
    rows = summary[keep]
    workspace = store.workspace()
    caption = (
        f"Mean end-point error over {rows['n_clips'].max()} test clips; bars are 95 % block-bootstrap intervals over "
        f"{rows['n_blocks'].max()} blocks of whole shots (30 s or more). True flow: {workspace.labeller}."
    )
    return figures.subject_bars(rows, dark, workspace.simulated), verdict(mask), caption


def verdict(mask: str) -> str:
    """The test of brain information in words: frame + fMRI against frame alone, subject by subject."""
    from brainviz.metrics.blocks import enough_blocks

    tests = store.table("motion_tests")
    keep = (tests["a"] == "brain") & (tests["b"] == "image-only") & (tests["mask"] == mask)
    for column, value in MAIN_ROWS.items():
        keep &= tests[column] == value
    rows = tests[keep]
    if rows.empty:
        return ""
    rows = rows.sort_values("subject")
    better = rows[(rows["difference"] < 0) & (rows["p_holm"] < 0.05)]
    shares = ", ".join(f"{change_words(1 - ratio)} (p = {p:.2g})" for ratio, p in rows[["ratio", "p_holm"]].to_numpy())
    few = int(rows["n_blocks"].min())
    caution = "" if enough_blocks(few) else f" {few} blocks are too few to claim p < .001."
    return (
        f"**In {len(better)} of {len(rows)} subjects the prediction with fMRI is closer to the truth than from the "
        f"frame alone**: error {shares}; sign-flip over blocks, Holm-corrected.{caution}"
    )


def change_words(share: float) -> str:
    """A change of the error in words: 12 % smaller, 3 % larger, the same."""
    percent = round(100 * abs(share))
    if percent == 0:
        return "the same"
    return f"{percent} % {'smaller' if share > 0 else 'larger'}"


def published() -> None:
    """What the paper reports, apart: its unit and threshold are not known, so its axis is its own."""
    figure, caption = published_figure(shell.is_dark())
    st.plotly_chart(figure, key="published", config=picture_settings("brainviz_published-errors"))
    st.caption(caption)


@st.cache_resource(max_entries=2, show_spinner=False)
def published_figure(dark: bool) -> tuple[go.Figure, str]:
    from brainviz.published import published as published_set

    table = published_set("brainnrds_motion")
    first = table.iloc[0]
    caption = f"{first['source']}. {first['protocol_note']} Bars: {table.attrs['error_note']}."
    return figures.published_errors(table, dark), caption


def method(workspace: Workspace, subject: str) -> None:
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        given = window_words(workspace.clock(subject)[0])
        st.markdown(
            f"""
- **Frame + fMRI** sees the clip's true first frame and {given}. It does not see
  the film. What it shows is shot-level motion over about 10 s, from the mean of all test runs.
- **Frame alone** is the same decoder trained without fMRI. The gain over it is the test of brain information; an error
  below zero flow is not, since a good guess from a picture already gives that.
- **Frame + shifted fMRI** was *trained* on fMRI shifted against the film. It should equal the frame alone.
- **Expected and sampled flow differ**: an expected flow always beats single samples on this error. Prior and Stable
  Video Diffusion are sampled, so their dots are means over samples.
- **Valid grid points only**: steps across a cut or fade, and vectors that fail the forward-backward check, are hatched
  in the player and leave every mean.
- **Moving object only** takes the object from the *viewed* film, so true motion enters through the mask. The whole
  frame is the primary figure.
"""
        )


def main() -> None:
    workspace = store.workspace()
    subject = subject_heading("Motion", workspace)
    view, clips, clip = clip_picker.shown_clip(workspace, subject)
    message_row(workspace, view, subject, clip, list(clips["clip"]))
    motion_player.show_player(subject, clip)
    clip_picker.picker(workspace, view, clips, clip)
    results(workspace, subject, clip)
    method(workspace, subject)
    motion_exports.citation()


def results(workspace: Workspace, subject: str, clip: str) -> None:
    if not workspace.has_table("motion"):
        st.info(
            "Errors and comparisons appear when the first subject has been scored.", icon=":material/hourglass_empty:"
        )
        return
    st.space("small")
    mask = choices.pick_one("scored", "Scored on", list(MASKS), "none", format_func=MASKS.__getitem__, required=True)
    view = motion_view(subject, mask)
    stem = motion_exports.stem(workspace, subject, clip, mask)
    left, right = st.columns(2, gap="large")
    with left, shell.guarded("errors of the clip"):
        errors_of_clip(view, clip, stem, workspace.simulated)
    with right, shell.guarded("all clips"):
        place_among_clips(view, clip, stem, workspace.simulated)
    with shell.guarded("all subjects"):
        all_subjects(mask)
    with (
        st.expander("Published values, on their own axis", icon=":material/library_books:"),
        shell.guarded("published"),
    ):
        published()


main()
