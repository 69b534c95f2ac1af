"""What is drawn for a subject: regions, receptive fields, tuning."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.cortex import glasser, load_surface
from brainviz.cortex.surface import N_HEMISPHERE
from pipelines.simulate.areas import AREAS, CLASSES, DRIVES, TRAITS, class_of_vertices
from pipelines.simulate.receptive_fields import receptive_fields
from pipelines.simulate.smoothness import blur, smooth_fields, unit_sum, unit_variance
from pipelines.simulate.vertices import Subject, draw_subject


@pytest.fixture(scope="module")
def fields() -> np.ndarray:
    return receptive_fields(np.random.default_rng(0))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return draw_subject(0, "1")


def test_classes_follow_the_regions() -> None:
    kind = class_of_vertices(glasser())
    for area, name in {"V1": "early", "MST": "motion", "V6": "motion", "FFC": "ventral", "5mv": "self"}.items():
        assert set(kind[glasser().cortex_vertices(area)]) == {CLASSES.index(name)}
    assert set(kind[glasser().cortex_vertices("A1")]) == {0}
    listed = [area for areas in AREAS.values() for area in areas]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", list(TRAITS))
def test_a_third_of_every_response_is_unseen(name: str) -> None:
    shares = TRAITS[name].shares
    assert sum(shares) == pytest.approx(1)
    assert shares[DRIVES.index("unseen")] == pytest.approx(1 / 3, abs=0.01)


def test_each_hemisphere_sees_the_other_half(fields: np.ndarray) -> None:
    left = load_surface().cortex < N_HEMISPHERE
    seeing = np.isfinite(fields[:, 0])
    assert (fields[seeing & left, 0] > 0.45).mean() > 0.97
    assert (fields[seeing & ~left, 0] < 0.55).mean() > 0.97
    assert (fields[seeing, :2] >= 0).all() and (fields[seeing, :2] <= 1).all() and (fields[seeing, 2] > 0).all()


def test_v1_is_retinotopic(fields: np.ndarray) -> None:
    """The upper bank of the calcarine sees the lower half, eccentricity grows forwards, fields grow outwards."""
    v1 = glasser().cortex_vertices("V1")
    position = load_surface().midthickness[load_surface().cortex[v1]]
    eccentricity = np.hypot(fields[v1, 0] - 0.5, fields[v1, 1] - 0.5)
    assert np.corrcoef(position[:, 1], eccentricity)[0, 1] > 0.7
    middle = np.abs(position[:, 1] + 80) < 12
    assert np.corrcoef(position[middle, 2], fields[v1, 1][middle])[0, 1] > 0.5
    assert np.corrcoef(eccentricity, fields[v1, 2])[0, 1] > 0.7
    sizes = [np.nanmedian(fields[glasser().cortex_vertices(area), 2]) for area in ("V1", "V2", "V3", "V4", "MST")]
    assert sizes == sorted(sizes)


def test_a_subject_is_drawn_again_the_same_and_differs_from_others(subject: Subject) -> None:
    again, other = draw_subject(0, "1"), draw_subject(0, "2")
    for name in vars(subject):
        np.testing.assert_array_equal(getattr(subject, name), getattr(again, name))
    assert not np.array_equal(subject.direction, other.direction)
    np.testing.assert_array_equal(subject.vertices, other.vertices)


def test_tuning_is_within_its_ranges(subject: Subject) -> None:
    assert subject.peak_s.min() >= 4 and subject.peak_s.max() <= 7
    np.testing.assert_allclose(subject.shares.sum(1), 1, atol=1e-5)
    assert subject.reliability.min() >= 0.02 and subject.reliability.max() <= 0.6
    assert subject.motion.min() >= -1 and subject.motion.shape[1] == 32
    regions = glasser().cortex_labels[subject.vertices]
    for label in np.unique(regions):
        assert len(np.unique(subject.peak_s[regions == label])) == 1


def test_preferred_directions_cover_the_circle_and_agree_nearby(subject: Subject) -> None:
    compass = np.histogram(subject.direction, 8, (-np.pi, np.pi))[0] / len(subject.direction)
    assert compass.min() > 0.04
    where = load_surface().midthickness[load_surface().cortex[subject.vertices]]
    near = np.linalg.norm(where[1:] - where[:-1], axis=1) < 2.5
    agreement = np.cos(np.diff(subject.direction))[near].mean()
    assert 0.3 < agreement < 0.95


def test_smooth_fields_have_their_covariance() -> None:
    line = np.zeros((200, 3), np.float32)
    line[:, 0] = np.arange(200) * 0.5
    field = smooth_fields(line, 5.0, 4000, np.random.default_rng(1))
    covariance = (field[100] * field[[100, 104, 110, 120]]).mean(1)
    np.testing.assert_allclose(covariance, np.exp(-0.5 * (np.array([0, 2, 5, 10]) / 5) ** 2), atol=0.25)


def test_blur_weights_are_gaussian_in_distance() -> None:
    where = np.array([[0, 0, 0], [1, 0, 0], [0, 3, 0], [100, 0, 0]], np.float32)
    sigma = 6 / np.sqrt(8 * np.log(2))
    weights = blur(where, where).toarray()
    distance = np.linalg.norm(where[:, None] - where[None], axis=2)
    np.testing.assert_allclose(weights, np.where(distance < 50, np.exp(-0.5 * (distance / sigma) ** 2), 0), rtol=1e-5)
    np.testing.assert_allclose(unit_sum(blur(where, where)).sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose((unit_variance(blur(where, where)).toarray() ** 2).sum(1), 1, rtol=1e-6)


def test_a_place_out_of_reach_takes_its_nearest_node() -> None:
    weights = blur(np.array([[30.0, 0, 0]], np.float32), np.array([[0, 0, 0], [5, 0, 0]], np.float32)).toarray()
    assert weights[0, 1] > 0 and weights[0, 0] == 0
