"""Time courses and the predicted cortex of a film. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.data.timing import rows_per_clip
from brainviz.errors import NotReady, UnknownName
from brainviz.results import Result
from brainviz.storage import open_array, read_array
from brainviz.workspace import Workspace

if TYPE_CHECKING:
    from brainviz.video.sprites import Sprite
    from pipelines.encoding.weights import EncoderWeights
    from pipelines.request import RunRequest

Array = npt.NDArray[np.float32]
MOST_CLIPS = 30


@dataclass(frozen=True)
class FilmCourse:
    """Measured and predicted BOLD of one vertex over one test film.

    Attributes
    ----------
    segment : str
    times_s : float32 (tr,)
        Film time of each kept volume; the haemodynamic lag of the recording's cut is in it already.
    measured : float32 (tr,)
        Mean over `n_runs` z-scored runs.
    predicted : float32 (tr,)
        By the stored low-rank weights.
    n_runs : int
    """

    segment: str
    times_s: Array
    measured: Array
    predicted: Array
    n_runs: int


@dataclass(frozen=True)
class Activity:
    """Predicted cortex of a film.

    Attributes
    ----------
    values : float32 (t, 59412)
        Predicted BOLD (z) in cortex order, one row per volume.
    times_s : float32 (t,)
        Film time of each row, from the shown clip's start.
    sprite : Sprite
        The film's frames.
    """

    values: Array
    times_s: Array
    sprite: Sprite


def time_course(workspace: Workspace, subject: str, encoder: str, vertex: int) -> list[FilmCourse]:
    """Measured and predicted time courses of a vertex over every test film.

    Parameters
    ----------
    vertex : int
        Index into a map, 0 to 64983.

    Raises
    ------
    UnknownName
        The vertex lies on the medial wall or does not exist.
    NotReady
        The encoder is not fitted yet.
    """
    column = _column(vertex)
    result, weights = _fitted(workspace, subject, encoder)
    bold = _current(workspace, "bold", subject)
    courses = []
    for segment in result.manifest["config"]["test"]:
        if segment not in bold.manifest["facts"]["segments"]:
            continue
        features = _features(workspace, encoder, weights.layer, segment)
        stored = open_array(bold.arrays, f"mean.{segment}")
        step = rows_per_clip(bold.manifest["facts"]["tr_s"])
        n = min(len(features), -(-stored.shape[0] // step))
        measured = np.asarray(stored[: step * n : step, column], np.float32)
        predicted = weights.predict(features, n, slice(column, column + 1))[:, 0]
        runs = int(open_array(bold.arrays, f"runs.{segment}").shape[0])
        courses.append(FilmCourse(segment, _times(weights, n), measured, predicted, runs))
    return courses


def predict_clips(workspace: Workspace, subject: str, encoder: str, segment: str, first: int, n: int) -> Activity:
    """Predicted cortex of a stretch of the data set's own film: n clips of 2 s from clip `first`.

    Raises
    ------
    NotReady
        The encoder is not fitted yet.
    UnknownName
        The film has no such clips.
    """
    _, weights = _fitted(workspace, subject, encoder)
    features = _features(workspace, encoder, weights.layer, segment)
    if not 0 <= first < len(features) or not 1 <= n <= MOST_CLIPS:
        raise UnknownName(
            f"{segment} has no {n} clips from clip {first}.", segment, f"It has {len(features)}; at most {MOST_CLIPS}."
        )
    part = features[first : first + n]
    return _activity(weights, part, workspace.film(segment), first)


def predict_film(workspace: Workspace, subject: str, encoder: str, key: str) -> Activity:
    """Predicted cortex of an uploaded film.

    Raises
    ------
    NotReady
        The encoder is not fitted, or the film's features are not extracted yet: submit `film_request`.
    UnknownName
        There is no such film.
    """
    from brainviz.uploads import film_path

    film = film_path(workspace.path, key)
    _, weights = _fitted(workspace, subject, encoder)
    for unit in workspace.results.units("film_features"):
        result = workspace.results.current("film_features", unit) if unit.endswith(f".{key}") else None
        if result is not None and encoder in result.manifest["facts"]["layers"]:
            return _activity(weights, read_array(result.arrays, f"{encoder}.{weights.layer}"), film, 0)
    raise NotReady("This film's features are not extracted yet.", encoder, "Start the extraction; it is a short run.")


def film_request(key: str, encoder: str) -> RunRequest:
    """The run that extracts an uploaded film's features."""
    from pipelines.request import RunRequest

    return RunRequest(film=key, encoders=(encoder,))


def _activity(weights: EncoderWeights, features: Array, film: Path, first: int) -> Activity:
    from brainviz.video.reading import film_info, read_frames
    from brainviz.video.sprites import COLUMNS, Sprite, sprite_sheet

    volumes = len(features) + 2  # the response outlasts the film by the longest delay
    values = weights.predict(features, volumes)
    info = film_info(film)
    step = max(1, round(info.fps / 8))
    start, stop = round(2 * first * info.fps), round(2 * (first + len(features)) * info.fps)
    numbers = np.arange(start, min(stop, info.n_frames), step)
    sheet = sprite_sheet(read_frames(film, numbers, 160), COLUMNS)
    return Activity(values, _times(weights, volumes), Sprite(sheet, len(numbers), COLUMNS, 160, 160, info.fps / step))


def _times(weights: EncoderWeights, n: int) -> Array:
    return np.asarray(weights.lag_s + weights.tr_s * np.arange(n), np.float32)


def _column(vertex: int) -> int:
    from brainviz.cortex import load_surface

    cortex = load_surface().cortex
    column = int(np.searchsorted(cortex, vertex))
    if column >= len(cortex) or cortex[column] != vertex:
        raise UnknownName(f"Vertex {vertex} carries no data.", "cortex", "Pick one off the medial wall.")
    return column


def _fitted(workspace: Workspace, subject: str, encoder: str) -> tuple[Result, EncoderWeights]:
    if encoder not in workspace.encoders(subject):  # looked up, never joined into a path unseen
        raise NotReady(f"{encoder!r} is not fitted yet.", f"subject {subject}", "It appears during the run.")
    result = _current(workspace, "encoding", f"{subject}.{encoder}")
    return result, _weights(str(result.folder / "weights.npz"))


@lru_cache(maxsize=6)
def _weights(path: str) -> EncoderWeights:
    """Results never change under their path, so the path is the key."""
    from pipelines.encoding.weights import EncoderWeights

    return EncoderWeights.load(Path(path))


def _features(workspace: Workspace, encoder: str, layer: str, segment: str) -> Array:
    from pipelines.features.registry import encoder_spec
    from pipelines.plan_encoding import group_of

    result = _current(workspace, "clip_features", f"{group_of(encoder_spec(encoder))}.{segment}")
    return read_array(result.arrays, f"{encoder}.{layer}")


def _current(workspace: Workspace, stage: str, unit: str) -> Result:
    result = workspace.results.current(stage, unit)
    if result is None:
        raise NotReady("This result is being rebuilt.", f"{stage}, {unit}", "It appears during the run.")
    return result
