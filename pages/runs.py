"""Runs: start, watch, cancel, resume. A run is a process of its own: closing the page does not stop it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from brainviz.components import choices, run_card, shell, store
from brainviz.errors import BrainvizError
from pipelines import runs

REFRESH_S = 2.0
DEVICES = ["cpu", "cuda"]
LABELLERS = ["auto", "raft", "dis"]
TARGETS = {
    "benchmark": "Everything, Mind-Animator and benchmark too",
    "reanimation": "Motion, encoding, reanimation",
    "encoding": "Motion and encoding",
    "motion": "Motion only",
}

shell.ensure_app()


def title_of(run: runs.Run) -> str:
    """What a run works on and when it was started, from its request and its name."""
    day, clock = run.id[:8], run.id[9:15]
    when = f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}"
    return f"{run.request.title} · {when}"


def act(action: Any, *arguments: Any) -> None:
    """Do what a button asks; a refusal is shown, not thrown."""
    try:
        action(*arguments)
    except BrainvizError as error:
        st.session_state["runs-error"] = error


def card(run: runs.Run, opened: bool) -> None:
    state = runs.status(run)
    ended = state["status"] in runs.ENDED
    with st.container(border=True):
        run_card.show(state, title_of(run))
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Cancel",
                key=f"cancel-{run.id}",
                icon=":material/stop:",
                disabled=ended,
                on_click=act,
                args=(runs.cancel, run),
                help="Stops at the next step; what is complete stays",
            )
            st.button(
                "Resume",
                key=f"resume-{run.id}",
                icon=":material/play_arrow:",
                disabled=not ended or state["status"] == "done",
                on_click=act,
                args=(runs.resume, run),
                help="Goes on at the first step that is not complete",
            )
        with st.expander("Log", expanded=opened and state["status"] == "failed"):
            st.code(runs.log_tail(run) or "Nothing printed yet.", language=None, height=260)


@st.fragment(run_every=REFRESH_S)
def all_runs() -> None:
    """The list of runs, newest first, refreshed while the page is open."""
    with shell.guarded("list of runs"):
        listed = runs.list_runs(store.workspace_path())
        if not listed:
            st.caption("No run yet. Start one below.")
        for i, run in enumerate(listed[:10]):
            card(run, opened=i == 0)


def start_demo() -> None:
    st.markdown(
        "Renders films, simulates three brains, trains the decoders and fits the encoding models, on this machine."
    )
    with st.expander("Options"), st.container(horizontal=True):
        size = st.selectbox(
            "Size", ["demo", "tiny"], width=160, help="tiny is for a quick look: its results mean little"
        )
        seed = st.number_input("Seed", 0, 9999, 0, width=160)
        world = st.selectbox("World", ["mixed", "static", "flicker", "nuisance", "noise"], width=160)
    if st.button("Build the demo", type="primary", icon=":material/play_arrow:"):
        submit(demo=True, size=size, seed=int(seed), world=world)


def start_own() -> None:
    dataset = st.text_input("Folder of the data set", placeholder="/data/video_fmri_dataset", key="runs-own-path")
    with st.expander("Options"), st.container(horizontal=True):
        subjects = st.text_input("Subjects", placeholder="all, or 1,2", width=160)
        segments = st.text_input("Films", placeholder="all, or seg1,seg2,test1", width=220)
        labeller = st.selectbox("True flow by", LABELLERS, width=160, help="auto: RAFT where its weights are, else DIS")
        device = st.selectbox("Device", DEVICES, width=160)
        until = st.selectbox("How far", list(TARGETS), format_func=lambda name: TARGETS[name], width=200)
        encoders = st.text_input(
            "Encoders",
            placeholder="motion-energy,gabor-colour",
            width=260,
            help="names, each with :FOLDER where its weights lie elsewhere; python -m pipelines weights lists them",
        )
        workers = st.number_input("Workers", 0, 256, 0, width=160, help="0: as many as this machine has cores")
    if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not dataset):
        submit(
            dataset=dataset,
            subjects=names(subjects),
            segments=names(segments),
            labeller=labeller,
            device=device,
            until=until,
            encoders=names(encoders),
            workers=int(workers),
        )


def names(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def submit(**request: Any) -> None:
    with shell.guarded("start of a run"):
        runs.submit(store.workspace_path(), runs.RunRequest(**request))
        st.rerun()


def stages() -> None:
    """What the current plan holds, stage by stage."""
    table = store.workspace().stages()
    if table.empty:
        return
    st.subheader("Stages", anchor=False)
    counted = table.assign(done=table["status"] == "done").groupby("stage", sort=False)["done"].agg(["sum", "count"])
    rows = [
        {
            "Stage": str(name).replace("_", " "),
            "Done": int(row["sum"]),
            "Of": int(row["count"]),
            "Share": row["sum"] / row["count"],
        }
        for name, row in counted.iterrows()
    ]
    share = st.column_config.ProgressColumn("Share", min_value=0.0, max_value=1.0, format="percent")
    st.dataframe(rows, column_config={"Share": share}, hide_index=True, height="content")


def main() -> None:
    simulated = store.has_workspace() and store.workspace().simulated
    shell.page_head("Runs", "What is being computed, how far it is, and how to start, stop and go on.", simulated)
    error = st.session_state.pop("runs-error", None)
    if error is not None:
        with shell.guarded("runs"):
            raise error
    all_runs()
    st.subheader("Start a run", anchor=False)
    kind = choices.pick_one(
        "start",
        "Start with",
        ["demo", "own"],
        "demo",
        format_func={"demo": "Demo", "own": "My own data"}.__getitem__,
        required=True,
        label_visibility="collapsed",
    )
    with st.container(border=True):
        if kind == "demo":
            start_demo()
        else:
            start_own()
    if store.has_workspace():
        with shell.guarded("stages"):
            stages()
    st.caption(f"Workspace: `{store.workspace_path()}`. In a terminal: `python -m pipelines run --help`.")


main()
