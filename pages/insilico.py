"""In silico: a film goes in, the activity that a fitted encoding model predicts plays out on the cortex."""

from __future__ import annotations

import streamlit as st

from brainviz.components import choices, encoding_controls, encoding_film, exports, shell, store, timecourse
from brainviz.components.cortex_view import cortex_state, cortex_view
from brainviz.components.encoding_film import FilmChoice
from brainviz.components.encoding_view import EncodingView, encoding_view, region_of_vertex, region_words
from brainviz.components.heading import subject_heading
from brainviz.errors import NotReady
from brainviz.figures.encoders import encoder_look, usual_pair
from pipelines import runs
from pipelines.interactive import cortex

KEY = "insilico-cortex"
FIRST_VIEW = encoding_controls.FIRST_VIEW | {"two": False, "q": 0.05}
SHOWS = "A film goes in; the activity that a fitted encoding model predicts for it plays on the cortex, in step."

shell.ensure_app()


@st.cache_resource(max_entries=8, show_spinner="Predicting …")
def activity_of(path: str, version: str, subject: str, encoder: str, film: FilmChoice) -> cortex.Activity:
    """The predicted activity: made once per film, encoder and version of the workspace."""
    workspace = store.workspace()
    if film.upload:
        return cortex.predict_film(workspace, subject, encoder, film.upload.key)
    return cortex.predict_clips(workspace, subject, encoder, film.segment, film.first, film.n)


def controls(view: EncodingView) -> tuple[str, FilmChoice]:
    """Which model and which film."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        encoder = choices.pick_one(
            "encoder",
            "Model",
            view.encoders,
            usual_pair(view.encoders)[0],
            format_func=lambda name: encoder_look(name).label,
            widget="list",
            width=270,
        )
        film = encoding_film.choose_film()
        st.space("stretch")
        encoding_film.upload()
    return encoder, film


@st.fragment
def play(subject: str, encoder: str, film: FilmChoice) -> None:
    """The response beside its film; a pin or a rest of the clock reruns only this."""
    with shell.guarded("prediction"):
        view, workspace = encoding_view(subject), store.workspace()
        try:
            activity = activity_of(str(store.workspace_path()), store.version(), subject, encoder, film)
        except NotReady:
            if film.upload is None:
                raise
            offer_extraction(encoder, film)
            return
        peak = encoding_film.peak_of(view, encoder, activity)
        shell.message(peak.words)
        start = choices.number("t", 0, int(activity.times_s[-1]), int(peak.time_s))
        vertex = encoding_controls.asked_vertex()
        state = cortex_view(
            [encoding_film.panel_of(view, encoder, activity)],
            key=KEY,
            pinned=vertex,
            region=encoding_controls.asked_region() or (region_of_vertex(vertex) if vertex is not None else ""),
            follow=False,
            view=encoding_controls.linked_view(FIRST_VIEW),
            play=encoding_film.response_of(activity, film, f"{subject}/{encoder}", float(start)),
            caption=f"{film.words}; {encoder_look(encoder).label}, subject {subject}, {workspace.dataset_name}",
            file_stem=exports.file_stem(f"subject{subject}", encoder, film.id, simulated=workspace.simulated),
            on_change=remember,
        )
        encoding_controls.seen(KEY, state)
        describe(view, encoder, film)
        if vertex is not None:
            show_vertex(view, encoder, film, activity, vertex)


def show_vertex(view: EncodingView, encoder: str, film: FilmChoice, activity: cortex.Activity, vertex: int) -> None:
    """The pinned vertex: its predicted course over the film, and how well the model predicts it on test films."""
    region = region_of_vertex(vertex)
    st.subheader(f"Vertex {vertex} · {region_words(region) if region else 'medial wall'}", anchor=False)
    course = encoding_film.course_at(activity, film, encoder, vertex, shell.is_dark())
    if course is None:
        st.info("This vertex lies on the medial wall: it carries no data. Pick another one.", icon=":material/block:")
        return
    timecourse.time_course(course, on_volume=_nothing, key="insilico-course")
    r, ceiling = view.value(f"r/{encoder}", vertex), view.value("noise-ceiling", vertex)
    st.caption(f"n = 1 vertex. On test films r = {r:.3f} here; the noise ceiling is {ceiling:.2f}.".replace("-", "−"))


def _nothing() -> None:
    """The cursor of the course is not kept."""


def remember() -> None:
    """Pin, region and settings go into the link, and where the clock rests."""
    encoding_controls.remember(KEY, FIRST_VIEW)
    time_s = cortex_state(KEY).time_s
    choices.keep("t", f"{time_s:.0f}", shown=time_s > 0)


def describe(view: EncodingView, encoder: str, film: FilmChoice) -> None:
    """What the picture's values are, and how far they can be trusted."""
    row = view.mean_row(encoder)
    train = film.segment and film.segment not in set(store.workspace().clips.query("split == 'test'")["segment"])
    note = " **This is a training film: the model has been fitted to it.**" if train else ""
    st.caption(
        "Predicted fMRI in z, one volume every 2 s, in between interpolated; the response to a clip shows 2 to 8 s "
        f"after it begins. On test films this model reaches a mean r of {row['mean_r']:.3f} ({row['low']:.3f} to "
        f"{row['high']:.3f}, 95 % interval, n = {row['n_vertices']:,.0f} reliable vertices). Dimmed: vertices that it "
        f"does not predict (q > .05).{note}"
    )


def offer_extraction(encoder: str, film: FilmChoice) -> None:
    """An uploaded film needs its features first: a short run."""
    upload = film.upload
    if upload is None:
        return
    with st.container(border=True):
        st.markdown(f":material/hourglass_empty: **The features of {upload.name} are not extracted yet.**")
        st.caption(
            f"{encoder_look(encoder).label} has to see its {upload.n_clips} clips of 2 s once. It is a short run; "
            "the page fills by itself when it is done."
        )
        st.button(
            "Extract features",
            icon=":material/play_arrow:",
            type="primary",
            on_click=submit,
            args=(upload.key, encoder),
        )


def submit(key: str, encoder: str) -> None:
    """Start the run that extracts the film's features."""
    runs.submit(store.workspace_path(), cortex.film_request(key, encoder))


def main() -> None:
    subject = subject_heading("In silico", store.workspace())
    shell.sentence(SHOWS)
    view = encoding_view(subject)
    encoder, film = controls(view)
    play(subject, encoder, film)


main()
