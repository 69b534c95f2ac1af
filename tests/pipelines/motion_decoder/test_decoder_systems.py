"""Every system from training to checkpoint; what brain information does, and does not, bring."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from planted_motion import epe, planted

from brainviz.errors import BrainvizError, NotReady, UnknownName
from pipelines.motion_decoder import SYSTEMS, BoldWindows, DecoderConfig, DecoderData, load_system, train_system
from pipelines.motion_decoder.baselines import PersistenceDecoder
from pipelines.motion_decoder.patch_decoder import PatchDecoder
from pipelines.motion_decoder.reference import ReferenceDecoder


@pytest.fixture(scope="module")
def test_clips() -> DecoderData:
    return planted(seed=7, segments=2, split="test")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_loaded_system_predicts_what_the_trained_one_did(
    name: str, world: DecoderData, test_clips: DecoderData, quick: DecoderConfig, tmp_path: Path
) -> None:
    heard: list[float] = []
    trained = train_system(name, world, quick, tmp_path / name, lambda fraction, message: heard.append(fraction))
    loaded = load_system(tmp_path / name)
    assert loaded.name == trained.name == name
    assert loaded.facts() == trained.facts()
    assert heard[-1] == 1.0 and all(0 <= f <= 1 for f in heard)
    assert sorted(p.name for p in (tmp_path / name).iterdir()) == ["config.json", "model.safetensors"]
    if isinstance(trained, PersistenceDecoder) and isinstance(loaded, PersistenceDecoder):
        np.testing.assert_array_equal(loaded.field, trained.field)
        return
    flow = trained.predict(test_clips.bold, test_clips.features)
    samples = (10,) if name == "prior" else ()
    assert flow.shape == (80, *samples, 3, 8, 8, 2) and flow.dtype == np.float32 and np.isfinite(flow).all()
    np.testing.assert_array_equal(loaded.predict(test_clips.bold, test_clips.features), flow)


@pytest.mark.parametrize("name", ["brain", "brain-reference"])
def test_training_twice_gives_the_same_bits(name: str, world: DecoderData, quick: DecoderConfig) -> None:
    first, second = (train_system(name, world, quick).tensors() for _ in range(2))
    assert all(np.array_equal(first[key], second[key]) for key in first)
    other = train_system(name, world, dataclasses.replace(quick, seed=1)).tensors()
    assert any(not np.array_equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", ["brain", "brain-reference", "ridge", "prior", "mean", "image-only"])
def test_what_is_invalid_does_not_matter(name: str, world: DecoderData, quick: DecoderConfig) -> None:
    changed = dataclasses.replace(world, flow=np.where(world.valid[..., None], world.flow, -5).astype(np.float32))
    first, second = train_system(name, world, quick).tensors(), train_system(name, changed, quick).tensors()
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_brain_information_helps_and_its_absence_is_seen(world: DecoderData, test_clips: DecoderData) -> None:
    error = {}
    for name in ("brain", "image-only", "shuffled", "ridge", "zero"):
        decoder = train_system(name, world)
        error[name] = epe(decoder.predict(test_clips.bold, test_clips.features), test_clips)
        if isinstance(decoder, PatchDecoder):
            assert decoder.held_out_error == pytest.approx(error[name], rel=0.3)
    assert error["brain"] < 0.7 * error["image-only"]
    assert error["brain"] < error["ridge"] < error["zero"]
    assert error["shuffled"] == pytest.approx(error["image-only"], rel=0.05)


def test_fmri_that_knows_nothing_brings_nothing() -> None:
    empty, test = planted(signal=0.0), planted(seed=7, segments=2, signal=0.0)
    brain, image = (
        epe(train_system(n, empty).predict(test.bold, test.features), test) for n in ("brain", "image-only")
    )
    assert brain == pytest.approx(image, rel=0.05)


def test_reference_decodes_the_expected_word(world: DecoderData, test_clips: DecoderData, quick: DecoderConfig) -> None:
    decoder = train_system("brain-reference", world, quick)
    assert isinstance(decoder, ReferenceDecoder)
    flow = decoder.predict(test_clips.bold, test_clips.features).reshape(-1, 2)
    words = decoder.codebook.words
    assert (flow >= words.min(0) - 1e-4).all() and (flow <= words.max(0) + 1e-4).all()


def test_prior_gives_whole_training_fields(world: DecoderData, test_clips: DecoderData, quick: DecoderConfig) -> None:
    decoder = train_system("prior", world, quick)
    samples = decoder.predict(test_clips.bold, test_clips.features)
    known = {field.tobytes() for field in decoder.tensors()["fields"].astype(np.float32)}
    assert all(sample.tobytes() in known for clip in samples[:10] for sample in clip)
    rows = decoder.neighbours(test_clips.features)  # type: ignore[attr-defined]
    assert all(len(set(clip)) == 10 for clip in rows)


def test_persistence_holds_the_last_valid_step_of_the_clip_before() -> None:
    draw = np.random.default_rng(0)
    flow, valid = draw.normal(size=(4, 3, 2, 2, 2)).astype(np.float32), np.ones((4, 3, 2, 2), bool)
    valid[0, 2] = False
    field = np.full((3, 2, 2, 2), 9, np.float32)
    held = PersistenceDecoder(field).predict_from_truth(flow, valid, np.array(["a", "a", "a", "b"]))
    np.testing.assert_array_equal(held[0], field)
    np.testing.assert_array_equal(held[3], field)
    np.testing.assert_array_equal(held[1], flow[0, [1, 1, 1]])
    np.testing.assert_array_equal(held[2], flow[1, [2, 2, 2]])
    with pytest.raises(BrainvizError, match="true flow"):
        PersistenceDecoder(field).predict(BoldWindows.from_array(np.zeros((1, 1, 1), np.float32)), None)


@pytest.mark.parametrize(
    "fault", ["truncated", "garbage", "foreign", "version", "not json", "missing weights", "other weights", "lacking"]
)
def test_a_bad_checkpoint_says_so(fault: str, world: DecoderData, quick: DecoderConfig, tmp_path: Path) -> None:
    train_system("ridge", world, quick, tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    facts = json.loads(config.read_text())
    if fault == "truncated":
        weights.write_bytes(weights.read_bytes()[:-50])
    elif fault == "garbage":
        weights.write_bytes(b"\x80\x04pickle")
    elif fault == "foreign":
        config.write_text('{"model_type": "bert"}')
    elif fault == "version":
        config.write_text(json.dumps(facts | {"version": 99}))
    elif fault == "not json":
        config.write_text("{")
    elif fault == "missing weights":
        weights.unlink()
    elif fault == "other weights":
        train_system("zero", world, quick, tmp_path / "other")
        weights.write_bytes((tmp_path / "other" / "model.safetensors").read_bytes())
    else:
        config.write_text(json.dumps(facts | {"facts": {}}))
    with pytest.raises(BrainvizError) as caught:
        load_system(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_no_checkpoint_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        load_system(tmp_path)


def test_unknown_names_and_settings_are_refused(world: DecoderData) -> None:
    with pytest.raises(UnknownName, match="brainn"):
        train_system("brainn", world)
    with pytest.raises(BrainvizError, match="widht"):
        DecoderConfig.from_mapping({"network": {"widht": 3}})
    with pytest.raises(BrainvizError, match="device"):
        train_system("brain", world, DecoderConfig(device="tpu"))
    assert DecoderConfig.from_mapping(json.loads(json.dumps(DecoderConfig().to_mapping()))) == DecoderConfig()
