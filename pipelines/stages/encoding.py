"""Stages of the encoding models: features of films, one model per subject and encoder, their comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex import cortex_to_full
from brainviz.cortex.surface import N_CORTEX
from brainviz.data.timing import rows_per_clip
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.metrics.block_sums import BlockSums, VolumeBlocks, volume_blocks
from brainviz.results import Result
from brainviz.storage import open_array, read_array
from brainviz.uploads import film_path
from pipelines.graph import Context

if TYPE_CHECKING:
    from brainviz.metrics.estimates import Estimates, MapEstimates
    from brainviz.metrics.reliability import NoiseCeiling
    from pipelines.encoding.encoder import EncoderFit, RidgeSettings

Half = npt.NDArray[np.float16]

RELIABLE_ABOVE = 0.1
"""Reliability of the training runs from which a vertex chooses layers and enters an encoder's mean r."""

SUMS = ("pp", "py", "yy")
WEIGHTS = "weights.npz"


def extract_features(context: Context) -> None:
    """Features of one film's clips by the encoders of one group: ``<encoder>.<layer>`` (clip, channel)."""
    _extract(context, context.dataset().film(context.unit.rsplit(".", 1)[1]))


def extract_upload(context: Context) -> None:
    """The same of a film that a visitor brought."""
    _extract(context, film_path(context.store.path, context.config["film"]))


def _extract(context: Context, film: Path) -> None:
    from pipelines.features.extraction import encode_film_all
    from pipelines.features.registry import make_encoder

    wanted = context.config["encoders"]
    folders = {name: Path(entry["weights"]) if entry["weights"] else None for name, entry in wanted.items()}
    encoders = [make_encoder(name, folder, context.device) for name, folder in folders.items()]
    found = encode_film_all(encoders, film, context.config["n_clips"], context.progress, context.work)
    for name, layers in found.items():
        for layer, values in layers.items():
            context.array(f"{name}.{layer}", values)
    context.facts["layers"] = {name: list(layers) for name, layers in found.items()}


def fit_encoding(context: Context) -> None:
    """Fit one encoder to one subject; its maps, tables, block sums and weights."""
    from brainviz.metrics.region_means import glasser_regions
    from brainviz.metrics.reliability import region_ceiling
    from brainviz.metrics.vertex_tests import assess_encoder
    from pipelines.encoding.encoder import fit_encoder
    from pipelines.encoding.tables import encoding_row, region_rows

    name, subject = context.config["encoder"], _subject(context)
    scans = Scans.of(context)
    chosen = reliable_vertices(scans.bold)
    regions = glasser_regions(chosen)
    predicted = np.empty((scans.n_test, len(chosen)), np.float32)

    def keep(columns: slice, prediction: npt.NDArray[np.float32], _: npt.NDArray[np.float32]) -> None:
        predicted[:, columns] = prediction

    fit = fit_encoder(
        features_of(context, name, scans.segments),
        scans.training,
        scans.test,
        chosen,
        scans.settings(context.config["ridge"]),
        progress=lambda done: context.progress(0.6 * done, "ridge"),
        device=context.device,
        decomposition_cache=context.store.path / "cache" / "decompositions",
        on_test=keep,
    )
    context.progress(0.6, "statistics")
    test = assess_encoder(predicted, scans.measured(), scans.blocks(), regions)
    fit.weights.save(context.folder / WEIGHTS)
    for part in SUMS:
        context.array(f"sums.{part}", getattr(test.sums, part))
    _store_fit(context, name, fit, test.vertices)
    ceiling = region_ceiling(scans.ceiling(), regions.label, regions.n)
    context.table("encoding", encoding_row(subject, name, test, chosen, RELIABLE_ABOVE).assign(layer=fit.layer))
    context.table("regions", region_rows(subject, name, test, ceiling))


def _store_fit(context: Context, name: str, fit: EncoderFit, estimates: Estimates) -> None:
    maps = {"r": estimates.value, "q": estimates.q, "low": estimates.low, "high": estimates.high}
    maps |= {"r2": fit.r2, "alpha": fit.alpha}
    _store_maps(context, {f"{kind}/{name}": values for kind, values in maps.items()})
    low_rank = fit.weights.low_rank
    context.facts |= {
        "encoder": name,
        "layer": fit.layer,
        "layer_scores": fit.layers.mean_r,
        "rank": low_rank.rank,
        "agreement": low_rank.agreement,
    }


