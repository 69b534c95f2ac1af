"""Draw motion: arrows on a first frame, and the frame moves at once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import (
    choices,
    clip_picker,
    exports,
    reanimation_choice,
    reanimation_exports,
    reanimation_offer,
    reanimation_words,
    shell,
    store,
)
from brainviz.components.draw_board import DrawBoard, draw_board, keep_drawing, linked_drawing, remember_drawing
from brainviz.components.film_player import FilmPanel, FilmView, film_player, pack_films
from brainviz.components.heading import subject_heading
from brainviz.components.motion_view import first_clip, view_or_none
from brainviz.errors import NotReady
from brainviz.figures.palette import look
from brainviz.flow.drawn import Drawing
from brainviz.workspace import Workspace
from pipelines import runs
from pipelines.interactive import backends
from pipelines.interactive import drawing as drawn_films

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.video.composing import CaptionedFilm
    from brainviz.video.sprites import Sprite

FILMS_KEY = "drawn-films"
DRAWN, FILM = "drawn", "film"
LABELS = {DRAWN: "Drawn motion", FILM: "Film"}
EXPLANATIONS = {DRAWN: "The first frame moved by arrows that a hand drew.", FILM: "The film that was shown."}
NOBODY = "Drawn by hand: this motion is nobody's brain"
SHOWS = "Drag arrows over the first frame and see it move at once. <b>What is drawn here is nobody’s brain.</b>"
PRESETS: dict[str, Drawing] = {
    "Pan right": Drawing(((0.5, 0.5, -0.25, 0.0),), 0.8),
    "Zoom in": Drawing(
        ((0.15, 0.15, -0.12, -0.12), (0.85, 0.15, 0.12, -0.12), (0.15, 0.85, -0.12, 0.12), (0.85, 0.85, 0.12, 0.12)),
        0.45,
    ),
    "Turn": Drawing(
        ((0.2, 0.2, 0.15, -0.09), (0.8, 0.2, 0.09, 0.15), (0.8, 0.8, -0.15, 0.09), (0.2, 0.8, -0.09, -0.15)), 0.45
    ),
}

shell.ensure_app()


# ---- the board


@st.cache_resource(max_entries=64, show_spinner=False)
def first_picture(path: str, version: str, clip: str) -> bytes:
    """The first frame as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(store.workspace().first_frame(clip, 512)).save(buffer, "PNG")
    return buffer.getvalue()


