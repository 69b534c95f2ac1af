"""N-way accuracy of films by tiny classifiers with random weights, against transformers' own calls and by counting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem
from brainviz.metrics.nway import accepted_classes, nway_accuracy
from brainviz.metrics.video.benchmark_names import CLASSIFICATION
from pipelines.evaluate.classifiers import CLASSIFIERS, load_classifier, nway_scores
from pipelines.evaluate.video_embeddings import VideoNetworks
from pipelines.evaluate.video_scores import TimedFilm
from support.tiny_classifiers import FILM_CLASSES, IMAGE_CLASSES, write_classifiers

prepare_torchvision()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return write_classifiers(tmp_path_factory.mktemp("classifiers"))


def frames_of(seed: int, n: int = 16) -> np.ndarray:
    """A picture of sixteen colours per frame, so that classes differ from film to film."""
    colours = np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return colours.repeat(8, axis=1).repeat(8, axis=2)


def film(seed: int) -> TimedFilm:
    return TimedFilm(frames_of(seed), np.arange(16) / 8)


def logits(folder: str, frames: np.ndarray) -> np.ndarray:
    """As the model cards have it: processor, then model."""
    import torch
    import transformers

    if folder.endswith("vit"):
        model = transformers.ViTForImageClassification.from_pretrained(folder).eval()
        held = transformers.ViTImageProcessor.from_pretrained(folder)(images=list(frames), return_tensors="pt")
    else:
        model = transformers.VideoMAEForVideoClassification.from_pretrained(folder).eval()
        held = transformers.VideoMAEImageProcessor.from_pretrained(folder)(list(frames), return_tensors="pt")
    with torch.inference_mode():
        return model(**held).logits.numpy()


@pytest.mark.parametrize(("name", "shape"), [
    ("imagenet-classifier", (16, IMAGE_CLASSES)), ("kinetics-classifier", (1, FILM_CLASSES)),
])  # fmt: skip
def test_classes_are_those_of_transformers(folders: dict[str, str], name: str, shape: tuple[int, int]) -> None:
    found = load_classifier(name, Path(folders[name]), 16)(frames_of(3))
    expected = logits(folders[name], frames_of(3))
    assert found.shape == shape and expected.std() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_accuracy_is_what_the_released_programs_draw_on_average(folders: dict[str, str], name: str) -> None:
    n_frames = 16 if CLASSIFIERS[name] == "video" else 3
    shown, true = frames_of(1)[:n_frames], frames_of(2)[:n_frames]
    found = nway_scores(name, load_classifier(name, Path(folders[name]), 16), shown, true)
    assert set(found) == {metric for metric in CLASSIFICATION if metric.endswith(CLASSIFIERS[name])}
    accepted = accepted_classes(logits(folders[name], true))
    for metric, value in found.items():
        n = int(metric.split("-")[0])
        drawn = nway_accuracy(logits(folders[name], shown), accepted, n, trials=1000)
        assert 0 < value < 1
        assert value == pytest.approx(drawn[:, 0].mean(), abs=0.05)


def test_a_film_scores_fully_against_itself_and_less_against_others(folders: dict[str, str]) -> None:
    networks = VideoNetworks.load(folders)
    assert networks.any
    assert networks.score(film(2), film(2)) == dict.fromkeys(CLASSIFICATION, 1.0)
    others = networks.score(film(1), film(2))
    assert set(others) == set(CLASSIFICATION) and others["50-way-image"] < others["2-way-image"] < 1
    assert set(VideoNetworks.load({k: v for k, v in folders.items() if "image" in k}).score(film(1), film(2))) == {
        "2-way-image",
        "50-way-image",
    }


def test_what_cannot_be_used_is_refused(folders: dict[str, str], tmp_path: Path) -> None:
    import torch
    import transformers

    few = write_classifiers(tmp_path / "few", image_classes=51, n_frames=8)
    with pytest.raises(DataProblem, match="51 classes"):
        load_classifier("imagenet-classifier", Path(few["imagenet-classifier"]), 16)
    with pytest.raises(DataProblem, match="8 frames"):
        load_classifier("kinetics-classifier", Path(few["kinetics-classifier"]), 16)
    with pytest.raises(DataProblem, match="cannot be read as a ViT"):
        load_classifier("imagenet-classifier", tmp_path, 16)
    held = transformers.ViTForImageClassification.from_pretrained(folders["imagenet-classifier"])
    held.vit.save_pretrained(tmp_path / "headless")
    with pytest.raises(DataProblem, match="lacks weights, first classifier"):
        load_classifier("imagenet-classifier", tmp_path / "headless", 16)
    pickled = tmp_path / "pickled"
    held.config.save_pretrained(pickled)
    torch.save({"classifier.weight": Trap(), "vit": print}, pickled / "pytorch_model.bin")
    with pytest.raises(DataProblem):
        load_classifier("imagenet-classifier", pickled, 16)
    assert not Trap.sprung


class Trap:
    """What a pickle could do."""

    sprung = False

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return spring, ("",)


def spring(_: str) -> None:
    Trap.sprung = True


def test_films_are_scored_by_them_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pipelines.plan_reanimation import _networks
    from pipelines.weights import known_weights

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert not set(_networks()) & set(CLASSIFIERS)
    written = write_classifiers(tmp_path)
    for name, folder in written.items():
        repository = f"models--{known_weights()[name].source.replace('/', '--')}"
        place = tmp_path / "hub" / repository / "snapshots" / "0"
        place.parent.mkdir(parents=True)
        Path(folder).rename(place)
        assert _networks()[name] == str(place)
    assert set(VideoNetworks.load(_networks()).score(film(1), film(2))) == set(CLASSIFICATION)
