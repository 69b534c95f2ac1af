"""The chosen clip under a lesion: flow fields in step, error figures, the first frame moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import choices, exports, shell, store
from brainviz.components.film_player import FilmPanel, FilmView, film_player, pack_films
from brainviz.components.player import FlowPanel, PlayerClip, pack_clip, player
from brainviz.components.regions_choice import WAYS, WAYS_EXPLAINED
from brainviz.components.regions_view import listed, px
from brainviz.figures import regions as figures
from brainviz.figures.palette import look
from brainviz.figures.style import picture_settings
from brainviz.video.sprites import COLUMNS, Sprite, sprite_sheet

FULL = "Ridge"
SHORT = {"without": "Lesioned", "only": "Kept only", "conditional": "Replaced"}
Flow = npt.NDArray[np.float32]


class Lesion(Protocol):
    """What the decoder says with some regions left out or kept; see `pipelines.interactive.regions.Lesion`."""

    @property
    def regions(self) -> tuple[str, ...]: ...
    @property
    def how(self) -> str: ...
    @property
    def flow(self) -> Flow: ...
    @property
    def full_flow(self) -> Flow: ...
    @property
    def epe(self) -> float: ...
    @property
    def epe_full(self) -> float: ...
    @property
    def epe_no_brain(self) -> float: ...
    @property
    def mean_epe(self) -> float: ...
    @property
    def mean_epe_full(self) -> float: ...
    @property
    def mean_epe_no_brain(self) -> float: ...
    @property
    def n_vertices(self) -> int: ...
    @property
    def n_decoded(self) -> int: ...
    @property
    def unused(self) -> tuple[str, ...]: ...


Moved = Callable[[str, Flow], npt.NDArray[np.uint8]]
"""Clip and flow -> its first frame moved, uint8 (n, h, w, 3)."""


def name_of(lesion: Lesion) -> str:
    """The lesioned decoder in a few words."""
    words = {"without": "Without", "only": "Only", "conditional": "Replaced:"}
    return f"{words[lesion.how]} {listed(lesion.regions, 3)}"


def message_of(lesion: Lesion) -> str:
    """What the decoder loses over all test clips, as HTML."""
    change = lesion.mean_epe - lesion.mean_epe_full
    names = listed(lesion.regions)
    share = 100 * abs(change) / lesion.mean_epe_full
    if lesion.how == "only":
        kept = lesion.mean_epe_no_brain - lesion.mean_epe
        whole = lesion.mean_epe_no_brain - lesion.mean_epe_full
        words = f"Fitted to <b>{names}</b> only, this decoder keeps {100 * kept / whole:.0f} % of what it gains by fMRI"
        return f"{words} <small>all test clips; {_vertices(lesion)}</small>"
    without = f"Without <b>{names}</b>" if lesion.how == "without" else f"With <b>{names}</b> replaced"
    verb = "loses" if change >= 0 else "gains"
    size = f"{px(change)} px ({share:.1f} %)"
    return f"{without} this decoder {verb} {size} <small>error over all test clips; {_vertices(lesion)}</small>"


def _vertices(lesion: Lesion) -> str:
    return f"{lesion.n_vertices:,} of {lesion.n_decoded:,} vertices"


@st.fragment
def show_player(subject: str, clip: str, lesion: Lesion) -> None:
    """True flow, full decoder, lesioned decoder; coming to rest reruns this function only."""
    with shell.guarded("player"):
        message = pack_clip(_player_clip(subject, clip, lesion))
        player(message, key="regions-player", on_view_change=lambda: None)


def _player_clip(subject: str, clip: str, lesion: Lesion) -> PlayerClip:
    workspace, dark = store.workspace(), shell.is_dark()
    place, truth, ridge = workspace.place(clip), look("truth"), look("ridge")
    panels = [
        FlowPanel("truth", "True flow", workspace.flow(subject, clip, "truth"), truth.colour(dark), truth.marker),
        FlowPanel(
            "ridge",
            FULL,
            lesion.full_flow,
            ridge.colour(dark),
            ridge.marker,
            f"error {lesion.epe_full:.2f}",
            "Linear regression from all decoded vertices.",
        ),
    ]
    if lesion.regions:
        words = f"{listed(lesion.regions, 12)}: {WAYS_EXPLAINED[lesion.how]}."
        mark = (SHORT[lesion.how], lesion.flow, figures.ORANGE[dark], "diamond", f"error {lesion.epe:.2f}")
        panels.append(FlowPanel("lesion", *mark, words))
    return PlayerClip(
        id=f"{subject}/{clip}",
        sprite=workspace.film_sprite(clip),
        panels=panels,
        step_s=workspace.step_s,
        valid=workspace.flow_valid(clip),
        moving=None,
        title=f"Subject {subject}, clip {clip}",
        caption=f"{2 * place.index}–{2 * place.index + 2} s of {place.segment}",
        file_stem=exports.file_stem(f"subject{subject}", clip, slug(lesion), simulated=workspace.simulated),
        simulated=workspace.simulated,
        autoplay=True,
        view={"smooth": True},
    )


def slug(lesion: Lesion) -> str:
    """For file names."""
    return f"{lesion.how}-{'-'.join(lesion.regions[:4])}" if lesion.regions else "ridge"


def show_errors(subject: str, clip: str, lesion: Lesion) -> None:
    """The lesion's error beside that of the full decoder and of no brain."""
    simulated = store.workspace().simulated
    of_clip = (lesion.epe, lesion.epe_full, lesion.epe_no_brain)
    of_all = (lesion.mean_epe, lesion.mean_epe_full, lesion.mean_epe_no_brain)
    figure = figures.lesion_errors(of_clip, of_all, name_of(lesion), shell.is_dark(), simulated)
    stem = exports.file_stem(f"subject{subject}", clip, slug(lesion), "errors", simulated=simulated)
    st.plotly_chart(figure, key="lesion-errors", config=picture_settings(stem))
    st.caption(
        f"{WAYS[lesion.how]}: {WAYS_EXPLAINED[lesion.how]}. One clip's change is descriptive: it is not tested. "
        "No brain: the mean flow of the training clips."
    )
    if lesion.unused:
        st.caption(f"Of {listed(lesion.unused)} the decoder uses no vertex, so nothing changes there.")


