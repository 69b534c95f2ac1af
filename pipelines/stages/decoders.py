"""The stage that trains one system and decodes the test films with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.data.catalogue import clip_name
from brainviz.data.timing import window_volumes
from brainviz.errors import BrainvizError
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.results import Result
from brainviz.storage import open_array, read_array
from brainviz.workspace import SHARED_UNIT
from pipelines.graph import Context
from pipelines.motion_decoder import BoldWindows, DecoderConfig, DecoderData, StackedFeatures, choose_vertices

if TYPE_CHECKING:
    from pipelines.motion_decoder.systems import Decoder

WINDOW_S = (0.0, 8.0)  # after clip onset: the paper's five volumes i-2..i+2
RUN_COUNTS = (1, 2, 5, 10)  # decoded with that many test runs averaged, where there are more


def train_and_decode(context: Context) -> None:
    """Train one system on the training films; store its flow for every test clip.

    ``flow`` (clip, sample, 3, 32, 32, 2); for `brain` also ``flow.odd``, ``flow.even`` and ``flow.<n>``: decoded from
    the odd, the even, or the first n test runs.
    """
    system = context.unit.split(".", 1)[1]
    test = test_segments(context)
    facts: dict[str, Any] = {"system": system, "clips": [c for s in test for c in clip_names(context, s)]}
    context.facts |= facts
    if system == "svd":
        from pipelines.motion_decoder.svd import decode_svd

        settings = {**context.config, "seed": context.config["settings"]["seed"], "device": context.device}
        context.array("flow", decode_svd(context.dataset(), facts["clips"], settings, context.progress))
        return
    data = training_data(context)
    config = DecoderConfig.from_mapping({**context.config["settings"], "device": context.device})
    decoder = _trained(system, data, config, context)
    error = float(getattr(decoder, "held_out_error", np.nan))
    if np.isfinite(error):
        context.facts["held_out_error"] = error
    if system == "persistence":
        flows = {"flow": decoder.predict_from_truth(*truth(context, test))}  # type: ignore[attr-defined]
    else:
        flows = _decoded(decoder, context, test)
    for name, flow in flows.items():
        context.array(name, _with_samples(flow), (1, 1, *flow.shape[-4:]))


def _decoded(decoder: Decoder, context: Context, test: Sequence[str]) -> dict[str, np.ndarray]:
    """Flow of the test clips from all runs; for `brain` also from subsets of the runs."""
    features = stacked_features(context, test)
    if decoder.name != "brain":
        return {"flow": decoder.predict(test_windows(context, test)["all"], features)}
    variants = run_variants(context, test)
    if variants:
        context.facts["variants"] = variants
    windows = test_windows(context, test, variants)
    flows = decoder.predict_each(list(windows.values()), features)  # type: ignore[attr-defined]
    return {"flow" if name == "all" else f"flow.{name}": flow for name, flow in zip(windows, flows, strict=True)}


def _trained(system: str, data: DecoderData, settings: DecoderConfig, context: Context) -> Decoder:
    """Train, keeping checkpoints in the work folder; the finished decoder moves into the result."""
    from pipelines.motion_decoder import train_system
    from pipelines.motion_decoder.systems import save_system

    def training(fraction: float, message: str) -> None:
        context.progress(0.9 * fraction, message)

    decoder = train_system(system, data, settings, context.work, training)
    save_system(decoder, context.folder / "decoder", settings)
    return decoder


def _with_samples(flow: np.ndarray) -> np.ndarray:
    return flow if flow.ndim == 6 else flow[:, None]


# ---- gathering what a decoder is given


def bold_of(context: Context) -> Result | None:
    """The cleaned BOLD of the subject; None for systems that see no brain."""
    return None if context.unit.startswith(f"{SHARED_UNIT}.") else context.input("bold")


def training_segments(context: Context) -> list[str]:
    """Training films that the subject was scanned with."""
    return _scanned(context, context.config["training"])


def test_segments(context: Context) -> list[str]:
    """Test films that the subject was scanned with."""
    return _scanned(context, context.config["test"])


def _scanned(context: Context, segments: Sequence[str]) -> list[str]:
    bold = bold_of(context)
    kept = [s for s in segments if bold is None or s in bold.manifest["facts"]["segments"]]
    if not kept:
        raise BrainvizError(
            "The subject has no usable run of these films.", ", ".join(segments), "See python -m pipelines check."
        )
    return kept


def clip_names(context: Context, segment: str) -> list[str]:
    """Clip ids of a film, in order."""
    frames = context.input("frame_features", segment)
    return [clip_name(segment, i) for i in range(open_array(frames.arrays, "features").shape[0])]


def stack_films(context: Context, stage: str, name: str, segments: Sequence[str]) -> np.ndarray:
    """One array of several films, put together along the clips."""
    return np.concatenate([read_array(context.input(stage, s).arrays, name) for s in segments])


def stacked_features(context: Context, segments: Sequence[str]) -> StackedFeatures:
    """First-frame features of the films' clips, read only where they are looked at."""
    return StackedFeatures([open_array(context.input("frame_features", s).arrays, "features") for s in segments])


