"""The stand-ins that need no weights: captions, images and frames as small vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainviz.errors import DataProblem
from pipelines.mind_animator.embedded.autoencoder import (
    AutoencoderConfig,
    FrameAutoencoder,
    draw_films,
    encode_films,
    load_autoencoder,
    save_autoencoder,
    train_autoencoder,
)
from pipelines.mind_animator.embedded.captions import CaptionEncoder
from pipelines.mind_animator.embedded.images import ImageEncoder, cross_fitted, pooled

LINES = [
    f"{who} {does}; the camera {moves}."
    for who in ("A gull", "A car", "Two people", "A boat")
    for does in ("crosses the water", "waits", "moves over sand")
    for moves in ("pans left", "holds still", "turns")
]


def test_captions_of_the_same_thing_are_near():
    encoder = CaptionEncoder.fit(LINES, width=12)
    vectors, conditions = encoder.vectors(LINES), encoder.conditions(LINES)
    assert vectors.shape == (36, 12) and conditions.shape == (36, 2, 12)
    assert np.isclose(np.square(vectors).mean(), 1, rtol=1e-3)
    gull, gull_again, boat = encoder.vectors(["A gull waits", "The gull waits there", "Two people pan"])
    assert gull @ gull_again > 2 * abs(gull @ boat)
    assert not encoder.vectors([""]).any()


def test_films_without_captions_are_refused():
    with pytest.raises(DataProblem, match="captions"):
        CaptionEncoder.fit(["", "", "one"])


def test_images_reach_the_captions_space_without_their_own_film():
    rng = np.random.default_rng(0)
    features, mixing = rng.standard_normal((90, 50)).astype(np.float32), rng.standard_normal((50, 4))
    vectors = (features @ mixing / 7).astype(np.float32)
    films = ["a"] * 30 + ["b"] * 30 + ["c"] * 30
    vectors_b_spoiled = vectors.copy()
    vectors_b_spoiled[30:60] = 50
    made = cross_fitted(features, vectors, films)
    assert np.corrcoef(made.ravel(), vectors.ravel())[0, 1] > 0.6
    assert np.array_equal(cross_fitted(features, vectors_b_spoiled, films)[30:60], made[30:60])
    encoder = ImageEncoder.fit(features, vectors)
    assert np.corrcoef(encoder.vectors(features).ravel(), vectors.ravel())[0, 1] > 0.9


def test_pooling_keeps_place():
    features = np.zeros((1, 32, 32, 2), np.float16)
    features[0, :8, 24:, 1] = 1
    assert np.flatnonzero(pooled(features)[0]).tolist() == [7]  # first row, last column, second channel


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Two-coloured tilted edges, uint8 (40, 64, 64, 3)."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[-1:1:64j, -1:1:64j]
    made = np.empty((40, 64, 64, 3), np.uint8)
    for picture in made:
        angle, colours = rng.uniform(0, 6.28), rng.integers(20, 235, (2, 3))
        side = (np.cos(angle) * down + np.sin(angle) * across > rng.uniform(-0.4, 0.4)).astype(int)
        picture[:] = colours[side]
    return made


@pytest.fixture(scope="module")
def trained(pictures):
    config = AutoencoderConfig(width=16, condition=6, epochs=3, batch=20)
    return train_autoencoder(pictures, np.zeros((40, 2, 3), np.float32), config), config


def test_the_linear_path_is_the_best_linear_one(pictures):
    network = FrameAutoencoder(AutoencoderConfig(width=8, condition=2))
    given = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    network.begin_linear(given)
    network.rescale(given)
    patches = given.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 1, 4, 5).reshape(-1, 192).double()
    left = torch.linalg.eigvalsh(torch.cov((patches - patches.mean(0)).T))[:-4].sum() / 192
    with torch.no_grad():
        latents = network.encode(given)
        error = (network.decode(latents, torch.zeros(40, 2)) - given).square().mean()
    assert error < 1.1 * left + 1e-4
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(4), atol=1e-3)


def test_frames_survive_the_autoencoder(trained, pictures, tmp_path):
    network, config = trained
    films = pictures.reshape(10, 4, 64, 64, 3)
    latents = encode_films(network, films)
    assert latents.shape == (10, 4, 4, 8, 8)
    drawn = draw_films(network, latents, np.zeros((10, 2, 3), np.float32))
    assert drawn.shape == films.shape and drawn.dtype == np.uint8
    assert np.abs(drawn.astype(float) - films).mean() < 0.5 * np.abs(films - films.mean((2, 3), keepdims=True)).mean()
    save_autoencoder(network, config, tmp_path)
    again = draw_films(load_autoencoder(tmp_path), latents, np.zeros((10, 2, 3), np.float32))
    assert np.array_equal(again, drawn)


def test_the_same_seed_gives_the_same_autoencoder(trained, pictures):
    again = train_autoencoder(pictures, np.zeros((40, 2, 3), np.float32), trained[1])
    assert all((value == again.state_dict()[name]).all() for name, value in trained[0].state_dict().items())
