"""One look per system: told apart without colour, readable on both grounds."""

from __future__ import annotations

import itertools

import pytest

from brainviz.figures.palette import ORDER, SYSTEMS, look, ordered, prior_of

GROUNDS = {"light": "#ffffff", "dark": "#13161b"}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("system", ["truth", "brain", "brain-e2e", "svd", "prior"])
def test_main_systems_stand_out_from_the_ground(system: str, ground: str) -> None:
    assert contrast(look(system).colour(ground == "dark"), GROUNDS[ground]) >= 3


def test_no_two_systems_share_colour_and_marker() -> None:
    for a, b in itertools.combinations(SYSTEMS, 2):
        if {a, b} != {"svd", "prior"}:  # one stands in for the other, never beside it
            assert (look(a).light, look(a).marker) != (look(b).light, look(b).marker), (a, b)


def test_labels_are_unique_and_claim_no_decoding_from_the_brain() -> None:
    labels = [one.label for one in SYSTEMS.values()]
    assert len(set(labels)) == len(labels)
    assert not any("decoded" in label.lower() for label in labels)


def test_imported_systems_keep_their_name_and_come_last() -> None:
    assert look("neuroclips").label == "neuroclips"
    assert ordered(["zeta", "ridge", "alpha", "truth"]) == ["truth", "ridge", "alpha", "zeta"]
    assert ordered(list(reversed(ORDER))) == ORDER


def test_svd_is_preferred_to_its_stand_in() -> None:
    assert prior_of(["prior", "svd"]) == "svd"
    assert prior_of(["brain", "prior"]) == "prior"
    assert prior_of(["brain"]) is None
