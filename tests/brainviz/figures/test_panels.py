"""Films to take away: panels where they belong, colours those of the wheel."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from brainviz.figures.data import timing_figure
from brainviz.figures.panels import GAP, SIDE, TOP, Still, compose_film, sprite_frames, step_of_frames
from brainviz.flow.wheel import flow_to_rgb


def sprite(n: int = 6, columns: int = 4, size: int = 16, fps: float = 3.0) -> SimpleNamespace:
    sheet = np.zeros((-(-n // columns) * size, columns * size, 3), np.uint8)
    for i in range(n):
        row, column = divmod(i, columns)
        sheet[row * size : (row + 1) * size, column * size : (column + 1) * size] = 30 * i
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "WEBP", lossless=True)
    return SimpleNamespace(data=buffer.getvalue(), n=n, columns=columns, width=size, height=size, fps=fps)


def test_frames_come_out_of_the_sheet_in_order() -> None:
    frames = sprite_frames(sprite())
    assert frames.shape == (6, 16, 16, 3)
    assert [int(frame.mean()) for frame in frames] == [0, 30, 60, 90, 120, 150]


def test_steps_are_held_until_their_end() -> None:
    assert step_of_frames(6, 3.0, [2 / 3, 2 / 3, 1 / 3]).tolist() == [0, 0, 1, 1, 2, 2]


def test_panels_show_film_and_flow_of_the_frame() -> None:
    flow = np.zeros((3, 8, 8, 2), np.float32)
    flow[0, ..., 0], flow[1, ..., 1], flow[2, ..., 0] = 1, 1, -1
    valid = np.ones((3, 8, 8), bool)
    valid[2, :4] = False
    film = compose_film(sprite(), [flow], valid, [2 / 3, 2 / 3, 2 / 3], 2.0, Still(["Film", "Flow"], ["line"]))
    assert film.dtype == np.uint8
    assert film.shape[0] == 6
    assert film.shape[1] % 2 == film.shape[2] % 2 == 0
    middle, left = TOP + SIDE // 2, GAP + SIDE + GAP + SIDE // 2
    for frame, step in ((0, 0), (3, 1), (5, 2)):
        assert abs(int(film[frame, middle, GAP + SIDE // 2, 0]) - 30 * frame) <= 2
        expected = flow_to_rgb(flow[step, 6, 4], 2.0)
        assert np.abs(film[frame, TOP + SIDE - 20, left].astype(int) - expected).max() <= 1
    assert (film[5, TOP + 20, left] == 128).all(), "what is not valid is grey"


def test_timing_figure_marks_the_five_volumes_of_the_window() -> None:
    """Oracle: the rule by hand. Clip 4 starts at 8 s; its window of 0 to 8 s holds film times 8, 10, 12, 14, 16 s.
    Raw volume v stands at 2 (v + 1) s where the recording starts late, at 2 v s where it starts with the film."""
    figure = timing_figure(4, (0.0, 8.0), dark=False, simulated=True)
    used = [trace for trace in figure.data if "in the window" in trace.hovertemplate]
    assert [list(trace.x) for trace in used] == [[8, 10, 12, 14, 16]] * 2
    assert list(used[0].customdata) == [3, 4, 5, 6, 7]
    assert list(used[1].customdata) == [4, 5, 6, 7, 8]
