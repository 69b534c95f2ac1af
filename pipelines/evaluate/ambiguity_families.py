"""The three nested families of one subject: frame alone, frame and fMRI, frame and shifted fMRI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from pipelines.evaluate.ambiguity_reading import FrameComponents, Reading, directions, fmri_readings, still_speed
from pipelines.evaluate.ambiguity_readout import Inputs, Readout, best_frame_model, calibrated_readout
from pipelines.motion_decoder import BoldWindows, DecoderConfig, DecoderData

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class AmbiguityConfig:
    """Settings of the families; part of the stage's key.

    Attributes
    ----------
    seed : int
        Of the shifts.
    n_shifts : int
        How often fMRI is shifted against the film anew and a decoder is trained on it. Their bits are averaged; their
        spread is how far a decoder's bits depend on the luck of training.
    frame_components, frame_penalties : tuples
        What is searched for the frame-alone model, by its loss on held-out training films. The others take what it
        found.
    fmri_penalty : float
        On the four weights of the reading.
    """

    seed: int = 0
    n_shifts: int = 10
    frame_components: tuple[int, ...] = (4, 8, 16)
    frame_penalties: tuple[float, ...] = (10.0, 30.0, 100.0, 300.0)
    fmri_penalty: float = 3.0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> AmbiguityConfig:
        """Inverse of `to_mapping`; an unknown key raises BrainvizError."""
        unknown = sorted(set(values) - {entry.name for entry in fields(cls)})
        if unknown:
            raise BrainvizError(f"Unknown settings of the ambiguity: {', '.join(unknown)}.", "ambiguity config")
        ready: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**ready)

    def to_mapping(self) -> dict[str, Any]:
        """Plain JSON-ready values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


@dataclass(frozen=True)
class Families:
    """Probabilities of the nine directions for n test clips.

    Attributes
    ----------
    image : float64 (n, 9)
    brain : runs -> float64 (n, 9)
    shifted : runs -> float64 (draws, n, 9)
    still_below : float
        Mean speed below which a clip has no direction, grid pixels per step.
    facts : dict
        What was found on training films: components and penalty of the frame, temperatures, held-out losses.
    """

    image: Float64
    brain: dict[str, Float64]
    shifted: dict[str, Float64]
    still_below: float
    facts: dict[str, Any] = field(default_factory=dict)


def fit_families(
    training: DecoderData,
    test: Mapping[str, BoldWindows],
    pooled: tuple[Float32, Float32],
    decoder: DecoderConfig,
    config: AmbiguityConfig,
    progress: Progress,
) -> Families:
    """Fit all families on training films and apply them to the test clips.

    Parameters
    ----------
    training : DecoderData
        Training clips of one subject.
    test : runs -> BoldWindows of the n test clips
    pooled : float32 (n_train, features), float32 (n, features)
        First-frame features of training and test clips, pooled over a coarse grid.
    decoder : settings of the ridge that reads the fMRI
    config : AmbiguityConfig
    progress : called with a fraction and a message

    Raises
    ------
    DataProblem
        If fewer than two directions occur in the training films.
    """
    from pipelines.motion_decoder.data import segment_folds
    from pipelines.motion_decoder.determinism import derived_seed

    still = still_speed(training.flow, training.valid)
    direction = directions(training.flow, training.valid, still)
    if len(np.unique(direction[direction >= 0])) < 2:
        raise DataProblem("The training films move in one direction only.", "flow labels", "Use more training films.")
    known, fold = direction >= 0, segment_folds(training.segment, decoder.max_folds)
    basis = FrameComponents.fit(pooled[0][known], max(config.frame_components))
    frames = basis(pooled[0]), basis(pooled[1])
    progress(0.1, "Frame alone")
    k, penalty = best_frame_model(
        frames[0][known], direction[known], fold[known], config.frame_components, config.frame_penalties
    )
    frames = frames[0][:, :k], frames[1][:, :k]

    def fitted(reading: Float64 | None) -> Readout:
        inputs = Inputs(frames[0], reading).rows(known)
        return calibrated_readout(inputs, direction[known], fold[known], penalty, config.fmri_penalty)

    def of_reading(reading: Reading) -> tuple[dict[str, Float64], float]:
        model = fitted(reading.training)
        told = {runs: model.probabilities(Inputs(frames[1], values)) for runs, values in reading.test.items()}
        return told, model.sharpness

    alone = fitted(None)
    progress(0.3, "Reading the fMRI")
    seeds = [derived_seed(config.seed, "ambiguity", draw) for draw in range(config.n_shifts)]
    found = []
    for number, reading in enumerate(fmri_readings(training, test, decoder, seeds)):
        what = f"Frame and shifted fMRI, {number} of {len(seeds)}" if number else "Frame and fMRI"
        progress(0.4 + 0.5 * number / (1 + len(seeds)), what)
        found.append(of_reading(reading))
    (brain, sharpness), shifted = found[0], found[1:]
    facts = {
        "frame_components": k,
        "frame_penalty": penalty,
        "sharpness": {"image": alone.sharpness, "brain": sharpness, "shifted": [one for _, one in shifted]},
    }
    of_shifts = {runs: np.stack([told[runs] for told, _ in shifted]) for runs in brain}
    return Families(alone.probabilities(Inputs(frames[1])), brain, of_shifts, still, facts)