@st.fragment
def show_films(subject: str, clip: str, lesion: Lesion, moved: Moved) -> None:
    """The clip's first frame moved by the full and by the lesioned flow, beside the film."""
    with shell.guarded("films"):
        workspace = store.workspace()
        film = workspace.film_sprite(clip)
        dark = shell.is_dark()
        shown: Sequence[tuple[str, str, Flow, str, str]] = (
            ("ridge", FULL, lesion.full_flow, look("ridge").colour(dark), look("ridge").marker),
            ("lesion", SHORT[lesion.how], lesion.flow, figures.ORANGE[dark], "diamond"),
        )
        panels = [FilmPanel("film", "Film", film, note="simulated" if workspace.simulated else "")]
        for name, label, flow, colour, marker in shown:
            panels.append(FilmPanel(name, label, _sprite(moved(clip, flow), film.fps), colour, marker))
        lines = (f"Subject {subject}, clip {clip}, {workspace.dataset_name}; first frame moved by predicted flow",)
        view = FilmView(
            id=f"{subject}/{clip}",
            film=film,
            panels=panels,
            caption="The true first frame, moved by predicted flow; no film after it enters.",
            lines=(*lines, *(("SIMULATED DATA: recovers what was planted, replicates nothing",) * workspace.simulated)),
            file_stem=exports.file_stem(f"subject{subject}", clip, slug(lesion), "film", simulated=workspace.simulated),
            view={"frame": choices.number("frame", 0, 10_000, 0)},
        )
        film_player(pack_films(view), key="regions-films", on_view_change=lambda: None)


def _sprite(frames: npt.NDArray[np.uint8], fps: float) -> Sprite:
    n, height, width = frames.shape[:3]
    return Sprite(sprite_sheet(frames, COLUMNS), n, COLUMNS, width, height, fps)
