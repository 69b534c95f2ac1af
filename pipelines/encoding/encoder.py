"""One encoder for one subject: layer, alphas, test scores and weights, streamed over blocks of vertices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.data.timing import LAG_S, TR_S
from brainviz.errors import DataProblem
from pipelines.encoding.alphas import ALPHAS, AlphaChoice, Progress, choose_alphas
from pipelines.encoding.decomposition import FOLDS, Decomposition, cached_decomposition
from pipelines.encoding.delays import DELAYS_S, Standardiser, scaled_design, training_moments
from pipelines.encoding.layers import (
    LayerChoice,
    best_layer,
    mean_cross_validated_r,
    reliable_columns,
    reliable_targets,
)
from pipelines.encoding.low_rank import MEDIAN_CORRELATION, Components, LowRank, leading_components
from pipelines.encoding.prediction import prediction_kernel, prediction_scores
from pipelines.encoding.readout import Readout
from pipelines.encoding.targets import Targets, column_blocks
from pipelines.encoding.weights import EncoderWeights

Features = Mapping[str, Mapping[str, npt.ArrayLike]]
OnTest = Callable[[slice, npt.NDArray[np.float32], npt.NDArray[np.float32]], None]

BLOCK = 4096
FITTED_R = 0.1
"""Cross-validated r from which a vertex counts when components of the predictions are chosen."""
MOST_FOR_COMPONENTS, FEWEST_FOR_COMPONENTS = 2000, 20


@dataclass(frozen=True)
class RidgeSettings:
    """How encoders are fitted.

    Attributes
    ----------
    delays_s : seconds after a clip's onset.
    alphas : candidates for every vertex, ascending.
    max_folds : folds of whole training segments.
    agreement : median correlation of low-rank with full training predictions.
    """

    delays_s: tuple[float, ...] = DELAYS_S
    alphas: tuple[float, ...] = tuple(float(alpha) for alpha in ALPHAS)
    max_folds: int = FOLDS
    agreement: float = MEDIAN_CORRELATION
    tr_s: float = TR_S
    lag_s: float = LAG_S


@dataclass(frozen=True)
class EncoderFit:
    """A fitted encoder.

    Attributes
    ----------
    layers : LayerChoice
    choice : AlphaChoice
        Alphas and cross-validated r of all vertices.
    r, r2 : float32 (v,)
        Pearson r and R2 on the test rows, all test films as one; NaN where training or test BOLD is unusable.
    weights : EncoderWeights
        For the prediction of other films.
    """

    layers: LayerChoice
    choice: AlphaChoice
    r: npt.NDArray[np.float32]
    r2: npt.NDArray[np.float32]
    weights: EncoderWeights

    @property
    def layer(self) -> str:
        """The chosen layer."""
        return self.layers.layer

    @property
    def alpha(self) -> npt.NDArray[np.float32]:
        """Chosen alphas (v,)."""
        return self.choice.alpha

    @property
    def cv_r(self) -> npt.NDArray[np.float32]:
        """Cross-validated r (v,)."""
        return self.choice.cv_r


@dataclass(frozen=True)
class LayerDesign:
    """One layer's design: training rows, test rows, decomposition of the training rows."""

    moments: Standardiser
    train: npt.NDArray[np.float32]
    test: npt.NDArray[np.float32]
    decomposition: Decomposition


@dataclass
class _Task:
    """What all steps of one fit share."""

    features: Features
    train: Mapping[str, Any]
    test: Mapping[str, Any]
    settings: RidgeSettings
    report: Progress
    device: str
    cache: Path | None
    designs: dict[str, LayerDesign] = field(default_factory=dict)


def fit_encoder(
    features: Features,
    bold_train: Mapping[str, Any],
    bold_test: Mapping[str, Any],
    reliable_vertices: npt.ArrayLike,
    settings: RidgeSettings | None = None,
    *,
    progress: Progress | None = None,
    device: str = "cpu",
    decomposition_cache: Path | None = None,
    on_test: OnTest | None = None,
) -> EncoderFit:
    """Fit one encoder to one subject.

    Parameters
    ----------
    features : layer -> segment -> float32 (n_clips, channels)
        Of training and test films alike; segments without BOLD are not used.
    bold_train, bold_test : segment -> (n_volumes, v) array-like
        Kept volumes from the first one, as many as shall count; float16 or wider, memory-mapped or not.
    reliable_vertices : indices or boolean map (v,)
        From the training films; at most 5,000 of them choose the layer.
    progress : optional
        Called with the fraction done; what it raises ends the fit.
    decomposition_cache : folder, optional
        Shares decompositions between subjects with the same training segments.
    on_test : optional
        Called per block with (columns, predicted, measured), both float32 (n_test, w), measured not centred.

    Raises
    ------
    DataProblem, BrainvizError
        Features or BOLD are missing or do not fit; fewer than two training segments.
    """
    if not bold_train or not bold_test or not features:
        raise DataProblem("An encoder needs features, training BOLD and test BOLD.", "encoding")
    report = progress or (lambda fraction: None)
    task = _Task(features, bold_train, bold_test, settings or RidgeSettings(), report, device, decomposition_cache)
    layers = _choose_layer(task, reliable_vertices)
    design = task.designs.get(layers.layer) or _design(task, layers.layer)
    targets = Targets(list(bold_train.values()))
    alphas = task.settings.alphas
    choice = choose_alphas(design.decomposition, targets, alphas, device, lambda done: report(0.2 + 0.6 * done))
    components = _components(design, targets, choice, task)
    r, r2, low_rank = _read_out(design, targets, choice, components, task, on_test)
    s = task.settings
    weights = EncoderWeights(layers.layer, design.moments, s.delays_s, s.tr_s, s.lag_s, low_rank)
    return EncoderFit(layers, choice, r, r2, weights)


