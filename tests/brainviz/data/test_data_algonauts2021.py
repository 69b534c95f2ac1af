"""The Algonauts 2021 adapter on tiny data in the true format: rows, splits, scaling, and what is wrong."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainviz import open_dataset
from brainviz.data.algonauts2021 import Algonauts2021
from brainviz.data.algonauts_layout import clip_blocks
from brainviz.data.check import check_dataset
from brainviz.data.timing import NO_TIME_AXIS, clock_words, window_volumes, window_words
from brainviz.errors import BrainvizError, DataProblem, UnknownName
from brainviz.video.reading import film_info, read_frames
from pipelines.sources import farthest_target
from support import tiny_algonauts as tiny

N = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("algonauts"), N, voxels=20)


def copied(made: Path, place: Path) -> Path:
    return Path(shutil.copytree(made, place / "data", copy_function=lambda a, b: Path(b).hardlink_to(a)))


def replaced(folder: Path, content: object, region: str = "WB", protocol: int = 2) -> None:
    path = tiny.pickle_path(folder, "01", region)
    path.unlink(missing_ok=True)
    tiny.write_pickle(path, content, protocol)


# ---- no time axis


def test_without_a_time_axis_a_clip_has_its_own_row_and_no_window() -> None:
    onsets = 2.0 * np.arange(5)
    for window in ((0.0, 8.0), (4.0, 4.0)):
        np.testing.assert_array_equal(window_volumes(onsets, window, NO_TIME_AXIS, 0.0, 5), np.arange(5)[:, None])
    np.testing.assert_array_equal(window_volumes([6.0, 10.0], tr_s=NO_TIME_AXIS, n_volumes=5), [[3], [-1]])
    with pytest.raises(BrainvizError, match="does not fall on"):
        window_volumes([3.0], tr_s=NO_TIME_AXIS)


def test_one_second_volumes_fill_the_same_window() -> None:
    np.testing.assert_array_equal(window_volumes([4.0], (0.0, 8.0), 1.0, 4.0, 20), [np.arange(9)])
    np.testing.assert_array_equal(window_volumes([0.0], (0.0, 8.0), 1.0, 4.0)[0], [-1] * 4 + list(range(5)))


# ---- blocks


@pytest.mark.parametrize("n", [6, 24, 37, 400, 1000])
def test_blocks_cover_all_films_once(n: int) -> None:
    blocks = clip_blocks(n)
    films = sorted(number for block in blocks for number in range(block.first, block.last + 1))
    assert films == list(range(1, n + 1))
    assert [b.segment.startswith("test") for b in blocks] == sorted(b.segment.startswith("test") for b in blocks)
    assert all(int(block.segment[-4:]) == block.first for block in blocks)


def test_a_third_of_the_thousand_films_is_kept_for_testing() -> None:
    test = [block for block in clip_blocks(1000) if block.segment.startswith("test")]
    assert len(test) == 7 and sum(block.last - block.first + 1 for block in test) == 350
    assert clip_blocks(0) == []


# ---- responses


def test_responses_are_scaled_on_the_training_films_alone(made: Path) -> None:
    ds = open_dataset(made)
    assert isinstance(ds, Algonauts2021)
    assert (ds.name, ds.simulated, ds.tr_s, ds.subjects) == ("algonauts2021", False, NO_TIME_AXIS, ["01"])
    assert ds.segments == ["seg0001", "test0007"] and ds.runs("01", "test0007") == [1, 2, 3]
    raw = tiny.responses(N, 20, seed=1).astype(np.float64)
    mean, deviation = raw[:6].mean(0), raw[:6].std(0)
    expected = (raw - mean) / deviation
    for run in (1, 2, 3):
        np.testing.assert_allclose(ds.bold("01", "seg0001", run), expected[:6, run - 1], atol=1e-5)
        np.testing.assert_allclose(ds.bold("01", "test0007", run), expected[6:, run - 1], atol=1e-5)
    np.testing.assert_allclose(ds.bold("01", "test0007"), expected[6:].mean(1), atol=1e-5)
    assert ds.n_volumes("test0007") == ds.n_clips("test0007") == 6
    assert ds.timing("01")["kind"].unique().tolist() == ["one response per clip, no time axis"]
    assert farthest_target(ds) == "motion"
    with pytest.raises(UnknownName, match="no repetition 4"):
        ds.bold("01", "seg0001", 4)


def test_clips_are_the_middle_two_seconds_of_their_films(made: Path) -> None:
    ds = open_dataset(made)
    clips = ds.clips
    assert clips["clip"].tolist()[:2] == ["seg0001-0000", "seg0001-0001"] and len(clips) == N
    info = film_info(ds.film("test0007"))
    assert (info.fps, info.n_frames) == (30, 6 * 60)
    film = tiny.film_path(made, 9)  # the third of its block, at 30 frames per second, 48 x 48
    np.testing.assert_array_equal(ds.frames("test0007-0002", 4), read_frames(film, [15, 35, 55, 74]))
    with pytest.raises(UnknownName, match="no clip 6"):
        ds.frames("test0007-0006", 1)


def test_the_mini_track_puts_its_regions_side_by_side(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    shutil.rmtree(folder / "participants_data_v2021" / "full_track")
    parts = {region: tiny.responses(N, voxels, seed=voxels) for region, voxels in (("STS", 4), ("V1", 3))}
    for region, train in parts.items():
        replaced(folder, {"train": train}, region)
    ds = open_dataset(folder)
    assert isinstance(ds, Algonauts2021) and ds.layout.track == "mini_track"
    alone = [ds.bold("01", "seg0001", 1)]
    assert alone[0].shape == (6, 7)
    v1 = parts["V1"][:6, 0]
    np.testing.assert_allclose(alone[0][:, :3], (v1 - v1.mean(0)) / v1.std(0), atol=1e-5)
    missing = next(p for p in ds.problems if "missing" in p.what)
    assert "V2" in missing.what and "V1," not in missing.what and missing.severity == "warning"


def test_fingerprints_follow_films_and_responses(made: Path, tmp_path: Path) -> None:
    ds, again = open_dataset(made), open_dataset(copied(made, tmp_path))
    assert ds.fingerprint() == again.fingerprint()
    tiny.film_path(again.path, 9).unlink()
    shutil.copy(tiny.film_path(made, 3), tiny.film_path(again.path, 9))
    other = open_dataset(again.path)
    assert other.fingerprint(segment="test0007") != ds.fingerprint(segment="test0007")
    assert other.fingerprint(segment="seg0001") == ds.fingerprint(segment="seg0001")
    assert other.fingerprint("01") == ds.fingerprint("01")
    replaced(again.path, tiny.whole_brain(tiny.responses(N, 20, seed=2)))
    assert open_dataset(again.path).fingerprint("01") != ds.fingerprint("01")


# ---- bad input


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


def with_nan(folder: Path) -> None:
    train = tiny.responses(N, 20, seed=1)
    train[3, 1, :2] = np.nan
    replaced(folder, tiny.whole_brain(train))


def without_mask(folder: Path) -> None:
    replaced(folder, {"train": tiny.responses(N, 20, 1)})


def other_mask(folder: Path) -> None:
    replaced(folder, tiny.whole_brain(tiny.responses(N, 20, 1)) | {"train": tiny.responses(N, 19, 1)})


def fewer_responses(folder: Path) -> None:
    replaced(folder, tiny.whole_brain(tiny.responses(N - 1, 20, 1)))


def no_repeats_axis(folder: Path) -> None:
    replaced(folder, {"train": np.zeros((N, 20), np.float32)})


def text_in_place(folder: Path) -> None:
    path = tiny.pickle_path(folder, "01")
    path.unlink()
    path.write_text("<html>Sign in</html>")


def cut_short(folder: Path) -> None:
    path = tiny.pickle_path(folder, "01")
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: len(data) // 2])


def harmful(folder: Path) -> None:
    replaced(folder, tiny.whole_brain(tiny.responses(N, 20, 1)) | {"more": Harmful()})


def film_missing(folder: Path) -> None:
    tiny.film_path(folder, 8).unlink()


def film_short(folder: Path) -> None:
    tiny.film_path(folder, 8).unlink()
    tiny.write_films(folder, [8], seconds=2)


def film_damaged(folder: Path) -> None:
    tiny.film_path(folder, 8).unlink()
    tiny.film_path(folder, 8).write_bytes(b"")


def film_twice(folder: Path) -> None:
    shutil.copy(tiny.film_path(folder, 8), tiny.film_path(folder, 8).with_name("0008_9.mp4"))


def no_films(folder: Path) -> None:
    shutil.rmtree(folder / tiny.FILMS)


def subject_without_file(folder: Path) -> None:
    tiny.pickle_path(folder, "02").parent.mkdir()


def no_subjects(folder: Path) -> None:
    shutil.rmtree(folder / "participants_data_v2021")


BAD: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "NaN": (with_nan, "error", "2 of 20 voxels are constant or not numbers", "again"),
    "no mask": (without_mask, "error", "lacks its voxel_mask", "as distributed"),
    "another mask": (other_mask, "error", "marks 20 voxels; 'train' has 19", "as distributed"),
    "fewer responses": (fewer_responses, "error", "responses to 11 films; .* go up to 12", "all films"),
    "other shape": (no_repeats_axis, "error", r"\(12, 20\), not numbers of \(film", "as distributed"),
    "a web page": (text_in_place, "error", "damaged, cut short, or no pickle|is refused", "again|as distributed"),
    "cut short": (cut_short, "error", "damaged, cut short", "again"),
    "harmful": (harmful, "error", r"is refused: it holds the name \w+\.system", "Do not open it"),
    "film missing": (film_missing, "error", "films 8 of 7 to 12 are missing", "block test0007 is left out"),
    "film too short": (film_short, "error", "lasts 2.0 s", "block test0007 is left out"),
    "film empty": (film_damaged, "error", "empty file", "block test0007 is left out"),
    "number twice": (film_twice, "warning", "Two films have the number 8", "Take one"),
    "no films": (no_films, "error", "no numbered films", "0001_"),
    "no file": (subject_without_file, "error", "no file of responses", "ignore"),
    "no subject": (no_subjects, "error", "There is no subject", "WB.pkl"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_named_with_what_to_do(
    kind: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, severity, what, remedy = BAD[kind]
    folder = copied(made, tmp_path)
    monkeypatch.chdir(tmp_path)
    spoil(folder)
    problems = check_dataset(open_dataset(folder))
    found = [p for p in problems if re.search(what, p.what)]
    assert found, [str(p) for p in problems]
    assert {p.severity for p in found} == {severity} and all(re.search(remedy, p.remedy) for p in found)
    assert all(str(folder) in p.path for p in found) and not (tmp_path / "harmed").exists()


def test_a_subject_that_is_refused_has_no_runs_and_says_why(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    harmful(folder)
    ds = open_dataset(folder)
    assert ds.runs("01", "seg0001") == []
    with pytest.raises(DataProblem, match="is refused"):
        ds.bold("01", "seg0001")


def test_words_tell_what_a_clip_is_given() -> None:
    assert window_words(2.0) == "fMRI of 0 to 8 s after clip onset (5 volumes)"
    assert window_words(1.0).endswith("(9 volumes)") and window_words(NO_TIME_AXIS) == "the response to the clip"
    assert "4 + 1 *k* s" in clock_words(1.0, 4.0) and "no time axis" in clock_words(NO_TIME_AXIS, 0.0)
