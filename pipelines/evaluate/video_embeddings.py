"""Scores of one reanimated clip by networks: CLIP, VideoMAE, ViFi-CLIP and two classifiers, where their weights are.

Choices where the literature leaves one: CLIP, ViFi-CLIP and the classifier of images see eight frames spread evenly
over the clip (as many as Mind-Animator makes), VideoMAE and the classifier of films sixteen (their own); CLIP's
embedding is the projected one of ViT-B/16; VideoMAE's features are means over a 2 x 2 grid of its last layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import UnknownName
from brainviz.metrics.video.embeddings import VIFI_THRESHOLD, clip_pcc_adjacent, clip_pcc_gated, cosine
from brainviz.metrics.video.embeddings import vifi_frame_numbers as vifi_numbers
from pipelines.evaluate.classifiers import CLASSIFIERS, IMAGES, Classifier, load_classifier, nway_scores
from pipelines.evaluate.video_scores import Frames, TimedFilm
from pipelines.network_folders import read_network

Vectors = npt.NDArray[np.float32]
FrameNetwork = Callable[[Frames], Vectors]
"""Frames (n, h, w, 3) -> embeddings (n, d)."""

_OF_FRAMES: tuple[str, ...] = ("clip", "vifi-clip")
NETWORKS = (*_OF_FRAMES, "videomae-large", *CLASSIFIERS)
CLIP_FRAMES, VIDEO_FRAMES = 8, 16
_AT_ONCE = 32


@dataclass(frozen=True)
class VideoNetworks:
    """Loaded networks by name of `NETWORKS`; those without weights are left out."""

    frames: Mapping[str, FrameNetwork] = field(default_factory=dict)
    videomae: FrameNetwork | None = None  # a film (t, h, w, 3) -> (1, d)
    classifiers: Mapping[str, Classifier] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether there is a network at all."""
        return bool(self.frames or self.classifiers) or self.videomae is not None

    @staticmethod
    def load(folders: Mapping[str, str], device: str = "cpu") -> VideoNetworks:
        """The networks of given folders.

        Parameters
        ----------
        folders : mapping of name -> folder
            `clip` and `vifi-clip` (as `pipelines.evaluate.vifi_checkpoint` converts it): a transformers folder of a
            CLIP; `videomae-large`: one of VideoMAE; `imagenet-classifier` and `kinetics-classifier`: of a ViT and a
            VideoMAE with their classifiers.
        device : str

        Raises
        ------
        UnknownName
            A network that is not one of `NETWORKS`.
        DataProblem
            Weights that cannot be used.
        """
        unknown = sorted(set(folders) - set(NETWORKS))
        if unknown:
            raise UnknownName(f"No film is scored by {', '.join(unknown)}.", "networks", f"There are: {NETWORKS}.")
        places = {name: Path(folder) for name, folder in folders.items()}
        frames = {name: _frame_network(places[name], device) for name in _OF_FRAMES if name in places}
        film = _film_network(places["videomae-large"], device) if "videomae-large" in places else None
        named = [name for name in CLASSIFIERS if name in places]
        classifiers = {name: load_classifier(name, places[name], VIDEO_FRAMES, device) for name in named}
        return VideoNetworks(frames, film, classifiers)

    def score(self, film: TimedFilm, seen: TimedFilm) -> dict[str, float]:
        """Scores by name (`brainviz.metrics.video.benchmark_names.BENCHMARK`), those that the networks here allow.

        Parameters
        ----------
        film : TimedFilm
            The reanimation.
        seen : TimedFilm
            The clip's true film; its duration counts for both.
        """
        scores: dict[str, float] = {}
        if self.videomae is not None:
            a, b = (self.videomae(_spread(one, seen, VIDEO_FRAMES))[0] for one in (film, seen))
            scores["videomae-cosine"] = float(cosine(a, b))
        shown, true = _spread(film, seen, CLIP_FRAMES), _spread(seen, seen, CLIP_FRAMES)
        if "vifi-clip" in self.frames:
            scores["vifi"] = float(
                cosine(*(_film_vector(self.frames["vifi-clip"], frames) for frames in (shown, true)))
            )
        if "clip" in self.frames:
            vectors = self.frames["clip"](shown)
            scores["clip-cosine"] = float(cosine(vectors, self.frames["clip"](true)).mean())
            scores["clip-pcc-adjacent"] = float(clip_pcc_adjacent(vectors[None])[0])
            if "vifi" in scores:
                gated = clip_pcc_gated(vectors[None], np.array([scores["vifi"]]), VIFI_THRESHOLD)
                scores["clip-pcc-gated"] = float(gated[0])
        for name, classifier in self.classifiers.items():
            n = CLIP_FRAMES if name == IMAGES else VIDEO_FRAMES
            scores |= nway_scores(name, classifier, _spread(film, seen, n), _spread(seen, seen, n))
        return scores


def _spread(film: TimedFilm, seen: TimedFilm, n: int) -> Frames:
    """Frames nearest to n times spread evenly over the true film."""
    return film.frames[film.nearest(np.linspace(0, float(seen.times_s[-1]), n))]


def _film_vector(network: FrameNetwork, frames: Frames) -> Vectors:
    """ViFi-CLIP's embedding of a film: the mean over views of eight frames of the mean over their frames."""
    vectors = network(frames)
    return np.asarray(vectors[vifi_numbers(len(frames))].mean(axis=(0, 1)), np.float32)


def _frame_network(folder: Path, device: str) -> FrameNetwork:
    """CLIP's image tower with its projection."""
    import torch

    from pipelines.features.preprocessing import transformers_pixels

    model = read_network("CLIPVisionModelWithProjection", folder, "a CLIP", device)
    pixels = transformers_pixels(folder, int(model.config.image_size))

    def embed(frames: Frames) -> Vectors:
        rows: list[Any] = []
        with torch.inference_mode():
            for start in range(0, len(frames), _AT_ONCE):
                images = pixels(np.ascontiguousarray(frames[start : start + _AT_ONCE]), device)
                rows.append(model(pixel_values=images).image_embeds.float().cpu().numpy())
        return np.concatenate(rows).astype(np.float32)

    return embed


def _film_network(folder: Path, device: str) -> FrameNetwork:
    from pipelines.features.registry import make_encoder

    encoder = make_encoder("videomae-large", folder, device)

    def embed(frames: Frames) -> Vectors:
        return encoder.encode(frames[None], fps=len(frames) / 2)["layer-100"]

    return embed
