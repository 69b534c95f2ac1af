"""Bad data sets: each problem says what is wrong, where, and what to do, and the rest stays usable."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import nibabel as nib
import numpy as np
import pytest
from nibabel import cifti2

from brainviz import open_dataset
from brainviz.data.cc2017 import CC2017
from brainviz.data.check import check_dataset
from brainviz.data.problems import Problem, problems_table
from brainviz.errors import DataProblem
from support.tiny_cc2017 import (
    N_CORTEX,
    cortex_axis,
    scan_path,
    stamped_frame,
    stamped_volumes,
    standard_axis,
    write_dataset,
    write_film,
    write_scan,
    write_with_nibabel,
)

CLIPS = {"seg1": 4, "test1": 4, "test2": 4}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("good"), CLIPS)


@pytest.fixture
def bad(good: Path, tmp_path: Path) -> Path:
    """A copy in hard links; replace files, never change them."""
    target = tmp_path / "set"
    shutil.copytree(good, target, copy_function=lambda a, b: Path(b).hardlink_to(a))
    return target


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def no_picture(path: Path) -> None:
    """An MP4 file that holds sound only."""
    path.unlink()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        sound.time_base = Fraction(1, 8000)
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))


# ---- the folder


def zipped(folder: Path) -> Path:
    inner = folder.parent / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("video_fmri_dataset/stimuli/seg1.mp4", b"film")
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        archive.write(inner, "package/video_fmri_dataset.zip")
    return folder


def without_films(folder: Path) -> Path:
    (folder / "subject1" / "fmri").mkdir(parents=True)
    (folder / "notes.txt").write_text("x")
    return folder


FOLDERS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "no such folder": (lambda f: f / "nowhere", "no such folder", "--dataset"),
    "a file": (lambda f: Path(shutil.copy(__file__, f / "a.txt")), "is a file", "Give the folder"),
    "empty folder": (lambda f: f, "holds nothing", "stimuli/seg1.mp4"),
    "no films": (without_films, "stimuli/ not found; the folder holds notes.txt, subject1/", "stimuli/seg1.mp4"),
    "zip in zip": (zipped, "still zipped (download.zip)", "package/video_fmri_dataset.zip"),
    "the zip itself": (lambda f: zipped(f) / "download.zip", "still zipped", "unzip"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_that_are_no_data_set(kind: str, tmp_path: Path) -> None:
    make, what, remedy = FOLDERS[kind]
    folder = tmp_path / "given"
    folder.mkdir()
    path = make(folder)
    with pytest.raises(DataProblem) as caught:
        open_dataset(path)
    assert what in caught.value.what and caught.value.where == str(path) and remedy in caught.value.remedy


def test_zip_members_that_point_outside_are_not_repeated_in_the_help(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as archive:
        archive.writestr("../../evil.zip", b"")
    with pytest.raises(DataProblem) as caught:
        open_dataset(tmp_path)
    assert "evil" not in str(caught.value)


# ---- films

FILMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated, index at the end": (lambda p: replace(p, _index_last(p)[:-2000]), "cannot be opened"),
    "truncated, index at the front": (lambda p: replace(p, p.read_bytes()[: -p.stat().st_size // 3]), "film"),
    "zero length": (lambda p: replace(p, b""), "empty file"),
    "text": (lambda p: replace(p, b"this is no film" * 99), "cannot be opened"),
    "no picture": (no_picture, "no picture"),
    "missing": (lambda p: p.unlink(), "film of scanned runs is missing"),
}


def _index_last(path: Path) -> bytes:
    with av.open(str(path)) as source, av.open(str(path.with_name("x.mp4")), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path.with_name("x.mp4").read_bytes()


@pytest.mark.parametrize("kind", FILMS)
def test_bad_films(kind: str, bad: Path) -> None:
    damage, what = FILMS[kind]
    film = bad / "stimuli" / "seg1.mp4"
    damage(film)
    ds = CC2017(bad)
    problem = next(p for p in ds.problems if p.path == str(film))
    assert problem.severity == "error" and what in problem.what and problem.remedy and problem.segment == "seg1"
    assert ds.segments == ["test1", "test2"]
    assert len(ds.problems) == 1, "the film is named once, not with each of its scans"
    timing = ds.timing("1").set_index("segment")
    assert not timing.loc["seg1", "used"].any() and timing.loc["test1", "used"].all()
    assert ds.bold("1", "test1").shape[0] == 8


# ---- scans


def rewrite(path: Path, volumes: np.ndarray, **options: float) -> None:
    path.unlink()
    write_scan(path, volumes, **options)


def other_axis(path: Path, axis: cifti2.Axis) -> None:
    path.unlink()
    write_with_nibabel(path, np.zeros((9, len(axis)), np.int16), axis)


def scalar_file(path: Path) -> None:
    """A map file: the same space, but no time axis."""
    header = cifti2.Cifti2Header.from_axes((cifti2.ScalarAxis(["a"] * 9), standard_axis()))
    path.unlink()
    nib.save(cifti2.Cifti2Image(np.zeros((9, 91_282), np.float32), header), str(path))


def parcels(path: Path) -> None:
    axis = cifti2.ParcelsAxis.from_brain_models([("left", cortex_axis()[:100]), ("more", cortex_axis()[100:200])])
    other_axis(path, axis)


def surface_59k(path: Path) -> None:
    left = cifti2.BrainModelAxis.from_surface(np.arange(59_292), 59_292, "CORTEX_LEFT")
    right = cifti2.BrainModelAxis.from_surface(np.arange(59_292), 59_292, "CORTEX_RIGHT")
    other_axis(path, left + right)


def other_surface(path: Path) -> None:
    """The right number of rows on a surface with another number of vertices."""
    old, new = b'SurfaceNumberOfVertices="32492"', b'SurfaceNumberOfVertices="40962"'
    replace(path, path.read_bytes().replace(old, new))


def other_medial_wall(path: Path) -> None:
    content = path.read_bytes()
    place = content.index(b"<VertexIndices>") + len(b"<VertexIndices>")
    assert content[place : place + 4] == b"0 1 "
    replace(path, content[:place] + b"0 7 " + content[place + 4 :])


SCANS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "one volume short": (lambda p: rewrite(p, stamped_volumes(4, 5)[:-1]), "8 volumes", "9 or 10"),
    "extra volumes": (lambda p: rewrite(p, np.zeros((11, N_CORTEX), np.int16)), "11 volumes", "9 or 10"),
    "wrong TR": (lambda p: rewrite(p, stamped_volumes(4, 5), tr_s=1.5), "1.5 s", "2 s"),
    "truncated": (lambda p: replace(p, p.read_bytes()[:-100_000]), "cut short", "0.1 MB"),
    "truncated in the header": (lambda p: replace(p, p.read_bytes()[:300]), "no CIFTI-2 file", ""),
    "zero length": (lambda p: replace(p, b""), "empty file", ""),
    "text": (lambda p: replace(p, b"these are not the volumes you look for" * 99), "no CIFTI-2 file", ""),
    "parcellated": (parcels, "parcellated", "2 parcels"),
    "59k space": (surface_59k, "118584 grayordinates", "91282"),
    "cortex only": (lambda p: other_axis(p, cortex_axis()), "59412 grayordinates", "91282"),
    "another surface": (other_surface, "another space", "40962 vertices"),
    "another medial wall": (other_medial_wall, "another space", "medial wall"),
    "no time axis": (scalar_file, "no time axis", ""),
}


@pytest.mark.parametrize("kind", SCANS)
def test_bad_scans(kind: str, bad: Path) -> None:
    damage, what, detail = SCANS[kind]
    path = scan_path(bad, "1", "seg1", 1)
    damage(path)
    ds = CC2017(bad)
    (problem,) = ds.problems
    assert what in problem.what and detail in problem.what and problem.remedy
    assert (problem.path, problem.severity, problem.run, problem.left_out) == (str(path), "error", 1, True)
    assert ds.runs("1", "seg1") == [2]
    assert ds.bold("1", "seg1").shape == (8, N_CORTEX)
    with pytest.raises(DataProblem, match=what) as caught:
        ds.bold("1", "seg1", run=1)
    assert caught.value.where == str(path) and caught.value.remedy
    assert not ds.timing("1").set_index(["segment", "run"]).loc[("seg1", 1), "used"]


def test_scan_without_permission(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is made up where the file is opened."""
    path = scan_path(bad, "1", "seg1", 1)
    replace(path, path.read_bytes())  # a new file: nothing of it has been read before
    opened = Path.open

    def refuse(self: Path, *options: object, **more: object) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *options, **more)

    monkeypatch.setattr(Path, "open", refuse)
    (problem,) = CC2017(bad).problems
    assert "No permission" in problem.what and problem.path == str(path) and "chmod" in problem.remedy


