"""Films side by side: what the files hold when another program reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import BrainvizError
from brainviz.video.composing import GAP, TOP, CaptionedFilm, compose_row, frame_at
from brainviz.video.writing import write_gif, write_mp4


def film(n: int, fps: float, size: int = 64, label: str = "A film", mark: str = "") -> CaptionedFilm:
    """Frame i has the grey i * 8."""
    grey = (8 * np.arange(n)).astype(np.uint8)
    return CaptionedFilm(np.broadcast_to(grey[:, None, None, None], (n, size, size, 3)).copy(), fps, label, mark)


def test_mp4_of_a_row_decodes_with_frames_size_and_rate(tmp_path: Path) -> None:
    import av

    row = compose_row([film(30, 15), film(14, 7, size=96)], ["Subject 1", "SIMULATED"], side=128)
    write_mp4(tmp_path / "row.mp4", row.frames(), row.fps)
    with av.open(str(tmp_path / "row.mp4")) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == 30
    assert float(stream.average_rate) == 15
    assert frames[0].shape[:2] == row.size
    middle = [frame[TOP + 64, GAP + 64].mean() for frame in frames]
    assert middle == pytest.approx(8 * np.arange(30), abs=4)
    other = [frame[TOP + 64, 2 * GAP + 128 + 64].mean() for frame in frames]
    assert other == pytest.approx([8 * min(13, int(i / 15 * 7 + 1e-4)) for i in range(30)], abs=4)


def test_gif_keeps_its_time(tmp_path: Path) -> None:
    from PIL import Image

    for fps in (15, 30, 24, 7):
        row = compose_row([film(round(2 * fps), fps)], side=32, gif=True)
        write_gif(tmp_path / f"{fps}.gif", row.frames(), row.fps)
        with Image.open(tmp_path / f"{fps}.gif") as picture:
            seconds = 0.0
            for number in range(picture.n_frames):
                picture.seek(number)
                seconds += picture.info["duration"] / 1000
        assert seconds == pytest.approx(2, abs=0.08)


def test_caption_and_mark_are_burnt_in_and_the_rest_is_the_film() -> None:
    plain, marked = (compose_row([film(3, 3, 128, mark=mark)], side=128) for mark in ("", "simulated data"))
    a, b = next(plain.frames()), next(marked.frames())
    changed = (a != b).any(axis=-1)
    assert changed[TOP + 100 : TOP + 128, GAP : GAP + 90].any()
    assert not changed[: TOP + 90].any()
    assert (a[:TOP, GAP : GAP + 128] < 128).any(), "the caption"


def test_longer_films_are_held_to_the_end_and_shapes_are_kept() -> None:
    wide = CaptionedFilm(np.full((2, 32, 64, 3), 200, np.uint8), 1.0, "wide")
    row = compose_row([wide, film(10, 2)], side=64)
    assert row.n == 10
    last = list(row.frames())[-1]
    panel = last[TOP : TOP + 64, GAP : GAP + 64]
    assert panel[32, 32].tolist() == [200] * 3
    assert panel[4, 32].max() < 40, "a wide film stands in the middle of its square"


def test_frame_at_a_time_is_the_players() -> None:
    assert [frame_at(30, 15, i / 15) for i in range(30)] == list(range(30))
    assert frame_at(14, 7, 5.0) == 13
    assert frame_at(14, 7, 0.0) == 0


def test_nothing_to_show_is_said() -> None:
    with pytest.raises(BrainvizError, match="no film to export"):
        compose_row([])
