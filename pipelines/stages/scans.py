"""Scans to clean BOLD: cut to the film, detrended, z-scored per run, runs averaged; reliability and noise ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.base import CORTEX_SPACE, Dataset
from brainviz.data.catalogue import split_of
from brainviz.data.preprocess import average_runs
from brainviz.errors import DataProblem
from pipelines.graph import Context

if TYPE_CHECKING:
    from brainviz.metrics.reliability import NoiseCeiling

VERTEX_CHUNK = 512  # a time course of one vertex reads in a few milliseconds
STORED = "float16"  # of z-scores: the rounding is 1/1000 of the noise


def prepare_bold(context: Context) -> None:
    """One subject's BOLD, segment by segment.

    Stores ``mean.<segment>`` (tr, vertex) of every segment and, for test segments, ``runs.<segment>``
    (run, tr, vertex); ``reliability`` (vertex,) and ``ceiling`` (4, vertex): signal power, variance of the mean, r_max,
    p; maps ``reliability`` (training runs) and ``noise-ceiling`` (test runs). Test films seen once have no ceiling
    (NaN), and only data on the fs_LR cortex give maps.
    """
    from brainviz.cortex import cortex_to_full
    from brainviz.metrics.reliability import split_half_reliability

    dataset, subject = context.dataset(), context.unit
    scanned = [s for s in context.config["segments"] if dataset.runs(subject, s)]
    training = [s for s in scanned if split_of(s) == "train"]
    test = [s for s in scanned if split_of(s) == "test"]
    reliability = split_half_reliability(_stored(context, dataset, training, 0.0, 0.5))
    ceiling = _ceiling(dataset, subject, test, _stored(context, dataset, test, 0.5, 1.0), len(reliability))
    context.array("reliability", reliability)
    context.array("ceiling", np.stack([ceiling.signal_power, ceiling.mean_variance, ceiling.r_max, ceiling.p]))
    maps = {"reliability": reliability, "noise-ceiling": ceiling.r_max} if dataset.space == CORTEX_SPACE else {}
    for name, values in maps.items():
        context.array(f"map.{name}", cortex_to_full(values))
    context.table("timing", dataset.timing(subject))
    context.facts |= {"maps": list(maps), "segments": scanned, "space": dataset.space}
    context.facts |= {"tr_s": dataset.tr_s, "lag_s": dataset.lag_s, "test_runs": ceiling.n_runs}


def _ceiling(
    dataset: Dataset, subject: str, segments: list[str], runs: Iterator[list[np.ndarray]], n_vertices: int
) -> NoiseCeiling:
    """Noise ceiling of the test runs, all NaN where every test film was seen once; goes through all runs either way."""
    from brainviz.metrics.reliability import NoiseCeiling, noise_ceiling

    if any(len(dataset.runs(subject, segment)) > 1 for segment in segments):
        return noise_ceiling(runs)
    for _ in runs:
        pass
    unknown = np.full(n_vertices, np.nan, np.float32)
    return NoiseCeiling(unknown, unknown, unknown, unknown, n_runs=1)


def _stored(
    context: Context, dataset: Dataset, segments: list[str], begin: float, end: float
) -> Iterator[list[np.ndarray]]:
    """Clean, store and hand on the runs of each segment; every segment uses the memory of the one before."""
    subject, buffer = context.unit, np.empty((0, 0, 0), np.float32)
    for i, segment in enumerate(segments):
        numbers = dataset.runs(subject, segment)
        context.progress(begin + (end - begin) * i / len(segments), f"{segment}: {len(numbers)} runs")
        for k, number in enumerate(numbers):
            run = dataset.bold(subject, segment, run=number)
            if k == 0 and (len(buffer) < len(numbers) or buffer.shape[1:] != run.shape):
                buffer = np.empty((len(numbers), *run.shape), np.float32)
            if run.shape != buffer.shape[1:]:
                raise DataProblem(
                    f"Run {number} has {len(run)} volumes where others have {buffer.shape[1]}.",
                    f"subject {subject}, {segment}",
                    "See python -m pipelines check; leave the run out.",
                )
            buffer[k] = run
        runs = list(buffer[: len(numbers)])
        volumes, vertices = runs[0].shape
        chunks = (volumes, min(VERTEX_CHUNK, vertices))
        context.array(f"mean.{segment}", average_runs(runs).astype(STORED), chunks)
        if split_of(segment) == "test":
            stored = context.new_array(f"runs.{segment}", (len(runs), volumes, vertices), STORED, (1, *chunks))
            for k, run in enumerate(runs):
                stored[k] = run.astype(STORED)
        yield runs
