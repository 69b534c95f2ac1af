"""The Algonauts Project 2021 (Cichy et al. 2021, arXiv:2104.13714): ten subjects, 1,000 short films, three times each.

There is no time axis: the files hold one response per film (of about 3 s) and repetition, estimated by the authors. So
a clip has one row and no window. A clip is the middle 2 s of its film, the clip length of every other data set, which
keeps flow steps comparable. The responses to the challenge's own test films (1001 to 1102) were never released: every
third block of 50 of the others is kept for testing instead (`brainviz.data.algonauts_layout.clip_blocks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.data import timing
from brainviz.data.algonauts_layout import LAYOUT, WHOLE_BRAIN, ClipBlock, clip_blocks, find_algonauts
from brainviz.data.base import Dataset, Float32, Frames
from brainviz.data.catalogue import clip_catalogue
from brainviz.data.film_states import FilmStates
from brainviz.data.fingerprint import fingerprint_files
from brainviz.data.preprocess import average_runs
from brainviz.data.problems import Problem
from brainviz.data.restricted_pickle import read_arrays
from brainviz.errors import DataProblem, UnknownName
from brainviz.flow.fields import CLIP_SECONDS
from brainviz.video.parts import Series

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.data.base import Progress
    from brainviz.video.cuts import Cuts

SPACE = "algonauts2021-voxels"
FILM_S, FPS = 3.0, 30.0
PART_S = ((FILM_S - CLIP_SECONDS) / 2, (FILM_S + CLIP_SECONDS) / 2)  # of each film that makes its clip
MASK_SHAPE = (78, 93, 71)
_FLAT = 1e-6  # standard deviation, relative to the largest value, below which a voxel is constant


class Algonauts2021(Dataset):
    """The adapter. See `brainviz.data.base.Dataset` for what it offers.

    Parameters
    ----------
    path : folder
        The one that holds ``participants_data_v2021`` and ``AlgonautsVideos268_All_30fpsmax``, or the one above it.

    Raises
    ------
    DataProblem
        There is no such data set.
    """

    name = "algonauts2021"
    simulated = False
    space = SPACE
    tr_s = timing.NO_TIME_AXIS
    lag_s = 0.0

    def __init__(self, path: str | Path) -> None:
        found = find_algonauts(path)
        if found is None:
            raise DataProblem("This is no Algonauts 2021 data set.", str(path), f"Give the folder with {LAYOUT}.")
        self.layout = found
        self.path = found.root
        self.blocks: dict[str, ClipBlock] = {block.segment: block for block in clip_blocks(found.n_clips)}
        films = {
            name: Series(found.films, block.first, block.last, *PART_S, FPS).reference()
            for name, block in self.blocks.items()
        }
        self.films = FilmStates(films, self.path)
        self._faults: dict[str, DataProblem | None] = {}
        self._repeats: dict[str, int] = {}
        self._loaded: tuple[str, Float32] | None = None

    # ---- what there is

    @property
    def subjects(self) -> list[str]:
        return list(self.layout.responses)

    @cached_property
    def segments(self) -> list[str]:
        return self.films.usable()

    @cached_property
    def clips(self) -> pd.DataFrame:
        return self.catalogue()

    def catalogue(self, cuts: Mapping[str, Cuts] | None = None) -> pd.DataFrame:
        chosen = self.segments if cuts is None else [name for name in self.blocks if name in cuts]
        return clip_catalogue({name: self.n_clips(name) for name in chosen}, None, cuts)

    def n_clips(self, segment: str) -> int:
        return self.films.n_clips(segment)

    def n_volumes(self, segment: str) -> int:
        return self.n_clips(segment)

    def film(self, segment: str) -> Path:
        self.films.info(segment)
        return self.films.films[segment]

    def frames(self, clip: str, n: int, size: int | None = None) -> Frames:
        return self.films.frames(clip, n, size)

    # ---- responses

    def runs(self, subject: str, segment: str) -> list[int]:
        """Numbers of the repetitions, 1 to 3."""
        self.check_subject(subject)
        self.check_segment(segment)
        return [] if self.fault(subject) else list(range(1, self._repeats[subject] + 1))

    def fault(self, subject: str) -> DataProblem | None:
        """Why a subject's responses cannot be used; None where they can."""
        if subject not in self._faults:
            try:
                self._faults[subject] = None
                self._repeats[subject] = self.responses(subject).shape[0]
            except DataProblem as error:
                self._faults[subject] = error
        return self._faults[subject]

    def responses(self, subject: str) -> Float32:
        """All responses: float32 (repetition, clip, voxel), each voxel and repetition scaled on the training clips.

        Regions of the mini track stand side by side, in the order of `brainviz.data.algonauts_layout.REGIONS`. Mean 0
        and standard deviation 1 over the training blocks; what is constant or not finite is 0.

        Raises
        ------
        DataProblem
            A file is refused, damaged, or of another shape.
        """
        self.check_subject(subject)
        if self._loaded is None or self._loaded[0] != subject:
            parts = [read_responses(file, region) for region, file in self.layout.responses[subject].items()]
            shapes = {part.shape[:2] for part in parts}
            where = str(next(iter(self.layout.responses[subject].values())).parent)
            if len(shapes) > 1:
                what = f"The regions differ in films and repetitions: {sorted(shapes)}."
                raise DataProblem(what, where, "Take all files from the same release.")
            n = parts[0].shape[0]
            if n != self.layout.n_clips:
                what = f"There are responses to {n} films; the numbers of the films go up to {self.layout.n_clips}."
                raise DataProblem(what, where, f"Put all films into {self.layout.films}, and all responses here.")
            whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
            self._loaded = subject, self._scaled(whole.transpose(1, 0, 2))
        return self._loaded[1]

    def _scaled(self, values: np.ndarray) -> Float32:
        training = np.concatenate(
            [np.arange(self.layout.n_clips)[b.rows] for b in self.blocks.values() if not b.segment.startswith("test")]
        )
        result = np.empty(values.shape, np.float32)
        for number, run in enumerate(values):
            finite = np.isfinite(run).all(0)
            clean = np.where(finite, run, 0).astype(np.float64)
            own = clean[training]
            mean, deviation = own.mean(0), own.std(0)
            usable = finite & (deviation > _FLAT * np.abs(own).max(0, initial=0.0))
            result[number] = (clean - mean) * np.where(usable, 1 / np.where(usable, deviation, 1), 0)
        return result

    def bold(self, subject: str, segment: str, run: int | None = None, runs: Sequence[int] | None = None) -> Float32:
        there = self.runs(subject, segment)
        fault = self.fault(subject)
        if fault is not None:
            raise fault
        chosen = [run] if run is not None else there if runs is None else list(runs)
        unknown = [number for number in chosen if number not in there]
        if unknown or not chosen:
            what = f"Subject {subject} has no repetition {', '.join(map(str, unknown)) or 'at all'}."
            raise UnknownName(what, str(self.path), f"Repetitions: {', '.join(map(str, there))}.")
        values, rows = self.responses(subject), self.blocks[segment].rows
        return average_runs(values[number - 1, rows] for number in chosen)

    def timing(self, subject: str) -> pd.DataFrame:
        """One row per segment and repetition; `n_volumes` counts responses, one per clip."""
        import pandas as pd

        self.check_subject(subject)
        fault = self.fault(subject)
        rows = []
        for segment in self.segments:
            for run in self.runs(subject, segment):
                n = self.n_clips(segment)
                facts = {"subject": subject, "segment": segment, "run": run, "n_volumes": n}
                facts |= {"kind": "one response per clip, no time axis", "first_volume_s": np.nan}
                facts |= {"dropped_start": 0, "dropped_end": 0, "kept": n}
                rows.append(facts | {"used": fault is None, "note": fault.what if fault else ""})
        return pd.DataFrame(rows)

    # ---- state

    @cached_property
    def problems(self) -> list[Problem]:
        from brainviz.data.algonauts_problems import discovery_problems

        return discovery_problems(self)

    def value_problems(self, progress: Progress | None = None) -> list[Problem]:
        from brainviz.data.algonauts_problems import value_problems

        return value_problems(self, progress)

    def fingerprint(self, subject: str | None = None, segment: str | None = None) -> str:
        if subject is not None:
            self.check_subject(subject)
            extra = f"{self.layout.n_clips}" if segment is None else f"{self.blocks[segment].rows}"
            return fingerprint_files(self._named(self.layout.responses[subject].values()), extra)
        if segment is not None:
            return fingerprint_files([(segment, self.film(segment))])
        everything = [file for own in self.layout.responses.values() for file in own.values()]
        films = [(segment, self.films.films[segment]) for segment in self.segments]
        return fingerprint_files([*self._named(everything), *films])

    def _named(self, files: Any) -> list[tuple[str, Path]]:
        return [(file.relative_to(self.path).as_posix(), file) for file in files]


