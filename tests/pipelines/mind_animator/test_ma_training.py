"""Training: a planted linear relation is learnt, resume is exact, held-out films stay out, the forms' faults show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from brainviz.errors import BrainvizError, Cancelled, NotReady, UnknownName
from brainviz.metrics.retrieval import top_k_accuracy
from pipelines.mind_animator.config import EMBEDDED, PUBLISHED, MindAnimatorConfig, PartConfig
from pipelines.mind_animator.data import AugmentedWindows, FmriInput, TrainingClips
from pipelines.mind_animator.forms import CORRECTED, RELEASED, form_of
from pipelines.mind_animator.trained import load_part
from pipelines.mind_animator.training import train
from pipelines.mind_animator.warm_start import rectified
from pipelines.motion_decoder.data import BoldWindows

N, VERTICES, WINDOW = 240, 40, 3
QUICK = dataclasses.replace(
    EMBEDDED,
    rank=0,
    ridge_start=False,
    semantic=PartConfig(16, 1, 25, 32, 5e-3, patience=30, zeroed=(0.2, 0.5)),
    structure=PartConfig(64, 1, 20, 32, 5e-3, patience=30, zeroed=(0.4, 0.5)),
    motion=PartConfig(32, 1, 15, 32, 0.3, patience=30),
    hidden=32,
)


def world(seed: int = 0, n: int = N) -> TrainingClips:
    """What a clip shows (16 numbers) is linear in its own volume; the frames drift by a linear function of it."""
    rng = np.random.default_rng(seed)
    shown = rng.standard_normal((n, 16)).astype(np.float32)
    fixed = np.random.default_rng(99)
    mixing, to_latent, to_drift = (fixed.standard_normal((16, size)) / 4 for size in (VERTICES, 64, 64))
    volumes = (shown @ mixing + 0.1 * rng.standard_normal((n, VERTICES))).astype(np.float32)
    index = np.arange(n)[:, None] + np.array([-1, 0, 1])
    index[(index < 0) | (index >= n)] = -1
    first = (shown @ to_latent).astype(np.float32)
    drift = (shown @ to_drift).astype(np.float32)
    frames = first[:, None] + 0.3 * np.arange(8, dtype=np.float32)[:, None] * drift[:, None]
    segment = np.repeat([f"seg{i}" for i in range(1, 7)], n // 6)
    condition = np.stack([shown, shown[:, ::-1]], axis=1)
    return TrainingClips(
        BoldWindows(volumes, index),
        segment,
        shown,
        shown + 0.1,
        np.ascontiguousarray(condition),
        frames.reshape(n, 8, 4, 4, 4),
    )


@pytest.fixture(scope="module")
def test_clips():
    return world(1)


def test_semantic_decoder_finds_the_clip(test_clips):
    part = train("semantic", world(), "corrected", QUICK)
    vector, condition = part.semantics(test_clips.bold)
    assert top_k_accuracy(vector, test_clips.text, np.arange(N), [10])[0] > 0.8  # chance is .04
    assert np.corrcoef(condition.ravel(), test_clips.condition.ravel())[0, 1] > 0.4


def test_a_ridge_start_finds_the_clip_before_any_training(test_clips):
    data = world()
    pairs = dataclasses.replace(data, text=rectified(data.text), image=rectified(data.image))
    unmoved = dataclasses.replace(QUICK, ridge_start=True, semantic=PartConfig(16, 1, 1, 32, 1e-9, zeroed=(0.2, 0.5)))
    vector, _ = train("semantic", pairs, "corrected", unmoved).semantics(test_clips.bold)
    assert top_k_accuracy(vector, rectified(test_clips.text), np.arange(N), [10])[0] > 0.8
    with pytest.raises(BrainvizError, match="rectified"):
        train("semantic", data, "corrected", unmoved)


def test_structure_and_motion_are_learnt(test_clips):
    data = world()
    structure = train("structure", data, "corrected", QUICK)
    first = structure.first_latents(test_clips.bold)
    true = test_clips.latents
    assert np.corrcoef(first.ravel(), true[:, 0].ravel())[0, 1] > 0.8
    motion = train("motion", data, "corrected", QUICK)
    made = motion.latents(test_clips.bold, true[:, 0])
    assert np.array_equal(made[:, 0], true[:, 0])
    moved, expected = made[:, -1] - made[:, 0], true[:, -1] - true[:, 0]
    assert np.corrcoef(moved.ravel(), expected.ravel())[0, 1] > 0.5


def test_zeros_that_stay_take_the_fmri_away():
    data = world()
    fmri = FmriInput.fit(data.bold, 0)
    stay = AugmentedWindows(fmri, data.bold, (0.4, 0.5), RELEASED, 0)
    fresh = AugmentedWindows(fmri, data.bold, (0.4, 0.5), CORRECTED, 0)
    inside = data.bold.index >= 0
    left = {epoch: (stay.of_epoch(epoch)[inside] != 0).mean() for epoch in (0, 20)}
    assert np.isclose(left[0], 0.8, atol=0.01) and left[20] < 0.02
    assert np.isclose((fresh.of_epoch(20)[inside] != 0).mean(), 0.8, atol=0.01)
    again = AugmentedWindows(fmri, data.bold, (0.4, 0.5), RELEASED, 0)
    assert np.array_equal(again.of_epoch(20), stay.of_epoch(20))


def test_components_stand_for_the_vertices():
    data = world()
    fmri = FmriInput.fit(data.bold, 40)
    assert np.isclose(np.square(fmri.project(data.bold.volumes)).mean(), 1, rtol=0.01)
    weights = np.random.default_rng(0).standard_normal((fmri.channels, 2))
    direct = (data.bold.volumes - fmri.mean) @ fmri.vertex_weights(weights)
    assert np.allclose(fmri.project(data.bold.volumes) @ weights, direct, atol=1e-4)


@pytest.mark.parametrize("part", ["semantic", "structure", "motion"])
@pytest.mark.parametrize("form", ["released", "corrected"])
def test_cancelled_training_goes_on_as_if_it_had_not_been(part, form, tmp_path, monkeypatch):
    from pipelines.mind_animator import training

    monkeypatch.setattr(training, "SAVE_EVERY_S", -1.0)
    settings = {
        name: dataclasses.replace(getattr(QUICK, name), epochs=4) for name in ("semantic", "structure", "motion")
    }
    short = dataclasses.replace(QUICK, **settings)

    def stop(fraction: float, message: str) -> None:
        if fraction >= 0.5:
            raise Cancelled

    data = world(n=60)
    with pytest.raises(Cancelled):
        train(part, data, form, short, tmp_path, stop)
    assert list(tmp_path.iterdir())
    epochs = []
    resumed = train(part, data, form, short, tmp_path, lambda fraction, _: epochs.append(fraction))
    whole = train(part, data, form, short)
    assert epochs == [0.75, 1.0] and not list(tmp_path.iterdir())
    for name, value in whole.network.state_dict().items():
        assert (value == resumed.network.state_dict()[name]).all(), name


def test_held_out_segments_are_not_learnt_from():
    data = world()
    rows, held = data.split()
    assert not set(data.segment[rows]) & set(data.segment[held]) and len(rows) + len(held) == N
    spoiled = dataclasses.replace(data, latents=data.latents.copy())
    spoiled.latents[held] = 1000.0
    settings = dataclasses.replace(QUICK, structure=dataclasses.replace(QUICK.structure, epochs=1))
    one, other = (train("structure", each, "corrected", settings) for each in (data, spoiled))
    assert np.array_equal(one.first_latents(data.bold), other.first_latents(data.bold))
    assert other.facts["held_out_loss"] > 1e5 > one.facts["held_out_loss"]


def test_a_trained_part_is_read_back(tmp_path):
    settings = dataclasses.replace(QUICK, rank=8, motion=dataclasses.replace(QUICK.motion, epochs=1))
    data = world(n=60)
    part = train("motion", data, "corrected", settings)
    part.save(tmp_path / "motion")
    back = load_part(tmp_path / "motion")
    first = data.latents[:, 0]
    assert np.array_equal(part.latents(data.bold, first), back.latents(data.bold, first))
    assert back.form == CORRECTED and back.config == settings
    assert part.vertex_filter().shape == (VERTICES,) == part.vertex_pattern(data.bold, data.text).shape
    with pytest.raises(BrainvizError):
        back.first_latents(data.bold)
    (tmp_path / "motion" / "model.safetensors").write_bytes(b"not one")
    with pytest.raises(BrainvizError):
        load_part(tmp_path / "motion")
    with pytest.raises(NotReady):
        load_part(tmp_path / "nowhere")


def test_what_the_released_form_decodes_depends_on_the_other_test_clips():
    data = world(n=60)
    settings = dataclasses.replace(QUICK, structure=dataclasses.replace(QUICK.structure, epochs=1))
    half = BoldWindows(data.bold.volumes[:30], np.minimum(data.bold.index[:20], 29))
    for form, same in (("released", False), ("corrected", True), ("corrected-minus-scale_test_on_itself", False)):
        part = train("structure", data, form, settings)
        assert np.allclose(part.first_latents(data.bold)[:20], part.first_latents(half), atol=1e-5) == same


def test_names_and_settings():
    assert form_of("corrected-minus-whole_window").whole_window is False
    with pytest.raises(UnknownName):
        form_of("corrected-minus-everything")
    with pytest.raises(UnknownName):
        train("colour", world(n=60), "corrected", QUICK)
    for settings in (PUBLISHED, EMBEDDED):
        assert MindAnimatorConfig.from_mapping(settings.to_mapping()) == settings
