"""A passage of a film and a series of films read frame by frame as the files they are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.video.parts import Passage, Series, changed_ns, film_files, find_part
from brainviz.video.reading import film_info, iterate_frames, iterate_planes, read_frames, stream_frames
from brainviz.video.sprites import clip_sprite
from support.tiny_cc2017 import read_stamp, stamped_frame, write_film

FPS = 24


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "7T_MOVIE1_CC1.mp4"
    return write_film(path, (stamped_frame(i) for i in range(12 * FPS)), FPS)


def test_a_passage_is_the_films_own_frames(film: Path) -> None:
    part = Passage(film, 3, 7).reference()
    assert part.name == "7T_MOVIE1_CC1.mp4#t=3,7"
    info = film_info(part)
    assert (info.fps, info.n_frames, info.width, info.height) == (FPS, 4 * FPS, 64, 48)
    first = 3 * FPS
    wanted = [95, 0, 1, 40, 40, 2]
    assert [read_stamp(frame) for frame in read_frames(part, wanted, 48)] == [first + n for n in wanted]
    assert [(n, read_stamp(f[:, 8:56])) for n, f in stream_frames(part, [5, 6, 70])] == [
        (n, first + n) for n in (5, 6, 70)
    ]
    assert [read_stamp(frame) for frame in iterate_frames(part, 48)] == list(range(first, first + 4 * FPS))
    whole, own = list(iterate_planes(film, 24)), list(iterate_planes(part, 24))
    assert all((a == b).all() for x, y in zip(whole[first:], own, strict=False) for a, b in zip(x, y, strict=True))
    assert len(own) == 4 * FPS and film_files(part) == [film] and changed_ns(part) == film.stat().st_mtime_ns


def test_a_passage_makes_sprites_that_follow_the_file(film: Path, tmp_path: Path) -> None:
    part = Passage(film, 3, 7).reference()
    cache = tmp_path / "sprite.webp"
    sprite = clip_sprite(part, 1, cache)
    assert (sprite.n, sprite.fps) == (48, FPS) and cache.read_bytes() == sprite.data
    cache.write_bytes(b"kept")
    assert clip_sprite(part, 1, cache).data == b"kept"


def test_what_a_passage_may_lack(film: Path) -> None:
    assert [read_stamp(f) for f in read_frames(Passage(film, 11, 12.1).reference(), [23, 25], 48)] == [287, 287]
    with pytest.raises(DataProblem, match=r"lasts 12.0 s; its part up to 14 s"):
        film_info(Passage(film, 10, 14).reference())
    with pytest.raises(DataProblem, match="missing"):
        film_info(film.with_name("nowhere.mp4#t=1,2"))


def test_a_file_with_such_a_name_is_itself(film: Path, tmp_path: Path) -> None:
    odd = tmp_path / "film.mp4#t=1,2"
    odd.write_bytes(film.read_bytes())
    assert find_part(odd) is None and film_info(odd).n_frames == 12 * FPS
    assert find_part(tmp_path / "a#b.mp4") is None


def test_a_series_takes_the_same_stretch_of_each_file(tmp_path: Path) -> None:
    rates = {1: 30, 2: 15, 3: 24}
    for number, rate in rates.items():
        height, width = (48, 64) if number != 2 else (96, 112)
        frames = (stamped_frame(100 * number + i, height, width) for i in range(3 * rate))
        write_film(tmp_path / "videos" / f"{number:04d}_x.mp4", frames, rate)
    part = Series(tmp_path / "videos", 1, 3, 0.5, 2.5, 30).reference()
    assert part.name == "videos#files=1,3&t=0.5,2.5&fps=30"
    info = film_info(part)
    assert (info.fps, info.n_frames, info.width, info.height) == (30, 180, 48, 48)
    shown = np.stack(list(iterate_frames(part)))
    at = 0.5 + np.arange(60) / 30
    expected = [100 * n + int(np.floor(t * rate + 1e-6)) for n, rate in rates.items() for t in at]
    assert shown.shape == (180, 48, 48, 3) and [read_stamp(frame) for frame in shown] == expected
    wanted = [179, 0, 61, 119]
    assert [read_stamp(f) for f in read_frames(part, wanted, 64)] == [expected[n] for n in wanted]
    assert len({plane.shape for planes in iterate_planes(part, 24) for plane in planes[:1]}) == 1
    (tmp_path / "videos" / "0002_x.mp4").unlink()
    with pytest.raises(DataProblem, match="films 2 of 1 to 3 are missing"):
        film_info(part)
