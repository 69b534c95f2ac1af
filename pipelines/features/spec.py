"""What an encoder of clips is: its facts, and what it does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from brainviz.data.fingerprint import fingerprint_files

Frames = npt.NDArray[np.uint8]
Features = dict[str, npt.NDArray[np.float32]]

# Enters every fingerprint: raise it when features change although no weights did.
FEATURES_VERSION = 3
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".json")


@dataclass(frozen=True)
class EncoderSpec:
    """The facts of one encoder.

    Attributes
    ----------
    id : str
        Name in commands, tables and maps; a derived encoder appends to its base ("clip.all-frames").
    title : str
        Name in figures.
    family : str
        "static", "video", "embodied" (trained on film of hands and robots) or "classical" (no training).
    source : str
        "embedded", "transformers", "timm", "open_clip" or "checkpoint" (the authors' own file).
    layers : tuple of str
        Names of the layers that are kept. "layer-50" is the block at half depth, "stage-2" the second of a hierarchy.
    frames_per_clip : int
        Frames that `encode` wants of each clip; 0 for all.
    sampling : str
        Which frames those are: "even" (spread from the first to the last), "middle" or "first".
    size_px : int
        Side of the square frames that `encode` wants; 0 for the film's own size.
    pooling : str
        What is averaged before anything is written.
    memory_gb : float
        Peak memory of one process while it encodes, weights included.
    hub_name, revision, files : where the weights come from: a Hugging Face repository or an address, and its files.
    size_gb : float
        What is fetched.
    licence : str
    control : str
        "" or "frozen" (the first frame, standing still) or "reversed" (the clip played backwards).
    base : str
        The encoder that a control or an all-frames variant is made of; "" for others.
    note : str
        What a reader of its results should know.
    """

    id: str
    title: str
    family: str
    source: str
    layers: tuple[str, ...]
    frames_per_clip: int
    sampling: str = "even"
    size_px: int = 0
    pooling: str = ""
    memory_gb: float = 0.3
    hub_name: str = ""
    revision: str = "main"
    files: tuple[str, ...] = ()
    size_gb: float = 0.0
    licence: str = ""
    control: str = ""
    base: str = ""
    note: str = ""

    @property
    def weights_name(self) -> str:
        """The name under which `python -m pipelines weights` knows its weights; "" where it needs none."""
        return "" if self.source == "embedded" else self.id.partition(".")[0]

    @property
    def moves(self) -> bool:
        """Whether the features can tell a clip from the same clip with its frames in another order."""
        return self.control != "frozen" and (self.family == "video" or self.id.startswith("motion-energy"))

    def fingerprint(self, weights: Path | None = None) -> str:
        """16 hexadecimal digits that change with the encoder's definition or the content of its weights.

        Parameters
        ----------
        weights : Path, optional
            Folder or file of the weights; None where there are none.
        """
        facts = asdict(self)
        for words in ("title", "note", "licence", "size_gb", "memory_gb"):
            facts.pop(words)
        files = _weight_files(weights) if weights is not None else []
        content = fingerprint_files(files, extra=repr((FEATURES_VERSION, sorted(facts.items()))))
        return hashlib.blake2b(f"{self.id} {content}".encode(), digest_size=8).hexdigest()


class ClipEncoder(Protocol):
    """Turns clips into features."""

    @property
    def spec(self) -> EncoderSpec:
        """Its facts."""

    @property
    def weights(self) -> Path | None:
        """Where its weights lie; None where it has none."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that `encode` returns."""

    @property
    def size_px(self) -> int:
        """Side of the square frames it wants; 0 for any."""

    @property
    def frames_per_clip(self) -> int:
        """Frames it wants of each clip; 0 for all. Other numbers are resampled by the nearest frame."""

    def encode(self, frames: Frames, fps: float) -> Features:
        """Features of clips.

        Parameters
        ----------
        frames : uint8 (n_clips, t, h, w, 3)
            RGB.
        fps : float
            Frames per second of the film that the clips are cut from.

        Returns
        -------
        dict of float32 (n_clips, channels), by layer
        """


def sampled_frames(n_frames: int, wanted: int, sampling: str) -> npt.NDArray[np.int64]:
    """Numbers, within a clip of n frames, of the frames that an encoder sees.

    Even sampling goes from the first to the last frame. A clip with fewer frames than are wanted repeats the nearest:
    time is kept, no frame is invented.

    Parameters
    ----------
    n_frames : int
        Frames of the clip.
    wanted : int
        0 for all.
    sampling : str
        "even", "middle" or "first"; the last two give the same frame as often as wanted.
    """
    if wanted == 0 and sampling == "even":
        return np.arange(n_frames)
    if sampling == "first":
        return np.zeros(max(wanted, 1), np.int64)
    if sampling == "middle":
        return np.full(max(wanted, 1), n_frames // 2, np.int64)
    return np.floor(np.linspace(0, n_frames - 1, wanted) + 0.5).astype(np.int64)


def check_clips(frames: Frames) -> Frames:
    """The frames as an array; `BrainvizError` where they are no clips."""
    from brainviz.errors import BrainvizError

    frames = np.asarray(frames)
    if frames.ndim != 5 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or 0 in frames.shape[1:]:
        raise BrainvizError(f"Clips must be uint8 (n_clips, t, h, w, 3), not {frames.dtype} {frames.shape}.")
    return frames


def joined(parts: list[Mapping[str, npt.NDArray[np.float32]]]) -> Features:
    """Features of successive batches, one after the other."""
    return {layer: np.concatenate([part[layer] for part in parts]) for layer in parts[0]}


def _weight_files(weights: Path) -> list[tuple[str, Path]]:
    if weights.is_file():
        return [(weights.name, weights)]
    found = [path for path in weights.rglob("*") if path.suffix in WEIGHT_SUFFIXES]
    return [(str(path.relative_to(weights)), path) for path in found]