def compare_encoders(context: Context) -> None:
    """Every pair of one subject's encoders, region by region and vertex by vertex; the best encoder of each vertex."""
    import pandas as pd

    from brainviz.metrics.region_means import glasser_regions
    from brainviz.metrics.vertex_tests import compare_encoders as compare
    from pipelines.encoding.tables import contrast_rows

    fitted = {result.manifest["facts"]["encoder"]: result for result in context.inputs("encoding").values()}
    regions = glasser_regions(reliable_vertices(context.input("bold")))
    pairs = list(combinations(fitted, 2))
    tables = []
    sums = {name: _sums(result) for name, result in fitted.items()}
    for i, (a, b) in enumerate(pairs):
        context.progress(i / len(pairs), f"{a} minus {b}")
        contrast = compare(sums[a], sums[b], regions)
        tables.append(contrast_rows(context.unit, a, b, contrast))
        _store_contrast(context, f"{a}|{b}", contrast)
    if tables:
        context.table("contrasts", pd.concat(tables, ignore_index=True))
    _store_maps(context, {"best": _best({name: each.r for name, each in sums.items()})})
    context.facts["encoders"] = list(fitted)


def _store_contrast(context: Context, pair: str, contrast: MapEstimates) -> None:
    found = contrast.vertices
    maps = {"contrast": found.value, "contrast-q": found.q, "contrast-low": found.low, "contrast-high": found.high}
    _store_maps(context, {f"{kind}/{pair}": values for kind, values in maps.items()})


