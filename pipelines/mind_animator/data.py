"""What the parts are trained on, and how fMRI is given to them. Arrays only, no file formats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError
from pipelines.mind_animator.augmentation import sparsified
from pipelines.mind_animator.forms import Form
from pipelines.motion_decoder.data import BoldWindows, segment_folds
from pipelines.motion_decoder.determinism import derived_seed

Array = NDArray[np.float32]

RELEASED_VOLUME = 2
"""The window's volume that the released form sees: 4 s after the clip's onset, the lag of the published program."""

MAX_FOLDS = 6


@dataclass(frozen=True)
class TrainingClips:
    """One subject's n training clips.

    Attributes
    ----------
    bold : BoldWindows (n clips), chosen vertices.
    segment : str (n,).
    text, image : float32 (n, width), in one space (CLIP's, or an embedded one).
    condition : float32 (n, tokens, token_width), what the generator's text input should be.
    latents : float32 (n, frames, channels, side, side).
    reliability : float32 (vertices,) of the training runs, or None. Principal components are those of volumes weighted
        by it.
    """

    bold: BoldWindows
    segment: NDArray[np.str_]
    text: Array
    image: Array
    condition: Array
    latents: Array
    reliability: Array | None = None

    def __post_init__(self) -> None:
        parts = (self.bold, self.segment, self.text, self.image, self.condition, self.latents)
        if len({len(part) for part in parts}) != 1 or len(self.segment) == 0:
            raise BrainvizError("Training clips are empty or differ in number between inputs.", "Mind-Animator")
        if self.text.shape != self.image.shape:
            raise BrainvizError("Text and image vectors are not of one space.", "Mind-Animator")

    def split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows to learn from and rows to stop early on: whole segments, never both."""
        fold = segment_folds(self.segment, MAX_FOLDS)
        return np.flatnonzero(fold > 0), np.flatnonzero(fold == 0)


@dataclass(frozen=True)
class FmriInput:
    """From volumes of chosen vertices to what a network sees.

    Attributes
    ----------
    mean : float32 (vertices,), of the training volumes.
    basis : float32 (vertices, rank), principal directions of the training volumes scaled to unit variance in total
        (the largest component; the others keep their proportion); (vertices, 0) where single vertices are seen.
    gain : scale that gives the inputs a mean square of about 1.
    """

    mean: Array
    basis: Array
    gain: float

    @classmethod
    def fit(cls, bold: BoldWindows, rank: int, reliability: Array | None = None) -> FmriInput:
        """From training clips only; `rank` 0 keeps the vertices."""
        used = np.unique(bold.index[bold.index >= 0])
        volumes = np.asarray(bold.volumes[used], np.float32)
        mean = volumes.mean(0)
        if rank == 0:
            return cls(np.zeros_like(mean), np.empty((len(mean), 0), np.float32), 1.0)
        weight = np.ones_like(mean) if reliability is None else np.clip(np.nan_to_num(reliability), 0, None)
        centred = (volumes - mean) * weight
        values, vectors = np.linalg.eigh(centred @ centred.T)
        values, vectors = values[::-1][:rank], vectors[:, ::-1][:, :rank]
        kept = values > values[0] * 1e-6
        basis = centred.T @ (vectors[:, kept] / np.sqrt(values[kept]))
        basis *= np.sign(basis[np.abs(basis).argmax(0), np.arange(kept.sum())])
        basis *= weight[:, None]
        return cls(mean, basis.astype(np.float32), float(np.sqrt(len(volumes) * kept.sum() / values[kept].sum())))

    @property
    def channels(self) -> int:
        return self.basis.shape[1] or len(self.mean)

    def project(self, volumes: Array) -> Array:
        """float32 (n, vertices) -> (n, channels)."""
        if self.basis.shape[1] == 0:
            return volumes
        return np.asarray((volumes - self.mean) @ self.basis * np.float32(self.gain), np.float32)

    def windows(self, bold: BoldWindows, volumes: Array | None = None) -> Array:
        """float32 (n, window, channels); `volumes` instead of the recording's own, e.g. with entries zeroed."""
        shown = self.project(np.asarray(bold.volumes if volumes is None else volumes, np.float32))
        made = shown[np.maximum(bold.index, 0)]
        made[bold.index < 0] = 0
        return made

    def vertex_weights(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Input weights (channels, outputs) as weights of vertices (vertices, outputs)."""
        made = np.asarray(weights, np.float64)
        return made if self.basis.shape[1] == 0 else self.gain * (self.basis.astype(np.float64) @ made)


def shaped(windows: Array, part: str, form: Form) -> Array:
    """Windows (n, w, channels) as a part sees them: (n, channels), (n, w * channels), or unchanged for motion."""
    if not form.whole_window:
        return windows[:, min(RELEASED_VOLUME, windows.shape[1] - 1)]
    return windows if part == "motion" else windows.reshape(len(windows), -1)


class AugmentedWindows:
    """The training windows of each epoch, with entries of the volumes zeroed.

    As released the zeros stay. Each epoch has a seed of its own, so that a resumed training repeats the zeros of the
    epochs before it.
    """

    def __init__(self, fmri: FmriInput, bold: BoldWindows, rates: tuple[float, float], form: Form, seed: int) -> None:
        self._fmri, self._bold, self._rates, self._form, self._seed = fmri, bold, rates, form, seed
        self._volumes = np.array(bold.volumes, np.float32)
        self._zeroed_until = 0
        self._plain = None if all(rates) else fmri.windows(bold)

    def of_epoch(self, epoch: int) -> Array:
        """float32 (n, window, channels); epochs may be left out but not gone back to where zeros stay."""
        if self._plain is not None:
            return self._plain
        if not self._form.augment_in_place:
            return self._fmri.windows(self._bold, sparsified(self._volumes, self._rates, self._draws(epoch)))
        for missed in range(self._zeroed_until, epoch + 1):
            sparsified(self._volumes, self._rates, self._draws(missed), in_place=True)
        self._zeroed_until = epoch + 1
        return self._fmri.windows(self._bold, self._volumes)

    def _draws(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng(derived_seed("zeroed", self._seed, epoch))
