"""The HCP 7T adapter on tiny data in the true format: times, splits, versions of the films, and what is wrong."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import gamma

from brainviz import open_dataset
from brainviz.cortex import glasser
from brainviz.data.check import check_dataset
from brainviz.data.hcp7t import HCP7T, kept_volumes
from brainviz.data.hcp7t_blocks import BLOCKS_S, film_blocks
from brainviz.data.hcp7t_versions import SAW, version_for
from brainviz.errors import DataProblem, UnknownName
from brainviz.video.reading import read_frames
from pipelines.sources import farthest_target
from support import tiny_hcp7t as tiny
from support.tiny_cc2017 import N_CORTEX, write_film, write_scan, write_with_nibabel

SUBJECT = "111312"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("hcp"), subjects=(SUBJECT,))


def copied(made: Path, place: Path) -> Path:
    """A copy of hard links, in which files may be replaced but not written over."""
    return Path(shutil.copytree(made, place / "data", copy_function=lambda a, b: Path(b).hardlink_to(a)))


# ---- the published times


def test_published_blocks_and_their_split() -> None:
    blocks = film_blocks(BLOCKS_S)
    assert sum(len(times) for times in BLOCKS_S.values()) == 18 == len(blocks)
    assert all(a < b for times in BLOCKS_S.values() for a, b in times)
    repeats = [block for block in blocks if block.segment == "repeat"]
    assert [block.movie for block in repeats] == [1, 2, 3, 4]
    assert {block.offset_s - block.onset_s for block in repeats} == {76}  # the same film in all four runs
    test = [block for block in blocks if block.segment.startswith("test")]
    assert [block.segment for block in test] == ["test4a", "test4b", "test4c"]
    assert sum(block.n_clips for block in test) * 2 >= 20 * 30  # 20 blocks of 30 s
    assert [b.segment for b in blocks if b.movie == 3] == ["movie3a", "movie3b", "movie3c", "movie3d", "repeat"]
    assert next(b.n_clips for b in blocks if b.segment == "movie1d") == 28  # 57 s


def test_kept_volumes_begin_four_seconds_after_the_onset() -> None:
    first = next(b for b in film_blocks(BLOCKS_S) if b.segment == "movie1b")
    kept = kept_volumes(first, 2 * first.n_clips + 7)
    assert (first.onset_s, first.offset_s, kept.start) == (289, 505, 293)
    assert kept.stop - 1 == 289 + 2 * 108 + 10  # 10 s after the last clip's end


# ---- volumes


def test_runs_are_cleaned_whole_and_cut_by_the_times_of_their_blocks(made: Path) -> None:
    ds = open_dataset(made)
    assert isinstance(ds, HCP7T)
    assert (ds.name, ds.simulated, ds.space, ds.tr_s, ds.lag_s) == ("hcp7t", False, "fsLR32k-cortex", 1.0, 4.0)
    assert ds.subjects == [SUBJECT] and ds.segments == ["movie1a", "repeat", "test4a"]
    assert [ds.runs(SUBJECT, s) for s in ds.segments] == [[1], [1, 4], [4]]
    raw = tiny.noise_run(42, 1, 0).astype(np.float64)[:, 900:1400]
    trend = np.polynomial.polynomial.polyfit(np.arange(42) / 42, raw, 4)
    clean = raw - np.polynomial.polynomial.polyval(np.arange(42) / 42, trend).T
    expected = (clean - clean.mean(0)) / clean.std(0)
    got = ds.bold(SUBJECT, "movie1a", run=1)
    assert got.shape == (2 * 8 + 7, N_CORTEX) == (ds.n_volumes("movie1a"), N_CORTEX) and got.dtype == np.float32
    np.testing.assert_allclose(got[:, 900:1400], expected[2 + 4 : 2 + 4 + 23], atol=2e-4)
    np.testing.assert_allclose(ds.bold(SUBJECT, "repeat", run=1)[:, 900:1400], expected[24 : 24 + 15], atol=2e-4)
    both = [ds.bold(SUBJECT, "repeat", run=run) for run in (1, 4)]
    np.testing.assert_allclose(ds.bold(SUBJECT, "repeat"), (both[0] + both[1]) / 2, atol=1e-6)
    timing = ds.timing(SUBJECT).query("segment == 'repeat' and run == 4").to_dict("records")[0]
    assert [timing[name] for name in ("n_volumes", "dropped_start", "kept", "used")] == [42, 24, 15, True]
    with pytest.raises(UnknownName, match="no subject"):
        ds.runs("1", "repeat")
    with pytest.raises(UnknownName, match="does not show"):
        ds.bold(SUBJECT, "movie1a", run=4)


def test_clips_are_those_of_the_blocks(made: Path) -> None:
    ds = open_dataset(made)
    clips = ds.clips
    assert clips.groupby("segment", sort=False).size().to_dict() == {"movie1a": 8, "repeat": 4, "test4a": 8}
    assert set(clips[clips["segment"] == "repeat"]["split"]) == {"train"}
    assert (clips[clips["segment"] == "repeat"]["onset_s"] == [0, 2, 4, 6]).all()
    frames = ds.frames("repeat-0001", 2, 32)
    np.testing.assert_array_equal(frames[0], read_frames(tiny.film_path(made, 1), [22 * 24], 32)[0])
    assert farthest_target(ds) != "motion"


def test_fingerprints_follow_what_they_stand_for(made: Path, tmp_path: Path) -> None:
    ds, again = open_dataset(made), open_dataset(copied(made, tmp_path))
    assert ds.fingerprint() == again.fingerprint() and ds.fingerprint(SUBJECT) == again.fingerprint(SUBJECT)
    blocks = again.path / "blocks.csv"
    blocks.unlink()
    tiny.write_blocks(again.path, {1: ((2, 16), (20, 28)), 4: ((2, 18), (20, 28))})
    moved = open_dataset(again.path)
    assert moved.fingerprint(segment="movie1a") != ds.fingerprint(segment="movie1a")
    assert moved.fingerprint(segment="test4a") == ds.fingerprint(segment="test4a")
    assert moved.fingerprint(SUBJECT) != ds.fingerprint(SUBJECT)


# ---- the two versions of the films


def version_problems(path: Path) -> list[str]:
    return [p.what for p in open_dataset(path).problems if p.kind == "version"]


def test_versions_of_the_films(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    assert version_problems(folder) == ["Subject 111312 saw version 1 of the films; version 2 is used for all."]
    (folder / SUBJECT).rename(folder / "115825")
    assert version_problems(folder) == []
    (folder / "115825").rename(folder / "900001")
    assert version_problems(folder) == ["The films are v2; which version subject 900001 saw is not on HCP's list."]
    (folder / "900001").rename(folder / "102816")
    for movie in (1, 4):
        new = tiny.film_path(folder, movie, "")
        new.parent.mkdir(exist_ok=True)
        shutil.copy(tiny.film_path(folder, movie), new)
    assert version_problems(folder) == []
    assert "Pre_20140821_version" in str(open_dataset(folder).film("repeat"))
    tiny.film_path(folder, 4, "").unlink()
    assert version_problems(folder) == ["Film 4 is there as v2 only, the others as v1; v2 is used."]


def test_the_version_that_most_subjects_saw_is_used() -> None:
    assert Counter(SAW.values()) == {"v1": 147, "v2": 37}  # as HCP counts them
    assert all(len(subject) == 6 and subject.isdigit() for subject in SAW)
    both = ("v1", "v2")
    assert version_for(["100610", "102311", "115825"], both) == "v1"
    assert version_for(["100610", "115825", "126426", "900001"], both) == "v2"
    assert version_for(["100610", "115825"], both) == version_for([], both) == version_for(["900001"], ()) == "v2"
    assert version_for(["100610", "102311"], ["v2"]) == "v2" and version_for(["115825"], ["v1"]) == "v1"


# ---- bad input


def other_tr(folder: Path) -> None:
    path = tiny.scan_path(folder, SUBJECT, 1)
    path.unlink()
    write_scan(path, tiny.noise_run(42, 1, 0), tr_s=0.72)


def shorter(folder: Path) -> None:
    path = tiny.scan_path(folder, SUBJECT, 1)
    path.unlink()
    write_scan(path, tiny.noise_run(30, 1, 0), tr_s=1.0)


def cut_file(folder: Path) -> None:
    path = tiny.scan_path(folder, SUBJECT, 1)
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1_000_000])


def parcels(folder: Path) -> None:
    from nibabel import cifti2

    path = tiny.scan_path(folder, SUBJECT, 1)
    path.unlink()
    axis = cifti2.ScalarAxis([f"p{i}" for i in range(10)])
    write_with_nibabel(path, np.zeros((42, 10), np.float32), axis, tr_s=1.0)


def fine_without_spheres(folder: Path) -> None:
    tiny.scan_path(folder, SUBJECT, 1).unlink()
    there = np.arange(10)
    path = tiny.scan_path(folder, SUBJECT, 1, "_1.6mm_MSMAll_hp2000_clean")
    tiny.write_fine_scan(path, *2 * (np.zeros((42, 10), np.float32),), 59_292, there)


def without_film(folder: Path) -> None:
    tiny.film_path(folder, 4).unlink()


def short_film(folder: Path) -> None:
    path = tiny.film_path(folder, 4)
    path.unlink()
    write_film(path, tiny.moving_frames(20, 4), tiny.FPS)


def damaged_film(folder: Path) -> None:
    path = tiny.film_path(folder, 4)
    path.unlink()
    path.write_bytes(b"no film")


def slow_film(folder: Path) -> None:
    path = tiny.film_path(folder, 4)
    path.unlink()
    write_film(path, tiny.moving_frames(42, 4, fps=15), 15)


def overlapping_blocks(folder: Path) -> None:
    (folder / "blocks.csv").unlink()
    tiny.write_blocks(folder, {1: ((2, 18), (10, 28))})


def nonsense_blocks(folder: Path) -> None:
    (folder / "blocks.csv").unlink()
    (folder / "blocks.csv").write_text("movie,start\n1,soon\n")


def wrong_direction(folder: Path) -> None:
    results = tiny.scan_path(folder, SUBJECT, 1).parents[1]
    other = results / "tfMRI_MOVIE1_7T_PA"
    (results / "tfMRI_MOVIE1_7T_AP").rename(other)
    for path in other.iterdir():
        path.rename(other / path.name.replace("AP", "PA"))


def second_file(folder: Path) -> None:
    tiny.scan_path(folder, SUBJECT, 1, "").hardlink_to(tiny.scan_path(folder, SUBJECT, 1))


def missing_run(folder: Path) -> None:
    tiny.scan_path(folder, SUBJECT, 1).unlink()


BAD: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "other TR": (other_tr, "error", "repetition time is 0.72 s, not 1 s", "as distributed"),
    "too few volumes": (shorter, "error", "30 volumes; its last block ends at 28 s", "uncut"),
    "file cut short": (cut_file, "error", "cut short", "again"),
    "parcellated": (parcels, "error", "no CIFTI-2|grayordinates|no time axis", "Atlas"),
    "59k without spheres": (fine_without_spheres, "error", "59k surface", r"111312\.L\.sphere\.59k.*32k file"),
    "film missing": (without_film, "error", "Film 4 is missing", "7T_MOVIE4"),
    "film too short": (short_film, "error", r"lasts 20.0 s; its part up to 28 s", "complete"),
    "no film": (damaged_film, "error", "cannot be opened", "again"),
    "other frame rate": (slow_film, "warning", "15 frames per second, not 24", "converted"),
    "other direction": (wrong_direction, "warning", "name does not fit", "PA"),
    "two files of a run": (second_file, "warning", "Another file of this run", "take the other away"),
    "run missing": (missing_run, "warning", "lacks the run of film 1", "go on without"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_named_with_what_to_do(kind: str, made: Path, tmp_path: Path) -> None:
    spoil, severity, what, remedy = BAD[kind]
    folder = copied(made, tmp_path)
    spoil(folder)
    found = [p for p in check_dataset(open_dataset(folder), thorough=False) if re.search(what, p.what)]
    assert found, [str(p) for p in open_dataset(folder).problems]
    assert {p.severity for p in found} == {severity} and all(re.search(remedy, p.remedy) for p in found)
    assert all(str(folder) in p.path for p in found)


@pytest.mark.parametrize("spoil", [overlapping_blocks, nonsense_blocks])
def test_times_that_cannot_be_are_refused(spoil: Callable[[Path], None], made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    spoil(folder)
    with pytest.raises(DataProblem, match="blocks") as caught:
        open_dataset(folder)
    assert "onset_s" in caught.value.remedy


def test_values_that_say_nothing_are_counted(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    path = tiny.scan_path(folder, SUBJECT, 4)
    path.unlink()
    values = tiny.noise_run(42, 4, 0).astype(np.float32)
    values[3, :5], values[:, 100:110] = np.nan, 7
    write_scan(path, values, tr_s=1.0)
    kinds = {p.kind: p.what for p in check_dataset(open_dataset(folder)) if p.kind in ("nan", "constant")}
    assert kinds["nan"].startswith("5 of 59412") and kinds["constant"].startswith("10 of 59412")
    assert not open_dataset(folder).bold(SUBJECT, "test4a")[:, :5].any()


def test_a_folder_of_nothing_names_all_that_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataProblem) as caught:
        open_dataset(tmp_path)
    for name in ("stimuli/", "tfMRI_MOVIE", "participants_data_v2021", "notes.txt"):
        assert name in caught.value.what


@pytest.mark.parametrize("late_s", [0, 10])
def test_a_run_that_lies_off_its_film_is_found(late_s: int, tmp_path: Path) -> None:
    contrast = np.repeat(np.random.default_rng(1).choice([5.0, 30.0, 60.0], 50), 4)  # per second
    board = np.indices((32, 32)).sum(0) // 4 % 2 * 2 - 1
    frames = (np.repeat((128 + c * board)[..., None], 3, axis=2).astype(np.uint8) for c in contrast for _ in range(24))
    write_film(tiny.film_path(tmp_path, 1), frames, tiny.FPS)
    tiny.write_blocks(tmp_path, {1: ((2, 100), (110, 180))})
    seconds, kernel = np.arange(200), gamma.pdf(np.arange(32), 6) - gamma.pdf(np.arange(32), 16) / 6
    seen = np.convolve(np.concatenate([np.full(60, contrast[0]), contrast]), kernel)
    values = tiny.noise_run(200, 1, 0)
    v1 = glasser().cortex_vertices("V1")
    values[:, v1] = 50 * seen[60 + seconds - late_s][:, None] + np.random.default_rng(1).normal(0, 200, (200, len(v1)))
    write_scan(tiny.scan_path(tmp_path, SUBJECT, 1), values, tr_s=1.0)
    found = [p.what for p in check_dataset(open_dataset(tmp_path)) if p.kind == "lag"]
    assert found == ([f"V1 of this run lies +{late_s} s off its film, by the film's contrast."] if late_s else [])
