"""Uploaded films: what is kept, at which rate, and what is refused in words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainviz import uploads
from brainviz.errors import BrainvizError, UnknownName
from brainviz.video.reading import film_info, read_frames
from brainviz.video.writing import write_mp4


def film(seconds: float, fps: int = 15, side: int = 64) -> np.ndarray:
    """A grey that brightens evenly: a frame's level tells its time."""
    levels = np.linspace(20, 230, round(seconds * fps)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), side, side, 3)).copy()


def mp4(tmp_path: Path, seconds: float) -> bytes:
    write_mp4(tmp_path / "source.mp4", film(seconds), 15)
    return (tmp_path / "source.mp4").read_bytes()


def gif(durations_ms: list[int]) -> bytes:
    pictures = [Image.new("RGB", (48, 32), (int(level),) * 3) for level in np.linspace(20, 230, len(durations_ms))]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=durations_ms, loop=0)
    return buffer.getvalue()


def test_an_mp4_is_kept_under_a_name_of_its_content(tmp_path: Path) -> None:
    data = mp4(tmp_path, 6)
    kept = uploads.add_film(tmp_path, "../../etc/my film.mp4", data)
    assert kept == uploads.add_film(tmp_path, "again.mp4", data) and kept.n_clips == 3
    assert uploads.film_path(tmp_path, kept.key).parent.parent == tmp_path / "uploads"
    assert uploads.uploaded_films(tmp_path) == [kept]
    info = film_info(uploads.film_path(tmp_path, kept.key))
    assert (info.width, info.height) == (uploads.SIDE_PX, uploads.SIDE_PX) and info.duration_s == pytest.approx(
        6, abs=0.1
    )
    frames = read_frames(uploads.film_path(tmp_path, kept.key), [0, 45, 89], 8)
    assert np.abs(frames.mean((1, 2, 3)) - film(6)[[0, 45, 89], 0, 0, 0]).max() < 6


def test_a_gif_keeps_its_own_uneven_timing(tmp_path: Path) -> None:
    kept = uploads.add_film(tmp_path, "uneven.gif", gif([1000, 3000, 1000, 1000]))
    path = uploads.film_path(tmp_path, kept.key)
    info = film_info(path)
    levels = read_frames(path, [round(t * info.fps) for t in (0.5, 2.0, 3.5, 4.5)], 8).mean((1, 2, 3))
    assert np.abs(levels - np.linspace(20, 230, 4)[[0, 1, 1, 2]]).max() < 8


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"not a film", "cannot be decoded"), (gif([500, 500, 500]), "at least 4 s"), (gif([40_000] * 3), "longer than")],
)
def test_what_is_no_usable_film_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(BrainvizError, match=words):
        uploads.add_film(tmp_path, "x.gif", data)
    assert uploads.uploaded_films(tmp_path) == []


def test_too_large_a_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    with pytest.raises(BrainvizError, match="at most"):
        uploads.add_film(tmp_path, "x.mp4", b"0" * 11)


@pytest.mark.parametrize("key", ["../../secrets", "0123456789abcdef", "", "0123"])
def test_a_key_from_elsewhere_is_never_a_path(tmp_path: Path, key: str) -> None:
    with pytest.raises(UnknownName):
        uploads.film_path(tmp_path, key)
