"""What the film player and the drawing board receive, and what is believed of what they send."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from brainviz.components.draw_board import DrawBoard, checked_drawing, pack_board
from brainviz.components.film_player import (
    FIRST_VIEW,
    FilmPanel,
    FilmView,
    Metric,
    checked_view,
    clock_frames,
    pack_films,
)
from brainviz.errors import BrainvizError
from brainviz.flow.drawn import MOST_ARROWS, Drawing
from brainviz.video.sprites import Sprite, sprite_sheet


def sheet(n: int = 30, fps: float = 15.0, seed: int = 0) -> Sprite:
    frames = np.random.default_rng(seed).integers(0, 255, (n, 16, 16, 3)).astype(np.uint8)
    return Sprite(sprite_sheet(frames), n, 8, 16, 16, fps)


def header_of(message: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<I", message)
    return dict(json.loads(message[4 : 4 + length]))


def view_of(panels: list[FilmPanel], **more: Any) -> FilmView:
    return FilmView("1/test1-0001", sheet(), panels, "caption", ("line",), "stem", **more)


def test_each_sheet_travels_once_and_can_be_cut_out() -> None:
    film, other = sheet(), sheet(14, 7.0, seed=1)
    panels = [FilmPanel("film", "Film", film), FilmPanel("svd", "SVD", other), FilmPanel("again", "Again", film)]
    message = pack_films(FilmView("id", film, panels, "", (), "stem"))
    header = header_of(message)
    places = [header["film"]["sheet"], *(panel["sheet"] for panel in header["panels"])]
    assert places[0] == places[1] == places[3]
    for place, expected in ((places[0], film.data), (places[2], other.data)):
        assert message[place["offset"] : place["offset"] + place["length"]] == expected
    assert (header["panels"][1]["frames"], header["panels"][1]["fps"]) == (14, 7.0)


def test_clock_counts_the_longest_film_at_the_films_rate() -> None:
    assert clock_frames(sheet(30, 15), []) == 30
    assert clock_frames(sheet(30, 15), [FilmPanel("a", "a", sheet(14, 7)), FilmPanel("b", "b", None)]) == 30
    assert clock_frames(sheet(30, 15), [FilmPanel("a", "a", sheet(25, 6.25))]) == 60


def test_a_panel_without_a_film_says_why() -> None:
    panel = header_of(pack_films(view_of([FilmPanel("a", "A", None, absent="not there")])))["panels"][0]
    assert panel["sheet"] is None
    assert panel["absent"] == "not there"


def test_metrics_travel_as_words() -> None:
    panel = FilmPanel("a", "A", sheet(), metrics=(Metric("EPE", "0.42", "what it is"),))
    found = header_of(pack_films(view_of([panel])))["panels"][0]["metrics"]
    assert found == [{"label": "EPE", "value": "0.42", "title": "what it is"}]


@pytest.mark.parametrize("n", [0, 7])
def test_no_film_or_too_many_are_refused(n: int) -> None:
    with pytest.raises(BrainvizError, match="1 to 6 films"):
        pack_films(view_of([FilmPanel(str(i), "x", sheet()) for i in range(n)]))


@pytest.mark.parametrize(
    "said",
    [None, "x", {"frame": -1, "mode": "spin", "split": 101}, {"frame": True, "split": "9"}, {"frame": float("nan")}],
)
def test_nonsense_from_the_browser_becomes_the_first_view(said: object) -> None:
    assert checked_view(said) == FIRST_VIEW


def test_a_view_of_the_browser_is_kept() -> None:
    said = {"frame": 12, "mode": "slider", "left": "film", "right": "brain", "split": 33}
    assert checked_view(said) == said


def test_board_carries_frame_and_arrows() -> None:
    drawing = Drawing(((0.5, 0.5, 0.25, 0.0),), 0.3)
    message = pack_board(DrawBoard("clip", b"picture", drawing, 4, 30, 15.0, "words", (), "stem"))
    header = header_of(message)
    place = header["picture"]
    assert message[place["offset"] : place["offset"] + place["length"]] == b"picture"
    assert header["arrows"] == [[0.5, 0.5, 0.25, 0.0]]
    assert (header["revision"], header["reach"], header["seconds"]) == (4, 0.3, 2.0)


def test_a_drawing_of_the_browser_comes_back_rounded_as_in_the_link() -> None:
    drawing = checked_drawing({"arrows": [[0.1234, 0.5, 0.2, -0.1], [0.9, 0.9, 0, 0]], "reach": 0.4})
    assert drawing is not None
    assert drawing.code() == Drawing(drawing.arrows).code()
    assert np.array(drawing.arrows[0]) == pytest.approx([0.1234, 0.5, 0.2, -0.1], abs=3e-4)
    assert drawing.reach == 0.4


@pytest.mark.parametrize(
    "said",
    [
        None,
        {"arrows": "pmwAoAcz", "reach": 0.2},
        {"arrows": [[0.1, 0.2, 0.3]], "reach": 0.2},
        {"arrows": [[0.1, 0.2, "x", 0]], "reach": 0.2},
        {"arrows": [[0.1, 0.2, 9, 0]], "reach": 0.2},
        {"arrows": [[0.1, 0.2, 0, 0]] * (MOST_ARROWS + 1), "reach": 0.2},
        {"arrows": [], "reach": 7},
        {"arrows": [[float("nan"), 0, 0, 0]], "reach": 0.2},
    ],
)
def test_a_drawing_that_is_none_is_ignored(said: object) -> None:
    assert checked_drawing(said) is None
