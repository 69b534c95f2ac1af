"""The summary figure: every system and subject stands in every metric's column, the frozen frame as a line."""

from __future__ import annotations

import pandas as pd

from brainviz.components.reanimation_words import label
from brainviz.figures.reanimation import summary_intervals

SYSTEMS = {"brain": 0.4, "image-only": 0.7, "zero": 0.8}


def test_dots_intervals_and_the_frozen_frames_line() -> None:
    rows = [
        (subject, system, metric, mean, mean - 0.1, mean + 0.2, 24, 8)
        for subject in ("1", "2", "3")
        for system, mean in SYSTEMS.items()
        for metric in ("epe", "ssim")
    ]
    table = pd.DataFrame(rows, columns=["subject", "system", "metric", "mean", "low", "high", "n_clips", "n_blocks"])
    figure = summary_intervals(table, {"epe": "EPE", "ssim": "SSIM"}, label, False, True)
    assert len(figure.data) == 2 * len(SYSTEMS)
    for trace in figure.data:
        assert len(trace.x) == 3
        assert len(set(trace.y)) == 3, "subjects stand apart"
        assert list(trace.error_x.array.round(9)) == [0.2] * 3
        assert list(trace.error_x.arrayminus.round(9)) == [0.1] * 3
    assert list(figure.layout.yaxis.ticktext) == ["Frame + fMRI", "Frame alone", "Frozen first frame"]
    lines = [(shape.x0, shape.xref) for shape in figure.layout.shapes]
    assert [(round(x, 9), axis) for x, axis in lines] == [(0.8, "x"), (0.8, "x2")]
    assert any(note.text == "simulated data" for note in figure.layout.annotations)
