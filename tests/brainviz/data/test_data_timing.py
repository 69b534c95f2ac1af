"""The lag rule, against science: volumes and frames that carry their own time stamps."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz import open_dataset
from brainviz.data.cc2017 import CC2017
from brainviz.data.timing import (
    PAPER_WINDOW_S,
    film_volumes,
    recording,
    volume_table,
    volume_times,
    window_volumes,
)
from brainviz.errors import BrainvizError, DataProblem
from support.tiny_cc2017 import EXTRA, N_CORTEX, read_stamp, scan_path, write_dataset

CLIPS = {"seg1": 8, "test1": 11, "test2": 9}


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> CC2017:
    root = write_dataset(tmp_path_factory.mktemp("stamped"), CLIPS, runs=1)
    dataset = open_dataset(root)
    assert isinstance(dataset, CC2017)
    return dataset


@pytest.mark.parametrize("segment", CLIPS)
def test_kept_volumes_stand_at_the_film_time_that_they_carry(stamped: CC2017, segment: str) -> None:
    stamps = stamped.raw("1", segment, 1)[:, 0]
    assert len(stamps) == CLIPS[segment] + 4 == stamped.n_volumes(segment)
    np.testing.assert_array_equal(stamps, volume_times(len(stamps)))
    np.testing.assert_array_equal(stamps, 4 + 2 * np.arange(len(stamps)))


@pytest.mark.parametrize("segment", CLIPS)
def test_clip_frames_and_window_volumes_agree_up_to_the_last_clip(stamped: CC2017, segment: str) -> None:
    stamps = stamped.raw("1", segment, 1)[:, 0]
    clips = stamped.clips[stamped.clips["segment"] == segment]
    assert len(clips) == CLIPS[segment]
    windows = window_volumes(clips["onset_s"], PAPER_WINDOW_S, stamped.tr_s, stamped.lag_s, len(stamps))
    for clip, window in zip(clips["clip"], windows, strict=True):
        seen = np.array([read_stamp(frame) for frame in stamped.frames(clip, 4, 48)]) / 15
        wanted = seen[0] + np.array([0, 2, 4, 6, 8])
        there = wanted >= 4  # the rule drops what was scanned before film time 4 s
        np.testing.assert_array_equal(window >= 0, there)
        np.testing.assert_array_equal(stamps[window[there]], wanted[there])
        np.testing.assert_allclose(seen - seen[0], np.array([0, 10, 20, 29]) / 15)


def test_both_recording_starts_give_the_same_volumes(stamped: CC2017) -> None:
    kinds = stamped.timing("1").set_index("segment")
    assert kinds.loc["test1", "dropped_start"] == 1 and kinds.loc["test2", "dropped_start"] == 2
    assert kinds.loc["test1", "first_volume_s"] == 2.0 and kinds.loc["test2", "first_volume_s"] == 0.0
    assert (kinds["kept"] == [CLIPS[s] + 4 for s in kinds.index]).all() and kinds["used"].all()


def test_time_stamps_survive_cleaning(stamped: CC2017) -> None:
    """A vertex that jumps at one film time still does so, at that volume, after detrending and z-scoring."""
    segment = "test2"
    path = scan_path(stamped.path, "1", segment, 1)
    n = CLIPS[segment] + EXTRA[segment]
    jump = np.zeros((n, N_CORTEX), np.int16)
    jump[np.arange(n), np.arange(n)] = 1000  # vertex v jumps in raw volume v, at film time 2 v s
    from support.tiny_cc2017 import write_scan

    before = path.read_bytes()
    try:
        write_scan(path, jump)
        z = CC2017(stamped.path).bold("1", segment, run=1)
    finally:
        path.write_bytes(before)
    for vertex in range(2, n):
        assert volume_times(len(z))[np.argmax(z[:, vertex])] == 2 * vertex


def test_authors_cut_is_the_first_part_of_ours() -> None:
    """The released code keeps [1:-4] of 245 and [2:-4] of 246 volumes: 240 at 2 k + 4 s."""
    for n_raw, cut in ((245, slice(1, -4)), (246, slice(2, -4))):
        run = recording(n_raw, 480.0)
        theirs = run.raw_times()[cut]
        ours = run.raw_times()[run.kept]
        assert len(theirs) == 240 and len(ours) == 244
        np.testing.assert_array_equal(ours[:240], theirs)


def test_window_of_the_paper_is_five_volumes_around_the_clip() -> None:
    windows = window_volumes([0, 2, 20, 478], n_volumes=244)
    np.testing.assert_array_equal(windows[2], [8, 9, 10, 11, 12])
    np.testing.assert_array_equal(windows[0], [-1, -1, 0, 1, 2])
    np.testing.assert_array_equal(windows[1], [-1, 0, 1, 2, 3])
    np.testing.assert_array_equal(windows[3], [237, 238, 239, 240, 241])


def test_window_of_delays_minus_one_to_two() -> None:
    """Delay d volumes = 4 + 2 d s: 2 to 8 s are delays -1, 0, 1, 2."""
    np.testing.assert_array_equal(window_volumes(20.0, (2, 8)), [[9, 10, 11, 12]])


def test_window_at_the_end_of_the_recording_has_no_volume_beyond_it() -> None:
    np.testing.assert_array_equal(window_volumes(14.0, (8, 14), n_volumes=12), [[9, 10, 11, -1]])


@pytest.mark.parametrize("window", [(0, 7), (1, 9), (8, 0)])
def test_windows_that_fall_between_volumes_are_refused(window: tuple[float, float]) -> None:
    with pytest.raises(BrainvizError, match="window"):
        window_volumes([0, 2], window)


@pytest.mark.parametrize(("film_s", "volumes"), [(480.0, 240), (479.97, 240), (480.5, 240), (16.0, 8), (17.2, 8)])
def test_film_length_in_volumes(film_s: float, volumes: int) -> None:
    assert film_volumes(film_s) == volumes


@pytest.mark.parametrize("n_raw", [244, 247, 240])
def test_other_numbers_of_volumes_are_refused(n_raw: int) -> None:
    with pytest.raises(DataProblem, match="245 or 246"):
        recording(n_raw, 480.0)


def test_volume_table_says_what_each_volume_stands_for() -> None:
    table = volume_table(recording(14, 16.0))
    assert table["film_time_s"].tolist() == list(range(0, 28, 2))
    assert table["kept_volume"].tolist() == [-1, -1, *range(12)]
    assert (
        table["on_screen"].tolist()[:2] == ["clip 0", "clip 1"] and table["on_screen"].iloc[-1] == "last frame, still"
    )
    assert table["use"].iloc[2].startswith("clip 0") and table["use"].iloc[9].startswith("clip 7")
    assert table["use"].iloc[10] == "windows of the last clips"
