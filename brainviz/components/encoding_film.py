"""What the In silico page shows: which film, and the activity that a fitted model predicts for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import choices, store
from brainviz.components.cortex_message import FilmResponse, MapPanel
from brainviz.components.encoding_map import STEPS
from brainviz.components.encoding_view import EncodingView
from brainviz.components.timecourse import TimeCourse
from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import load_surface
from brainviz.errors import BrainvizError
from brainviz.figures.encoders import encoder_look
from brainviz.uploads import LONGEST_S, MOST_BYTES, SHORTEST_S, UploadedFilm, add_film, uploaded_films

CLIP_S = 2
LENGTHS_S = ("10", "20", "40", "60")
UPLOADED = "upload-"
LEAST_CEILING = 0.15  # below it the share of the ceiling is noise divided by noise


class Activity(Protocol):
    """Predicted activity: float32 (t, 59412) in z, film time of each row in s, the film's frames."""

    @property
    def values(self) -> npt.NDArray[np.float32]: ...
    @property
    def times_s(self) -> npt.NDArray[np.float32]: ...
    @property
    def sprite(self) -> Any: ...


@dataclass(frozen=True)
class FilmChoice:
    """A stretch of the data set's film (segment, first clip, number of clips), or an uploaded film (its key)."""

    segment: str = ""
    first: int = 0
    n: int = 0
    upload: UploadedFilm | None = None

    @property
    def id(self) -> str:
        """For names of files and for the component."""
        if self.upload:
            return f"{UPLOADED}{self.upload.key}"
        return f"{self.segment}-{CLIP_S * self.first}-{CLIP_S * self.n}s"

    @property
    def words(self) -> str:
        """For captions."""
        if self.upload:
            return f"{self.upload.name} (uploaded)"
        return f"{self.segment}, {CLIP_S * self.first} to {CLIP_S * (self.first + self.n)} s"


# ---- which film


def choose_film() -> FilmChoice:
    """Menus for film, start and length; the start and length of an uploaded film are its own."""
    workspace = store.workspace()
    counts = {str(name): int(n) for name, n in workspace.clips.groupby("segment", sort=False)["clip"].count().items()}
    uploads = {f"{UPLOADED}{film.key}": film for film in uploaded_films(workspace.path)}
    tests = list(dict.fromkeys(workspace.clips.loc[workspace.clips["split"] == "test", "segment"]))
    segments = [*tests, *(name for name in counts if name not in tests)]
    options = [*segments, *uploads]
    film = choices.pick_one(
        "source",
        "Film",
        options,
        options[0],
        format_func=lambda name: uploads[name].name if name in uploads else _segment_words(name, tests),
        widget="list",
        width=210,
    )
    if film in uploads:
        return FilmChoice(upload=uploads[film])
    return _stretch(film, counts[film])


def _segment_words(segment: str, tests: Sequence[str]) -> str:
    return f"{segment} ({'test' if segment in tests else 'training'} film)"


