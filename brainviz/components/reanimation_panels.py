"""The panels of the Reanimation page: how each system is driven, what stands beside its film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from brainviz.components import reanimation_scores, reanimation_words, shell, store
from brainviz.components.film_player import FilmPanel
from brainviz.components.reanimation_choice import ReanimationChoice
from brainviz.components.reanimation_words import FILM
from brainviz.figures.palette import look

if TYPE_CHECKING:
    from brainviz.video.sprites import Sprite


@dataclass(frozen=True, eq=False)
class ShownFilm:
    """A film as the player shows it, or why there is none."""

    sprite: Sprite | None
    uses_film: bool = False
    still: bool = False
    absent: str = ""


def backend_of(choice: ReanimationChoice, system: str) -> str:
    """Stable Video Diffusion makes its own films; everything else is moved by the chosen backend."""
    return "svd" if system == "svd" else choice.backend


def mask_of(choice: ReanimationChoice, system: str) -> str:
    """The chosen mask, of the systems that are driven by a motion."""
    return "none" if system == "svd" else choice.mask


def sample_of(choice: ReanimationChoice, system: str) -> int:
    """The chosen sample, of the systems that give several."""
    if system in (FILM, "svd"):
        return 0
    return min(choice.sample, store.workspace().samples(choice.subject, system) - 1)


def panel_of(choice: ReanimationChoice, system: str, film: ShownFilm) -> FilmPanel:
    """A panel with its film, its mark and its scores."""
    workspace, one = store.workspace(), look(system)
    sample, backend = sample_of(choice, system), backend_of(choice, system)
    scores = reanimation_scores.clip_scores(choice.subject, choice.clip, backend, choice.mask)
    samples = 1 if system in (FILM, "svd") else workspace.samples(choice.subject, system)
    place = workspace.place(choice.clip)
    return FilmPanel(
        id=system,
        label=reanimation_words.label(system),
        sprite=film.sprite,
        colour="" if system == FILM else one.colour(shell.is_dark()),
        marker="" if system == FILM else one.marker,
        note=f"sample {sample + 1} of {samples}" if samples > 1 else "simulated" if workspace.simulated else "",
        explanation=reanimation_words.explanation(system),
        flag=reanimation_words.flag(system, choice.mask, film.uses_film, film.still),
        metrics=reanimation_scores.panel_metrics(scores.get((system, sample), {})),
        words=f"{2 * place.index}–{2 * place.index + 2} s of {place.segment}"
        if system == FILM
        else reanimation_scores.NOT_SCORED,
        absent=film.absent,
    )


def clip_csv(choice: ReanimationChoice) -> str:
    """All rows of this clip in the table of reanimations."""
    table = store.table("reanimation")
    return str(table[(table["subject"] == choice.subject) & (table["clip"] == choice.clip)].to_csv(index=False))
