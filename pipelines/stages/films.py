"""Stages on the films alone: cuts, true flow, first frames, the catalogue of clips, the codebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brainviz.data.catalogue import clip_name
from brainviz.flow.fields import GRID
from brainviz.storage import read_array, read_table
from pipelines.graph import Context

if TYPE_CHECKING:
    from brainviz.results import Result
    from brainviz.video.cuts import Cuts

THUMBNAIL_PX = 128
FRAMES_AT_ONCE = 16


def find_cuts(context: Context) -> None:
    """Cuts and fades of one film, as frame numbers."""
    from brainviz.video.cuts import detect_cuts

    found = detect_cuts(context.dataset().film(context.unit), progress=context.progress)
    context.array("cuts", np.asarray(found.cuts, np.int64))
    context.array("fades", np.asarray(found.fades, np.int64).reshape(-1, 2))
    context.facts |= {"fps": float(found.fps), "n_frames": int(found.n_frames)}


def _cuts(result: Result) -> Cuts:
    from brainviz.video.cuts import Cuts

    facts = result.manifest["facts"]
    cuts, fades = read_array(result.arrays, "cuts"), read_array(result.arrays, "fades")
    return Cuts(cuts, fades, facts["fps"], facts["n_frames"])


def label_flow(context: Context) -> None:
    """True flow, validity and moving objects of one film's clips."""
    from pipelines.flow_labels import label_film, make_labeller

    config = context.config
    labeller = make_labeller(config["labeller"], device=context.device)
    cuts = _cuts(context.input("cuts"))
    film = context.dataset().film(context.unit)
    labels = label_film(film, config["n_clips"], labeller, cuts.cuts.tolist(), cuts.fades.tolist(), context.progress)
    for name in ("flow", "valid", "moving", "camera", "consistency"):
        values = getattr(labels, name)
        context.array(name, values, (1, *values.shape[1:]))
    context.facts |= {"labeller": labels.labeller, "step_s": [float(s) for s in labels.step_s]}


def measure_label_error(context: Context) -> None:
    """The labels' own error on a simulated test film, clip by clip, against the exact flow of the scene parameters."""
    from pipelines.flow_labels import compare_with_exact
    from pipelines.simulate.exact_flow import exact_flow
    from pipelines.simulate.plan import FilmPlan
    from pipelines.simulate.renderer import forget_pictures

    labels = context.input("flow_labels")
    flow, valid, moving = (read_array(labels.arrays, name) for name in ("flow", "valid", "moving"))
    plan = FilmPlan.read(context.dataset_path / "scenes.json")
    exact = []
    for index in range(len(flow)):
        exact.append(exact_flow(plan, context.unit, index))
        context.progress((index + 1) / len(flow), f"{index + 1} of {len(flow)} clips")
    forget_pictures()
    exact_field, exact_valid, exact_moving = (np.stack(parts) for parts in zip(*exact, strict=True))
    table = compare_with_exact(flow, valid, exact_field, exact_valid, moving, exact_moving)
    table.insert(0, "clip", [clip_name(context.unit, index) for index in range(len(flow))])
    context.table("label_error", table.assign(segment=context.unit, labeller=labels.manifest["facts"]["labeller"]))


def encode_first_frames(context: Context) -> None:
    """First-frame features and thumbnails of one film's clips."""
    from brainviz.video.reading import film_info, read_frames
    from pipelines.features.first_frame import make_frame_encoder

    encoder = make_frame_encoder(context.config["encoder"], device=context.device)
    film, n = context.dataset().film(context.unit), context.config["n_clips"]
    numbers = [round(2 * i * film_info(film).fps) for i in range(n)]
    features = np.empty((n, GRID, GRID, encoder.channels), np.float16)
    pictures = np.empty((n, THUMBNAIL_PX, THUMBNAIL_PX, 3), np.uint8)
    for start in range(0, n, FRAMES_AT_ONCE):
        part = slice(start, min(start + FRAMES_AT_ONCE, n))
        frames = read_frames(film, numbers[part], encoder.size)
        features[part] = encoder.encode(frames)
        pictures[part] = [_shrink(frame) for frame in frames]
        context.progress(part.stop / n, f"{part.stop} of {n} first frames")
    context.array("features", features, (1, *features.shape[1:]))
    context.array("thumbnails", pictures, (1, *pictures.shape[1:]))
    context.facts["encoder"] = encoder.name


def _shrink(frame: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.resize(frame, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA))


def catalogue_clips(context: Context) -> None:
    """All clips with their shots."""
    cuts = {segment: _cuts(result) for segment, result in context.inputs("cuts").items()}
    dataset = context.dataset()
    clips = dataset.catalogue(cuts)
    clips = clips[clips["segment"].isin(list(cuts))].reset_index(drop=True)
    context.table("clips", clips)


def search_twins(context: Context) -> None:
    """Test shots that a training film shows too."""
    from brainviz.data.duplicates import near_duplicates

    clips = read_table(context.input("catalogue").folder / "clips.parquet")
    context.table("near_duplicates", near_duplicates(context.dataset(), clips, progress=context.progress))


def check_data(context: Context) -> None:
    """Every problem of the data set, and by how much each run lags its film, as tables."""
    from brainviz.data.check import examine
    from brainviz.data.problems import problems_table

    found = examine(context.dataset(), progress=context.progress)
    context.table("problems", problems_table(found.problems))
    context.table("lags", found.lags)


def fit_codebook(context: Context) -> None:
    """40 flow words, and the borders of the speed bins, from the training films only."""
    from brainviz.flow.codebook import fit_codebook as fit
    from brainviz.metrics.motion_scores import speed_edges

    films = context.inputs("flow_labels").values()
    flow = np.concatenate([read_array(film.arrays, "flow") for film in films])
    valid = np.concatenate([read_array(film.arrays, "valid") for film in films])
    context.array("words", fit(flow[valid], context.config["k"], context.config["seed"]).words)
    context.array("speed_edges", np.asarray(speed_edges(flow, valid), np.float32))
