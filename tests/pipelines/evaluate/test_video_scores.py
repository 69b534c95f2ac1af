"""Scores of reanimated clips against motion that is known, and which clips slow backends render."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.flow.fields import step_seconds
from pipelines.evaluate.reanimation_clips import stratified_clips, true_speed
from pipelines.evaluate.video_scores import SCORES, ClipTruth, TimedFilm, own_flow, score_clip
from pipelines.flow_labels.labellers import DisLabeller
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.warp import warp_frames

FPS, SIZE = 15.0, 112
STEP_S = step_seconds(FPS)
TIMES = np.concatenate([[0], np.cumsum(STEP_S, dtype=np.float64)])
LABELLER = DisLabeller()


def scene() -> np.ndarray:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[20:420, 40:440])


def pan(speed: tuple[float, float], times: np.ndarray) -> np.ndarray:
    """A window on a picture that shifts by pixels per second: uint8 (n, SIZE, SIZE, 3)."""
    import cv2

    shifts = [np.float32([[1, 0, 100 - speed[0] * t], [0, 1, 100 - speed[1] * t]]) for t in times]
    where = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    return np.stack([cv2.warpAffine(scene(), shift, (SIZE, SIZE), flags=where) for shift in shifts])


def flow_of(speed: tuple[float, float]) -> np.ndarray:
    """The pan's flow in pixels of the 32 x 32 grid per step."""
    return np.array(speed) * (32 / SIZE) * STEP_S[:, None, None, None] * np.ones((3, 32, 32, 2), np.float32)


def truth_of(speed: tuple[float, float]) -> ClipTruth:
    every = np.ones((3, 32, 32), bool)
    inner = every.copy()
    inner[:, :8] = inner[:, -8:] = inner[:, :, :8] = inner[:, :, -8:] = False
    return ClipTruth(pan(speed, TIMES), flow_of(speed), inner, np.zeros_like(every), STEP_S)


def film_of(speed: tuple[float, float], fps: float = FPS, n: int = 30) -> TimedFilm:
    times = np.arange(n) / fps
    return TimedFilm(pan(speed, times), times)


@pytest.mark.parametrize(("fps", "n"), [(15, 30), (6.7, 14), (3, 6)])
def test_the_own_flow_of_a_film_of_any_rate(fps: float, n: int) -> None:
    speed = (9.0, -6.0)
    flow, error = own_flow(film_of(speed, fps, n), TIMES, LABELLER)
    inside = flow[:, 8:-8, 8:-8]
    assert np.abs(inside - flow_of(speed)[:, 8:-8, 8:-8]).mean() < 0.08
    assert error < 0.02


def test_a_film_with_too_few_frames_has_no_flow_where_they_lack() -> None:
    flow, _ = own_flow(film_of((9.0, 0.0), fps=1, n=2), TIMES, LABELLER)
    assert np.isfinite(flow[0]).all()
    assert np.isnan(flow[1:]).all()  # one frame is the nearest to both ends


def test_better_motion_scores_better_and_the_frozen_frame_is_the_speed() -> None:
    speed = (9.0, -6.0)
    truth = truth_of(speed)
    right, half, frozen = (score_clip(film_of((s * 9, s * -6)), truth, LABELLER) for s in (1, 0.5, 0))
    assert list(right) == list(SCORES)
    assert right["epe"] < half["epe"] < frozen["epe"]
    assert frozen["epe"] == pytest.approx(np.hypot(9, 6) * 32 / SIZE * STEP_S.mean(), rel=1e-4)
    assert right["ssim"] > 0.99 > half["ssim"] > frozen["ssim"]
    assert right["ssim-grid"] > half["ssim-grid"] > frozen["ssim-grid"]
    assert right["ssim-columns"] > half["ssim-columns"] > frozen["ssim-columns"]
    assert abs(half["ssim-columns"] - half["ssim"]) > 0.01
    assert right["psnr"] > half["psnr"] > frozen["psnr"]
    assert right["hue-correlation"] > half["hue-correlation"]
    assert right["hue-cosine"] > half["hue-cosine"] > half["hue-correlation"]  # a cosine of values above 0 starts high
    assert frozen["warping-error"] == 0
    assert np.isnan(right["epe-moving"])  # nothing moves against the camera


def test_frames_beyond_a_cut_do_not_count() -> None:
    truth = truth_of((9.0, -6.0))
    beyond = truth.frames.copy()
    beyond[2:] = 0
    cut = truth.valid.copy()
    cut[1] = False
    film = film_of((9.0, -6.0))
    scores = score_clip(film, ClipTruth(beyond, truth.flow, cut, truth.moving, STEP_S), LABELLER)
    assert scores["ssim"] > 0.99
    cut[0] = False
    scores = score_clip(film, ClipTruth(beyond, truth.flow, cut, truth.moving, STEP_S), LABELLER)
    assert np.isnan(scores["ssim"])
    assert np.isfinite(scores["epe"])  # the last step lies within one shot, as in the motion tables


def test_the_warp_moves_as_its_flow_says() -> None:
    speed = (9.0, -6.0)
    motion = MotionField.from_steps(flow_of(speed), STEP_S)
    times = np.arange(1, 30) / FPS
    film = TimedFilm(warp_frames(pan(speed, TIMES)[0], motion, times), np.concatenate([[0], times]))
    assert score_clip(film, truth_of(speed), LABELLER)["epe"] < 0.1


def test_films_without_order_in_time_are_refused() -> None:
    with pytest.raises(DataProblem):
        TimedFilm(np.zeros((2, 8, 8, 3), np.uint8), np.array([0.0, 0.0]))


def test_a_sample_of_clips_has_every_film_and_speed_in_proportion() -> None:
    rng = np.random.default_rng(0)
    speed = rng.exponential(1, 400)
    segments = ["test1"] * 300 + ["test2"] * 100
    rows = stratified_clips(speed, segments, 40)
    assert rows == sorted(set(rows))
    assert Counter(segments[row] for row in rows) == {"test1": 30, "test2": 10}
    fast = np.quantile(speed[:300], 0.75)
    assert sum(speed[row] > fast for row in rows if row < 300) == pytest.approx(7.5, abs=1)
    assert stratified_clips(speed, segments, 40) == rows
    assert stratified_clips(speed, segments, 40, seed=1) != rows
    assert stratified_clips(speed[:7], segments[:7], 40) == list(range(7))
    with pytest.raises(DataProblem):
        stratified_clips(speed, segments, 0)


def test_true_speed_counts_valid_vectors_only() -> None:
    flow = np.zeros((2, 3, 4, 4, 2))
    flow[0, :, :2] = (3, 4)
    valid = np.zeros((2, 3, 4, 4), bool)
    valid[0, :, :2] = True
    assert true_speed(flow, valid).tolist() == [5, 0]
