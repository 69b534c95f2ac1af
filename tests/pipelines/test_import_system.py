"""Films of other systems: published layouts, names to clips, unsafe archives, into a workspace and back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainviz import open_workspace
from brainviz.data.reconstructions import match_clips, open_reconstructions, reconstruction_part
from brainviz.errors import DataProblem, NotReady
from brainviz.video.writing import write_mp4
from pipelines.__main__ import main
from pipelines.reanimate.drive import drive
from pipelines.reanimate.registry import make_backend
from pipelines.reanimate.request import ReanimationRequest
from support.fake_workspace import make_workspace

CLIPS = [f"test{segment}-{index:04d}" for segment in (1, 2) for index in range(12)]
SIDE = 64


def picture(value: int) -> np.ndarray:
    """A square with a bright quarter above on the left, so that a shift by a pixel shows."""
    made = np.full((SIDE, SIDE, 3), value, np.uint8)
    made[: SIDE // 2, : SIDE // 2] = 255 - value
    return made


def padded(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures as torchvision's make_grid lays them, 2 pixels of black around each."""
    grid = np.zeros((SIDE + 4, 2 * SIDE + 6, 3), np.uint8)
    grid[2:-2, 2 : 2 + SIDE], grid[2:-2, 4 + SIDE : 4 + 2 * SIDE] = left, right
    return grid


def save_gif(path: Path, frames: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=120, loop=0)


@pytest.fixture
def mind_video(tmp_path) -> Path:
    """Three numbered GIFs, truth on the left, six frames each."""
    for k in (1, 2, 13):
        truth = picture(10)
        save_gif(tmp_path / "mv" / f"test{k}.gif", [padded(truth, picture(100 + 8 * f + k)) for f in range(6)])
    return tmp_path / "mv"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("ws")).path


@pytest.fixture
def workspace(made, tmp_path) -> Path:
    import shutil

    return Path(shutil.copytree(made, tmp_path / "ws"))


def test_padded_halves_give_the_reconstruction_to_the_pixel(mind_video):
    with open_reconstructions(mind_video, CLIPS) as films:
        assert [file.clip for file in films.files] == ["test1-0000", "test1-0001", "test2-0000"]
        frames = films.frames(films.files[2], SIDE)
    assert frames.shape == (6, SIDE, SIDE, 3)
    expected = np.stack([picture(113 + 8 * f) for f in range(6)]).astype(int)
    assert np.abs(frames - expected).max() <= 2  # a GIF has 256 colours per frame


@pytest.mark.parametrize("layout", ["auto", "named"])
def test_layouts(layout):
    left, right = picture(10)[None], picture(100)[None]
    films = {
        "halves": np.concatenate([left, right], axis=2),
        "padded-halves": padded(left[0], right[0])[None],
        "single": right,
    }
    for name, film in films.items():
        assert np.array_equal(reconstruction_part(film, "auto" if layout == "auto" else name), right)
    wide = np.zeros((1, 40, 2 * 60 + 6, 3), np.uint8)  # two padded pictures that are no squares
    wide[:, 2:-2, 2:62], wide[:, 2:-2, 64:124] = 50, 200
    assert (reconstruction_part(wide, "auto" if layout == "auto" else "padded-halves") == 200).all()
    assert reconstruction_part(np.full((1, 40, 71, 3), 90, np.uint8), "auto").shape == (1, 40, 71, 3)


def test_names_of_all_kinds():
    def places(names, **kw):
        return {file.name: file.clip for file in match_clips(names, CLIPS, **kw)}

    assert places(["sub1/test1-0003.mp4", "test2_5.gif"]) == {
        "sub1/test1-0003.mp4": "test1-0003",
        "test2_5.gif": "test2-0005",
    }
    assert places(["test1.gif", "test24.gif"]) == {"test1.gif": "test1-0000", "test24.gif": "test2-0011"}
    assert places(["0.gif", "23.mp4"]) == {"0.gif": "test1-0000", "23.mp4": "test2-0011"}
    assert places(["clip_0002.gif"], first=0) == {"clip_0002.gif": "test1-0002"}


def test_every_name_that_fits_nothing_is_listed():
    with pytest.raises(DataProblem, match=r"1 clips have several.*noise.gif, test25.gif.*test1.gif and 1.mp4"):
        match_clips(["test1.gif", "1.mp4", "noise.gif", "test25.gif"], CLIPS)
    with pytest.raises(DataProblem, match="no GIF or MP4"):
        match_clips([], CLIPS)