def test_scan_in_a_folder_of_another_segment(bad: Path) -> None:
    path = scan_path(bad, "1", "seg1", 1)
    path.rename(path.with_name("seg9_1_Atlas.dtseries.nii"))
    problem = next(p for p in CC2017(bad).problems if p.kind == "name")
    assert problem.path.endswith("seg9_1_Atlas.dtseries.nii") and "<segment>_<run>" in problem.remedy


def test_film_that_is_longer_than_its_scan(bad: Path) -> None:
    film = bad / "stimuli" / "test1.mp4"
    film.unlink()
    write_film(film, (stamped_frame(i) for i in range(5 * 30)))
    ds = CC2017(bad)
    assert {p.segment for p in ds.problems} == {"test1"} and ds.runs("1", "test1") == []
    assert "9 volumes; its film of 10 s asks for 10 or 11" in ds.problems[0].what


def test_film_whose_frame_rate_varies(bad: Path) -> None:
    film = bad / "stimuli" / "seg1.mp4"
    film.unlink()
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 60)
        for i in range(120):
            frame = av.VideoFrame.from_ndarray(stamped_frame(i), format="rgb24")
            frame.pts, frame.time_base = 4 * i + (i % 3 == 1), Fraction(1, 60)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    problem = next(p for p in CC2017(bad).problems if p.kind == "film")
    assert problem.severity == "warning" and "varies" in problem.what and "fps=15" in problem.remedy
    assert problem.path == str(film) and CC2017(bad).runs("1", "seg1") == [1, 2]


