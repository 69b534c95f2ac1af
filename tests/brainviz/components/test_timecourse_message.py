"""The message of the time-course component, read back as the browser reads it."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from brainviz.components.timecourse import FrameSheet, TimeCourse, pack_course, sheet_id
from brainviz.errors import BrainvizError

TIMES = 4 + 2 * np.arange(6, dtype=np.float32)
MEASURED = np.array([0.1, np.nan, -0.4, 1.2, 0.3, 0.0], np.float32)
SHEET = FrameSheet(b"not really a picture", 5, 3, 8, 8, 2.0)
COURSE = TimeCourse("test1", TIMES, MEASURED, np.arange(6) / 5, "Motion energy", "#0072b2", 4, 10.0, SHEET, 2)


def read(message: bytes) -> dict:
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length])


def test_message_holds_values_gaps_and_correlation() -> None:
    message = pack_course(COURSE)
    header = read(message)
    assert header["times_s"] == [4, 6, 8, 10, 12, 14] and header["step_s"] == 2
    assert header["measured"][1] is None
    np.testing.assert_allclose([v for v in header["measured"] if v is not None], MEASURED[[0, 2, 3, 4, 5]], atol=1e-4)
    keep = np.isfinite(MEASURED)
    assert header["r"] == pytest.approx(np.corrcoef(MEASURED[keep], (np.arange(6) / 5)[keep])[0, 1], abs=1e-4)
    place = header["film"]
    assert message[place["offset"] : place["offset"] + place["length"]] == SHEET.data


def test_film_travels_once_and_is_known_by_its_content() -> None:
    header = read(pack_course(COURSE, with_film=False))
    assert header["film"] is None and header["sheet"] == sheet_id(SHEET) and header["sprite"]["n"] == 5
    assert sheet_id(replace(SHEET, data=b"another")) != sheet_id(SHEET)
    assert len(pack_course(COURSE, with_film=False)) < 1500


def test_constant_course_has_no_correlation() -> None:
    assert read(pack_course(replace(COURSE, predicted=np.zeros(6))))["r"] is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(BrainvizError, match="6 times, 5 measured"):
        pack_course(replace(COURSE, measured=MEASURED[:5]))
