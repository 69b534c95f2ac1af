import numpy as np
import pandas as pd
import pytest

from brainviz.errors import DataProblem
from brainviz.flow.camera import camera_fit
from brainviz.flow.errors import angular_error, end_point_error, flow_correlation
from brainviz.metrics.motion_scores import MASKS, MotionScorer, MotionTruth, score_masks, speed_edges
from brainviz.metrics.sampled import score_samples


def clips(n: int) -> pd.DataFrame:
    index = np.arange(n)
    return pd.DataFrame(
        {
            "clip": [f"test1-{k:04d}" for k in index],
            "segment": "test1",
            "index": index,
            "onset_s": 2.0 * index,
            "duration_s": 2.0,
            "shot": index // 2,
        }
    )


def truth_of(n: int = 20, grid: int = 8, seed: int = 0) -> MotionTruth:
    rng = np.random.default_rng(seed)
    flow = (rng.standard_normal((n, 3, 1, 1, 2)) * 2 + rng.standard_normal((n, 3, grid, grid, 2))).astype(np.float32)
    valid = rng.random((n, 3, grid, grid)) < 0.8
    valid[4] = False
    flow[~valid] = np.nan
    moving = rng.random((n, 3, grid, grid)) < 0.3
    return MotionTruth(clips(n), flow, valid, moving, np.float32([0.67, 0.67, 0.6]), "dis", True)


TRUTH = truth_of()
SCORER = MotionScorer(TRUTH, (1.0, 2.0))
PREDICTION = np.random.default_rng(1).standard_normal((20, 4, 3, 8, 8, 2)).astype(np.float32)


@pytest.mark.parametrize("mask", MASKS)
def test_scores_are_those_of_the_flow_functions(mask):
    scores = SCORER.score(PREDICTION)["full"]
    valid, column = SCORER.masks[mask], MASKS.index(mask)
    for sample in range(4):
        predicted = PREDICTION[:, sample]
        for found, measure in (
            (scores.epe, end_point_error),
            (scores.angular_error, angular_error),
            (scores.correlation, flow_correlation),
        ):
            expected = measure(TRUTH.flow, predicted, valid)
            np.testing.assert_allclose(found[:, sample, column], expected, rtol=2e-5, atol=2e-5)


def test_a_single_field_is_one_sample_and_chunks_do_not_matter():
    alone = SCORER.score(PREDICTION[:, 2])["full"].epe
    assert alone.shape == (20, 1, 5)
    np.testing.assert_allclose(alone[:, 0], SCORER.score(PREDICTION)["full"].epe[:, 2], rtol=1e-6)


def test_camera_and_residual_are_fitted_alike_on_truth_and_prediction():
    scores = SCORER.score(PREDICTION, parts=("camera", "residual"), masks=("none",))
    filled = np.where(TRUTH.valid[..., None], TRUTH.flow, 0)
    true_camera = camera_fit(filled, TRUTH.valid)[1]
    predicted_camera = camera_fit(PREDICTION[:, 1], TRUTH.valid)[1]
    camera = end_point_error(true_camera, predicted_camera, TRUTH.valid)
    residual = end_point_error(filled - true_camera, PREDICTION[:, 1] - predicted_camera, TRUTH.valid)
    np.testing.assert_allclose(scores["camera"].epe[:, 1, 0], camera, rtol=1e-4)
    np.testing.assert_allclose(scores["residual"].epe[:, 1, 0], residual, rtol=1e-4)
    assert scores["camera"].angular_error is None


def test_a_right_camera_with_wrong_objects_fails_only_on_the_residual():
    y, x = np.mgrid[:32, :32].astype(np.float32)
    camera = np.stack([2 + 0.05 * (x - 15.5), 1 + 0.05 * (y - 15.5)], axis=-1)
    flow = np.broadcast_to(camera, (2, 3, 32, 32, 2)).copy()
    flow[:, :, 10:16, 10:16] += 5
    still = np.zeros(flow.shape[:-1], bool)
    moving = still.copy()
    moving[:, :, 10:16, 10:16] = True
    scorer = MotionScorer(MotionTruth(clips(2), flow, ~still, moving, np.ones(3), "exact", True), (1, 2))
    without = np.broadcast_to(camera, flow.shape)
    scores = scorer.score(without, parts=("camera", "residual"), masks=("none", "moving"))
    assert (scores["camera"].epe < 0.02).all()
    assert scores["residual"].epe[:, 0, 1] == pytest.approx(np.hypot(5, 5), abs=0.05)


def test_zero_flow_error_is_mean_speed_in_every_part():
    zero = np.zeros(TRUTH.flow.shape, np.float32)
    full = end_point_error(TRUTH.flow, zero, TRUTH.valid)
    np.testing.assert_allclose(SCORER.epe_zero()[:, 0], full, rtol=1e-6)
    scores = SCORER.score(zero, parts=("residual",), masks=("moving", "none"))["residual"].epe[:, 0]
    np.testing.assert_allclose(scores, SCORER.epe_zero("residual", ("moving", "none")), atol=1e-5)


