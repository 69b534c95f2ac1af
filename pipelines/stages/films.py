"""Stages on the films alone: cuts, true flow, first frames, the catalogue of clips, the codebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brainviz.storage import read_array
from pipelines.graph import Context

if TYPE_CHECKING:
    import pandas as pd


THUMBNAIL_PX = 128


def find_cuts(context: Context) -> None:
    """Cuts and fades of one film, as frame numbers."""
    from brainviz.video.cuts import detect_cuts

    found = detect_cuts(context.dataset().film(context.unit), progress=context.progress)
    context.facts |= {"cuts": [int(c) for c in found.cuts], "fades": [[int(a), int(b)] for a, b in found.fades]}


def label_flow(context: Context) -> None:
    """True flow, validity and moving objects of one film's clips."""
    from pipelines.flow_labels import label_film, make_labeller

    config = context.config
    labeller = make_labeller(config["labeller"], device=context.device)
    cuts = context.input("cuts").manifest["facts"]
    film = context.dataset().film(context.unit)
    labels = label_film(film, config["n_clips"], labeller, cuts["cuts"], cuts["fades"], context.progress)
    for name in ("flow", "valid", "moving", "camera", "consistency"):
        values = getattr(labels, name)
        context.array(name, values, (1, *values.shape[1:]))
    context.facts |= {"labeller": labels.labeller, "step_s": [float(s) for s in labels.step_s]}
    if context.task.simulated:
        context.table("label_error", _label_error(context, labels.flow, labels.valid))


def _label_error(context: Context, flow: np.ndarray, valid: np.ndarray) -> pd.DataFrame:
    """The labels' own error against the exact flow of the scene parameters."""
    from pipelines.flow_labels import compare_with_exact
    from pipelines.simulate.exact_flow import exact_segment_flow

    exact, exact_valid = exact_segment_flow(context.dataset_path, context.unit, len(flow))
    return compare_with_exact(flow, valid, exact, exact_valid).assign(segment=context.unit)


def encode_first_frames(context: Context) -> None:
    """First-frame features and thumbnails of one film's clips."""
    from brainviz.video.reading import film_info, iterate_frames
    from pipelines.features.first_frame import make_frame_encoder

    encoder = make_frame_encoder(context.config["encoder"], device=context.device)
    film, n = context.dataset().film(context.unit), context.config["n_clips"]
    firsts = {round(2 * i * film_info(film).fps): i for i in range(n)}
    thumbnails = context.new_array("thumbnails", (n, THUMBNAIL_PX, THUMBNAIL_PX, 3), "uint8", (1, 128, 128, 3))
    features, pictures = [], np.zeros((n, THUMBNAIL_PX, THUMBNAIL_PX, 3), np.uint8)
    for number, frame in enumerate(iterate_frames(film, encoder.size)):
        if number in firsts:
            index = firsts[number]
            features.append(encoder.encode(frame[None]))
            pictures[index] = _shrink(frame)
            context.progress(index / n, f"first frame {index + 1} of {n}")
    thumbnails[...] = pictures
    stacked = np.concatenate(features)
    context.array("features", stacked, (min(8, n), *stacked.shape[1:]))
    context.facts["encoder"] = encoder.name


def _shrink(frame: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.resize(frame, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA))


def catalogue_clips(context: Context) -> None:
    """All clips with their shots; near-duplicate shots between training and test."""
    from brainviz.data.duplicates import near_duplicates
    from brainviz.video.cuts import FilmCuts

    cuts = {
        segment: FilmCuts(result.manifest["facts"]["cuts"], [tuple(f) for f in result.manifest["facts"]["fades"]])
        for segment, result in context.inputs("cuts").items()
    }
    dataset = context.dataset()
    clips = dataset.catalogue(cuts)
    clips = clips[clips["segment"].isin(list(cuts))].reset_index(drop=True)
    context.table("clips", clips)
    context.progress(0.3, "searching near-duplicate shots")
    context.table("near_duplicates", near_duplicates(dataset, clips, progress=context.progress))


def check_data(context: Context) -> None:
    """Every problem of the data set, as a table."""
    from brainviz.data.check import check_dataset
    from brainviz.data.problems import problems_table

    context.table("problems", problems_table(check_dataset(context.dataset(), progress=context.progress)))


def fit_codebook(context: Context) -> None:
    """40 flow words, and the borders of the speed bins, from the training films only."""
    from brainviz.flow.codebook import fit_codebook as fit
    from brainviz.metrics.motion_scores import speed_edges

    films = context.inputs("flow_labels").values()
    flow = np.concatenate([read_array(film.arrays, "flow") for film in films])
    valid = np.concatenate([read_array(film.arrays, "valid") for film in films])
    context.array("words", fit(flow[valid], context.config["k"], context.config["seed"]).words)
    context.array("speed_edges", np.asarray(speed_edges(flow, valid), np.float32))
