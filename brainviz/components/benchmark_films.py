"""The chosen clip under two systems, beside its film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import benchmark_words, choices, exports, shell, store
from brainviz.components.benchmark_view import BenchmarkView, clip_values
from brainviz.components.film_player import FilmPanel, FilmView, Metric, film_player, pack_films
from brainviz.errors import NotReady
from brainviz.figures.palette import look
from brainviz.metrics.video.benchmark_names import SHORT
from brainviz.video.sprites import COLUMNS, Sprite, sprite_sheet

KEY = "benchmark-films"
MOST_METRICS = 5


class Film(Protocol):
    """What makes a film gives."""

    @property
    def frames(self) -> npt.NDArray[np.uint8]:
        """uint8 (n, h, w, 3)."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def uses_film(self) -> bool:
        """Whether the true film after its first frame entered."""


Maker = Callable[[str, str, str], Film]
"""Subject, clip, system -> film; raises `NotReady`."""


@st.fragment
def show(view: BenchmarkView, subject: str, clip: str, systems: Sequence[str], make: Maker) -> None:
    """The player: the film, then the systems, in step."""
    with shell.guarded("films"):
        workspace = store.workspace()
        film = workspace.film_sprite(clip)
        place = workspace.place(clip)
        own = f"{2 * place.index}–{2 * place.index + 2} s of {place.segment}"
        panels = [FilmPanel("film", "Film", film, explanation="The film that was shown.", words=own)]
        panels += [_panel(view, subject, clip, system, make) for system in systems]
        lines = [f"Subject {subject}, clip {clip}, {workspace.dataset_name}"]
        if workspace.simulated:
            lines.append("SIMULATED DATA: recovers what was planted, replicates nothing")
        stem = exports.file_stem(f"subject{subject}", clip, *systems, "films", simulated=workspace.simulated)
        frame = {"frame": choices.number("frame", 0, 10_000, 0)}
        shown = FilmView(f"{subject}/{clip}", film, panels, "", tuple(lines), stem, view=frame)
        film_player(pack_films(shown), KEY, lambda: None)


def _panel(view: BenchmarkView, subject: str, clip: str, system: str, make: Maker) -> FilmPanel:
    one, uses_film, absent = look(system), False, ""
    sprite: Sprite | None = None
    try:
        sprite, uses_film = _sheet(str(store.workspace_path()), store.version(), subject, clip, system, make)
    except NotReady as error:
        absent = error.what
    return FilmPanel(
        id=system,
        label=benchmark_words.label(system),
        sprite=sprite,
        colour=one.colour(shell.is_dark()),
        marker=one.marker,
        note="simulated" if store.workspace().simulated else "",
        explanation=one.explanation,
        flag="driven by the true film" if uses_film else "",
        metrics=_metrics(view, subject, clip, system),
        words="not among the compared clips",
        absent=absent,
    )


@st.cache_resource(max_entries=120, show_spinner=False)  # about 170 KB each
def _sheet(path: str, version: str, subject: str, clip: str, system: str, _make: Maker) -> tuple[Sprite, bool]:
    film = _make(subject, clip, system)
    n, height, width = film.frames.shape[:3]
    return Sprite(sprite_sheet(film.frames, COLUMNS), n, COLUMNS, width, height, film.fps), film.uses_film


def _metrics(view: BenchmarkView, subject: str, clip: str, system: str) -> tuple[Metric, ...]:
    """Values of this clip, as the table has them."""
    found: list[Metric] = []
    for metric in view.metrics:
        values = clip_values(subject, metric)
        if metric.startswith("retrieval") or system not in values.columns or clip not in values.index:
            continue
        value: Any = values.at[clip, system]
        words = f"{benchmark_words.title(metric)}. {benchmark_words.explanation(metric)} n = 1 clip."
        found.append(Metric(SHORT[metric], benchmark_words.number(float(value), metric), words))
    return tuple(found[:MOST_METRICS])
