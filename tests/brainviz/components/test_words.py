"""File names, settings, times of runs."""

from __future__ import annotations

import json
import re

from brainviz.components import exports, run_card


def test_file_names_say_what_is_in_them_and_hold_no_separators() -> None:
    name = exports.file_stem("subject1", "test1-0004", "brain", simulated=True)
    assert name == "brainviz_subject1_test1-0004_brain_simulated"
    hostile = exports.file_stem("../../etc", "a b/c\\d", "", simulated=False)
    assert re.fullmatch(r"[A-Za-z0-9._+-]+", hostile)
    assert "simulated" not in hostile


def test_settings_are_json() -> None:
    text = exports.settings_json({"clip": "test1-0000"}, {"simulated": True, "path": object})
    assert json.loads(text)["choices"] == {"clip": "test1-0000"}


def test_durations_read_like_words() -> None:
    assert [run_card.duration(s) for s in (0.2, 41, 90, 3600, 7800)] == [
        "1 s",
        "41 s",
        "2 min",
        "1 h 0 min",
        "2 h 10 min",
    ]


def test_time_words_of_runs() -> None:
    ended = {"status": "done", "started": 100.0, "ended": 160.0}
    assert run_card.time_words(ended) == "took 1 min"
    assert run_card.time_words({"status": "lost"}) == ""
    assert run_card.time_words({"status": "running", "eta_s": 30.0}) == "about 30 s left"
