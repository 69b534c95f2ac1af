"""Reanimation: the first frame brought to life by predicted motion, beside the film and beside no brain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import (
    choices,
    clip_picker,
    motion_exports,
    reanimation_choice,
    reanimation_exports,
    reanimation_offer,
    reanimation_scores,
    reanimation_summary,
    reanimation_words,
    shell,
    store,
)
from brainviz.components.film_player import FilmView, film_player, pack_films
from brainviz.components.heading import subject_heading
from brainviz.components.reanimation_choice import ReanimationChoice
from brainviz.components.reanimation_panels import ShownFilm, backend_of, clip_csv, mask_of, panel_of, sample_of
from brainviz.components.reanimation_words import FILM
from brainviz.errors import BrainvizError, NotReady
from brainviz.workspace import Workspace
from pipelines import runs
from pipelines.interactive import backends, film_sources, reanimation

if TYPE_CHECKING:
    from brainviz.video.composing import CaptionedFilm

KEY = "films"

shell.ensure_app()


# ---- films


def made(choice: ReanimationChoice, system: str) -> reanimation.Reanimation:
    """One reanimation; raises `NotReady` where it has not been rendered."""
    return reanimation.reanimated(
        store.workspace(),
        choice.subject,
        choice.clip,
        system,
        mask_of(choice, system),
        sample_of(choice, system),
        backend_of(choice, system),
        choice.seed,
    )


@st.cache_resource(max_entries=160, show_spinner=False)  # about 170 KB each
def sheet_of(path: str, version: str, choice: ReanimationChoice, system: str) -> ShownFilm:
    """A reanimation as a sprite sheet. Made once per version of the workspace."""
    from brainviz.video.sprites import COLUMNS, Sprite, sprite_sheet

    film = made(choice, system)
    n, height, width, _ = film.frames.shape
    sprite = Sprite(sprite_sheet(film.frames), n, COLUMNS, width, height, film.fps)
    return ShownFilm(sprite, film.uses_film, film.still)


def shown_film(choice: ReanimationChoice, system: str) -> ShownFilm:
    """What stands in a panel."""
    if system == FILM:
        return ShownFilm(store.workspace().film_sprite(choice.clip))
    alone = ReanimationChoice(choice.subject, choice.clip, (), *_drive(choice, system))
    try:
        return sheet_of(str(store.workspace_path()), store.version(), alone, system)
    except NotReady as error:
        return ShownFilm(None, absent=error.what)


def _drive(choice: ReanimationChoice, system: str) -> tuple[str, str, int, int]:
    return choice.backend, choice.mask, sample_of(choice, system), choice.seed


@st.fragment
def show_films(choice: ReanimationChoice) -> None:
    """The player, in a fragment: coming to rest reruns this function only."""
    with shell.guarded("films"):
        workspace = store.workspace()
        films = {system: shown_film(choice, system) for system in choice.panels}
        view = FilmView(
            id=f"{choice.subject}/{choice.clip}",
            film=workspace.film_sprite(choice.clip),
            panels=[panel_of(choice, system, film) for system, film in films.items()],
            caption=caption_of(choice),
            lines=export_lines(choice),
            file_stem=motion_exports.stem(workspace, *file_parts(choice), *choice.panels),
            autoplay="frame" not in st.query_params,
            view=reanimation_choice.view_of_link(choice.panels),
        )
        film_player(pack_films(view), KEY, lambda: reanimation_choice.remember_view(KEY, choice.panels))
        absent = [system for system, film in films.items() if film.sprite is None]
        if absent:
            offer_rendering(choice, absent)


def caption_of(choice: ReanimationChoice) -> str:
    """One line under the films: how they were made."""
    title = facts_of_backends()[choice.backend].title
    return f"{title}; {reanimation_words.MASKS[choice.mask].lower()}"


# ---- films that are not there yet


@st.cache_resource(ttl=20, show_spinner=False)
def facts_of_backends() -> dict[str, backends.BackendFacts]:
    """All backends by name; looked up again now and then, since weights may arrive."""
    return {facts.id: facts for facts in backends.available_backends()}


def offer_rendering(choice: ReanimationChoice, systems: Sequence[str]) -> None:
    """One button for all films that are missing, or what is needed before they can be made."""
    for facts in facts_of_backends().values():
        mine = [system for system in systems if backend_of(choice, system) == facts.id]
        if mine and facts.missing:
            reanimation_offer.missing_weights(facts.title, facts.size_gb, facts.licence, facts.missing, facts.commands)
        elif mine:
            labels = [reanimation_words.label(system) for system in mine]
            reanimation_offer.render_button(facts.id, facts.title, labels, submit, (choice, tuple(mine)))


def submit(choice: ReanimationChoice, systems: Sequence[str]) -> None:
    """Start the runs that render the missing films."""
    for system in systems:
        try:
            request = reanimation.render_request(
                store.workspace(),
                choice.subject,
                choice.clip,
                system,
                backend_of(choice, system),
                mask_of(choice, system),
                sample_of(choice, system),
                choice.seed,
            )
            runs.submit(store.workspace_path(), request)
        except BrainvizError as error:
            choices.notice(f"{reanimation_words.label(system)}: {error.what}")


# ---- controls


def choose(workspace: Workspace, subject: str, clip: str, available: list[str]) -> ReanimationChoice:
    """The menus, and what they say."""
    facts = facts_of_backends()
    driven = [name for name, one in facts.items() if one.follows_motion]
    seeded = [name for name, one in facts.items() if not one.deterministic]
    titles = {name: one.title + ("" if not one.missing else " (weights missing)") for name, one in facts.items()}
    systems = [name for name in available if name not in (FILM, "svd")]
    samples = max(workspace.samples(subject, name) for name in systems)
    reanimation_choice.choose_panels(available)
    drive = reanimation_choice.choose_rendering(driven, titles, seeded, samples)
    return ReanimationChoice(subject, clip, tuple(reanimation_choice.shown_panels(available)), *drive)


def message_row(workspace: Workspace, subject: str, clip: str, ids: list[str]) -> ReanimationChoice:
    """The page's one message, the ways to other clips, and the menus."""
    available = reanimation_choice.driving_systems(workspace.systems(subject))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = st.container()
        with st.container(horizontal=True, width="content", gap="small"):
            clip_picker.neighbour_buttons(ids, clip)
            choice = choose(workspace, subject, clip, available)
            reanimation_exports.menu(export_offer(workspace, choice))
    scores = reanimation_scores.clip_scores(subject, clip, choice.backend, choice.mask)
    words.html(f'<p class="message">{reanimation_scores.message(scores)}</p>')
    return choice


