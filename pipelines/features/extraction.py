"""Features of a film's clips: decoded once for several encoders, part by part, resumed where a run was stopped."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainviz.data.fingerprint import fingerprint_files
from brainviz.errors import BrainvizError
from brainviz.storage import storage_error
from brainviz.video.reading import film_info
from pipelines.features.film_clips import View, clips_per_part, decoded_clips
from pipelines.features.spec import ClipEncoder, Features, joined

Progress = Callable[[float, str], None]


def encode_film(
    encoder: ClipEncoder, film: Path, n_clips: int, progress: Progress | None = None, work: Path | None = None
) -> Features:
    """Features of the first n clips of a film.

    Parameters
    ----------
    encoder : ClipEncoder
    film : Path
    n_clips : int
        Clips of 2 s from the start of the film.
    progress : callable, optional
        Called with the fraction done and a message.
    work : Path, optional
        Folder for finished parts; a second call goes on where the first was stopped. Parts are found by the content of
        encoder, weights and film, so a folder may be shared. The caller removes it.

    Returns
    -------
    dict of float32 (n_clips, channels), by layer

    Raises
    ------
    DataProblem
        The film cannot be read, or has fewer clips.
    """
    return encode_film_all([encoder], film, n_clips, progress, work)[encoder.spec.id]


def encode_film_all(
    encoders: Sequence[ClipEncoder],
    film: Path,
    n_clips: int,
    progress: Progress | None = None,
    work: Path | None = None,
) -> dict[str, Features]:
    """As `encode_film` for several encoders, decoding the film once: {encoder id: {layer: (n_clips, channels)}}."""
    if not encoders or n_clips < 1:
        raise BrainvizError("Features need at least one encoder and one clip.", str(film))
    fps = film_info(film).fps
    size = clips_per_part([View.of(encoder) for encoder in encoders], film)
    parts = [range(start, min(start + size, n_clips)) for start in range(0, n_clips, size)]
    stores = [_Store(encoder, work, _film_key(film)) for encoder in encoders]
    done = [{part: store.read(part) for part in parts} for store in stores]
    missing = [part for part in parts if any(features[part] is None for features in done)]
    needed = [e for e, features in zip(encoders, done, strict=True) if None in features.values()]
    for count, (part, clips) in enumerate(decoded_clips(film, [View.of(encoder) for encoder in needed], missing)):
        for store, features in zip(stores, done, strict=True):
            if features[part] is None:
                features[part] = store.encoder.encode(clips[View.of(store.encoder)], fps)
                store.write(part, features[part] or {})
        if progress:
            fraction = (len(parts) - len(missing) + count + 1) / len(parts)
            progress(fraction, f"{film.stem}: {part.stop} of {n_clips} clips")
    return {
        store.encoder.spec.id: joined([features[part] or {} for part in parts])
        for store, features in zip(stores, done, strict=True)
    }


@dataclass(frozen=True)
class _Store:
    """Finished parts of one encoder and film; keeps nothing where there is no folder."""

    encoder: ClipEncoder
    folder: Path | None
    film_key: str

    def path(self, part: range) -> Path | None:
        if self.folder is None:
            return None
        key = self.encoder.spec.fingerprint(self.encoder.weights)
        return self.folder / f"{self.encoder.spec.id}-{key}-{self.film_key}-{part.start:05d}-{part.stop:05d}.npz"

    def read(self, part: range) -> Features | None:
        path = self.path(part)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                features = {layer: file[layer] for layer in self.encoder.layers}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None  # a damaged part is made again
        return features if all(len(rows) == len(part) for rows in features.values()) else None

    def write(self, part: range, features: Features) -> None:
        """Write whole or not at all."""
        path = self.path(part)
        if path is None:
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as handle:
                np.savez(handle, allow_pickle=False, **features)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise storage_error(error, path) from error


def _film_key(film: Path) -> str:
    return fingerprint_files([("film", film)])