def _stretch(segment: str, n_clips: int) -> FilmChoice:
    length = choices.pick_one("length", "Length (s)", list(LENGTHS_S), "20", required=True)
    n = min(int(length) // CLIP_S, n_clips)
    last = CLIP_S * (n_clips - n)
    start = choices.number("from", 0, last, 0) // CLIP_S * CLIP_S
    st.session_state["widget:from"] = start
    st.slider(
        "From (s)",
        0,
        max(last, CLIP_S),
        step=CLIP_S,
        key="widget:from",
        width=240,
        disabled=last == 0,
        on_change=lambda: choices.keep("from", str(st.session_state["widget:from"])),
    )
    return FilmChoice(segment, start // CLIP_S, n)


def upload() -> None:
    """The field that takes a film. What is wrong with a file is said in words beside it."""
    with st.popover("Upload a clip", icon=":material/upload:", help="MP4 or GIF of your own"):
        given = st.file_uploader(
            f"MP4 or GIF, {SHORTEST_S:.0f} to {LONGEST_S:.0f} s, at most {MOST_BYTES / 1e6:.0f} MB",
            ["mp4", "gif"],
            key="upload",
            max_upload_size=round(MOST_BYTES / 1e6),
        )
        st.caption("It is kept in this workspace only. The middle square is used, without sound.")
        if given is None:
            return
        if st.session_state.get("upload-taken") != given.file_id:
            st.session_state["upload-taken"] = given.file_id
            st.session_state["upload-error"] = None
            try:
                with st.spinner("Reading the film …"):
                    film = add_film(store.workspace().path, given.name, given.getvalue())
            except BrainvizError as error:
                st.session_state["upload-error"] = error
            else:
                choices.keep("source", f"{UPLOADED}{film.key}")
                st.rerun()
        refused = st.session_state.get("upload-error")
        if isinstance(refused, BrainvizError):
            st.error(f"**{refused.what}** {refused.remedy}", icon=":material/error:")


# ---- what is predicted


def panel_of(view: EncodingView, encoder: str, activity: Activity) -> MapPanel:
    """The panel in which the response plays; what the model predicts badly fades."""
    look = encoder_look(encoder)
    return MapPanel(
        id=f"insilico-{view.subject}",
        title=f"Predicted activity, by {look.label}",
        values=activity.values[0],
        limits=_limits(activity.values),
        colormap="diverging",
        reliability=share_of_ceiling(view, encoder),
        q=view.map(f"q/{encoder}") if f"q/{encoder}" in view.maps else None,
        ceiling=view.map("noise-ceiling") if "noise-ceiling" in view.maps else None,
        symbol="z",
        note=f"subject {view.subject}",
        explanation="Activity that the fitted model predicts for the film, in standard deviations of each vertex. "
        "Reliability here is the share of the noise ceiling that the model reaches on test films.",
        simulated=store.workspace().simulated,
    )


def _limits(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    top = float(np.percentile(np.abs(values[:, ::7]), 97))
    top = next((step for step in (*STEPS, 1.5, 2.0, 3.0) if step >= top), top)
    return -top, top


def share_of_ceiling(view: EncodingView, encoder: str) -> npt.NDArray[np.float32] | None:
    """r over noise ceiling, clipped to 0..1, float32 (64984,); 0 where the ceiling is too low to divide by."""
    if "noise-ceiling" not in view.maps:
        return None
    ceiling = np.nan_to_num(view.map("noise-ceiling"))
    r = np.nan_to_num(view.map(f"r/{encoder}"))
    share = np.where(ceiling > LEAST_CEILING, r / np.maximum(ceiling, LEAST_CEILING), 0)
    return np.clip(share, 0, 1).astype(np.float32)


def response_of(activity: Activity, film: FilmChoice, name: str, start_s: float) -> FilmResponse:
    """The activity in step with its film; it outlasts the film by the lag."""
    times = activity.times_s
    return FilmResponse(
        id=f"{name}/{film.id}",
        values=activity.values,
        first_s=float(times[0]),
        step_s=float(times[1] - times[0]),
        duration_s=float(times[-1]),
        sprite=activity.sprite,
        start_s=start_s,
    )


def course_at(activity: Activity, film: FilmChoice, encoder: str, vertex: int, dark: bool) -> TimeCourse | None:
    """The predicted course of one vertex (full order) over the film; None on the medial wall."""
    cortex = load_surface().cortex
    column = int(np.searchsorted(cortex, vertex))
    if column >= len(cortex) or cortex[column] != vertex:
        return None
    look, predicted = encoder_look(encoder), activity.values[:, column]
    return TimeCourse(
        id=film.id,
        times_s=activity.times_s,
        measured=np.full(len(predicted), np.nan),
        predicted=predicted,
        label=look.label,
        colour=look.colour(dark),
        n_runs=0,
        length_s=float(activity.times_s[-1]),
    )


@dataclass(frozen=True)
class Peak:
    """Where and when a predicted response is highest."""

    words: str
    time_s: float


def peak_of(view: EncodingView, encoder: str, activity: Activity) -> Peak:
    """The highest mean over a region, among regions that the model predicts (q < .05), as HTML and in film time."""
    labels = glasser().cortex_labels
    counts = np.bincount(labels, minlength=361)[1:]
    means = np.stack([np.bincount(labels, row, 361)[1:] for row in activity.values]) / np.maximum(counts, 1)
    means[:, ~predicted_regions(view, encoder)] = -np.inf
    if not np.isfinite(means).any():
        words = "No region is predicted by this encoder (q &lt; .05): what plays here is not to be believed"
        return Peak(words, float(activity.times_s[0]))
    volume, region = np.unravel_index(int(means.argmax()), means.shape)
    name = glasser().names[int(region) + 1]
    side = "left" if name.startswith("L_") else "right"
    time_s = float(activity.times_s[volume])
    words = (
        f"Predicted activity is highest in <b>{name[2:]}, {side}</b> at <b>{time_s:.0f} s</b> "
        f"<small>(mean z = {means.max():.2f}; regions that the model predicts, q &lt; .05)</small>"
    )
    return Peak(words, time_s)


def predicted_regions(view: EncodingView, encoder: str) -> npt.NDArray[np.bool_]:
    """Which of the 360 regions the model predicts on test films (q < .05, r > 0), bool (360,)."""
    from brainviz.components.encoding_view import ALPHA, region_name, region_rows

    rows = region_rows(view.subject, encoder)
    clear = rows[(rows["q"] < ALPHA) & (rows["r"] > 0)]
    names = {region_name(*pair) for pair in zip(clear["hemisphere"], clear["region"], strict=True)}
    return np.array([name in names for name in glasser().names[1:]])
