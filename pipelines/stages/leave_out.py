"""The stage that measures what the ridge decoder loses without each region."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainviz.errors import BrainvizError
from brainviz.storage import read_array, read_table
from pipelines.graph import Context
from pipelines.leave_out.conditional import ConditionalMean, choose_penalty
from pipelines.leave_out.errors import ClipErrors
from pipelines.leave_out.measure import MEASURES, Contribution, region_table
from pipelines.leave_out.model import FullModel, Members, Recording
from pipelines.leave_out.patches import Used, random_patches
from pipelines.motion_decoder import BoldWindows, DecoderConfig, choose_vertices
from pipelines.motion_decoder.data import segment_folds
from pipelines.motion_decoder.linear import LinearDecoder
from pipelines.stages import decoders

SAMPLED_PARTS = 6  # regions that choose the penalty of the conditional mean
STORED = "float16"


def measure_regions(context: Context) -> None:
    """Table `leave_out`, maps ``leave-out-<measure>``, and what a page needs to leave out any set of regions.

    Stores ``volumes.train``, ``volumes.test`` (tr, vertex), ``index.train``, ``index.test`` (clip, window),
    ``vertices`` (cortex order) and ``area`` (0-179, -1 for none) of the decoded vertices; ``targets``, ``fold``,
    ``penalty``, ``dual``, ``values``, ``vectors`` of the full model; the flow's ``mean`` and ``components``.
    """
    from pipelines.motion_decoder.determinism import fixed_threads

    with fixed_threads(int(context.config.get("threads", 1))):
        _measure(context)


def _measure(context: Context) -> None:
    from brainviz.cortex import load_surface

    context.progress(0.0, "Fitting the full decoder")
    test = decoders.test_segments(context)
    vertices = choose_vertices(read_array(context.input("bold").arrays, "reliability"))
    area = areas_of(vertices)
    data = decoders.training_data(context)
    basis = _full_decoder(context).basis
    settings = DecoderConfig.from_mapping(context.config["settings"])
    recording = Recording(data.bold, decoders.test_windows(context, test)["all"])
    fold = segment_folds(data.segment, settings.max_folds)
    model = FullModel.fit(recording, basis.project(data.flow, data.valid), fold, np.asarray(settings.ridge.alphas))
    regions = {name: np.flatnonzero(area == i) for i, name in enumerate(_area_names())}
    used = [members for members in regions.values() if len(members)]
    truth, valid, _ = decoders.truth(context, test)
    names = [clip for segment in test for clip in decoders.clip_names(context, segment)]
    clips = read_table(context.input("catalogue").folder / "clips.parquet").set_index("clip", drop=False).loc[names]
    context.progress(0.02, "Conditional means")
    penalty = choose_penalty(model, _spread(used, SAMPLED_PARTS), _film_of_volume(data.bold, data.segment))
    seen = np.asarray(data.reliability, np.float32)
    contribution = Contribution(
        model,
        ConditionalMean(model, penalty),
        ClipErrors(basis, truth, valid),
        clips.reset_index(drop=True),
        seen,
    )
    surface = load_surface()
    generator = np.random.default_rng(context.config["seed"])
    places = Used(surface.cortex[vertices].astype(np.int64), seen, surface.faces)
    patches = random_patches(places, used, context.config["patches"], generator)

    def measuring(fraction: float, message: str) -> None:
        context.progress(0.05 + 0.9 * fraction, message)

    table = region_table(contribution, regions, patches, context.config["seed"], measuring)
    context.table("leave_out", table.assign(subject=context.unit, hemisphere="both")[_COLUMNS])
    _store_maps(context, table)
    _store_model(context, contribution, basis.mean, basis.components, vertices, area)
    context.facts |= {
        "maps": [f"leave-out-{measure}" for measure in MEASURES],
        "clips": names,
        "conditional_penalty": penalty,
        "constant": model.constant,
        "alphas": list(settings.ridge.alphas),
        "n_patches": len(patches),
    }


_COLUMNS = [
    *("subject", "hemisphere", "region", "measure", "epe_change", "low", "high", "p", "q", "null", "z"),
    *("n_vertices", "reliability", "n_patches", "n_clips", "n_blocks", "reason"),
]


def areas_of(vertices: np.ndarray) -> np.ndarray:
    """Area of decoded vertices (cortex order), both sides alike: int64 (v,), 0 to 179, -1 for none."""
    from brainviz.cortex.regions import N_REGIONS_PER_SIDE, glasser

    label = glasser().cortex_labels[vertices].astype(np.int64)
    return np.where(label > 0, (label - 1) % N_REGIONS_PER_SIDE, -1)


def _area_names() -> tuple[str, ...]:
    from brainviz.cortex.regions import glasser

    return glasser().areas


def _full_decoder(context: Context) -> LinearDecoder:
    from pipelines.motion_decoder.systems import load_system

    decoder = load_system(context.input("motion_decoder").folder / "decoder")
    if not isinstance(decoder, LinearDecoder):
        raise BrainvizError("Regions are left out of the ridge decoder only.", decoder.name)
    return decoder


def _spread(parts: list[Members], n: int) -> list[Members]:
    """Some parts, from the smallest to the largest but for the extremes."""
    ordered = sorted(parts, key=len)
    return [ordered[i] for i in np.unique(np.linspace(0, len(ordered) - 1, n + 2).round().astype(int)[1:-1])]


def _film_of_volume(windows: BoldWindows, segment: np.ndarray) -> np.ndarray:
    """Film of every training volume, int64 (T,): that of the clips whose windows hold it, else of the one before."""
    film = np.full(len(windows.volumes), -1, np.int64)
    numbers = np.unique(segment, return_inverse=True)[1]
    for delay in windows.index.T:
        film[delay[delay >= 0]] = numbers[delay >= 0]
    known = np.maximum.accumulate(np.where(film >= 0, np.arange(len(film)), 0))
    return np.asarray(film[known])


def _store_maps(context: Context, table: pd.DataFrame) -> None:
    """Each region's value on all its vertices, both sides; NaN elsewhere."""
    from brainviz.cortex.regions import glasser

    parcellation = glasser()
    for measure in MEASURES:
        rows = table[table["measure"] == measure].set_index("region")["epe_change"]
        of_area = rows.reindex(list(parcellation.areas)).to_numpy(np.float32)
        of_label = np.concatenate([[np.nan], of_area, of_area]).astype(np.float32)
        context.array(f"map.leave-out-{measure}", of_label[parcellation.labels])


def _store_model(
    context: Context,
    contribution: Contribution,
    mean: np.ndarray,
    components: np.ndarray,
    vertices: np.ndarray,
    area: np.ndarray,
) -> None:
    model = contribution.model
    for name, windows in (("train", model.recording.train), ("test", model.recording.test)):
        context.array(f"volumes.{name}", np.asarray(windows.volumes).astype(STORED))
        context.array(f"index.{name}", windows.index)
    arrays = {"vertices": vertices, "area": area, "targets": model.targets, "fold": model.fold, "mean": mean}
    arrays |= {"penalty": model.penalty, "dual": model.dual, "values": model.values, "components": components}
    arrays["vectors"] = model.vectors.astype(np.float32)
    for name, values in arrays.items():
        context.array(name, values)