@st.fragment
def board(subject: str, clip: str) -> None:
    """Board, presets and film, in a fragment: a stroke reruns this function only."""
    with shell.guarded("drawing board"):
        workspace = store.workspace()
        drawing, revision = linked_drawing()
        sprite = workspace.film_sprite(clip)
        draw_board(
            DrawBoard(
                id=clip,
                picture=first_picture(str(store.workspace_path()), store.version(), clip),
                drawing=drawing,
                revision=revision,
                frames=sprite.n,
                fps=sprite.fps,
                caption=f"Clip {clip}, {workspace.dataset_name}. The preview is quick; rendering is finer.",
                lines=export_lines(workspace, clip),
                file_stem=exports.file_stem(clip, DRAWN, simulated=workspace.simulated),
            ),
            remember_drawing,
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            presets(workspace, subject, clip)
            st.space("stretch")
            shown = rendering(workspace, clip, drawing)
        if shown:
            film_or_offer(workspace, clip, drawing, shown)


def presets(workspace: Workspace, subject: str, clip: str) -> None:
    """Drawings to begin with: camera movements, and what the decoders predict."""
    st.markdown("Start from", width="content")
    for system in (name for name in ("brain", "image-only") if name in workspace.systems(subject)):
        st.button(
            reanimation_words.label(system),
            key=f"preset:{system}",
            icon=":material/air:",
            help=f"Sixteen arrows along the predicted motion. {look(system).explanation}",
            on_click=start_from_flow,
            args=(subject, clip, system),
        )
    for name, drawing in PRESETS.items():
        st.button(name, key=f"preset:{name}", on_click=keep_drawing, args=(drawing,))


def start_from_flow(subject: str, clip: str, system: str) -> None:
    with shell.guarded("preset"):
        keep_drawing(drawn_films.drawing_from_flow(store.workspace(), subject, clip, system))


# ---- the film


@st.cache_resource(max_entries=32, show_spinner="Rendering …")
def sheet_of(path: str, version: str, clip: str, drawing: Drawing, backend: str) -> Sprite:
    """The drawn film as a sprite sheet: made once per drawing."""
    from brainviz.video.sprites import COLUMNS, Sprite, sprite_sheet

    film = drawn_films.drawn(store.workspace(), clip, drawing, backend)
    n, height, width, _ = film.frames.shape
    return Sprite(sprite_sheet(film.frames), n, COLUMNS, width, height, film.fps)


def backends_of_motion() -> dict[str, backends.BackendFacts]:
    """Backends that can be driven by a drawing."""
    return {facts.id: facts for facts in backends.available_backends() if facts.follows_motion}


def rendering(workspace: Workspace, clip: str, drawing: Drawing) -> str:
    """With which backend, the button that renders, and the exports of what it made; the backend shown, or ""."""
    offered = backends_of_motion()
    shown = choices.choose("render", ["", *offered], "", "the backend")
    backend = choices.pick_one(
        "backend",
        "Backend",
        list(offered),
        next(iter(offered)),
        format_func=lambda name: offered[name].title,
        widget="list",
        label_visibility="collapsed",
        width=210,
    )
    done = shown if drawing.arrows and shown == backend else ""
    st.button(
        "Render",
        icon=":material/movie_filter:",
        type="primary",
        disabled=not drawing.arrows or bool(done),
        on_click=choices.keep,
        args=("render", backend),
    )
    if done:
        reanimation_exports.menu(export_offer(workspace, clip, drawing, done))
    return done


def film_or_offer(workspace: Workspace, clip: str, drawing: Drawing, backend: str) -> None:
    """The rendered film beside the true one; where it is not there yet, what makes it."""
    try:
        sheet = sheet_of(str(store.workspace_path()), store.version(), clip, drawing, backend)
    except NotReady:
        facts = backends_of_motion()[backend]
        if facts.missing:
            reanimation_offer.missing_weights(facts.title, facts.size_gb, facts.licence, facts.missing, facts.commands)
        else:
            reanimation_offer.render_button(facts.id, facts.title, [LABELS[DRAWN]], submit, (clip, drawing, backend))
        return
    films(workspace, clip, drawing, backend, sheet)


def submit(clip: str, drawing: Drawing, backend: str) -> None:
    """Start the run that renders the drawing."""
    runs.submit(store.workspace_path(), drawn_films.drawn_run(clip, drawing, backend))


def films(workspace: Workspace, clip: str, drawing: Drawing, backend: str, sheet: Sprite) -> None:
    """The drawn film and the true one, in step."""
    sheets = {DRAWN: sheet, FILM: workspace.film_sprite(clip)}
    panels = [
        FilmPanel(
            name,
            LABELS[name],
            sheet,
            explanation=EXPLANATIONS[name],
            flag="drawn by hand: nobody’s brain" if name == DRAWN else "",
            note="simulated" if workspace.simulated else "",
        )
        for name, sheet in sheets.items()
    ]
    view = FilmView(
        id=f"{clip}/{drawing.code()}/{drawing.reach}/{backend}",
        film=sheets[FILM],
        panels=panels,
        caption=f"{backends_of_motion()[backend].title}, beside the film",
        lines=export_lines(workspace, clip),
        file_stem=exports.file_stem(clip, DRAWN, FILM, simulated=workspace.simulated),
        autoplay="frame" not in st.query_params,
        view=reanimation_choice.view_of_link(list(LABELS)),
    )
    film_player(pack_films(view), FILMS_KEY, lambda: reanimation_choice.remember_view(FILMS_KEY, list(LABELS)))


def export_lines(workspace: Workspace, clip: str) -> tuple[str, ...]:
    lines = (f"{NOBODY}. First frame: clip {clip}, {workspace.dataset_name}",)
    return (*lines, reanimation_exports.SIMULATED_LINE) if workspace.simulated else lines


def export_offer(workspace: Workspace, clip: str, drawing: Drawing, backend: str) -> reanimation_exports.FilmExports:
    chosen = {
        "clip": clip,
        "arrows": [list(arrow) for arrow in drawing.arrows],
        "reach": drawing.reach,
        "backend": backend,
    }
    facts = {"dataset": workspace.dataset_name, "simulated": workspace.simulated, "drawn": True}
    return reanimation_exports.FilmExports(
        panels=LABELS,
        films=lambda names: captioned(clip, drawing, backend, names),
        name_parts=(clip,),
        lines=export_lines(workspace, clip)[:1],
        settings=exports.settings_json(chosen, facts),
        simulated=workspace.simulated,
    )


def captioned(clip: str, drawing: Drawing, backend: str, names: Sequence[str]) -> list[CaptionedFilm]:
    """The films themselves, with captions and marks to burn in."""
    from brainviz.figures.panels import sprite_frames
    from brainviz.video.composing import CaptionedFilm

    workspace, made = store.workspace(), []
    simulated = reanimation_exports.SIMULATED_MARK if workspace.simulated else ""
    for name in names:
        if name == DRAWN:
            film = drawn_films.drawn(workspace, clip, drawing, backend)
            mark = "; ".join(filter(None, ("drawn by hand", simulated)))
            made.append(CaptionedFilm(film.frames, film.fps, LABELS[name], mark))
        else:
            sprite = workspace.film_sprite(clip)
            made.append(CaptionedFilm(sprite_frames(sprite), sprite.fps, LABELS[name], simulated))
    return made


def main() -> None:
    workspace = store.workspace()
    subject = subject_heading("Draw motion", workspace)
    clips: pd.DataFrame = workspace.clips[workspace.clips["split"] == "test"]
    ids = list(clips["clip"])
    if not ids:
        raise NotReady("There are no clips yet.", "catalogue", "They are the first thing to come.")
    shell.sentence(SHOWS)
    view = view_or_none(subject)
    clip = choices.choose("clip", ids, first_clip(view, ids), "the clip")
    choices.keep("clip", clip)
    board(subject, clip)
    clip_picker.picker(workspace, view, clips, clip)


main()
