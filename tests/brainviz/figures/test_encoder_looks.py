"""Looks of encoders against the registry of encoders, and the usual pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.figures import encoding as figures
from brainviz.figures.encoders import classes_of, encoder_look, ordered_encoders, usual_pair
from brainviz.published import published
from pipelines.features.registry import ENCODERS

DEMO = ["gabor-colour", "motion-energy", "motion-energy.frozen", "motion-energy.reversed"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_has_a_look_that_agrees_with_the_registry(encoder: str) -> None:
    spec, look = ENCODERS[encoder], encoder_look(encoder)
    title = spec.title.split(",")[0].removesuffix(" (embedded)")
    assert look.label.split(",")[0] == title
    families = {"video": "video", "static": "static", "embodied": "embodied"}
    if spec.control:
        assert look.family == spec.control
    elif spec.family in families:
        assert look.family == families[spec.family]
    else:
        assert look.family == ("moving" if spec.moves else "still")


def test_no_two_encoders_look_alike() -> None:
    looks = [encoder_look(name) for name in ENCODERS if not ENCODERS[name].control]
    assert len({look.label for look in looks}) == len(looks)
    for a in looks:
        same = [b for b in looks if (b.light, b.marker) == (a.light, a.marker) and b.family == a.family]
        assert len(same) == 1, [one.id for one in same]


def test_usual_pair_is_the_first_that_moves_and_the_first_that_does_not() -> None:
    assert usual_pair(DEMO) == ("motion-energy", "gabor-colour")
    assert usual_pair(["clip", "videomae-large", "clip-convnext"]) == ("videomae-large", "clip-convnext")
    assert usual_pair(["clip"]) == ("clip", "clip")
    assert usual_pair(["motion-energy.frozen", "motion-energy"])[0] == "motion-energy"


def test_order_puts_controls_last() -> None:
    assert ordered_encoders(DEMO) == ["motion-energy", "gabor-colour", "motion-energy.frozen", "motion-energy.reversed"]


def test_classes_have_colours_of_their_own() -> None:
    places, classes = classes_of(["clip", "dino", "motion-energy"])
    assert places == [0, 0, 1] and [label for label, _ in classes] == ["Image encoders", "Motion energy"]
    assert len({colour for _, colour in classes}) == len(classes)


def test_published_names_are_ours() -> None:
    names = set(published("brainnrds_encoding")["system"])
    assert {figures.published_id(name) for name in names} <= set(ENCODERS)


def test_region_figure_shows_every_subject_and_spread() -> None:
    rows = pd.DataFrame(
        [
            {"subject": s, "encoder": e, "r": r, "low": r - 0.1, "high": r + 0.1, "q": 0.01, "noise_ceiling": 0.6}
            for s, e, r in [("1", "motion-energy", 0.3), ("1", "gabor-colour", 0.2), ("2", "motion-energy", 0.25)]
        ]
    )
    values = {"motion-energy": np.linspace(0, 0.5, 80), "gabor-colour": np.linspace(0, 0.3, 80)}
    figure = figures.region_encoders(values, rows, "1", False, True)
    marks = [(trace.x[0], trace.y[0]) for trace in figure.data if trace.mode == "markers"]
    assert [x for x, _ in marks] == [0.2, 0.3, 0.25]
    assert list(figure.layout.yaxis.ticktext) == ["Gabor and colour", "Motion energy"]
    hills = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(hills) == 2 and max(hills[1].x) == pytest.approx(0.5, abs=0.1)
    assert any("simulated" in note.text for note in figure.layout.annotations)
    assert any("ceiling 0.60" in note.text for note in figure.layout.annotations)
