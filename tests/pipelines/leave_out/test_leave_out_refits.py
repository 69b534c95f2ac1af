"""Refits and conditional means against scikit-learn on the raw windows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneGroupOut

from brainviz.errors import BrainvizError
from pipelines.leave_out.conditional import PENALTIES, ConditionalMean, choose_penalty
from pipelines.leave_out.model import FullModel, Recording, all_but
from pipelines.leave_out.refits import Part
from pipelines.motion_decoder.data import BoldWindows

CLIPS, FILMS, VERTICES, WINDOW, TARGETS = 30, 3, 60, 3, 5
ALPHAS = np.array([0.03, 0.3, 3.0, 30.0])


def windows(generator: np.random.Generator, films: int, mixing: np.ndarray) -> tuple[BoldWindows, np.ndarray]:
    """Films of smooth activity in which vertices share sources; the last window's last volumes are missing."""
    volumes, indices, sources = [], [], []
    for _ in range(films):
        source = generator.normal(size=(CLIPS, len(mixing)))
        volumes.append((source @ mixing + generator.normal(size=(CLIPS, VERTICES))).astype(np.float32))
        index = np.arange(CLIPS)[:, None] + np.arange(WINDOW)[None]
        indices.append(np.where(index < CLIPS, index, -1))
        sources.append(source)
    return BoldWindows.from_segments(volumes, indices), np.concatenate(sources)


@pytest.fixture(scope="module")
def model() -> FullModel:
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(6, VERTICES))
    train, sources = windows(generator, FILMS, mixing)
    test, _ = windows(generator, 1, mixing)
    targets = sources @ generator.normal(size=(6, TARGETS)) + [0.2, 1, 3, 9, 30] * generator.normal(
        size=(FILMS * CLIPS, TARGETS)
    )
    return FullModel.fit(Recording(train, test), targets, np.repeat(np.arange(FILMS), CLIPS), ALPHAS)


def raw(bold: BoldWindows, members: np.ndarray, constant: float) -> np.ndarray:
    """The windows themselves, and the constant that makes the intercept."""
    own = bold.gather()[:, :, members].reshape(len(bold), -1).astype(np.float64)
    return np.column_stack([own, np.full(len(own), np.sqrt(constant))])


def refit(model: FullModel, members: np.ndarray, penalty: np.ndarray, constant: float) -> np.ndarray:
    ridge = Ridge(alpha=penalty, fit_intercept=False, solver="svd")
    ridge.fit(raw(model.recording.train, members, constant), model.targets)
    return ridge.predict(raw(model.recording.test, members, constant))


def test_the_full_model_is_the_ridge_of_all_vertices(model: FullModel) -> None:
    expected = refit(model, np.arange(VERTICES), model.penalty, model.constant)
    np.testing.assert_allclose(model.scores, expected, atol=2e-4 * np.abs(expected).max())
    assert len(model.groups) > 1  # targets of different noise have different penalties


@pytest.mark.parametrize("size", [3, 15, 35, 52], ids=["low-rank", "subtracted", "added", "ordinary"])
def test_leaving_out_equals_a_refit_on_the_rest(model: FullModel, size: int) -> None:
    members = np.sort(np.random.default_rng(size).permutation(VERTICES)[:size])
    expected = refit(model, all_but(VERTICES, members), model.penalty, model.constant)
    np.testing.assert_allclose(Part(model, members).without(), expected, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("size", [4, 40], ids=["few features", "more features than clips"])
def test_alone_is_the_whole_procedure_on_the_part(model: FullModel, size: int) -> None:
    members = np.sort(np.random.default_rng(size).permutation(VERTICES)[:size])
    bold = model.recording.train
    constant = float((bold.gather()[:, :, members] ** 2).sum() / len(bold))
    own = raw(bold, members, constant)
    errors = np.zeros((len(ALPHAS), TARGETS))
    for train, held in LeaveOneGroupOut().split(own, groups=model.fold):
        for i, alpha in enumerate(ALPHAS):
            ridge = Ridge(alpha=alpha * constant, fit_intercept=False).fit(own[train], model.targets[train])
            errors[i] += ((ridge.predict(own[held]) - model.targets[held]) ** 2).sum(0)
    chosen = ALPHAS[errors.argmin(0)] * constant
    expected = refit(model, members, chosen, constant)
    np.testing.assert_allclose(Part(model, members).only(), expected, atol=5e-4 * np.abs(expected).max())


def test_the_conditional_mean_is_a_ridge_from_the_rest(model: FullModel) -> None:
    members = np.array([1, 2, 7, 30])
    rest = all_but(VERTICES, members)
    train, test = (np.asarray(w.volumes, np.float64) for w in (model.recording.train, model.recording.test))
    ridge = Ridge(alpha=40.0, fit_intercept=False).fit(train[:, rest], train[:, members])
    conditional = ConditionalMean(model, 40.0)
    np.testing.assert_allclose(conditional.expected(members), ridge.predict(test[:, rest]), atol=2e-4)


@pytest.mark.parametrize("size", [4, 50])
def test_reliance_hands_the_unchanged_decoder_the_replaced_activity(model: FullModel, size: int) -> None:
    members = np.sort(np.random.default_rng(size).permutation(VERTICES)[:size])
    conditional = ConditionalMean(model, 40.0)
    volumes = np.array(model.recording.test.volumes)
    volumes[:, members] = conditional.expected(members)
    replaced = BoldWindows(volumes, model.recording.test.index)
    ridge = Ridge(alpha=model.penalty, fit_intercept=False, solver="svd")
    everything = np.arange(VERTICES)
    ridge.fit(raw(model.recording.train, everything, model.constant), model.targets)
    expected = ridge.predict(raw(replaced, everything, model.constant))
    np.testing.assert_allclose(conditional.scores(members), expected, atol=3e-4 * np.abs(expected).max())


def test_the_penalty_of_the_conditional_mean_is_that_of_left_out_films(model: FullModel) -> None:
    train = np.asarray(model.recording.train.volumes, np.float64)
    film = np.repeat(np.arange(FILMS), CLIPS)
    parts = [np.array([0, 5, 9]), np.array([20, 21])]
    scale = float((train**2).sum() / len(train))
    errors = np.zeros(len(PENALTIES))
    for part in parts:
        rest = all_but(VERTICES, part)
        for fit, held in LeaveOneGroupOut().split(train, groups=film):
            for i, penalty in enumerate(PENALTIES):
                ridge = Ridge(alpha=penalty * scale, fit_intercept=False).fit(train[fit][:, rest], train[fit][:, part])
                missed = ridge.predict(train[held][:, rest]) - train[held][:, part]
                errors[i] += (missed**2).sum() / (train[:, part] ** 2).sum()
    assert choose_penalty(model, parts, film) == pytest.approx(PENALTIES[int(errors.argmin())] * scale)


def test_a_part_is_a_sorted_choice_and_something_must_remain(model: FullModel) -> None:
    for wrong in ([], [3, 3], [5, 2], [-1], [VERTICES]):
        with pytest.raises(BrainvizError):
            Part(model, np.array(wrong, dtype=np.int64))
    with pytest.raises(BrainvizError):
        Part(model, np.arange(VERTICES)).without()