def read_responses(file: Path, region: str) -> np.ndarray:
    """The responses of one file: (clip, repetition, voxel), as stored.

    Raises
    ------
    DataProblem
        The pickle is refused or damaged, lacks ``train``, or that has another shape than (clip, repetition, voxel);
        a whole-brain file lacks its mask, or the mask marks another number of voxels.
    """
    found = read_arrays(file)
    again = "Take the file as distributed by the challenge."
    values = found.get("train") if isinstance(found, dict) else None
    if not isinstance(values, np.ndarray):
        raise DataProblem("The file holds no array called 'train'.", str(file), again)
    if values.ndim != 3 or 0 in values.shape or values.dtype.kind != "f":
        what = f"'train' is {values.dtype} {values.shape}, not numbers of (film, repetition, voxel)."
        raise DataProblem(what, str(file), again)
    if region == WHOLE_BRAIN:
        mask = found.get("voxel_mask")
        if not isinstance(mask, np.ndarray) or mask.shape != MASK_SHAPE:
            raise DataProblem(f"The whole-brain file lacks its voxel_mask of {MASK_SHAPE}.", str(file), again)
        if int(np.count_nonzero(mask)) != values.shape[2]:
            what = f"voxel_mask marks {np.count_nonzero(mask)} voxels; 'train' has {values.shape[2]}."
            raise DataProblem(what, str(file), again)
    return values
