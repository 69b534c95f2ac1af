"""First-frame features: stacked films, samples, scaling and projection against plain arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pipelines.motion_decoder.features as features
from brainviz.errors import BrainvizError
from brainviz.storage import open_array, write_array
from pipelines.motion_decoder import DecoderConfig, DecoderData, StackedFeatures, train_system
from pipelines.motion_decoder.features import FeatureProjection, FeatureScaling, sampled_patches, scaled_features


@pytest.fixture
def films(tmp_path: Path, world: DecoderData) -> StackedFeatures:
    """The world's features as stored films of unequal length."""
    cuts = np.split(world.features[:], [7, 60, 61])
    for number, film in enumerate(cuts):
        write_array(tmp_path / f"{number}.zarr", "features", film, (1, *film.shape[1:]))
    return StackedFeatures([open_array(tmp_path / f"{number}.zarr", "features") for number in range(len(cuts))])


@pytest.mark.parametrize(
    "rows", [slice(None), slice(3, 9), slice(5, 62, 11), slice(60, 61), slice(-5, None), slice(0, 160, 59), slice(9, 9)]
)
def test_stacked_films_are_one_array(films: StackedFeatures, world: DecoderData, rows: slice) -> None:
    whole = np.asarray(world.features[:])
    assert films.shape == whole.shape and films.dtype == whole.dtype and len(films) == len(whole)
    np.testing.assert_array_equal(films[rows], whole[rows])


def test_films_of_unlike_shape_are_refused() -> None:
    with pytest.raises(BrainvizError, match="one shape"):
        StackedFeatures([np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 5))])


def test_samples_are_every_so_many_patches_of_the_clips_read(
    films: StackedFeatures, world: DecoderData, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = np.asarray(world.features[:]).reshape(-1, world.features.shape[-1]).astype(np.float32)
    np.testing.assert_array_equal(sampled_patches(films), flat)
    np.testing.assert_array_equal(sampled_patches(films, most=500), flat[::21])
    monkeypatch.setattr(features, "SAMPLED_CLIPS", 80)
    half = np.asarray(world.features[::2]).reshape(-1, world.features.shape[-1]).astype(np.float32)
    np.testing.assert_array_equal(sampled_patches(films, most=500), half[::11])


def test_projected_features_are_white(world: DecoderData) -> None:
    projected = FeatureProjection.fit(world.features, 4)(world.features[:]).astype(np.float64).reshape(-1, 4)
    np.testing.assert_allclose(np.cov(projected.T), np.eye(4), atol=0.1)


@pytest.mark.parametrize("in_memory", [10**9, 0])
def test_scaled_features_have_mean_zero_and_variance_one(
    films: StackedFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(features, "IN_MEMORY", in_memory)
    scaled = scaled_features(films, FeatureScaling.fit(films), tmp_path)
    assert isinstance(scaled, np.memmap) == (in_memory == 0) and scaled.shape == (160, 64, 6)
    flat = scaled.reshape(-1, 6).astype(np.float64)
    np.testing.assert_allclose(flat.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(flat.std(0), 1, atol=1e-3)


@pytest.mark.parametrize("name", ["brain", "brain-reference", "prior"])
def test_stored_features_give_what_the_array_gives(
    name: str, films: StackedFeatures, world: DecoderData, quick: DecoderConfig
) -> None:
    stored = DecoderData(world.bold, films, world.flow, world.valid, world.segment, world.reliability)
    decoders = [train_system(name, data, quick) for data in (world, stored)]
    flows = [decoder.predict(world.bold, part) for decoder, part in zip(decoders, (world.features, films), strict=True)]
    np.testing.assert_array_equal(*flows)


class _Unreadable:
    shape, ndim, dtype = (160, 8, 8, 6), 4, np.dtype(np.float16)

    def __getitem__(self, rows: slice) -> np.ndarray:
        raise AssertionError("these features must not be read")


@pytest.mark.parametrize("name", ["ridge", "mean", "zero", "persistence"])
def test_systems_without_first_frames_do_not_read_them(name: str, world: DecoderData, quick: DecoderConfig) -> None:
    films = StackedFeatures([_Unreadable()])
    decoder = train_system(
        name, DecoderData(world.bold, films, world.flow, world.valid, world.segment, world.reliability), quick
    )
    if name != "persistence":
        assert decoder.predict(world.bold, films).shape == world.flow.shape
