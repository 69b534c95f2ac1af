"""The one way to results: subjects, clips, systems, tables, flow fields, maps.

A page or a notebook asks the workspace and never touches a file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainviz.data.timing import LAG_S, TR_S
from brainviz.errors import BrainvizError, NotReady, UnknownName
from brainviz.results import Result, ResultStore, check_schema
from brainviz.storage import open_array, read_array, read_json, read_table, write_json

if TYPE_CHECKING:
    import pandas as pd

    from brainviz.data.base import Dataset
    from brainviz.imported import ImportedFilms
    from brainviz.video.sprites import Sprite

# What makes films that are not there yet: found by name, so that nothing here depends on how results are made.
FILM_MAKER = "pipelines.interactive.reanimation:film_file"

SHARED_UNIT = "all"  # results that do not depend on a subject

# Which stage writes which table. A table is the concatenation of its parts, one per unit of the stage.
TABLE_STAGES = {
    "clips": "catalogue",
    "problems": "check",
    "lags": "check",
    "near_duplicates": "near_duplicates",
    "label_error": "label_error",
    "timing": "bold",
    "motion": "evaluate_motion",
    "motion_tests": "evaluate_motion",
    "motion_summary": "evaluate_motion",
    "motion_gain": "evaluate_motion",
    "motion_null": "evaluate_motion",
    "motion_sampled": "evaluate_motion",
    "motion_coverage": "evaluate_motion",
    "encoding": "encoding",
    "regions": "encoding",
    "contrasts": "encoding_maps",
    "reanimation": "evaluate_reanimation",
    "reanimation_summary": "evaluate_reanimation",
    "reanimation_tests": "evaluate_reanimation",
    "leave_out": "leave_out",
    "benchmark": "benchmark",
    "benchmark_clips": "benchmark",
    "benchmark_tests": "benchmark",
    "benchmark_absent": "benchmark",
    "corrections": "corrections",
    "shuffle_test": "shuffle_test",
    "shuffle_test_shift": "shuffle_test",
    "ambiguity": "ambiguity",
    "ambiguity_cases": "ambiguity",
    "ambiguity_directions": "ambiguity",
}


@dataclass(frozen=True)
class ClipPlace:
    """Where a clip stands in the arrays of its segment."""

    segment: str
    index: int
    split: str


class Workspace:
    """Read access to a workspace folder. Cheap to open; arrays are read when asked for.

    Raises
    ------
    NotReady
        A result that no finished stage has made yet.
    UnknownName
        A subject, clip, system, map or table that does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts = check_schema(path)
        self.results = ResultStore(path)

    @property
    def version(self) -> str:
        """Changes whenever any current result changes; use it as a cache key."""
        return self.results.version()

    @property
    def simulated(self) -> bool:
        """Whether the data set is simulated; every panel and export must say so."""
        return bool(self.facts["simulated"])

    @property
    def dataset_name(self) -> str:
        return str(self.facts["dataset_name"])

    @property
    def dataset_path(self) -> Path:
        """The folder of the data set, relative paths being relative to the workspace."""
        return (self.path / self.facts["dataset"]).resolve()

    @property
    def subjects(self) -> list[str]:
        return list(self.facts["subjects"])

    @cached_property
    def clips(self) -> pd.DataFrame:
        """One row per clip: clip, segment, index, onset_s, duration_s, split, shot, caption, shot_onset, case."""
        return self.table("clips")

    @property
    def segments(self) -> list[str]:
        return list(dict.fromkeys(self.clips["segment"]))

    @cached_property
    def _places(self) -> dict[str, ClipPlace]:
        rows = zip(self.clips["clip"], self.clips["segment"], self.clips["index"], self.clips["split"], strict=True)
        return {clip: ClipPlace(segment, int(index), split) for clip, segment, index, split in rows}

    def place(self, clip: str) -> ClipPlace:
        """Segment, index and split of a clip; raises `UnknownName`."""
        if clip not in self._places:
            raise UnknownName(f"There is no clip called {clip!r}.", self.dataset_name, "Clips look like test1-0042.")
        return self._places[clip]

    # ---- tables

    def has_table(self, name: str) -> bool:
        """Whether at least one part of the table exists."""
        return name in TABLE_STAGES and bool(self._table_files(name))

    def table(self, name: str) -> pd.DataFrame:
        """A tidy table, its parts of all units put together. Columns are those of ARCHITECTURE.md, "Tables"."""
        import pandas as pd

        if name not in TABLE_STAGES:
            raise UnknownName(f"There is no table called {name!r}.", "", f"Tables: {', '.join(TABLE_STAGES)}.")
        files = self._table_files(name)
        if not files:
            raise NotReady(f"The table {name!r} is not there yet.", TABLE_STAGES[name], "It appears during the run.")
        return pd.concat([read_table(file) for file in files], ignore_index=True)

    def _table_files(self, name: str) -> list[Path]:
        folders = (result.folder for result in self.results.all_current(TABLE_STAGES[name]))
        return [path for folder in folders if (path := folder / f"{name}.parquet").exists()]

    # ---- flow fields

    @cached_property
    def _first_label(self) -> Result:
        labels = self.results.all_current("flow_labels")
        if not labels:
            raise NotReady("True flow is not there yet.", "flow_labels", "It appears during the run.")
        return labels[0]

    @property
    def labeller(self) -> str:
        """What measured the true flow, with its settings."""
        return str(self._first_label.manifest["facts"]["labeller"])

    @property
    def step_s(self) -> np.ndarray:
        """Duration of the three flow steps in seconds, float32 (3,)."""
        return np.asarray(self._first_label.manifest["facts"]["step_s"], np.float32)

    def systems(self, subject: str) -> list[str]:
        """Systems whose flow exists for this subject, `truth` first."""
        self._check_subject(subject)
        units = self.results.units("motion_decoder")
        names = [u.split(".", 1)[1] for u in units if u.split(".", 1)[0] in (subject, SHARED_UNIT)]
        truth = ["truth"] if self.results.units("flow_labels") else []
        return truth + sorted(set(names))

    def flow(self, subject: str, clip: str, system: str, sample: int = 0) -> np.ndarray:
        """Flow of one clip: float32 (3, 32, 32, 2), right and down, pixels of the 32 x 32 grid per step."""
        place = self.place(clip)
        if system == "truth":
            return self._label_row(place, "flow").astype(np.float32)
        result = self.decoded(subject, system)
        clips = result.manifest["facts"]["clips"]
        if clip not in clips:
            raise NotReady(f"{system} has no flow for this clip.", clip, "Only test clips are decoded.")
        stored = open_array(result.arrays, "flow")
        if not 0 <= sample < stored.shape[1]:
            raise UnknownName(f"{system} has samples 0 to {stored.shape[1] - 1}.", f"sample {sample}")
        return np.asarray(stored[clips.index(clip), sample], np.float32)

    def samples(self, subject: str, system: str) -> int:
        """How many samples a system gives per clip (1 for an expected flow)."""
        return 1 if system == "truth" else int(open_array(self.decoded(subject, system).arrays, "flow").shape[1])

    def decoded(self, subject: str, system: str) -> Result:
        """The decoder result of a system, the subject's own or the shared one."""
        if system not in self.systems(subject):  # looked up, never joined into a path unseen
            raise NotReady(
                f"There is no flow of {system!r} yet.", f"subject {subject}", "See systems() for what there is."
            )
        own, shared = (self.results.current("motion_decoder", f"{owner}.{system}") for owner in (subject, SHARED_UNIT))
        result = own or shared
        if result is None:
            raise NotReady(
                f"The flow of {system!r} is being rebuilt.", f"subject {subject}", "It appears during the run."
            )
        return result

    def flow_valid(self, clip: str) -> np.ndarray:
        """Where the true flow can be trusted: bool (3, 32, 32); False across cuts, fades and inconsistent flow."""
        return self._label_row(self.place(clip), "valid").astype(bool)

    def object_mask(self, clip: str) -> np.ndarray:
        """Moving objects in the *viewed* film (residual after a camera fit): bool (3, 32, 32)."""
        return self._label_row(self.place(clip), "moving").astype(bool)

    def flowsam_mask(self, clip: str) -> np.ndarray:
        """FlowSAM's objects in the *viewed* film: bool (3, 32, 32); raises `NotReady` where no run has looked."""
        place = self.place(clip)
        result = self.results.current("object_masks", place.segment)
        if result is None:
            remedy = "Run with --object-masks flowsam."
            raise NotReady("FlowSAM's masks of this film are not there yet.", place.segment, remedy)
        return np.asarray(open_array(result.arrays, "objects")[place.index], bool)

    def _label_row(self, place: ClipPlace, name: str) -> np.ndarray:
        result = self.results.current("flow_labels", place.segment)
        if result is None:
            raise NotReady("True flow is not there yet.", place.segment, "It appears during the run.")
        return np.asarray(open_array(result.arrays, name)[place.index])

    # ---- pictures

    def thumbnail(self, clip: str) -> bytes:
        """The first frame of the clip as a small JPEG."""
        from PIL import Image

        place = self.place(clip)
        result = self.results.current("frame_features", place.segment)
        if result is None:
            raise NotReady("The first frames are not there yet.", place.segment, "They appear during the run.")
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(open_array(result.arrays, "thumbnails")[place.index])).save(
            buffer, "JPEG", quality=85
        )
        return buffer.getvalue()

    def first_frames(self, segment: str) -> np.ndarray:
        """The first frame of every clip of a segment, small: uint8 (n_clips, side, side, 3)."""
        result = self.results.current("frame_features", segment) if segment in self.segments else None
        if result is None:
            raise NotReady("The first frames are not there yet.", segment, "They appear during the run.")
        return read_array(result.arrays, "thumbnails")

    def film_sprite(self, clip: str) -> Sprite:
        """The film of the clip as one WebP sheet, made when first asked for and kept."""
        from brainviz.video.sprites import clip_sprite

        place = self.place(clip)
        cache = self.path / "cache" / "sprites" / f"{place.segment}-{place.index:04d}.webp"
        return clip_sprite(self.film(place.segment), place.index, cache)

    def first_frame(self, clip: str, size: int = 256) -> np.ndarray:
        """The first frame of the clip: uint8 (size, size, 3), centre-cropped."""
        from brainviz.video.reading import film_info, read_frames

        place = self.place(clip)
        film = self.film(place.segment)
        return read_frames(film, [round(2 * place.index * film_info(film).fps)], size)[0]

    def film(self, segment: str) -> Path:
        """The film of a segment, for `brainviz.video.reading`; raises `BrainvizError` where the data set is gone."""
        if segment not in self.segments:
            raise UnknownName(f"There is no segment called {segment!r}.", self.dataset_name)
        path = self.dataset_path / "stimuli" / f"{segment}.mp4"
        if not path.exists():
            if self.dataset_path.is_dir() and not path.parent.is_dir():
                return self._dataset.film(segment)  # a data set that keeps its films otherwise
            raise BrainvizError(
                "The film is not where the data set was.",
                str(path),
                "Put the data set back, or run again on its new place.",
            )
        return path

    @cached_property
    def _dataset(self) -> Dataset:
        from brainviz.data import open_dataset

        return open_dataset(self.dataset_path)

    def video(
        self, subject: str, clip: str, system: str, backend: str = "warp", mask: str = "none", sample: int = 0
    ) -> Path:
        """An MP4 of the clip's first frame moved by a system's flow; with `warp` it is made when first asked for.

        Raises `NotReady` where the flow, or another backend's film, is not made yet.
        """
        module, _, name = FILM_MAKER.partition(":")
        made: Path = getattr(import_module(module), name)(self, subject, clip, system, backend, mask, sample)
        return made

    # ---- films of other systems

    def imported_systems(self, subject: str) -> list[str]:
        """Systems whose films were imported for this subject (`python -m pipelines import-system`)."""
        from brainviz.imported import STAGE

        self._check_subject(subject)
        owned = (unit.split(".", 1) for unit in self.results.units(STAGE))
        return sorted({name for owner, name in owned if owner in (subject, SHARED_UNIT)})

    def imported(self, system: str, subject: str) -> ImportedFilms:
        """The films of another system: the subject's own, or those that stand for all; raises `NotReady`."""
        from brainviz.imported import STAGE, ImportedFilms

        if system in self.imported_systems(subject):  # looked up, never joined into a path unseen
            for owner in (subject, SHARED_UNIT):
                if result := self.results.current(STAGE, f"{owner}.{system}"):
                    return ImportedFilms(system, result)
        remedy = "Import it: python -m pipelines import-system NAME DIR --workspace DIR"
        raise NotReady(f"There are no films of {system!r}.", f"subject {subject}", remedy)

    # ---- cortex

    def maps(self, subject: str) -> list[str]:
        """Names of the subject's cortical maps, such as ``reliability``."""
        self._check_subject(subject)
        return sorted(self._maps(subject))

    def map(self, subject: str, name: str) -> np.ndarray:
        """A cortical map: float32 (64984,), left then right hemisphere, NaN on the medial wall."""
        self._check_subject(subject)
        found = self._maps(subject)
        if name not in found:
            raise UnknownName(f"There is no map called {name!r}.", f"subject {subject}", f"Maps: {', '.join(found)}.")
        return read_array(found[name].arrays, f"map.{name}").astype(np.float32)

    def _maps(self, subject: str) -> dict[str, Result]:
        units = [("bold", subject), ("encoding_maps", subject), ("leave_out", subject)]
        units += [("mind_animator", f"{subject}.corrected")]
        units += [(s, u) for s in ("encoding", "joint_encoding") for u in self.results.units(s) if _owner(u) == subject]
        results = [r for stage, unit in units if (r := self.results.current(stage, unit))]
        return {name: r for r in results for name in r.manifest["facts"].get("maps", [])}

    def encoders(self, subject: str) -> list[str]:
        """Encoders that were fitted to this subject."""
        self._check_subject(subject)
        return [unit.split(".", 1)[1] for unit in self.results.units("encoding") if _owner(unit) == subject]

    # ---- the state of things

    @property
    def problems(self) -> pd.DataFrame:
        """What was wrong with the data set and what was left out."""
        return self.table("problems")

    def timing(self, subject: str) -> pd.DataFrame:
        """One row per run: volumes, recording start, lag check, whether it was used."""
        self._check_subject(subject)
        table = self.table("timing")
        return table[table["subject"] == subject].reset_index(drop=True)

    def clock(self, subject: str) -> tuple[float, float]:
        """Repetition time (0 where there is no time axis) and film time of kept volume 0, in s; CC2017's until read."""
        self._check_subject(subject)
        result = self.results.current("bold", subject)
        facts = result.manifest["facts"] if result is not None else {}
        return float(facts.get("tr_s", TR_S)), float(facts.get("lag_s", LAG_S))

    def stages(self) -> pd.DataFrame:
        """What the current plan holds: stage, unit, status (done or waiting), in the order of work."""
        import pandas as pd

        plan = read_json(self.path / "plan.json", [])
        rows = [(p["stage"], p["unit"], self.results.complete(p["stage"], p["unit"], p["key"])) for p in plan]
        status = ["done" if done else "waiting" for *_, done in rows]
        return pd.DataFrame({"stage": [r[0] for r in rows], "unit": [r[1] for r in rows], "status": status})

    def _check_subject(self, subject: str) -> None:
        if subject not in self.subjects:
            raise UnknownName(
                f"There is no subject called {subject!r}.", self.dataset_name, f"Subjects: {', '.join(self.subjects)}."
            )


def _owner(unit: str) -> str:
    """Subject of a unit such as ``1.brain``."""
    return unit.split(".", 1)[0]


def open_workspace(path: str | Path) -> Workspace:
    """Open the workspace in this folder.

    Raises
    ------
    BrainvizError
        The folder is no workspace, or one of another schema version.
    """
    return Workspace(Path(path))


def create_workspace(path: str | Path, facts: dict[str, Any]) -> Workspace:
    """Create the workspace, or update what it says of its data set (dataset, dataset_name, simulated, subjects)."""
    from brainviz.results import SCHEMA_VERSION

    folder = Path(path)
    if (folder / "workspace.json").exists():
        check_schema(folder)
    write_json(folder / "workspace.json", {**facts, "schema": SCHEMA_VERSION})
    return Workspace(folder)
