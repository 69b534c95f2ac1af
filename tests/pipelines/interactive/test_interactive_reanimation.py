"""Films for pages: what is rendered at once, what is read from results, what is kept."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import NotReady, UnknownName
from brainviz.results import ResultStore
from brainviz.storage import write_array
from brainviz.video.reading import film_info, iterate_frames
from brainviz.video.writing import write_mp4
from brainviz.workspace import Workspace, open_workspace
from pipelines.interactive import film_cache, film_sources
from pipelines.interactive.reanimation import reanimated, render_request
from pipelines.interactive.rendered_films import stored_film
from pipelines.reanimate.units import render_unit
from pipelines.request import RunRequest
from support.fake_workspace import make_workspace

CLIP = "test1-0003"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("films"), subjects=["1", "2"])


def test_the_true_flow_brings_the_first_frame_near_the_film(made: Workspace) -> None:
    film = reanimated(made, "1", CLIP, "truth")
    sprite = made.film_sprite(CLIP)
    assert (len(film.frames), film.fps) == (sprite.n, sprite.fps)  # one clock drives both
    assert np.array_equal(film.frames[0], made.first_frame(CLIP, 256))
    seen = np.stack(list(iterate_frames(made.film("test1"), 256)))[90:120].astype(float)
    inner = (slice(None), slice(64, -64), slice(64, -64))
    moved = np.abs(film.frames[inner] - seen[inner]).mean()
    frozen = np.abs(seen[inner][:1] - seen[inner]).mean()
    assert moved < 0.7 * frozen
    assert film.uses_film


def test_the_system_zero_is_the_frozen_first_frame(made: Workspace) -> None:
    film = reanimated(made, "1", CLIP, "zero")
    assert (film.frames == film.frames[:1]).all()


def test_every_choice_gives_its_own_film_and_says_what_made_it(made: Workspace) -> None:
    choices = [("1", "brain", "none", 0), ("2", "brain", "none", 0), ("1", "image-only", "none", 0)]
    choices += [("1", "brain", "film-objects", 0), ("1", "prior", "none", 0), ("1", "prior", "none", 1)]
    films = [reanimated(made, subject, CLIP, system, mask, sample) for subject, system, mask, sample in choices]
    assert len({film.frames.tobytes() for film in films}) == len(choices)
    for film, (subject, system, mask, sample) in zip(films, choices, strict=True):
        said = [film.provenance[name] for name in ("subject", "system", "mask", "sample", "backend", "simulated")]
        assert said == [subject, system, mask, sample, "warp", True]
        assert film.uses_film == (mask == "film-objects")


def test_a_film_is_kept_and_a_new_flow_gives_a_new_one(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, subjects=["1"])
    first = reanimated(workspace, "1", CLIP, "brain")
    kept = list((workspace.path / "cache" / "reanimations").glob("*.npz"))
    assert len(kept) == 1
    again = reanimated(workspace, "1", CLIP, "brain")
    assert np.array_equal(again.frames, first.frames)
    assert dict(again.provenance) == dict(first.provenance)
    kept[0].write_bytes(b"half a film")  # a killed server or a full disk
    assert np.array_equal(reanimated(workspace, "1", CLIP, "brain").frames, first.frames)
    store = ResultStore(workspace.path)
    old = workspace.decoded("1", "brain")
    with store.writing("motion_decoder", "1.brain", "newer") as (folder, manifest):
        manifest["facts"] = old.manifest["facts"]
        flow = np.zeros((len(old.manifest["facts"]["clips"]), 1, 3, 32, 32, 2), np.float32)
        write_array(folder / "arrays.zarr", "flow", flow)
    store.point("motion_decoder", "1.brain", "newer")
    fresh = reanimated(open_workspace(workspace.path), "1", CLIP, "brain")
    assert (fresh.frames == fresh.frames[:1]).all()


def test_the_films_kept_stay_within_their_room(tmp_path: Path) -> None:
    for age, name in enumerate(("oldest", "older", "newest")):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (age, age))
    film_cache.trim(tmp_path, keep=tmp_path / "oldest", most_bytes=200)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newest", "oldest"]


def test_the_mp4_has_every_frame(made: Workspace) -> None:
    path = made.video("1", CLIP, "brain")
    film = reanimated(made, "1", CLIP, "brain")
    info = film_info(path)
    assert (info.n_frames, info.fps, info.width, info.height) == (len(film.frames), film.fps, 256, 256)
    written = np.stack(list(iterate_frames(path))).astype(float)
    assert np.abs(written - film.frames).mean() < 4


def test_a_film_of_another_backend_is_read_where_a_run_made_it_of_this_flow(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, subjects=["1"])
    with pytest.raises(NotReady):
        workspace.video("1", CLIP, "brain", "dragnuwa")
    request = render_request(workspace, "1", CLIP, "brain", "dragnuwa", seed=3)
    assert RunRequest.from_json(request.to_json()) == request
    frames = np.random.default_rng(0).integers(0, 255, (5, 64, 64, 3), dtype=np.uint8)
    flow = film_sources.flow_source(workspace, "1", CLIP, "brain")
    for key, of_flow in (("stale", "motion_decoder/1.brain:older"), ("right", flow)):
        unit = render_unit("1", CLIP, "brain", "dragnuwa", seed=3)
        with workspace.results.writing("render", unit, key) as (folder, manifest):
            write_mp4(folder / "film.mp4", frames, 7, crf=0)
            manifest |= {"config": {"flow": of_flow}, "simulated": True, "facts": {"provenance": {"steps": 25}}}
        workspace.results.point("render", unit, key)
        film = stored_film(workspace, "1", CLIP, "brain", "dragnuwa", "none", seed=3)
        assert (film is not None) == (key == "right")
    shown = reanimated(workspace, "1", CLIP, "brain", backend="dragnuwa", seed=3)
    assert (shown.frames.shape, shown.fps) == (frames.shape, 7)
    assert dict(shown.provenance) == {"steps": 25, "simulated": True}


def test_what_does_not_exist_is_refused(made: Workspace) -> None:
    with pytest.raises(UnknownName):
        reanimated(made, "9", CLIP, "truth")
    with pytest.raises(UnknownName):
        reanimated(made, "1", CLIP, "brain", mask="all")
    with pytest.raises(UnknownName):
        reanimated(made, "1", CLIP, "brain", backend="../warp")
    with pytest.raises(UnknownName):
        reanimated(made, "1", CLIP, "prior", sample=99)
    with pytest.raises(NotReady):
        reanimated(made, "1", CLIP, "../brain")
