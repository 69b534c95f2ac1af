"""The Benchmark page's message: in how many subjects the first is surely better than the second."""

from __future__ import annotations

import pandas as pd
import pytest

from brainviz.components.benchmark_words import better_in, explanation, in_order, message, p_words, protocol_words
from brainviz.metrics.video.benchmark_names import protocol

ROWS = pd.DataFrame(
    [(s, name, v) for s in "123" for name, v in (("brain", 1.0), ("image-only", 1.4), ("zero", 1.5), ("truth", 0.1))],
    columns=["subject", "system", "value"],
)
TESTS = pd.DataFrame(
    {"subject": list("123"), "a": "brain", "b": "image-only", "difference": -0.4, "p_holm": [0.001, 0.04, 0.2]}
)


def test_subjects_are_counted_where_the_test_says_so() -> None:
    said = message(ROWS, TESTS, "epe")
    assert "<b>Frame + fMRI</b> comes first of 3" in said
    assert "better than Frame alone in 2 of 3 subjects" in said
    assert "not told apart from Frame alone" in message(ROWS, TESTS.assign(p_holm=0.5), "epe")


def test_a_pair_is_found_either_way_round_and_the_metric_turns_it() -> None:
    turned = TESTS.rename(columns={"a": "b", "b": "a"}).assign(difference=0.4)
    assert better_in(turned, "brain", "image-only", "epe") == (2, 3)
    assert better_in(TESTS, "brain", "image-only", "ssim") == (0, 3), "larger is better there"


def test_order_turns_with_the_metric_and_the_ceiling_stays_last() -> None:
    assert in_order(ROWS, "epe") == ["brain", "image-only", "zero", "truth"]
    assert in_order(ROWS, "ssim") == ["zero", "image-only", "brain", "truth"]
    assert "wins" in message(ROWS, TESTS, "ssim")


@pytest.mark.parametrize(
    ("p", "words"), [(0.0004, "p < .001"), (0.0312, "p = .031"), (1.0, "p = 1"), (float("nan"), "not tested")]
)
def test_p_in_words(p: float, words: str) -> None:
    assert p_words(p) == words


def test_protocols_have_words() -> None:
    assert "32 × 32 grid" in protocol_words("flow-32-dis") and protocol_words("flow-32-raft").endswith("raft")
    assert "256 px, unpadded" in protocol_words("frames-256")
    assert "1080 clips" in protocol_words("retrieval-1080")
    assert protocol_words("vifi-clip") == "embeddings of vifi-clip"
    assert "eight frames" in protocol_words(protocol("2-way-image", 256, "raft"))
    assert "Kinetics-400" in protocol_words(protocol("50-way-video", 256, "raft"))


def test_definitions_of_one_name_tell_what_they_are_not() -> None:
    words = {name: explanation(name) for name in ("ssim", "ssim-columns", "hue-correlation", "hue-cosine")}
    assert "2-D" in words["ssim"] and "1-D" in words["ssim-columns"] and "NEURONS" in words["ssim-columns"]
    assert "no correlation but a cosine" in words["hue-cosine"] and "Circular" in words["hue-correlation"]
    assert "1 in 50 but 0.058" in explanation("50-way-video")
