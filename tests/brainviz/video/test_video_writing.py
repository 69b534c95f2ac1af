"""What is written can be read back: MP4, GIF, sprite sheets."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from brainviz.errors import BrainvizError, DataProblem
from brainviz.video.reading import film_info, read_frames
from brainviz.video.sprites import Sprite, clip_frame_numbers, clip_sprite, sprite_sheet
from brainviz.video.writing import write_gif, write_mp4
from support.tiny_cc2017 import read_stamp, stamped_frame, write_film


def smooth_frames(n: int, height: int = 48, width: int = 64) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([np.stack([4 * x - i, 3 * y + i, 128 + 0 * x], axis=-1) % 256 for i in range(n)]).astype(np.uint8)


@pytest.mark.parametrize("fps", [15.0, 30.0, 30000 / 1001])
def test_mp4_is_what_browsers_play(tmp_path: Path, fps: float) -> None:
    path = tmp_path / "new" / "a.mp4"
    write_mp4(path, (stamped_frame(i) for i in range(70)), fps)
    info = film_info(path)
    assert info.n_frames == 70 and info.fps == pytest.approx(fps, rel=1e-4)
    assert [read_stamp(f) for f in read_frames(path, [0, 33, 69])] == [0, 33, 69]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        keys = [round(p.pts * stream.time_base * fps) for p in container.demux(stream) if p.is_keyframe]
    assert max(np.diff([*keys, 70])) <= round(2 * fps)
    head = path.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat"), "the index stands first, so that playing starts at once"


def test_mp4_is_the_same_twice_and_odd_sizes_lose_a_line(tmp_path: Path) -> None:
    frames = smooth_frames(20, 49, 63)
    for name in ("a", "b"):
        write_mp4(tmp_path / f"{name}.mp4", frames, 10)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    info = film_info(tmp_path / "a.mp4")
    assert (info.height, info.width) == (48, 62)


def test_a_failed_film_leaves_nothing(tmp_path: Path) -> None:
    def frames() -> Iterator[np.ndarray]:
        yield stamped_frame(0)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_mp4(tmp_path / "a.mp4", frames(), 15)
    with pytest.raises(BrainvizError, match="at least one frame"):
        write_mp4(tmp_path / "a.mp4", [], 15)
    with pytest.raises(BrainvizError, match="one shape"):
        write_mp4(tmp_path / "a.mp4", [stamped_frame(0), stamped_frame(1)[:40]], 15)
    with pytest.raises(BrainvizError, match="height, width, 3"):
        write_mp4(tmp_path / "a.mp4", [np.zeros((8, 8), np.uint8)], 15)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for write in (write_mp4, write_gif):
        with pytest.raises(BrainvizError) as caught:
            write(tmp_path / "file" / "a.out", [stamped_frame(0)], 15)
        assert str(tmp_path) in caught.value.where


def test_gif(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", (stamped_frame(i) for i in range(6)), 12.5)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 6 and gif.info["duration"] == 80 and gif.info["loop"] == 0
        for i in range(6):
            gif.seek(i)
            assert read_stamp(np.asarray(gif.convert("RGB"))[:, 8:56]) == i
    with pytest.raises(BrainvizError, match="at least one frame"):
        write_gif(tmp_path / "b.gif", [], 10)


def cells(sprite: Sprite) -> np.ndarray:
    with Image.open(io.BytesIO(sprite.data)) as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    rows = pixels.shape[0] // sprite.height
    grid = pixels.reshape(rows, sprite.height, sprite.columns, sprite.width, 3).swapaxes(1, 2)
    return grid.reshape(-1, sprite.height, sprite.width, 3)[: sprite.n]


def test_sprite_sheet_holds_the_frames_row_by_row() -> None:
    frames = np.stack([stamped_frame(i, 48, 48) for i in range(11)])
    sheet = cells(Sprite(sprite_sheet(frames, columns=4), 11, 4, 48, 48, 15.0))
    assert [read_stamp(frame) for frame in sheet] == list(range(11))
    with pytest.raises(BrainvizError, match="at least one"):
        sprite_sheet(frames[:0])
    with pytest.raises(BrainvizError, match="do not fit"):
        sprite_sheet(np.zeros((9, 8, 4100, 3), np.uint8), columns=4)


@pytest.mark.parametrize(("fps", "shown", "rate"), [(15, 30, 15.0), (30, 60, 30.0), (60, 60, 30.0)])
def test_sprite_of_a_clip(tmp_path: Path, fps: int, shown: int, rate: float) -> None:
    film = write_film(tmp_path / "a.mp4", (stamped_frame(i) for i in range(6 * fps)), fps)
    sprite = clip_sprite(film, 1, size=48)
    assert (sprite.n, sprite.fps, sprite.width, sprite.height) == (shown, rate, 48, 48)
    step = 2 * fps // shown
    assert [read_stamp(frame) for frame in cells(sprite)] == list(range(2 * fps, 4 * fps, step))


def test_sprite_is_kept_and_made_anew_when_the_film_changes(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", (stamped_frame(i) for i in range(60)))
    cache = tmp_path / "cache" / "s.webp"
    first = clip_sprite(film, 0, cache, 48)
    assert cache.read_bytes() == first.data
    cache.write_bytes(b"kept")
    assert clip_sprite(film, 0, cache, 48).data == b"kept"
    os.utime(cache, (0, 0))
    assert clip_sprite(film, 0, cache, 48).data == first.data


def test_last_clip_of_a_film_that_lacks_a_frame(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", (stamped_frame(i) for i in range(59)))
    numbers = clip_frame_numbers(film_info(film), 1)
    assert numbers.tolist() == [*range(30, 59), 58]
    for index in (2, -1):
        with pytest.raises(DataProblem, match="no clip"):
            clip_frame_numbers(film_info(film), index)