def _best(r: dict[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Number of the encoder with the highest r at each vertex, in the order given; NaN where none predicts."""
    stacked = np.stack([np.nan_to_num(values, nan=-1.0) for values in r.values()])
    return np.where(stacked.max(0) > 0, stacked.argmax(0), np.nan).astype(np.float32)


def fit_joint(context: Context) -> None:
    """Two encoders in one model, on reliable vertices: what each explains alone there, and what they share."""
    from brainviz.metrics.block_sums import sum_blocks
    from brainviz.metrics.region_means import Regions
    from brainviz.metrics.variance_partition import partition_variance
    from pipelines.encoding import banded
    from pipelines.encoding.encoder import segment_of_rows

    a, b = context.config["a"], context.config["b"]
    scans = Scans.of(context)
    chosen = np.flatnonzero(reliable_vertices(scans.bold))
    (train_a, test_a), (train_b, test_b) = (_design(context, name, scans) for name in (a, b))
    segments = segment_of_rows(scans.training)
    settings = scans.settings(context.config["ridge"])
    design = banded.joint_design((train_a, train_b), (test_a, test_b), segments, settings.max_folds, context.device)
    bold = np.concatenate([part[:, chosen] for part in scans.training.values()])
    fit = banded.fit_joint(
        design,
        bold,
        settings.alphas,
        context.config["ridge"]["shares"],
        context.device,
        lambda done: context.progress(0.9 * done, f"{a} with {b}"),
    )
    measured, blocks = scans.measured()[:, chosen], scans.blocks()
    sums = [sum_blocks(predicted, measured, blocks) for predicted in (fit.joint, fit.a, fit.b)]
    shares = partition_variance(sums[0], sums[1], sums[2], Regions.of(np.zeros(len(chosen), int), 1))
    maps = {f"unique/{a}|{b}": shares.unique_a, f"unique/{b}|{a}": shares.unique_b, f"shared/{a}|{b}": shares.shared}
    for name, each in maps.items():
        kind, _, pair = name.partition("/")
        found = {name: each.vertices.value, f"{kind}-q/{pair}": each.vertices.q}
        _store_maps(context, {key: _on_cortex(values, chosen) for key, values in found.items()})


def _design(context: Context, encoder: str, scans: Scans) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Training and test rows of an encoder's chosen layer."""
    from pipelines.encoding.encoder import design_rows

    fitted = context.input("encoding", f"{_subject(context)}.{encoder}")
    films = features_of(context, encoder, scans.segments)[fitted.manifest["facts"]["layer"]]
    return design_rows(films, scans.training, scans.test, scans.settings(context.config["ridge"]))[1:]


def _on_cortex(values: npt.NDArray[np.float32], vertices: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    full = np.full(N_CORTEX, np.nan, np.float32)
    full[vertices] = values
    return full


# ---- what the stages read


@dataclass(frozen=True)
class Scans:
    """One subject's BOLD, cut to the volumes that film and clips share; of faster scans one volume per clip.

    Attributes
    ----------
    bold : Result
    training, test : segment -> float16 (n_volumes, v).
        In memory: every fit passes over them several times, and at half precision a real subject takes .7 GB.
    """

    bold: Result
    training: dict[str, Half]
    test: dict[str, Half]

    @classmethod
    def of(cls, context: Context) -> Scans:
        bold = context.input("bold")
        scanned, step = bold.manifest["facts"]["segments"], rows_per_clip(bold.manifest["facts"]["tr_s"])

        def read(names: Sequence[str]) -> dict[str, Half]:
            stored = {s: open_array(bold.arrays, f"mean.{s}") for s in names if s in scanned}
            return {s: np.asarray(rows[: step * _n_clips(context, s) : step]) for s, rows in stored.items()}

        return cls(bold, read(context.config["training"]), read(context.config["test"]))

    @property
    def segments(self) -> list[str]:
        return [*self.training, *self.test]

    @property
    def n_test(self) -> int:
        return sum(len(rows) for rows in self.test.values())

    def settings(self, chosen: Mapping[str, Any]) -> RidgeSettings:
        """The run's choices, with the recording's timing."""
        from pipelines.encoding.encoder import RidgeSettings

        facts = self.bold.manifest["facts"]
        alphas = tuple(float(alpha) for alpha in chosen["alphas"])
        return RidgeSettings(alphas=alphas, max_folds=chosen["max_folds"], tr_s=CLIP_SECONDS, lag_s=facts["lag_s"])

    def measured(self) -> Half:
        """The average over runs of all test films, one after the other: (n_test, v)."""
        return np.concatenate(list(self.test.values()))

    def blocks(self) -> VolumeBlocks:
        """Blocks of 30 s or more, longer where the reliable vertices' measured autocorrelation asks for it."""
        from brainviz.metrics.block_length import autocorrelation, needed_volumes

        volumes = {segment: len(rows) for segment, rows in self.test.items()}
        measured = autocorrelation(self.measured(), volume_blocks(volumes), reliable_vertices(self.bold))
        return volume_blocks(volumes, needed_volumes(measured, measured))

    def ceiling(self) -> NoiseCeiling:
        from brainviz.metrics.reliability import NoiseCeiling

        power, variance, r_max, p = read_array(self.bold.arrays, "ceiling")
        return NoiseCeiling(power, variance, r_max, p, int(self.bold.manifest["facts"]["test_runs"]))


def reliable_vertices(bold: Result) -> npt.NDArray[np.bool_]:
    """Vertices whose training runs agree, bool (v,)."""
    from pipelines.encoding.tables import chosen_vertices

    return chosen_vertices(read_array(bold.arrays, "reliability"), RELIABLE_ABOVE)


def features_of(context: Context, encoder: str, segments: Sequence[str]) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """Features of one encoder: layer -> segment -> (clip, channel)."""
    by_segment = {
        unit.rsplit(".", 1)[1]: result
        for unit, result in context.inputs("clip_features").items()
        if encoder in result.manifest["facts"]["layers"]
    }
    layers = next(iter(by_segment.values())).manifest["facts"]["layers"][encoder]
    return {layer: {s: read_array(by_segment[s].arrays, f"{encoder}.{layer}") for s in segments} for layer in layers}


def _n_clips(context: Context, segment: str) -> int:
    units = context.inputs("clip_features")
    result = next(result for unit, result in units.items() if unit.rsplit(".", 1)[1] == segment)
    return int(result.manifest["config"]["n_clips"])


def _sums(result: Result) -> BlockSums:
    return BlockSums(**{part: read_array(result.arrays, f"sums.{part}") for part in SUMS})


def _subject(context: Context) -> str:
    return context.unit.split(".", 1)[0]


def _store_maps(context: Context, maps: dict[str, npt.NDArray[Any]]) -> None:
    for name, values in maps.items():
        context.array(f"map.{name}", cortex_to_full(values.astype(np.float32)))
    context.facts.setdefault("maps", []).extend(maps)