def truth(context: Context, segments: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True flow (n, 3, 32, 32, 2), validity (n, 3, 32, 32) and segment (n,) of the films' clips."""
    flow = stack_films(context, "flow_labels", "flow", segments)
    names = np.concatenate([[s] * len(clip_names(context, s)) for s in segments])
    return flow, stack_films(context, "flow_labels", "valid", segments), names


def training_data(context: Context) -> DecoderData:
    """Everything a system may be trained on: training films only."""
    segments = training_segments(context)
    flow, valid, names = truth(context, segments)
    features = stacked_features(context, segments)
    bold = bold_of(context)
    if bold is None:
        return DecoderData(_no_brain(len(flow)), features, flow, valid, names)
    reliability = read_array(bold.arrays, "reliability")
    vertices = choose_vertices(reliability)
    volumes = [_columns(bold, f"mean.{s}", vertices) for s in segments]
    windows = _windows(context, bold, segments, volumes)
    return DecoderData(windows, features, flow, valid, names, reliability[vertices])


def test_windows(context: Context, segments: Sequence[str], variants: Sequence[str] = ()) -> dict[str, BoldWindows]:
    """BOLD windows of the test clips: `all` runs averaged, and each of the `variants` (odd, even, the first n).

    An average of runs is not z-scored again.
    """
    bold = bold_of(context)
    if bold is None:
        return {"all": _no_brain(sum(len(clip_names(context, s)) for s in segments))}
    vertices = choose_vertices(read_array(bold.arrays, "reliability"))
    volumes = {"all": [_columns(bold, f"mean.{s}", vertices) for s in segments]}
    if variants:
        averages = [_run_averages(bold, segment, vertices, variants) for segment in segments]
        volumes |= {variant: [average[i] for average in averages] for i, variant in enumerate(variants)}
    return {variant: _windows(context, bold, segments, parts) for variant, parts in volumes.items()}


def run_variants(context: Context, segments: Sequence[str]) -> list[str]:
    """Which subsets of test runs can be decoded apart: odd and even, and 1, 2, 5, 10 where there are more."""
    bold = bold_of(context)
    if bold is None:
        return []
    least = min(open_array(bold.arrays, f"runs.{s}").shape[0] for s in segments)
    halves = ["odd", "even"] if least >= 2 else []
    return halves + [str(n) for n in RUN_COUNTS if n < least]


def _chosen_runs(variant: str) -> slice:
    named = {"odd": slice(0, None, 2), "even": slice(1, None, 2)}
    return named[variant] if variant in named else slice(0, int(variant))


def _run_averages(bold: Result, segment: str, vertices: np.ndarray, variants: Sequence[str]) -> np.ndarray:
    """float32 (variant, tr, vertex): the mean over each variant's runs, read run by run."""
    stored = open_array(bold.arrays, f"runs.{segment}")
    n_runs = stored.shape[0]
    members = [range(n_runs)[_chosen_runs(variant)] for variant in variants]
    averages = np.zeros((len(variants), stored.shape[1], len(vertices)), dtype=np.float32)
    for run in sorted(set().union(*members)):
        volumes = np.asarray(stored[run])[:, vertices].astype(np.float32)
        for average, runs in zip(averages, members, strict=True):
            if run in runs:
                average += volumes / len(runs)
    return averages


def _columns(bold: Result, name: str, vertices: np.ndarray) -> np.ndarray:
    return read_array(bold.arrays, name)[:, vertices].astype(np.float32)


def _windows(context: Context, bold: Result, segments: Sequence[str], volumes: list[np.ndarray]) -> BoldWindows:
    facts = bold.manifest["facts"]
    indices = []
    for segment, part in zip(segments, volumes, strict=True):
        onsets = CLIP_SECONDS * np.arange(len(clip_names(context, segment)))
        indices.append(window_volumes(onsets, WINDOW_S, facts["tr_s"], facts["lag_s"], len(part)))
    return BoldWindows.from_segments(volumes, indices)


def _no_brain(n: int) -> BoldWindows:
    """What systems without a brain are given: one constant vertex."""
    return BoldWindows.from_array(np.zeros((n, 1, 1), np.float32))
