"""N-way classification of films by trained classifiers: of frames (ViT, ImageNet) and of films (VideoMAE, Kinetics).

As the literature has it (Chen 2023, MindVideo, Mind-Animator, NEURONS): the classes that a classifier finds most
probable in the true film, three of them, count as right. Other than there, the accuracy is the exact mean over all
draws of the other classes (`expected_nway_accuracy`), so that it needs no seed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from brainviz.metrics.nway import accepted_classes, expected_nway_accuracy
from brainviz.metrics.video.benchmark_names import WAYS
from pipelines.evaluate.video_scores import Frames
from pipelines.network_folders import read_network

Scores = npt.NDArray[np.float32]
Classifier = Callable[[Frames], Scores]
"""Frames (n, h, w, 3) -> scores of classes, of which the order counts (logits): (n, classes) of an image classifier,
(1, classes) of a film classifier."""

IMAGES, FILMS = "imagenet-classifier", "kinetics-classifier"
CLASSIFIERS = {IMAGES: "image", FILMS: "video"}
"""Names of weights -> what stands in the names of their metrics."""

ACCEPTED = 3
_AT_ONCE = 32


def load_classifier(name: str, folder: Path, n_frames: int, device: str = "cpu") -> Classifier:
    """The classifier of a transformers folder.

    Parameters
    ----------
    name : str
        Of `CLASSIFIERS`.
    folder : Path
    n_frames : int
        Of the films that a film classifier will be given.
    device : str

    Raises
    ------
    DataProblem
        Weights that cannot be used, are incomplete, or know too few classes; a film classifier of other films.
    """
    if name == IMAGES:
        model = read_network("ViTForImageClassification", folder, "a ViT with a classifier", device)
    else:
        model = read_network("VideoMAEForVideoClassification", folder, "a VideoMAE with a classifier", device)
        if model.config.num_frames != n_frames:
            what = f"The network classifies films of {model.config.num_frames} frames, not of {n_frames}."
            raise DataProblem(what, str(folder), f"Fetch it again: python -m pipelines weights {name}")
    least = max(WAYS) + ACCEPTED - 1
    if model.config.num_labels < least:
        what = f"The network knows {model.config.num_labels} classes; {max(WAYS)}-way accuracy needs {least}."
        raise DataProblem(what, str(folder), f"Fetch it again: python -m pipelines weights {name}")
    return (_of_images if name == IMAGES else _of_films)(model, folder, device)


def nway_scores(name: str, classifier: Classifier, shown: Frames, true: Frames) -> dict[str, float]:
    """2-way and 50-way accuracy of a film by metric; that of images is the mean over the frames.

    Parameters
    ----------
    name : str
        Of `CLASSIFIERS`.
    classifier : of that name
    shown, true : uint8 (n, h, w, 3)
        Frames at the same times.
    """
    accepted = accepted_classes(classifier(true), ACCEPTED)
    found = classifier(shown)
    return {f"{n}-way-{CLASSIFIERS[name]}": float(expected_nway_accuracy(found, accepted, n).mean()) for n in WAYS}


def _of_images(model: Any, folder: Path, device: str) -> Classifier:
    import torch

    from pipelines.features.preprocessing import transformers_pixels

    pixels = transformers_pixels(folder, int(model.config.image_size))

    def classify(frames: Frames) -> Scores:
        rows: list[Any] = []
        with torch.inference_mode():
            for start in range(0, len(frames), _AT_ONCE):
                images = pixels(np.ascontiguousarray(frames[start : start + _AT_ONCE]), device)
                rows.append(model(pixel_values=images).logits.float().cpu().numpy())
        return np.concatenate(rows).astype(np.float32)

    return classify


def _of_films(model: Any, folder: Path, device: str) -> Classifier:
    import torch

    from pipelines.features.preprocessing import transformers_pixels

    pixels = transformers_pixels(folder, int(model.config.image_size))

    def classify(frames: Frames) -> Scores:
        with torch.inference_mode():
            film = pixels(np.ascontiguousarray(frames), device)[None]
            return np.asarray(model(pixel_values=film).logits.float().cpu().numpy(), np.float32)

    return classify
