"""N-way accuracy of films by tiny classifiers with random weights, against transformers' own calls and by counting."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainviz import open_workspace
from brainviz.compat import prepare_torchvision
from brainviz.errors import DataProblem
from brainviz.metrics.nway import accepted_classes, nway_accuracy
from brainviz.metrics.video.benchmark_names import BENCHMARK, CLASSIFICATION
from brainviz.results import ResultStore
from brainviz.storage import read_table
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


def put_into_hub(monkeypatch: pytest.MonkeyPatch, root: Path) -> dict[str, str]:
    """Both classifiers, where `python -m pipelines weights` puts them."""
    from pipelines.weights_catalogue import known_weights

    monkeypatch.setenv("HF_HUB_CACHE", str(root / "hub"))
    placed = {}
    for name, folder in write_classifiers(root).items():
        place = root / "hub" / f"models--{known_weights()[name].source.replace('/', '--')}" / "snapshots" / "0"
        place.parent.mkdir(parents=True)
        Path(folder).rename(place)
        placed[name] = str(place)
    return placed


def test_films_are_scored_by_them_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pipelines.plan_reanimation import _networks

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    assert not set(_networks()) & set(CLASSIFIERS)
    placed = put_into_hub(monkeypatch, tmp_path)
    assert _networks() == placed
    assert set(VideoNetworks.load(placed).score(film(1), film(2))) == set(CLASSIFICATION)


def test_reanimations_and_decoded_films_are_scored_and_compared(
    tiny_workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pipelines import plan_reanimation
    from pipelines.evaluate.benchmark import Protocol, evaluate_benchmark
    from pipelines.graph import perform
    from pipelines.plan import build_plan
    from pipelines.request import RunRequest

    placed = put_into_hub(monkeypatch, tmp_path)
    monkeypatch.setattr(plan_reanimation, "_scored_by", lambda _: {"networks": placed})  # as for real films
    shutil.copytree(tiny_workspace, tmp_path / "ws", copy_function=lambda a, b: Path(b).hardlink_to(a))
    request = RunRequest(demo=True, size="tiny", subjects=("1",))
    tasks = {task.name: task for task in build_plan(request, tmp_path / "ws").tasks}

    for name in ("reanimation/1.brain", "benchmark_films/1.brain-e2e", "benchmark/1"):
        assert tasks[name].config["networks"] in (placed, True)
    parts = []
    for name in ("reanimation/all.zero", "benchmark_films/1.mind-animator"):
        perform(tasks[name], tmp_path / "ws", "cpu", lambda _share, _text: None)
        result = ResultStore(tmp_path / "ws").current(*name.split("/"))
        assert result is not None
        system = name.rsplit(".", 1)[1]
        parts.append(read_table(result.folder / "scores.parquet").assign(system=system))
    clips = open_workspace(tmp_path / "ws").clips
    tables = evaluate_benchmark("1", pd.concat(parts), clips, Protocol(128, "dis", networks=True))
    table = tables["benchmark"].set_index(["metric", "system"])
    for metric in CLASSIFICATION:
        values = table.loc[metric]
        assert set(values.index) == {"mind-animator", "zero"} and set(values["n"]) == {table["n"].max()}
        assert values["value"].between(0, 1).all() and (values["low"] <= values["value"]).all()
        assert values["chance"].to_numpy() == pytest.approx(0.75 if metric.startswith("2-") else 3 / 52)
        assert set(values["protocol"]) == {BENCHMARK[metric].weights[0]}
    frozen, decoded = (table.loc[("50-way-image", system), "value"] for system in ("zero", "mind-animator"))
    assert frozen > decoded  # the true first frame is classified as the film's other frames are
    absent = set(tables["benchmark_absent"]["metric"])
    assert not absent & set(CLASSIFICATION) and "vifi" in absent