def test_film_that_lasts_no_whole_number_of_volumes(bad: Path) -> None:
    film = bad / "stimuli" / "seg1.mp4"
    film.unlink()
    write_film(film, (stamped_frame(i) for i in range(4 * 30 + 11)))
    (problem,) = CC2017(bad).problems
    assert problem.severity == "warning" and "off by one" in problem.what and problem.path == str(film)
    assert CC2017(bad).runs("1", "seg1") == [1, 2]


def test_captions_without_columns(bad: Path) -> None:
    (bad / "captions.csv").write_text("segment,caption\nseg1,a cat\n")
    (problem,) = CC2017(bad).problems
    assert "onset_s" in problem.what and problem.path.endswith("captions.csv") and "Columns are" in problem.remedy


def test_damaged_mark_of_simulated_data(bad: Path) -> None:
    (bad / "dataset.json").write_text("{")
    with pytest.raises(DataProblem) as caught:
        CC2017(bad)
    assert caught.value.where.endswith("dataset.json") and caught.value.remedy


# ---- what only the thorough check sees


def found(bad: Path, kind: str) -> Problem:
    return next(p for p in check_dataset(CC2017(bad)) if p.kind == kind)


def test_nothing_is_found_in_a_good_set(good: Path) -> None:
    steps: list[float] = []
    assert check_dataset(CC2017(good), progress=lambda fraction, _: steps.append(fraction)) == []
    assert steps[-1] == 1.0 and steps == sorted(steps)


def test_vertices_that_are_not_numbers(bad: Path) -> None:
    volumes = np.random.default_rng(0).normal(size=(9, N_CORTEX)).astype(np.float32)
    volumes[4, 100:120] = np.nan
    volumes[2, 7] = np.inf
    path = scan_path(bad, "1", "seg1", 2)
    rewrite(path, volumes)
    problem = found(bad, "nan")
    assert problem.what.startswith("21 of 59412") and problem.severity == "warning" and problem.path == str(path)
    assert problem.remedy
    bold = CC2017(bad).bold("1", "seg1", run=2)
    assert np.isfinite(bold).all() and not bold[:, 100:120].any() and bold[:, 200].any()


def test_constant_vertices(bad: Path) -> None:
    volumes = stamped_volumes(4, 5)
    volumes[:, 1000:20_000] = 5
    rewrite(scan_path(bad, "1", "seg1", 2), volumes)
    problem = found(bad, "constant")
    assert problem.what.startswith("19000 of 59412") and problem.severity == "error"


def test_copied_run(bad: Path) -> None:
    path = scan_path(bad, "1", "test2", 2)
    replace(path, scan_path(bad, "1", "test2", 1).read_bytes())
    problem = found(bad, "copy")
    assert problem.path == str(path) and "test2_1_Atlas" in problem.what and problem.remedy


def test_film_with_a_damaged_middle(bad: Path) -> None:
    """Header and last frame are whole, so that only reading all of it tells."""
    film = bad / "stimuli" / "seg1.mp4"
    content = bytearray(film.read_bytes())
    start = content.index(b"mdat") + 4
    middle = start + (len(content) - start) // 4
    content[middle : middle + 400] = bytes(400)
    replace(film, bytes(content))
    problem = found(bad, "film")
    assert problem.path == str(film) and problem.severity == "error" and problem.remedy


def test_all_problems_at_once(bad: Path) -> None:
    replace(scan_path(bad, "1", "seg1", 1), b"")
    rewrite(scan_path(bad, "1", "test1", 1), stamped_volumes(4, 5), tr_s=1.0)
    (bad / "stimuli" / "test2.mp4").unlink()
    problems = check_dataset(CC2017(bad))
    table = problems_table(problems)
    assert sorted(table["kind"]) == ["length", "missing", "scan"]
    assert sorted(table["segment"]) == ["seg1", "test1", "test2"]
    assert table["remedy"].str.len().gt(0).all() and table["where"].str.len().gt(0).all()
    assert table["left_out"].all() and table["severity"].eq("error").all()