def design_rows(
    films: Mapping[str, npt.ArrayLike], train: Mapping[str, Any], test: Mapping[str, Any], settings: RidgeSettings
) -> tuple[Standardiser, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Scaled, delayed features of one layer for the volumes of training and test BOLD.

    Parameters
    ----------
    films : segment -> float (n_clips, channels)
    train, test : segment -> (n_volumes, v)
        Only their lengths are used.

    Returns
    -------
    moments of the training clips; float32 (n, p); float32 (n_test, p)

    Raises
    ------
    DataProblem
        A segment has no features.
    """
    missing = sorted((set(train) | set(test)) - set(films))
    if missing:
        raise DataProblem(f"There are no features of {', '.join(missing)}.", "features", "Extract them.")
    moments = training_moments(films[segment] for segment in train)

    def rows(bold: Mapping[str, Any]) -> npt.NDArray[np.float32]:
        volumes = {segment: int(data.shape[0]) for segment, data in bold.items()}
        timing = (settings.delays_s, settings.tr_s, settings.lag_s)
        return np.concatenate(list(scaled_design(films, moments, volumes, *timing).values()))

    return moments, rows(train), rows(test)


def segment_of_rows(bold: Mapping[str, Any]) -> list[str]:
    """Segment of every volume."""
    return [segment for segment, data in bold.items() for _ in range(data.shape[0])]


def _design(task: _Task, layer: str) -> LayerDesign:
    """Design and decomposition of one layer."""
    moments, train, test = design_rows(task.features[layer], task.train, task.test, task.settings)
    groups = segment_of_rows(task.train)
    made = cached_decomposition(train, groups, task.cache, task.settings.max_folds, task.device)
    return LayerDesign(moments, train, test, made)


def _choose_layer(task: _Task, reliable_vertices: npt.ArrayLike) -> LayerChoice:
    """Score every layer on reliable vertices; keeps the best layer's design in the task."""
    parts = list(task.train.values())
    columns = reliable_columns(reliable_vertices, int(parts[0].shape[1]))
    if len(task.features) == 1:
        return LayerChoice(next(iter(task.features)), {})
    y = reliable_targets(parts, columns)
    scores: dict[str, float] = {}
    for i, layer in enumerate(task.features):
        design = _design(task, layer)
        scores[layer] = mean_cross_validated_r(design.decomposition, y, task.settings.alphas, task.device)
        if best_layer(scores).layer == layer:
            task.designs = {layer: design}
        task.report(0.2 * (i + 1) / len(task.features))
    return best_layer(scores)


def _components(design: LayerDesign, targets: Targets, choice: AlphaChoice, task: _Task) -> Components:
    """Components of the training predictions of well-fitted vertices."""
    import torch

    rated = np.nan_to_num(choice.cv_r, nan=-1.0)
    fitted = np.flatnonzero(rated >= FITTED_R)
    if len(fitted) < FEWEST_FOR_COMPONENTS:
        fitted = np.sort(np.argsort(-rated, kind="stable")[:FEWEST_FOR_COMPONENTS])
    if len(fitted) > MOST_FOR_COMPONENTS:
        fitted = fitted[np.linspace(0, len(fitted) - 1, MOST_FOR_COMPONENTS).astype(np.int64)]
    y, _ = targets.tensor(fitted, task.device)
    left = torch.diag(torch.as_tensor(design.decomposition.eigenvalues)).float()
    predictions = Readout(design.decomposition, left, choice.alpha[fitted], task.device)(y, choice.alpha[fitted])
    return leading_components(predictions, task.settings.agreement)


def _read_out(
    design: LayerDesign,
    targets: Targets,
    choice: AlphaChoice,
    components: Components,
    task: _Task,
    on_test: OnTest | None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], LowRank]:
    """Test scores and low-rank weights of all vertices, one pass over the BOLD."""
    import torch

    decomposition, n, v = design.decomposition, targets.n_rows, targets.n_vertices
    test = prediction_kernel(decomposition, design.train, design.test, task.device)
    values = torch.as_tensor(decomposition.eigenvalues, device=test.device)
    inner = (components.basis.double() * (values / np.sqrt(n))[:, None]).T.float()
    readout = Readout(decomposition, torch.cat([test, inner]), choice.alpha, task.device)
    measured_films = Targets(list(task.test.values()))
    r, r2 = np.full(v, np.nan, dtype=np.float32), np.full(v, np.nan, dtype=np.float32)
    right, mean = np.zeros((inner.shape[0], v), dtype=np.float16), np.zeros(v, dtype=np.float32)
    for columns in column_blocks(v, BLOCK):
        block = targets.block(columns)
        both = readout(torch.from_numpy(block.y).to(task.device), choice.alpha[columns]).cpu().numpy()
        predicted = both[: len(test)]
        predicted += block.mean
        right[:, columns] = both[len(test) :]
        mean[columns] = block.mean
        measured = measured_films.block(columns)
        usable = measured.usable & block.usable
        r[columns], r2[columns] = prediction_scores(predicted, measured, usable)
        if on_test is not None:
            on_test(columns, predicted, measured.y + measured.mean)
        task.report(0.8 + 0.2 * columns.stop / v)
    left = components.left(decomposition, design.train).astype(np.float16)
    low_rank = LowRank(left, right, design.train.mean(0), mean, components.agreement)
    return r, r2, low_rank
