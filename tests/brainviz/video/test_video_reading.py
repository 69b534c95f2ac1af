"""Frames come by exact number, whole films stream, and damaged ones are named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.video.reading import check_film, film_info, iterate_frames, iterate_planes, read_frames, to_square
from support.tiny_cc2017 import read_stamp, stamped_frame, write_film

N = 400


@pytest.fixture(scope="module", params=[(15, 25), (30, 250)], ids=["many key frames", "few key frames"])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    fps, gop = request.param
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return write_film(path, (stamped_frame(i) for i in range(N)), fps, gop)


def test_header(film: Path) -> None:
    info = film_info(film)
    assert (info.n_frames, info.width, info.height) == (N, 64, 48) and info.fps in (15, 30)
    assert info.duration_s == N / info.fps
    assert check_film(film) == info


def test_frames_by_number_in_any_order(film: Path) -> None:
    rng = np.random.default_rng(0)
    wanted = [*rng.permutation(N)[:25].tolist(), 0, N - 1, 7, 7]
    frames = read_frames(film, wanted)
    assert frames.shape == (len(wanted), 48, 48, 3)
    assert [read_stamp(frame) for frame in frames] == wanted


def test_one_far_frame_at_a_time(film: Path) -> None:
    for number in (0, 1, 99, 250, 251, N - 1):
        assert read_stamp(read_frames(film, [number], 24)[0]) == number


def test_no_frames_asked_for(film: Path) -> None:
    assert read_frames(film, [], 16).shape == (0, 16, 16, 3)


def test_stream_holds_every_frame_in_order(film: Path) -> None:
    assert [read_stamp(frame) for frame in iterate_frames(film, 24)] == list(range(N))
    assert [read_stamp(frame) for frame in iterate_frames(film, step=7)] == list(range(0, N, 7))


def test_stream_and_numbers_give_the_same_pixels(film: Path) -> None:
    streamed = list(iterate_frames(film, 32))
    np.testing.assert_array_equal(read_frames(film, [3, 120, 399], 32), [streamed[i] for i in (3, 120, 399)])


@pytest.mark.parametrize("numbers", [[N], [-1], [0, 10_000]])
def test_frames_beyond_the_film(film: Path, numbers: list[int]) -> None:
    with pytest.raises(DataProblem, match=f"has {N}") as caught:
        read_frames(film, numbers)
    assert caught.value.where == str(film)


def test_planes_are_area_averages(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    picture = cv2.resize(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8), (128, 96), interpolation=cv2.INTER_LINEAR)
    path = write_film(tmp_path / "a.mp4", [picture] * 4)
    luma, *chroma = next(iter(iterate_planes(path, 24)))
    grey = picture @ np.array([0.299, 0.587, 0.114])
    expected = 16 + 219 / 255 * grey.reshape(24, 4, 32, 4).mean((1, 3))
    assert luma.shape == (24, 32) and all(plane.shape == (24, 32) for plane in chroma)
    np.testing.assert_allclose(luma, expected, atol=4)


def test_centre_crop_and_area_resize() -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    square = to_square(pixels, 15)
    blocks = pixels[:, 20:80].reshape(15, 4, 15, 4, 3).mean((1, 3))
    np.testing.assert_allclose(square, blocks, atol=0.51)
    np.testing.assert_array_equal(to_square(pixels, 60), pixels[:, 20:80])
    assert to_square(pixels.swapaxes(0, 1), 120).shape == (120, 120, 3)


def test_film_cut_short_behind_its_index(film: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    assert film_info(cut).n_frames == N  # the header does not know
    for read in (lambda: list(iterate_frames(cut)), lambda: check_film(cut)):
        with pytest.raises(DataProblem) as caught:
            read()
        assert caught.value.where == str(cut) and "again" in caught.value.remedy
    assert read_stamp(read_frames(cut, [5])[0]) == 5


def test_a_film_that_changes_on_disk_is_read_again(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", (stamped_frame(i) for i in range(20)))
    assert film_info(path).n_frames == 20
    write_film(path, (stamped_frame(i) for i in range(33)))
    assert film_info(path).n_frames == 33


@pytest.mark.parametrize(("content", "what"), [(None, "missing"), (b"", "empty"), (b"text" * 50, "cannot be opened")])
def test_files_that_are_no_film(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataProblem, match=what) as caught:
        film_info(path)
    assert caught.value.where == str(path) and caught.value.remedy
