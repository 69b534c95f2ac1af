"""The stage that measures, clip by clip, how many bits of direction the fMRI adds to the first frame."""

from __future__ import annotations

import numpy as np

from brainviz.storage import read_table
from pipelines.evaluate.ambiguity import continuation_partners, evaluate_ambiguity
from pipelines.evaluate.ambiguity_families import AmbiguityConfig, fit_families
from pipelines.evaluate.ambiguity_reading import directions
from pipelines.graph import Context
from pipelines.stages import decoders

HALVES = ("odd", "even")


def measure_ambiguity(context: Context) -> None:
    """Tables of one subject: bits per clip, their probabilities, means per case."""
    from pipelines.motion_decoder import DecoderConfig
    from pipelines.motion_decoder.prior import pooled_features

    test = decoders.test_segments(context)
    training = decoders.training_data(context)
    halves = [name for name in decoders.run_variants(context, test) if name in HALVES]
    windows = decoders.test_windows(context, test, halves)
    pooled = pooled_features(training.features), pooled_features(decoders.stacked_features(context, test))
    settings = DecoderConfig.from_mapping(context.config["settings"])
    config = AmbiguityConfig.from_mapping(context.config["ambiguity"])
    families = fit_families(training, windows, pooled, settings, config, context.progress)
    flow, valid, _ = decoders.truth(context, test)
    names = [clip for segment in test for clip in decoders.clip_names(context, segment)]
    catalogue = read_table(context.input("catalogue").folder / "clips.parquet").set_index("clip", drop=False)
    clips = catalogue.loc[names].reset_index(drop=True)
    partner = continuation_partners(clips, _first_frames(context, test))
    direction = directions(flow, valid, families.still_below)
    context.progress(0.95, "Bits of direction")
    for name, table in evaluate_ambiguity(context.unit, clips, direction, partner, families, config.seed).items():
        context.table(name, table)
    context.facts |= {"still_below": families.still_below, **families.facts}


def _first_frames(context: Context, segments: list[str]) -> np.ndarray:
    return decoders.stack_films(context, "frame_features", "thumbnails", segments)
