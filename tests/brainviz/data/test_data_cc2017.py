"""The adapter on tiny folders of the true format."""

from __future__ import annotations

import shutil
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

import brainviz
from brainviz.data.cc2017 import CC2017
from brainviz.data.preprocess import clean_run
from brainviz.errors import DataProblem, UnknownName
from brainviz.video.cuts import Cuts
from support.tiny_cc2017 import read_stamp, scan_path, stamped_volumes, write_dataset, write_scan

CLIPS = {"seg1": 4, "seg2": 6, "seg10": 4, "test1": 4, "test2": 5}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("set"), CLIPS, subjects=("1", "2"))


@pytest.fixture
def ds(root: Path) -> CC2017:
    found = brainviz.open_dataset(root)
    assert isinstance(found, CC2017)
    return found


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The same files in a folder that a test may damage (hard links, so a test must replace files, not change them)."""
    target = tmp_path / "copy"
    shutil.copytree(root, target, copy_function=lambda a, b: Path(b).hardlink_to(a))
    return target


def test_what_there_is(ds: CC2017) -> None:
    assert (ds.name, ds.simulated, ds.space, ds.tr_s, ds.lag_s) == ("cc2017", False, "fsLR32k-cortex", 2.0, 4.0)
    assert ds.subjects == ["1", "2"]
    assert ds.segments == ["seg1", "seg2", "seg10", "test1", "test2"]
    assert ds.runs("2", "test2") == [1, 2]
    assert ds.problems == []


def test_clips(ds: CC2017) -> None:
    clips = ds.clips
    assert len(clips) == sum(CLIPS.values())
    row = clips.set_index("clip").loc["seg10-0003"]
    assert (row["segment"], row["index"], row["onset_s"], row["duration_s"]) == ("seg10", 3, 6.0, 2.0)
    assert set(clips.loc[clips["split"] == "test", "segment"]) == {"test1", "test2"}
    assert clips["clip"].is_unique


def test_bold_of_one_run_and_the_average(ds: CC2017, root: Path) -> None:
    expected = []
    for run in (1, 2):
        stored = stamped_volumes(6, 5, seed=crc32(f"1seg2{run}".encode()))
        expected.append(clean_run(stored[1:])[0])
        np.testing.assert_allclose(ds.bold("1", "seg2", run=run), expected[-1], atol=1e-5)
    mean = ds.bold("1", "seg2")
    assert mean.shape == (10, 59_412) and mean.dtype == np.float32
    np.testing.assert_allclose(mean, (expected[0] + expected[1]) / 2, atol=1e-5)
    np.testing.assert_array_equal(ds.bold("1", "seg2", runs=[2]), ds.bold("1", "seg2", run=2))


@pytest.mark.parametrize("n", [1, 2, 4, 8, 30])
def test_frames_are_spread_over_the_clip(ds: CC2017, n: int) -> None:
    frames = ds.frames("seg2-0004", n, 48)
    assert frames.shape == (n, 48, 48, 3) and frames.dtype == np.uint8
    numbers = np.array([read_stamp(frame) for frame in frames]) - 4 * 30
    assert numbers[0] == 0 and (n == 1 or numbers[-1] == 29)
    np.testing.assert_allclose(numbers, np.linspace(0, 29, n), atol=1.01)
    assert n != 30 or (np.diff(numbers) == 1).all()


@pytest.mark.parametrize("clip", ["seg2-0006", "seg9-0000", "seg2", "seg2-6", "../seg2-0001", "seg2--001"])
def test_unknown_clips_are_named(ds: CC2017, clip: str) -> None:
    with pytest.raises(UnknownName):
        ds.frames(clip, 4, 32)


def test_unknown_names(ds: CC2017) -> None:
    with pytest.raises(UnknownName, match="Subjects: 1, 2"):
        ds.runs("../1", "seg1")
    with pytest.raises(UnknownName, match="Segments: seg1"):
        ds.runs("1", "seg7")
    with pytest.raises(UnknownName, match="Runs: 1, 2"):
        ds.bold("1", "seg1", run=3)
    with pytest.raises(UnknownName):
        ds.film("../../etc/passwd")


def test_the_folder_above_will_do(copy: Path) -> None:
    assert brainviz.open_dataset(copy.parent).path == copy


def test_missing_runs_segments_and_subjects_are_left_out_and_named(copy: Path) -> None:
    shutil.rmtree(copy / "subject2" / "fmri" / "seg2")
    scan_path(copy, "1", "test2", 1).unlink()
    (copy / "subject4" / "fmri").mkdir(parents=True)
    ds = CC2017(copy)
    assert ds.subjects == ["1", "2"]
    assert ds.runs("2", "seg2") == [] and ds.runs("1", "test2") == [2]
    assert ds.bold("1", "test2").shape == (9, 59_412)
    whats = " | ".join(p.what for p in ds.problems)
    assert "Subject 2 has no run of seg2" in whats
    assert "Subject 1 lacks run 1 of test2" in whats
    assert any(p.subject == "4" and "no scan" in p.what for p in ds.problems)
    with pytest.raises(DataProblem, match="no usable run"):
        ds.bold("2", "seg2")


def test_films_may_be_there_before_any_scan(copy: Path) -> None:
    for folder in copy.glob("subject*"):
        shutil.rmtree(folder)
    ds = CC2017(copy)
    assert ds.subjects == [] and ds.segments == list(CLIPS)
    assert ds.n_clips("seg10") == 4 and ds.frames("seg10-0000", 1, 16).shape == (1, 16, 16, 3)
    cuts = {"seg1": Cuts(np.array([30]), np.empty((0, 2), np.int64), 15.0, 120)}
    assert set(ds.catalogue(cuts)["segment"]) == {"seg1"}
    assert any("no subject" in p.what for p in ds.problems)


def test_known_fault_of_subject_3_is_left_out_in_real_data_only(copy: Path) -> None:
    path = scan_path(copy, "3", "test2", 9)
    write_scan(path, stamped_volumes(5, 6, seed=9))
    write_scan(scan_path(copy, "3", "test2", 8), stamped_volumes(5, 6, seed=8))
    ds = CC2017(copy)
    assert ds.runs("3", "test2") == [8]
    fault = next(p for p in ds.problems if p.run == 9)
    assert fault.left_out and fault.severity == "warning" and "10 s off" in fault.what and fault.path == str(path)
    row = ds.timing("3").set_index("run").loc[9]
    assert not row["used"] and "10 s off" in row["note"]
    (copy / "dataset.json").write_text('{"format": "brainviz-simulated"}')
    simulated = CC2017(copy)
    assert simulated.simulated and simulated.name == "simulated" and simulated.runs("3", "test2") == [8, 9]


def test_misnamed_mni_file_is_noted(copy: Path) -> None:
    (copy / "subject1" / "fmri" / "test1" / "mni").mkdir(parents=True)
    note = next(p for p in CC2017(copy).problems if p.kind == "known-fault")
    assert note.severity == "warning" and "MNI" in note.what and "mni" in note.path


def test_captions_and_cases(copy: Path) -> None:
    rows = [("seg1", 0, 0.0, 4.0, "a cat", "", ""), ("test1", 1, 2.0, 6.0, "a bird, gliding", "action", "glide")]
    columns = ["segment", "shot", "onset_s", "offset_s", "caption", "case", "continuation"]
    pd.DataFrame(rows, columns=columns).to_csv(copy / "captions.csv", index=False)
    clips = CC2017(copy).clips.set_index("clip")
    assert clips.loc["seg1-0001", "caption"] == "a cat" and clips.loc["seg1-0002", "caption"] == ""
    assert clips.loc[["test1-0000", "test1-0001", "test1-0002", "test1-0003"], "case"].tolist() == [
        "",
        "action",
        "action",
        "",
    ]
    assert clips.loc["test1-0002", "continuation"] == "glide"


def test_shots_come_from_cuts(ds: CC2017) -> None:
    none = np.empty((0, 2), np.int64)
    cuts = {"seg2": Cuts(np.array([60, 75]), none, 15.0, 180), "test1": Cuts(np.array([], np.int64), none, 15.0, 120)}
    clips = ds.catalogue(cuts).set_index("clip")
    own = clips[clips["segment"] == "seg2"]
    # A cut on a clip's first frame belongs to it; one inside a clip shows at the next.
    assert own["shot"].str[-3:].tolist() == ["000", "000", "001", "002", "002", "002"]
    assert own["shot_onset"].tolist() == [True, False, True, True, False, False]
    assert clips.loc["test1-0000", "shot_onset"] and not clips.loc["test1-0001", "shot_onset"]
    assert not ds.clips["shot_onset"].any() and (ds.clips["shot"] == "").all()


def test_cases_of_the_paper_stand_in_real_data(ds: CC2017) -> None:
    from brainviz.data.catalogue import clip_catalogue
    from brainviz.data.cc2017 import PAPER_CASES

    clips = clip_catalogue({"test1": 240}, PAPER_CASES)
    counts = clips["case"].value_counts()
    assert counts["eagle"] == 8 and counts["shuttle"] == 3 and counts["tower"] == 8 and counts["soldier"] == 1


def test_fingerprints_follow_content_not_place(ds: CC2017, copy: Path) -> None:
    moved = CC2017(copy)
    assert moved.fingerprint() == ds.fingerprint()
    before = {s: moved.fingerprint(s) for s in ("1", "2")}
    film, whole, test1 = moved.fingerprint(segment="seg1"), moved.fingerprint(), moved.fingerprint("2", "test1")
    path = scan_path(copy, "2", "seg1", 1)
    path.unlink()
    write_scan(path, stamped_volumes(4, 5, seed=77))
    changed = CC2017(copy)
    assert changed.fingerprint("1") == before["1"] and changed.fingerprint("2") != before["2"]
    assert changed.fingerprint("2", "test1") == test1
    assert changed.fingerprint(segment="seg1") == film
    assert changed.fingerprint() != whole
