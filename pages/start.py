"""Start: what this is, and how to get something to look at. Hands over to Motion once there are results."""

from __future__ import annotations

import streamlit as st

from brainviz.components import assets, run_card, shell, store
from brainviz.errors import BrainvizError
from pipelines import runs

REFRESH_S = 2.0

shell.ensure_app()


def introduction() -> None:
    words = """
        <div><p class="over">brainviz</p>
        <h1>What motion can be read from a brain that watches a film?</h1>
        <p>From one picture, and from fMRI of the seconds that follow, a decoder predicts how everything in the picture
        will move. See the prediction beside the true motion, and beside what the picture alone already gives away.</p>
        </div>"""
    st.html(f'<div class="hero">{words}<img alt="" src="{assets.data_address("start/field.svg")}"></div>')


def offer() -> None:
    """The two ways to something to look at."""
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True, height="stretch"):
        st.subheader("See it on simulated data", anchor=False)
        st.markdown(
            "Films are rendered, three brains are simulated, decoders are trained and tested, on this machine. First "
            "motion after about 2 minutes, everything within 6. The data are made by a program and say so everywhere."
        )
        st.button("Build the demo", type="primary", icon=":material/play_arrow:", on_click=build_demo)
    with right, st.container(border=True, height="stretch"):
        st.subheader("Use my own data", anchor=False)
        st.markdown(
            "A folder in the layout of Dynamic Natural Vision (Purdue, Wen et al. 2018): films in `stimuli/`, CIFTI "
            "runs in `subject*/fmri/`; or of the HCP 7T films, or of Algonauts 2021. It is only read; nothing in it is "
            "changed."
        )
        own_data()


def own_data() -> None:
    path = st.text_input(
        "Folder of the data set", placeholder="/data/video_fmri_dataset", key="own-path", label_visibility="collapsed"
    )
    with st.container(horizontal=True, gap="small"):
        st.button("Check", icon=":material/fact_check:", disabled=not path, on_click=ask_check, args=(path,))
        if st.button("Start", icon=":material/play_arrow:", disabled=not path):
            with shell.guarded("start of a run"):
                runs.submit(store.workspace_path(), runs.whole_request(path))
                st.rerun()
    if path and st.session_state.get("checked") == path:
        with shell.guarded("check of the data set"), st.spinner("Looking through the folder …"):
            report(path)


def ask_check(path: str) -> None:
    st.session_state["checked"] = path


def report(path: str) -> None:
    """What the folder holds, and every problem at once."""
    from brainviz import open_dataset

    dataset = open_dataset(path)
    clips = len(dataset.clips)
    st.success(
        f"{dataset.name}: {len(dataset.subjects)} subjects, {len(dataset.segments)} films, {clips} clips of 2 s.",
        icon=":material/check_circle:",
    )
    for problem in dataset.problems[:12]:
        st.caption(f":material/warning: {problem.what} `{problem.path}` {problem.remedy}")


def title_of(run: runs.Run) -> str:
    return "Building the demo" if run.request.demo else f"Working on {run.request.title}"


def build_demo() -> None:
    try:
        runs.submit(store.workspace_path(), runs.RunRequest(demo=True))
    except BrainvizError as error:
        st.session_state["start-error"] = error


@st.fragment(run_every=REFRESH_S)
def progress() -> None:
    """The newest run; once it has something to show, the Motion page takes over."""
    with shell.guarded("progress"):
        if store.has_results():
            st.rerun(scope="app")
        newest = next(iter(runs.list_runs(store.workspace_path())), None)
        if newest is None:
            return
        with st.container(border=True):
            run_card.show(runs.status(newest), title_of(newest))
            st.page_link("pages/runs.py", label="Log, cancel, resume", icon=":material/arrow_forward:")
        st.caption("You may close this page; the work goes on. Pages fill as results come in.")


def main() -> None:
    if store.has_results():
        st.switch_page("pages/motion.py", query_params=st.query_params)
    introduction()
    error = st.session_state.pop("start-error", None)
    if error is not None:
        with shell.guarded("start of the demo"):
            raise error
    if runs.list_runs(store.workspace_path()):
        progress()
    else:
        offer()
    st.caption(f"Results are kept in `{store.workspace_path()}`.")


main()
