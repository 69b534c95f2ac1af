"""Scores by networks: tiny ones with random weights in the published form, against transformers' own calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem, UnknownName
from brainviz.metrics.video.benchmark_names import BENCHMARK
from pipelines.evaluate.video_embeddings import VideoNetworks
from pipelines.evaluate.video_scores import TimedFilm
from support.tiny_classifiers import write_classifiers

prepare_torchvision()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    import torch
    import transformers

    root = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    clip = transformers.CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8,
        projection_dim=16,
    )  # fmt: skip
    transformers.CLIPVisionModelWithProjection(clip).save_pretrained(root / "clip")
    transformers.CLIPVisionModelWithProjection(clip).save_pretrained(root / "vifi")
    mae = transformers.VideoMAEConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=2, image_size=32, patch_size=8,
        num_frames=16,
    )  # fmt: skip
    transformers.VideoMAEModel(mae).save_pretrained(root / "mae")
    size = {"height": 32, "width": 32}
    processor = transformers.CLIPImageProcessor(size=size, crop_size=size)
    for name in ("clip", "vifi"):
        processor.save_pretrained(root / name)
    transformers.VideoMAEImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(root / "mae")
    return {
        "clip": str(root / "clip"),
        "vifi-clip": str(root / "vifi"),
        "videomae-large": str(root / "mae"),
        **write_classifiers(root),
    }


def film(seed: int, n: int = 30, fps: float = 15.0) -> TimedFilm:
    rng = np.random.default_rng(seed)
    start, end = rng.integers(0, 256, (2, 32, 32, 3))
    share = np.linspace(0, 1, n)[:, None, None, None]
    return TimedFilm((start * (1 - share) + end * share).astype(np.uint8), np.arange(n) / fps)


def test_every_network_gives_its_scores(folders: dict[str, str]) -> None:
    networks = VideoNetworks.load(folders)
    scores = networks.score(film(1), film(2))
    assert set(scores) == {name for name, metric in BENCHMARK.items() if metric.weights}
    same = networks.score(film(2), film(2))
    for name in ("videomae-cosine", "clip-cosine", "vifi"):
        assert same[name] == pytest.approx(1, abs=1e-5)
        assert scores[name] < same[name]
    assert same["clip-pcc-gated"] == same["clip-pcc-adjacent"]
    frozen = TimedFilm(np.repeat(film(2).frames[:1], 30, axis=0), film(2).times_s)
    assert networks.score(frozen, film(2))["clip-pcc-adjacent"] == pytest.approx(1)


def test_the_embedding_is_the_projected_one_of_transformers(folders: dict[str, str]) -> None:
    import torch
    import transformers

    frames = film(3).frames[:5]
    model = transformers.CLIPVisionModelWithProjection.from_pretrained(folders["clip"]).eval()
    processor = transformers.CLIPImageProcessor.from_pretrained(folders["clip"])
    pixels = processor(images=list(frames), return_tensors="pt", do_resize=False)["pixel_values"]
    with torch.inference_mode():
        expected = model(pixel_values=pixels).image_embeds.numpy()
    ours = VideoNetworks.load({"clip": folders["clip"]}).frames["clip"](frames)
    assert np.allclose(ours, expected, atol=1e-4)


def test_films_of_another_rate_are_compared_at_the_same_times(folders: dict[str, str]) -> None:
    networks = VideoNetworks.load({"clip": folders["clip"]})
    fine, coarse = film(2, 30, 15.0), film(2, 15, 7.5)
    assert networks.score(coarse, fine)["clip-cosine"] > 0.99
    assert set(networks.score(coarse, fine)) == {"clip-cosine", "clip-pcc-adjacent"}


def test_without_weights_there_are_no_scores() -> None:
    assert VideoNetworks.load({}).score(film(1), film(2)) == {}


def test_what_cannot_be_used_is_refused(folders: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        VideoNetworks.load({"other": str(tmp_path)})
    with pytest.raises(DataProblem):
        VideoNetworks.load({"clip": str(tmp_path)})
    with pytest.raises(DataProblem):
        VideoNetworks.load({"clip": folders["videomae-large"]})
