"""The rendered film against its exact motion: dense inverse search, warping, numerical derivatives."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from brainviz.errors import UnknownName
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import DRIVE_HZ, film_drive
from pipelines.simulate.exact_flow import clip_frames, course_of_frames, displacement, exact_flow, look
from pipelines.simulate.film import plan_film, render_segment, write_film
from pipelines.simulate.plan import FilmPlan, Scenery, Shot, Thing
from pipelines.simulate.renderer import render_frames
from pipelines.simulate.tracks import Track


@pytest.fixture(scope="module")
def tiny() -> FilmPlan:
    return plan_film(SimulationConfig(seed=1, size="tiny"))


def _one_shot(shot: Shot) -> FilmPlan:
    """A film whose first training segment is one shot."""
    config = SimulationConfig(size="tiny")
    return FilmPlan(config, {"seg1": (shot,)})


def _panned(rate: tuple[float, float, float, float], things: tuple[Thing, ...] = ()) -> FilmPlan:
    back = (Scenery("flat", "gravel-left:gravel", 1),)
    return _one_shot(Shot(0, 0, 480, "overhead", "A test.", back, things, (), Track(rates=(rate,)), "neutral"))


def test_track_velocity_is_the_derivative_of_its_place() -> None:
    track = Track(
        (0.0, 2.0, 5.0), ((0.1, 0, 0, 0), (-0.2, 0.1, 0.05, 0), (0, 0, 0, 0.3)), 0.8, ((0.01, 0.02, 1, 2, 3),)
    )
    times = np.array([0.5, 2.0, 2.4, 2.79, 2.81, 5.5, 9.0])
    steps = 1e-4
    velocity = (track.at(times + steps) - track.at(times - steps)) / (2 * steps)
    plain = velocity[:, 2:]
    assert np.allclose(track.at(np.zeros(1)), 0)
    assert np.allclose(plain[0], [0, 0])
    assert np.allclose(plain[4], [0.05, 0], atol=1e-9)
    assert np.allclose(plain[6], [0, 0.3], atol=1e-9)
    assert 0 < plain[2, 0] < 0.05


def test_pan_gives_the_same_flow_everywhere() -> None:
    flow, valid, moving = exact_flow(_panned((0.12, -0.06, 0.0, 0.0)), "seg1", 2)
    gaps = np.diff(clip_frames(15)) / 15
    expected = -np.array([0.12, -0.06]) * 32 * gaps[:, None]
    assert valid.all()
    assert not moving.any()
    assert np.allclose(flow, expected[:, None, None, :], atol=1e-4)


def test_zoom_expands_about_the_centre() -> None:
    flow, _, _ = exact_flow(_panned((0.0, 0.0, 0.15, 0.0)), "seg1", 0)
    centres = np.arange(32) - 15.5
    factor = np.exp(0.15 * np.diff(clip_frames(15)) / 15) - 1
    assert np.allclose(flow[..., 0], factor[:, None, None] * centres[None, None, :], atol=1e-4)
    assert np.allclose(flow[..., 1], factor[:, None, None] * centres[None, :, None], atol=1e-4)


def test_object_mask_shows_what_moves_by_itself() -> None:
    ball = Thing("ball", "0", 0, (0.0, 0.0), 0.5, path=Track(rates=((0.1, 0.0, 0.0, 0.0),)))
    stone = Thing("ball", "1", 0, (0.35, 0.35), 0.25)
    flow, _, moving = exact_flow(_panned((0.0, 0.08, 0.0, 0.0), (ball, stone)), "seg1", 0)
    assert moving[0, 16, 16]
    assert not moving[0, 27, 27]
    disc = np.pi * (0.25 * 32) ** 2
    assert abs(moving[0].sum() - disc) < 0.08 * disc
    step = 10 / 15
    assert np.allclose(flow[0, 16, 16], [0.1 * 32 * step, -0.08 * 32 * step], atol=1e-3)


def test_steps_over_cuts_and_fades_are_invalid(tiny: FilmPlan) -> None:
    for segment, clips in tiny.config.segments.items():
        for index in range(clips):
            _, valid, _ = exact_flow(tiny, segment, index)
            frames = index * 30 + clip_frames(15)
            for step in range(3):
                shot = tiny.shot_at(segment, int(frames[step]))
                inside = frames[step + 1] < shot.end_frame
                lit = frames[step] - shot.onset_frame >= shot.fade_in
                lit &= frames[step + 1] - shot.onset_frame < shot.n_frames - shot.fade_out
                assert valid[step].all() == valid[step].any() == (inside and lit)


def test_unknown_clips_are_refused(tiny: FilmPlan) -> None:
    with pytest.raises(UnknownName):
        exact_flow(tiny, "seg1", 16)
    with pytest.raises(UnknownName):
        exact_flow(tiny, "seg9", 0)


def test_exact_flow_agrees_with_dense_inverse_search(tiny: FilmPlan) -> None:
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    size, errors, speeds = tiny.config.frame_px, [], []
    for segment in tiny.config.segments:
        for shot in tiny.shots(segment):
            at = shot.onset_frame + 20
            grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in render_frames(tiny, segment, [at, at + 2])]
            measured = search.calc(grey[0], grey[1], None)
            path = course_of_frames(tiny, shot, size)
            owner = look(path, 20)
            exact = displacement(path, owner, 20, 22)[0] * size
            steep = np.hypot(cv2.Sobel(grey[0], cv2.CV_32F, 1, 0), cv2.Sobel(grey[0], cv2.CV_32F, 0, 1)) / 8
            labels = owner.astype(np.float32)
            inside = cv2.dilate(labels, np.ones((9, 9))) == cv2.erode(labels, np.ones((9, 9)))
            seen = inside & (cv2.blur(steep, (9, 9)) > 6)
            if seen.sum() > 200:
                errors.append(np.median(np.hypot(*np.moveaxis(measured - exact, -1, 0))[seen]))
                speeds.append(np.median(np.hypot(*np.moveaxis(exact, -1, 0))[seen]))
    assert len(errors) >= 6
    assert np.median(errors) < 0.15
    assert np.median(errors) < 0.2 * np.median(speeds)


def test_frames_warped_by_the_exact_flow_match(tiny: FilmPlan) -> None:
    size, before, after = tiny.config.frame_px, [], []
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    for shot in tiny.shots("seg2"):
        frames = render_frames(tiny, "seg2", [shot.onset_frame + 30, shot.onset_frame + 33]).astype(np.float32)
        path = course_of_frames(tiny, shot, size)
        total, _ = displacement(path, look(path, 30), 30, 33)
        to = (total * size).astype(np.float32)
        x, y = columns + to[..., 0], rows + to[..., 1]
        inside = (x > 1) & (x < size - 2) & (y > 1) & (y < size - 2)
        back = cv2.remap(frames[1], x, y, cv2.INTER_LINEAR)
        before.append(np.abs(frames[1] - frames[0])[inside].mean())
        after.append(np.abs(back - frames[0])[inside].mean())
    assert np.mean(after) < 0.5 * np.mean(before)


def test_drive_agrees_with_flow_over_short_steps(tiny: FilmPlan) -> None:
    drive = film_drive(tiny, "seg1")
    assert drive.velocity.shape == (128, 16, 16, 2)
    assert np.allclose(np.diff(drive.times_s), 1 / DRIVE_HZ)
    shot = tiny.shots("seg1")[0]
    path = course_of_frames(tiny, shot, 32)
    for k in (9, 13):
        frame = int(drive.times_s[k] * 15)
        total, _ = displacement(path, look(path, frame), frame, frame + 1)
        cells = total.reshape(16, 2, 16, 2, 2).mean(axis=(1, 3)) * 15
        gap = np.hypot(*np.moveaxis(drive.velocity[k] - cells, -1, 0))
        assert np.median(gap) < 0.02


def test_drive_colour_is_the_rendered_frame(tiny: FilmPlan) -> None:
    drive = film_drive(tiny, "test1")
    k = 6  # (k + .5) / 4 s falls between frames 24 and 25 of 15 per second
    frames = render_frames(tiny, "test1", [24]).astype(np.float32) / 255
    small = cv2.resize(frames[0], (32, 32), interpolation=cv2.INTER_AREA)
    assert np.median(np.abs(drive.colour[k] - small)) < 0.04


def test_drive_marks_cuts_and_light(tiny: FilmPlan) -> None:
    onsets = [shot.onset_frame / 15 for shot in tiny.shots("test2")]
    drive = film_drive(tiny, "test2")
    assert drive.cut.sum() == len(onsets)
    assert all(drive.cut[int(onset * DRIVE_HZ)] == 1 for onset in onsets)
    flickering = film_drive(plan_film(SimulationConfig(seed=1, size="tiny", world="flicker")), "test2")
    assert np.std(flickering.camera[:, 5]) > 0.1
    assert np.array_equal(flickering.velocity, drive.velocity)


def test_pair_partners_open_with_the_same_pixels(tiny: FilmPlan) -> None:
    pairs: dict[int, list[np.ndarray]] = {}
    for segment in tiny.config.test_segments:
        for shot in tiny.shots(segment):
            if shot.case:
                first, last = render_frames(tiny, segment, [shot.onset_frame, shot.end_frame - 1])
                pairs.setdefault(shot.pair, []).append(np.stack([first, last]))
    assert len(pairs) == 3
    for one, other in pairs.values():
        assert np.array_equal(one[0], other[0])
        assert np.abs(one[1].astype(int) - other[1]).mean() > 1


def _decoded(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_written_film_is_complete_repeatable_and_true_to_its_frames(tiny: FilmPlan, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    plan = write_film(tiny.config, tmp_path, ["test1", "test2"], lambda done, total: seen.append((done, total)))
    assert plan == tiny
    assert seen[-1] == (960, 960)
    again = tmp_path / "again.mp4"
    render_segment(tiny, "test1", again)
    assert again.read_bytes() == (tmp_path / "stimuli" / "test1.mp4").read_bytes()
    frames = _decoded(again)
    assert len(frames) == 480
    drawn = render_frames(tiny, "test1", [0, 100, 479]).astype(int)
    for number, picture in zip((0, 100, 479), drawn, strict=True):
        assert np.abs(frames[number] - picture).mean() < 5
    card = json.loads((tmp_path / "dataset.json").read_text())
    assert card["simulated"] is True
    assert card["seed"] == 1
    assert FilmPlan.read(tmp_path / "scenes.json") == tiny
    left_behind = [path.name for path in tmp_path.rglob("*") if path.name.endswith(".tmp")]
    assert left_behind == []


def test_key_frames_stand_every_clip_and_partners_decode_alike(tiny: FilmPlan, tmp_path: Path) -> None:
    import av

    firsts: dict[int, list[np.ndarray]] = {}
    for segment in tiny.config.test_segments:
        path = tmp_path / f"{segment}.mp4"
        render_segment(tiny, segment, path)
        frames = _decoded(path)
        with av.open(str(path)) as container:
            keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe and packet.pts is not None]
        assert len(keys) == 16
        for shot in tiny.shots(segment):
            if shot.case:
                firsts.setdefault(shot.pair, []).append(frames[shot.onset_frame])
    assert all(np.array_equal(one, other) for one, other in firsts.values())
