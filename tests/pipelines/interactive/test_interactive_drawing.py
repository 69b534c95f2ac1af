"""Drawn motion as films, and what the backends say of themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import BrainvizError, NotReady, UnknownName
from brainviz.flow.drawn import Drawing
from brainviz.video.reading import iterate_frames
from brainviz.workspace import Workspace
from pipelines.graph import perform
from pipelines.interactive.backends import available_backends
from pipelines.interactive.drawing import drawing_from_flow, drawn, drawn_field, drawn_run
from pipelines.plan import build_plan
from pipelines.reanimate.registry import BACKENDS, make_backend
from pipelines.request import RunRequest
from support.fake_workspace import make_workspace

CLIP = "test1-0004"
PAN = Drawing(tuple((x, y, 0.25, 0.0) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)), 0.5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("drawn"), subjects=["1"])


def test_a_drawn_pan_moves_the_picture_by_its_length(made: Workspace) -> None:
    film = drawn(made, CLIP, PAN)
    first = made.first_frame(CLIP, 256).astype(float)
    assert film.frames.shape == (30, 256, 256, 3)
    assert film.fps == 15
    assert np.array_equal(film.frames[0], first.astype(np.uint8))
    shift = round(0.25 * 256 * 15 / 30)  # half of the clip's two seconds
    moved = film.frames[15][64:192, 96:192].astype(float)
    expected = first[64:192, 96 - shift : 192 - shift]
    assert np.abs(moved - expected).mean() < 0.25 * np.abs(moved - first[64:192, 96:192]).mean()
    assert not film.uses_film
    assert film.provenance["system"] == "drawn"


def test_the_field_reaches_the_arrows_tips_at_the_end() -> None:
    field = drawn_field(PAN, 2.0)
    assert field.times_s[-1] == 2.0
    assert field.displacement[-1, 16, 16] == pytest.approx([0.25, 0.0], abs=0.01)
    assert field.displacement[0] == pytest.approx(field.displacement[-1] / 3, abs=1e-6)
    assert field.visible[-1, 16, 31] == 0, "what leaves the frame is not seen"


def test_arrows_of_a_systems_flow_lead_where_it_leads(made: Workspace) -> None:
    drawing = drawing_from_flow(made, "1", CLIP, "truth")
    total = made.flow("1", CLIP, "truth").sum(axis=0) / 32
    assert len(drawing.arrows) == 16
    middle = np.median(np.array(drawing.arrows)[:, 2:], axis=0)
    assert middle == pytest.approx(np.median(total.reshape(-1, 2), axis=0), abs=0.03)


def test_what_is_not_there_is_said(made: Workspace) -> None:
    with pytest.raises(UnknownName):
        drawn(made, "../../etc", PAN)
    with pytest.raises(NotReady):
        drawing_from_flow(made, "1", CLIP, "nobody")


def test_every_backend_says_what_it_is_and_what_it_lacks(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    facts = {one.id: one for one in available_backends()}
    assert list(facts) == list(BACKENDS)
    assert facts["warp"].missing == ""
    assert facts["warp"].commands == ()
    assert facts["dragnuwa"].commands == ("python -m pipelines weights svd", "python -m pipelines weights dragnuwa")
    assert "weights" in facts["dragnuwa"].missing
    for name, one in facts.items():
        backend = make_backend(name)
        assert (one.title, one.licence, one.size_gb) == (backend.title, backend.licence, backend.size_gb)


def test_a_drawing_becomes_a_run_whose_film_is_read_again(made: Workspace) -> None:
    """The run's own plan and stage, with the backend that needs no weights."""
    request = drawn_run(CLIP, PAN, "warp")
    assert request == RunRequest.from_json(request.to_json())
    (task,) = build_plan(request, made.path).tasks
    assert perform(task, made.path, "cpu", lambda _share, _words: None)
    found = made.results.current("render_drawn", task.unit)
    assert found is not None
    assert found.manifest["facts"]["provenance"]["system"] == "drawn"
    seen = np.stack(list(iterate_frames(found.folder / "film.mp4"))).astype(float)
    film = drawn(made, CLIP, PAN)
    assert len(seen) == len(film.frames)
    assert np.abs(seen - film.frames).mean() < 4, "H.264 takes little away"


def test_a_drawing_that_no_backend_has_rendered_says_so(made: Workspace) -> None:
    with pytest.raises(NotReady, match="has not rendered this drawing"):
        drawn(made, CLIP, PAN, "dragnuwa")


@pytest.mark.parametrize(
    "wish",
    [{"clip": "nothing"}, {"backend": "nobody"}, {"arrows": "not arrows"}, {"reach": 9.0}, {"more": 1}],
)
def test_a_drawn_run_that_cannot_be_is_refused_before_it_starts(made: Workspace, wish: dict) -> None:
    request = RunRequest(render={**drawn_run(CLIP, PAN, "warp").render, **wish})
    with pytest.raises(BrainvizError):
        build_plan(request, made.path)