# ---- exports


def file_parts(choice: ReanimationChoice) -> tuple[str, ...]:
    """Of every file's name: subject, clip, and what is not usual about the rendering."""
    unusual = (choice.backend if choice.backend != film_sources.AT_ONCE else "", choice.mask)
    return choice.subject, choice.clip, *(part for part in unusual if part not in ("", "none"))


def export_lines(choice: ReanimationChoice) -> tuple[str, ...]:
    """Below exported films and pictures: whose, which clip, how it was made."""
    workspace = store.workspace()
    lines = (f"Subject {choice.subject}, clip {choice.clip}, {workspace.dataset_name}; {caption_of(choice)}",)
    return (*lines, reanimation_exports.SIMULATED_LINE) if workspace.simulated else lines


def export_offer(workspace: Workspace, choice: ReanimationChoice) -> reanimation_exports.FilmExports:
    """What the export menu offers: the films that exist."""
    there = [system for system in choice.panels if shown_film(choice, system).sprite is not None]
    subject, *parts = file_parts(choice)
    chosen: dict[str, Any] = {**st.query_params.to_dict(), **vars(choice)}
    facts = {"dataset": workspace.dataset_name, "simulated": workspace.simulated, "results": workspace.version}
    return reanimation_exports.FilmExports(
        panels={system: reanimation_words.label(system) for system in there},
        films=lambda systems: captioned(choice, systems),
        name_parts=(f"subject{subject}", *parts),
        lines=export_lines(choice)[:1],
        settings=motion_exports.exports.settings_json(chosen, facts),
        simulated=workspace.simulated,
        table=(lambda: clip_csv(choice)) if workspace.has_table("reanimation") else None,
    )


def captioned(choice: ReanimationChoice, systems: Sequence[str]) -> list[CaptionedFilm]:
    """The films themselves, with captions and marks to burn in."""
    from brainviz.figures.panels import sprite_frames
    from brainviz.video.composing import CaptionedFilm

    workspace, films = store.workspace(), []
    for system in systems:
        if system == FILM:
            sprite = workspace.film_sprite(choice.clip)
            frames, fps, uses_film = sprite_frames(sprite), sprite.fps, False
        else:
            film = made(choice, system)
            frames, fps, uses_film = film.frames, film.fps, film.uses_film
        words = (reanimation_words.flag(system, choice.mask, uses_film), reanimation_exports.SIMULATED_MARK)
        mark = "; ".join(filter(None, words if workspace.simulated else words[:1]))
        films.append(CaptionedFilm(frames, fps, reanimation_words.label(system), mark))
    return films


# ---- the page


def main() -> None:
    workspace = store.workspace()
    subject = subject_heading("Reanimation", workspace)
    view, clips, clip = clip_picker.shown_clip(workspace, subject)
    choice = message_row(workspace, subject, clip, list(clips["clip"]))
    show_films(choice)
    clip_picker.picker(workspace, view, clips, clip)
    with shell.guarded("all clips"):
        reanimation_summary.all_clips(choice.backend, choice.mask)
    reanimation_summary.method()
    motion_exports.citation()


main()