def test_archives(mind_video, tmp_path):
    good = tmp_path / "good.zip"
    with zipfile.ZipFile(good, "w") as archive:
        for path in mind_video.iterdir():
            archive.write(path, f"results/{path.name}")
        archive.writestr("__MACOSX/._test1.gif", b"x")
        archive.writestr("../notes.txt", b"x")
    with open_reconstructions(good, CLIPS) as packed, open_reconstructions(mind_video, CLIPS) as loose:
        assert packed.digest() == loose.digest()
        assert np.array_equal(packed.frames(packed.files[0], 32), loose.frames(loose.files[0], 32))
    for name in ("../test1.gif", "/etc/test1.gif", "a/../../test1.gif", "C:\\test1.gif"):
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
            archive.writestr(name, b"x")
        with pytest.raises(DataProblem, match="lead out"), open_reconstructions(tmp_path / "bad.zip", CLIPS):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "good.zip", "mv"]


def test_limits_hold_whatever_the_header_says(mind_video, tmp_path, monkeypatch):
    monkeypatch.setattr("brainviz.data.reconstructions.MOST_BYTES", 500)
    with pytest.raises(DataProblem, match="too much"), open_reconstructions(mind_video, CLIPS):
        pass
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("test1.gif", bytes(4_000))
    monkeypatch.setattr("brainviz.data.reconstructions._check_sizes", lambda *_: None)
    monkeypatch.setattr("brainviz.data.reconstructions._PIECE", 100)
    with (
        open_reconstructions(bomb, CLIPS) as films,
        pytest.raises(DataProblem, match="larger than"),
    ):
        films.digest()


def test_links_out_of_a_folder_are_refused(mind_video, tmp_path):
    (tmp_path / "secret.gif").write_bytes(b"x")
    (mind_video / "test3.gif").symlink_to(tmp_path / "secret.gif")
    with pytest.raises(DataProblem, match=r"Links lead out.*test3.gif"), open_reconstructions(mind_video, CLIPS):
        pass


def test_damaged_films_are_named(mind_video):
    (mind_video / "test3.gif").write_bytes(b"no film")
    with open_reconstructions(mind_video, CLIPS) as films, pytest.raises(DataProblem, match=r"test3\.gif"):
        films.frames(films.files[2], 32)


def test_into_the_workspace_and_to_life(mind_video, workspace, capsys):
    command = ["import-system", "mind-video", str(mind_video), "--workspace", str(workspace), "--size", "64"]
    assert main([*command, "--subject", "1"]) == 0 and "3 films of mind-video" in capsys.readouterr().out
    ws = open_workspace(workspace)
    assert ws.imported_systems("1") == ["mind-video"] and ws.imported_systems("2") == []
    films = ws.imported("mind-video", "1")
    frames, fps = films.film("test2-0000")
    assert frames.shape == (6, 64, 64, 3) and frames.dtype == np.uint8 and fps == 3.0
    assert films.facts["layout"] == "auto" and films.facts["source"] == "mv"
    with pytest.raises(NotReady, match="no film of this clip"):
        films.film("test1-0005")
    with pytest.raises(NotReady, match="import-system"):
        ws.imported("mind-video", "2")

    motion = drive(ws.flow("1", "test2-0000", "brain"), ws.step_s)
    request = ReanimationRequest(films.first_frame("test2-0000", 96), motion, 0, {"n_frames": 4})
    clip = make_backend("warp").render(request, lambda *_: None)
    assert clip.frames.shape == (4, 96, 96, 3) and np.array_equal(clip.frames[0], request.image)


def test_nothing_is_overwritten_silently(mind_video, workspace, tmp_path, capsys):
    def imported(source: Path, *more: str) -> int:
        return main(["import-system", "other", str(source), "--workspace", str(workspace), "--size", "32", *more])

    assert imported(mind_video) == 0 and imported(mind_video) == 0
    write_mp4(tmp_path / "new" / "test1-0000.mp4", [picture(50)] * 12, 6)
    assert imported(tmp_path / "new") == 2 and "--replace" in capsys.readouterr().err
    assert len(open_workspace(workspace).imported("other", "3").clips) == 3
    assert imported(tmp_path / "new", "--replace") == 0
    frames, fps = open_workspace(workspace).imported("other", "3").film("test1-0000")
    assert len(frames) == 12 and fps == 6.0


@pytest.mark.parametrize("name", ["brain", "svd", "../x", "Mind Video", ""])
def test_names_are_checked(name, mind_video, workspace):
    assert main(["import-system", name, str(mind_video), "--workspace", str(workspace)]) == 2
    assert not (workspace / "current" / "imported_films").exists()


def test_subject_and_size_are_checked(mind_video, workspace):
    for more in (["--subject", "9"], ["--size", "8"]):
        assert main(["import-system", "x", str(mind_video), "--workspace", str(workspace), *more]) == 2
