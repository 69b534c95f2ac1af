"""Which clips are listed, and in which order."""

from __future__ import annotations

import pandas as pd

from brainviz.components import clip_list

CLIPS = pd.DataFrame(
    {
        "clip": ["test1-0000", "test1-0001", "test1-0002", "test2-0000"],
        "caption": ["a cat looks up", "a cat (again)", None, "a bird glides"],
        "case": ["", "", "tower", "bird"],
    }
)
GAIN = pd.DataFrame(
    {"gain_odd": [0.1, -0.2, 0.5], "gain_even": [0.9, 0.9, 0.0]}, index=["test1-0000", "test1-0001", "test2-0000"]
)


def ids(table: pd.DataFrame) -> list[str]:
    return list(table["clip"])


def test_every_word_must_occur_somewhere() -> None:
    assert ids(clip_list.filtered(CLIPS, "cat", "")) == ["test1-0000", "test1-0001"]
    assert ids(clip_list.filtered(CLIPS, "CAT test1-0001", "")) == ["test1-0001"]
    assert ids(clip_list.filtered(CLIPS, "tower", "")) == ["test1-0002"]
    assert ids(clip_list.filtered(CLIPS, "", "bird")) == ["test2-0000"]
    assert ids(clip_list.filtered(CLIPS, "cat", "bird")) == []


def test_search_words_are_not_patterns() -> None:
    assert ids(clip_list.filtered(CLIPS, "(again)", "")) == ["test1-0001"]
    assert ids(clip_list.filtered(CLIPS, ".*", "")) == []


def test_ranked_on_odd_runs_only_and_unranked_clips_last() -> None:
    speed = pd.Series(dtype=float)
    helped_most = ids(clip_list.in_order(CLIPS, "gain", GAIN, speed))
    helped_least = ids(clip_list.in_order(CLIPS, "loss", GAIN, speed))
    assert helped_most == ["test2-0000", "test1-0000", "test1-0001", "test1-0002"]
    assert helped_least == ["test1-0001", "test1-0000", "test2-0000", "test1-0002"]


def test_order_of_the_film_and_of_speed() -> None:
    speed = pd.Series({"test1-0001": 3.0, "test1-0000": 1.0})
    assert ids(clip_list.in_order(CLIPS, "film", GAIN, speed)) == ids(CLIPS)
    assert ids(clip_list.in_order(CLIPS, "speed", GAIN, speed))[:2] == ["test1-0001", "test1-0000"]


def test_cases_that_occur() -> None:
    assert clip_list.cases(CLIPS) == ["bird", "tower"]