def test_the_truth_itself_scores_zero_and_one():
    perfect = SCORER.score(np.nan_to_num(TRUTH.flow))["full"]
    scored = SCORER.n_pixels > 1
    assert perfect.epe[:, 0][scored] == pytest.approx(0)
    assert perfect.correlation[:, 0][scored] == pytest.approx(1)


def test_a_clip_without_valid_pixels_has_no_score():
    scores = SCORER.score(PREDICTION)["full"]
    assert np.isnan(scores.epe[4]).all() and np.isnan(SCORER.epe_zero()[4]).all()
    assert (SCORER.n_pixels[4] == 0).all()


def test_constant_fields_have_no_correlation():
    constant = np.full((20, 3, 8, 8, 2), 0.3, np.float32)
    assert np.isnan(SCORER.score(constant)["full"].correlation).all()


def test_speed_bins_share_out_the_valid_pixels():
    masks = score_masks(TRUTH, (1.0, 2.0))
    np.testing.assert_array_equal(sum(masks[name].astype(int) for name in ("slow", "medium", "fast")), TRUTH.valid)
    speed = np.hypot(*np.moveaxis(TRUTH.flow, -1, 0))
    assert speed[masks["slow"]].max() <= 1.0 < speed[masks["medium"]].min()
    assert not (masks["moving"] & ~TRUTH.valid).any()


def test_speed_edges_are_thirds_of_valid_training_speeds():
    edges = speed_edges(TRUTH.flow, TRUTH.valid)
    speed = np.hypot(*TRUTH.flow[TRUTH.valid].T)
    assert [(speed <= edge).mean() for edge in edges] == pytest.approx([1 / 3, 2 / 3], abs=0.01)
    with pytest.raises(DataProblem, match="binned"):
        speed_edges(TRUTH.flow, np.zeros_like(TRUTH.valid))


def test_bad_predictions_are_refused_by_name():
    with pytest.raises(DataProblem, match="shape"):
        SCORER.score(PREDICTION[:5], name="ridge")
    spoiled = PREDICTION.copy()
    spoiled[17, 0, 0, 0, 0, 0] = np.nan
    with pytest.raises(DataProblem, match=r"test1-0017.*ridge"):
        SCORER.score(spoiled, name="ridge")


def test_truth_of_wrong_shape_is_refused():
    with pytest.raises(DataProblem, match="clips"):
        MotionTruth(clips(3), TRUTH.flow, TRUTH.valid, TRUTH.moving, TRUTH.step_s, "dis", True)
    with pytest.raises(DataProblem, match="mask"):
        MotionTruth(clips(20), TRUTH.flow, TRUTH.valid, TRUTH.moving[:, :2], TRUTH.step_s, "dis", True)


def test_energy_score_by_its_definition():
    scores = score_samples(SCORER, PREDICTION)["none"]
    for clip in (0, 7):
        valid = TRUTH.valid[clip]
        x, y = PREDICTION[clip][:, valid].astype(float), TRUTH.flow[clip][valid].astype(float)
        to_truth = np.mean([np.linalg.norm(x[k] - y, axis=-1).mean() for k in range(4)])
        apart = np.mean([np.linalg.norm(x[j] - x[k], axis=-1).mean() for j in range(4) for k in range(4) if j != k])
        assert scores.energy[clip] == pytest.approx(to_truth - apart / 2, rel=1e-4)
    assert scores.n_samples == 4
    assert np.isnan(scores.energy[4])


def test_best_mean_and_expected_of_n():
    each = np.stack([end_point_error(TRUTH.flow, PREDICTION[:, k], TRUTH.valid) for k in range(4)])
    scores = score_samples(SCORER, PREDICTION)["none"]
    np.testing.assert_allclose(scores.best, each.min(0), rtol=1e-5)
    np.testing.assert_allclose(scores.epe, each.mean(0), rtol=1e-5)
    expected = end_point_error(TRUTH.flow, PREDICTION.mean(1), TRUTH.valid)
    np.testing.assert_allclose(scores.expected, expected, rtol=1e-5)


def test_a_point_prediction_has_one_score():
    scores = score_samples(SCORER, PREDICTION[:, 0], masks=("none", "moving"))["moving"]
    expected = end_point_error(TRUTH.flow, PREDICTION[:, 0], TRUTH.valid & TRUTH.moving)
    for found in (scores.epe, scores.best, scores.expected, scores.energy):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_energy_score_prefers_the_true_distribution_at_any_number_of_samples():
    rng = np.random.default_rng(2)
    flow = rng.standard_normal((400, 1, 4, 4, 2)).astype(np.float32)
    everywhere = np.ones(flow.shape[:-1], bool)
    scorer = MotionScorer(MotionTruth(clips(400), flow, everywhere, everywhere, np.ones(1), "exact", True), (1, 2))

    def mean_score(spread: float, n_samples: int) -> float:
        samples = spread * rng.standard_normal((400, n_samples, 1, 4, 4, 2)).astype(np.float32)
        return float(score_samples(scorer, samples)["none"].energy.mean())

    assert mean_score(1.0, 10) < mean_score(0.3, 10)
    assert mean_score(1.0, 10) < mean_score(2.5, 10)
    assert mean_score(1.0, 3) == pytest.approx(mean_score(1.0, 30), abs=0.02)
